package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"
)

// answerHeader asks the upstream for one of its answers; gateways pass it on.
const answerHeader = "X-Bench-Answer"

// eventsPerWrite is how many events of a stream the upstream sends in one
// write.
const eventsPerWrite = 4

// reply is an answer: its body in the writes by which it leaves. One write has
// a Content-Length, more are chunked.
type reply struct {
	kind   string // Content-Type
	writes []string
	holds  bool // and then nothing: the answer never ends
}

func newReplies() map[string]reply {
	text := newProse(7)
	turn := streamAnswer(text, 20)
	return map[string]reply{
		"json":   {kind: "application/json", writes: []string{wholeAnswer(text)}},
		"turn":   {kind: eventStream, writes: turn},
		"stream": {kind: eventStream, writes: streamAnswer(text, 230)},
		"hold":   {kind: eventStream, writes: turn[:2], holds: true},
	}
}

const eventStream = "text/event-stream; charset=utf-8"

// serveUpstream is the provider. Lean, it reads a request to its end and
// writes an answer that was rendered before; otherwise it is a plain net/http
// server.
func serveUpstream(listen string, lean bool) error {
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	if !lean {
		return http.Serve(ln, plain(newReplies()))
	}
	rendered := render(newReplies())
	for {
		conn, err := ln.Accept()
		if err != nil {
			return fmt.Errorf("accepting: %w", err)
		}
		go rendered.serve(conn)
	}
}

// serveTLS is the provider over TLS, under a certificate of the run's authority.
func serveTLS(listen, ca string) error {
	leaf, _, err := leafOf(ca)
	if err != nil {
		return err
	}
	ln, err := tls.Listen("tcp", listen, &tls.Config{Certificates: []tls.Certificate{leaf}})
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	return http.Serve(ln, plain(newReplies()))
}

func plain(replies map[string]reply) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		to := replies[r.Header.Get(answerHeader)]
		w.Header().Set("Content-Type", to.kind)
		w.Header().Set("Request-Id", "req_01bench")
		for _, part := range to.writes {
			io.WriteString(w, part)
			if len(to.writes) > 1 {
				http.NewResponseController(w).Flush()
			}
		}
		if to.holds {
			<-r.Context().Done()
		}
	})
}

// rendered are replies as they stand on the wire.
type rendered map[string]reply

func render(replies map[string]reply) rendered {
	out := rendered{}
	for name, r := range replies {
		head := "HTTP/1.1 200 OK\r\nContent-Type: " + r.kind + "\r\nRequest-Id: req_01bench\r\nDate: " + time.Now().UTC().Format(http.TimeFormat) + "\r\n"
		if len(r.writes) == 1 {
			out[name] = reply{writes: []string{fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(r.writes[0]), r.writes[0])}}
			continue
		}
		writes := []string{head + "Transfer-Encoding: chunked\r\n\r\n"}
		for _, part := range r.writes {
			writes = append(writes, fmt.Sprintf("%x\r\n%s\r\n", len(part), part))
		}
		if !r.holds {
			writes[len(writes)-1] += "0\r\n\r\n"
		}
		out[name] = reply{writes: writes, holds: r.holds}
	}
	return out
}

func (a rendered) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 64<<10)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		to := a[req.Header.Get(answerHeader)]
		for _, part := range to.writes {
			if _, err := io.WriteString(conn, part); err != nil {
				return
			}
		}
		if to.holds {
			in.Peek(1) // until the other end leaves
			return
		}
	}
}

const answerUsage = `"usage":{"input_tokens":412,"cache_creation_input_tokens":1800,"cache_read_input_tokens":61200,"output_tokens":1}`

func wholeAnswer(text *prose) string {
	return `{"id":"msg_01bench","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{"type":"text","text":"` +
		text.take(1000) + `"}],"stop_reason":"end_turn","stop_sequence":null,` + answerUsage + `}`
}

// streamAnswer has n deltas of about 200 bytes, eventsPerWrite events in one
// write.
func streamAnswer(text *prose, n int) []string {
	event := func(name, data string) string { return "event: " + name + "\ndata: " + data + "\n\n" }
	events := []string{
		event("message_start", `{"type":"message_start","message":{"id":"msg_01bench","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":null,`+answerUsage+`}}`),
		event("content_block_start", `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`),
		event("ping", `{"type":"ping"}`),
	}
	for range n {
		events = append(events, event("content_block_delta", `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"`+text.take(80)+`"}}`))
	}
	events = append(events,
		event("content_block_stop", `{"type":"content_block_stop","index":0}`),
		event("message_delta", `{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":812}}`),
		event("message_stop", `{"type":"message_stop"}`))
	var writes []string
	for group := range slices.Chunk(events, eventsPerWrite) {
		writes = append(writes, strings.Join(group, ""))
	}
	return writes
}

// serveProxy is the yardstick: the standard library's reverse proxy, flushing
// at once as streams need it, and with enough idle connections, since the
// default of two would make it slower than it is.
func serveProxy(listen, target string) error {
	to, err := url.Parse(target)
	if err != nil {
		return fmt.Errorf("reading the target: %w", err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 4096, 4096
	transport.DisableCompression = true
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Body = &whole{r.Out.Body, r.In.ContentLength}
		},
		FlushInterval: -1,
		Transport:     transport,
	}
	return (&http.Server{Addr: listen, Handler: proxy}).ListenAndServe()
}

// whole ends by itself after the last byte. Without it the proxy now and then
// breaks off an answer: an upstream this fast answers before the transport has
// asked the request's body for its end, the server then closes that body, and
// the transport takes the failed read for a failed request.
type whole struct {
	io.ReadCloser
	left int64
}

func (w *whole) Read(p []byte) (int, error) {
	if w.left == 0 {
		return 0, io.EOF
	}
	n, err := w.ReadCloser.Read(p)
	w.left -= int64(n)
	return n, err
}
