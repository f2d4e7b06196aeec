package app_test

import (
	"bufio"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/ca"
	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
)

const rpcPath = "/openai/agent.v1.Chat/Run"

// rpcServer answers each message of a row with the same message, and ends with
// trailers. What it got it tells. It wants to be spoken to in a version of HTTP.
func rpcServer(t *testing.T, got chan<- string, version int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if te := r.Header.Get("Te"); r.ProtoMajor != version || strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") && te != "trailers" {
			t.Errorf("the provider was asked over %s, Te %q", r.Proto, te)
		}
		control := http.NewResponseController(w)
		control.EnableFullDuplex()
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		w.Header().Set("Trailer", "Grpc-Status")
		w.WriteHeader(http.StatusOK)
		control.Flush()
		for {
			head := make([]byte, 5)
			if _, err := io.ReadFull(r.Body, head); err != nil {
				break
			}
			body := make([]byte, binary.BigEndian.Uint32(head[1:]))
			if _, err := io.ReadFull(r.Body, body); err != nil {
				break
			}
			got <- string(body)
			w.Write(append(head, body...))
			control.Flush()
		}
		w.Header().Set("Grpc-Status", "0")
	})
}

// rowClient writes a row of messages while it reads the answer.
type rowClient struct {
	t    *testing.T
	to   *io.PipeWriter
	resp *http.Response
}

// caller is a way to the provider: how a call is made, and where.
type caller struct {
	tr      http.RoundTripper
	address string
}

func (h *house) redirected() caller {
	return caller{&http.Transport{DisableCompression: true}, h.url + rpcPath}
}

// row begins a call whose body goes on.
func (c caller) row(t *testing.T, kind string) *rowClient {
	t.Helper()
	r, w := io.Pipe()
	resp := c.post(t, kind, r)
	t.Cleanup(func() { w.Close(); resp.Body.Close() })
	return &rowClient{t, w, resp}
}

// post makes a call whose body has no length.
func (c caller) post(t *testing.T, kind string, body io.Reader) *http.Response {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, c.address, io.NopCloser(body))
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = -1
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Te", "trailers")
	resp, err := c.tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// echoed sends a message and waits for the same.
func (c *rowClient) echoed(message string) {
	c.t.Helper()
	sent := envelope(0, message)
	if _, err := io.WriteString(c.to, sent); err != nil {
		c.t.Fatal(err)
	}
	back := make([]byte, len(sent))
	if _, err := io.ReadFull(c.resp.Body, back); err != nil || string(back) != sent {
		c.t.Fatalf("sent %q, got %q: %v", sent, back, err)
	}
}

// entrances are the ways by which rows come, each with its gateway: over HTTP/1.1 to
// a base URL and to the provider, and over HTTP/2 and TLS on both sides of the
// forward proxy.
var entrances = map[string]func(t *testing.T, dir string, got chan<- string) (*house, caller){
	"redirect": func(t *testing.T, dir string, got chan<- string) (*house, caller) {
		h := open(t, dir, rpcServer(t, got, 1), nil)
		return h, h.redirected()
	},
	"HTTP/2": func(t *testing.T, dir string, got chan<- string) (*house, caller) {
		h := secured(t, dir, rpcServer(t, got, 2))
		return h, caller{h.client(true, nil).Transport, "https://api.openai.com/agent.v1.Chat/Run"}
	},
}

// secured starts a gateway with its forward proxy before a provider that speaks
// TLS and HTTP/2.
func secured(t *testing.T, dir string, handler http.Handler) *house {
	t.Helper()
	up := httptest.NewUnstartedServer(handler)
	up.EnableHTTP2 = true
	up.StartTLS()
	t.Cleanup(up.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	write(t, file, string(ca.PEM([]*x509.Certificate{up.Certificate()})))
	return open(t, dir, http.NotFoundHandler(), func(c *config.Config) {
		c.Intercept.Listen = "127.0.0.1:0"
		for name := range c.Upstreams {
			c.Upstreams[name] = config.Upstream{URL: up.URL, CAFile: file}
		}
	})
}

// TestRowsOfMessages: a stream of gRPC or Connect flows both ways at once, each
// message on record by itself and scanned, the whole answer with the opening.
func TestRowsOfMessages(t *testing.T) {
	for name, enter := range entrances {
		for _, kind := range []string{"application/grpc+proto", "application/connect+proto"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				got := make(chan string, 10)
				h, way := enter(t, t.TempDir(), got)
				c := way.row(t, kind)
				messages := []string{field(1, "hello"), field(1, "the token is "+planted(3)), ""}
				for _, m := range messages {
					c.echoed(m)
					if said := <-got; said != m {
						t.Errorf("the provider got %q, not %q", said, m)
					}
				}
				c.to.Close()
				if rest, err := io.ReadAll(c.resp.Body); err != nil || len(rest) > 0 || c.resp.Trailer.Get("Grpc-Status") != "0" {
					t.Errorf("the end: %q, %v, trailer %v", rest, err, c.resp.Trailer)
				}
				recorded(t, h, messages)
			})
		}
	}
}

// recorded compares the record with a row that was answered with itself.
func recorded(t *testing.T, h *house, messages []string) {
	t.Helper()
	flows := h.ended(1 + len(messages))
	var answer string
	for i, m := range messages {
		answer += envelope(0, m)
		v := flows[1+i]
		if v.Method != flow.MethodMessage || v.State != flow.Done || v.Path != "/agent.v1.Chat/Run" || (len(found(flows[1+i:2+i])) > 0) != (i == 1) {
			t.Errorf("message %d: %s", i, judged(flows[1+i:2+i]))
		}
		h.exact(v, envelope(0, m), "")
	}
	h.exact(flows[0], "", answer)
}

// TestSingleCallIsOneFlow: a row that ends at once is a request like any other.
func TestSingleCallIsOneFlow(t *testing.T) {
	for name, enter := range entrances {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 10)
			h, way := enter(t, t.TempDir(), got)
			body := envelope(0, field(1, "hello"))
			resp := way.post(t, "application/grpc", strings.NewReader(body))
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			if err != nil || string(text) != body || resp.Trailer.Get("Grpc-Status") != "0" {
				t.Errorf("%s %q %v %v", resp.Status, text, resp.Trailer, err)
			}
			h.exact(h.ended(1)[0], body, body)
		})
	}
}

// TestBlockedMessageEndsTheRow: the client is told why in its own form, and the
// provider gets nothing of the message.
func TestBlockedMessageEndsTheRow(t *testing.T) {
	for name, enter := range entrances {
		for _, kind := range []string{"application/grpc", "application/connect+proto"} {
			for _, first := range []bool{true, false} {
				t.Run(fmt.Sprint(name, " ", kind, " the first: ", first), func(t *testing.T) {
					got := make(chan string, 10)
					dir := t.TempDir()
					write(t, dir+"/policy.yaml", blocking)
					h, way := enter(t, dir, got)
					told := toldOfBlock(t, way, kind, first)
					if !strings.Contains(told, "secret.github") || kind == "application/grpc" && !strings.Contains(told, "7") || kind != "application/grpc" && !strings.Contains(told, "permission_denied") {
						t.Errorf("told %q", told)
					}
					want := map[bool]int{true: 1, false: 3}[first]
					flows := h.ended(want)
					if last := flows[len(flows)-1]; last.Verdict != flow.Block || last.State != flow.Refused || last.ForwardedBytes != 0 {
						t.Errorf("%s", judged(flows))
					}
					close(got)
					for said := range got {
						if strings.Contains(said, planted(4)) {
							t.Error("the provider got it")
						}
					}
				})
			}
		}
	}
}

// TestACutMessageEndsTheRow: a message that its row's end cuts is a refused one. The
// provider gets nothing of it, and does not take the call for a whole one.
func TestACutMessageEndsTheRow(t *testing.T) {
	provider := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		control.EnableFullDuplex()
		w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
		control.Flush()
		for buf := make([]byte, 1<<10); ; {
			n, err := r.Body.Read(buf)
			w.Write(buf[:n])
			control.Flush()
			if errors.Is(err, io.EOF) {
				t.Error("the provider got a clean end")
			}
			if err != nil {
				return
			}
		}
	})
	ways := map[string]func(t *testing.T) (*house, caller){
		"redirect": func(t *testing.T) (*house, caller) {
			h := open(t, t.TempDir(), provider, nil)
			return h, h.redirected()
		},
		"HTTP/2": func(t *testing.T) (*house, caller) {
			h := secured(t, t.TempDir(), provider)
			return h, caller{h.client(true, nil).Transport, "https://api.openai.com/agent.v1.Chat/Run"}
		},
	}
	whole := envelope(0, field(1, "hello"))
	for name, enter := range ways {
		for _, cut := range []string{whole[:len(whole)-4], whole[:5], whole[:3], whole[:1]} {
			t.Run(fmt.Sprintf("%s at once, %d bytes", name, len(cut)), func(t *testing.T) {
				h, way := enter(t)
				resp := way.post(t, "application/grpc", strings.NewReader(whole+cut))
				defer resp.Body.Close()
				text, _ := io.ReadAll(resp.Body)
				toldOfCut(t, resp)
				flows := h.flows()
				if last := flows[len(flows)-1]; last.State != flow.Refused || last.ForwardedBytes != 0 {
					t.Errorf("%q, %s", text, judged(flows))
				}
			})
			t.Run(fmt.Sprintf("%s later, %d bytes", name, len(cut)), func(t *testing.T) {
				h, way := enter(t)
				c := way.row(t, "application/grpc")
				c.echoed(field(1, "hello"))
				io.WriteString(c.to, cut)
				c.to.Close()
				io.ReadAll(c.resp.Body)
				toldOfCut(t, c.resp)
				flows := h.ended(3)
				if last := flows[2]; last.State != flow.Refused || last.ForwardedBytes != 0 || last.RequestBytes != int64(len(cut)) {
					t.Errorf("%s, %d bytes", judged(flows), last.RequestBytes)
				}
			})
		}
	}
}

// TestAnAnswerBeforeTheRowsEnd: over HTTP/1.1, whose connection it leaves with a body
// on it, what comes next on that connection is answered, or the client is told to use
// another one.
func TestAnAnswerBeforeTheRowsEnd(t *testing.T) {
	h := open(t, t.TempDir(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		w.WriteHeader(http.StatusTeapot)
	}), nil)
	c, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/connect+proto\r\nTransfer-Encoding: chunked\r\n\r\n", rpcPath)
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusTeapot {
		t.Fatalf("%s, %v", resp.Status, err)
	}
	if resp.Close {
		return
	}
	fmt.Fprintf(c, "0\r\n\r\nGET /openai/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != http.StatusTeapot {
		t.Errorf("the next request: %v, %v", resp, err)
	}
}

func toldOfCut(t *testing.T, resp *http.Response) {
	t.Helper()
	if told := resp.Header.Get("Grpc-Message") + resp.Trailer.Get("Grpc-Message"); !strings.Contains(told, "ended%20early") {
		t.Errorf("told %q, header %v, trailer %v", told, resp.Header, resp.Trailer)
	}
}

// toldOfBlock sends a message that is blocked, the first or the second of its row,
// and gives what the client gets.
func toldOfBlock(t *testing.T, way caller, kind string, first bool) string {
	t.Helper()
	secret := envelope(0, field(1, "the token is "+planted(4)))
	var resp *http.Response
	if first {
		resp = way.post(t, kind, strings.NewReader(secret))
		defer resp.Body.Close()
	} else {
		c := way.row(t, kind)
		c.echoed(field(1, "hello"))
		io.WriteString(c.to, secret)
		resp = c.resp
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("the answer broke off: %v", err)
	}
	told := string(text)
	for _, h := range []http.Header{resp.Header, resp.Trailer} {
		told += h.Get("Grpc-Status") + h.Get("Grpc-Message")
	}
	return told
}
