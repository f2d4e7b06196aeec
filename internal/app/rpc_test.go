package app_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
)

const rpcPath = "/openai/agent.v1.Chat/Run"

// rpcServer answers each message of a row with the same message, and ends with
// trailers. What it got it tells.
func rpcServer(got chan<- string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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

func (h *house) row(kind string) *rowClient {
	h.t.Helper()
	r, w := io.Pipe()
	req, err := http.NewRequest(http.MethodPost, h.url+rpcPath, r)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	resp, err := (&http.Transport{DisableCompression: true}).RoundTrip(req)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { w.Close(); resp.Body.Close() })
	return &rowClient{h.t, w, resp}
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

// TestRowsOfMessages: a stream of gRPC or Connect flows both ways at once, each
// message on record by itself and scanned, the whole answer with the opening.
func TestRowsOfMessages(t *testing.T) {
	for _, kind := range []string{"application/grpc+proto", "application/connect+proto"} {
		t.Run(kind, func(t *testing.T) {
			got := make(chan string, 10)
			h := open(t, t.TempDir(), rpcServer(got), nil)
			c := h.row(kind)
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
		})
	}
}

// TestSingleCallIsOneFlow: a row that ends at once is a request like any other.
func TestSingleCallIsOneFlow(t *testing.T) {
	got := make(chan string, 10)
	h := open(t, t.TempDir(), rpcServer(got), nil)
	body := envelope(0, field(1, "hello"))
	req := h.request(rpcPath, "", "Content-Type", "application/grpc")
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), -1
	resp, text := h.do(req)
	if text != body || resp.Trailer.Get("Grpc-Status") != "0" {
		t.Errorf("%s %q %v", resp.Status, text, resp.Trailer)
	}
	h.exact(h.ended(1)[0], body, body)
}

// TestBlockedMessageEndsTheRow: the client is told why in its own form, and the
// provider gets nothing of the message.
func TestBlockedMessageEndsTheRow(t *testing.T) {
	for _, kind := range []string{"application/grpc", "application/connect+proto"} {
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprint(kind, " the first: ", first), func(t *testing.T) {
				got := make(chan string, 10)
				dir := t.TempDir()
				write(t, dir+"/policy.yaml", blocking)
				h := open(t, dir, rpcServer(got), nil)
				secret := field(1, "the token is "+planted(4))
				var told string
				if first {
					req := h.request(rpcPath, "", "Content-Type", kind)
					req.Body, req.ContentLength = io.NopCloser(strings.NewReader(envelope(0, secret))), -1
					resp, text := h.do(req)
					told = text + resp.Header.Get("Grpc-Status") + resp.Header.Get("Grpc-Message")
				} else {
					c := h.row(kind)
					c.echoed(field(1, "hello"))
					io.WriteString(c.to, envelope(0, secret))
					rest, err := io.ReadAll(c.resp.Body)
					if err != nil {
						t.Errorf("the answer broke off: %v", err)
					}
					told = string(rest) + c.resp.Trailer.Get("Grpc-Status") + c.resp.Trailer.Get("Grpc-Message")
				}
				if !strings.Contains(told, "secret.github") || kind == "application/grpc" && !strings.Contains(told, "7") || kind != "application/grpc" && !strings.Contains(told, "permission_denied") {
					t.Errorf("told %q", told)
				}
				want := 1
				if !first {
					want = 3
				}
				flows := h.ended(want)
				if last := flows[len(flows)-1]; last.Verdict != flow.Block || last.State != flow.Refused || last.ForwardedBytes != 0 {
					t.Errorf("%s", judged(flows))
				}
				close(got)
				for said := range got {
					if bytes.Contains([]byte(said), []byte(planted(4))) {
						t.Error("the provider got it")
					}
				}
			})
		}
	}
}
