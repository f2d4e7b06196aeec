package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"
)

// answerHeader asks the upstream for one of its answers; gateways pass it on.
const answerHeader = "X-Bench-Answer"

// eventsPerWrite is how many events of a stream the upstream sends in one
// write.
const eventsPerWrite = 4

// serveUpstream is the provider: as fast as can be, it reads a request to its
// end and writes an answer that was made before.
func serveUpstream(listen string) error {
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	answers := newAnswers()
	for {
		conn, err := ln.Accept()
		if err != nil {
			return fmt.Errorf("accepting: %w", err)
		}
		go answers.serve(conn)
	}
}

// answers are the writes of each answer, by name.
type answers map[string][]string

func newAnswers() answers {
	text := newProse(7)
	return answers{
		"json":   {wholeAnswer(text)},
		"turn":   streamAnswer(text, 20),
		"stream": streamAnswer(text, 230),
		"hold":   streamAnswer(text, 20)[:2], // and then nothing: see serve
	}
}

func (a answers) serve(conn net.Conn) {
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
		name := req.Header.Get(answerHeader)
		for _, part := range a[name] {
			if _, err := io.WriteString(conn, part); err != nil {
				return
			}
		}
		if name == "hold" {
			in.Peek(1) // until the other end leaves
			return
		}
	}
}

const answerUsage = `"usage":{"input_tokens":412,"cache_creation_input_tokens":1800,"cache_read_input_tokens":61200,"output_tokens":1}`

func wholeAnswer(text *prose) string {
	body := `{"id":"msg_01bench","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{"type":"text","text":"` +
		text.take(1000) + `"}],"stop_reason":"end_turn","stop_sequence":null,` + answerUsage + `}`
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRequest-Id: req_01bench\r\nDate: %s\r\nContent-Length: %d\r\n\r\n%s",
		time.Now().UTC().Format(http.TimeFormat), len(body), body)
}

// streamAnswer has n deltas of about 200 bytes, in chunks of eventsPerWrite
// events; the first and the last write hold header and end.
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
	writes := []string{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nRequest-Id: req_01bench\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"}
	for len(events) > 0 {
		group := events[:min(eventsPerWrite, len(events))]
		events = events[len(group):]
		chunk := strings.Join(group, "")
		writes = append(writes, fmt.Sprintf("%x\r\n%s\r\n", len(chunk), chunk))
	}
	writes[len(writes)-1] += "0\r\n\r\n"
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
