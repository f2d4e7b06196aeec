package app_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/config"
)

// wire opens a connection to the agents' port, writes to it and gives what it
// says until it is closed.
func (h *house) wire(head string, body []byte) string {
	h.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	for _, part := range [][]byte{[]byte(head), body} {
		if _, err := conn.Write(part); err != nil {
			h.t.Errorf("writing: %v", err)
			return ""
		}
	}
	text, err := io.ReadAll(conn)
	if err != nil {
		h.t.Errorf("reading: %v after %q", err, text)
	}
	return string(text)
}

func post(path string, length int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", path, length)
}

// net/http reads what is left of a refused body; it waited without an end.
func TestABodyThatNeverComesHoldsNoConnection(t *testing.T) {
	h := open(t, t.TempDir(), http.HandlerFunc(plainAnswer), func(c *config.Config) {
		c.Limits.ReadTimeout = config.Duration(200 * time.Millisecond)
	})
	for path, want := range map[string]string{
		"/openai/v1/chat/completions": " 408 ",
		"/nowhere":                    " 404 ",
		"/k/ghk_unknown/openai/v1/x":  " 400 ",
	} {
		if got := h.wire(post(path, 100), []byte(`{"mod`)); !strings.Contains(got, want) {
			t.Errorf("%s: %q", path, got)
		}
	}
}

// Many clients write the whole body before they look for an answer.
func TestAnOversizedBodyDoesNotCostTheAnswer(t *testing.T) {
	h := open(t, t.TempDir(), http.HandlerFunc(plainAnswer), func(c *config.Config) { c.Limits.Body = 8 << 20 })
	body := bytes.Repeat([]byte("x"), 15<<20)
	for path, want := range map[string]string{"/openai/v1/chat/completions": "over the limit", "/nowhere": "no provider has this path", "/openai/v1/fine_tuning/jobs/": "in more than one way"} {
		head := strings.Replace(post(path, len(body)), "\r\n", "\r\nConnection: close\r\n", 1)
		if got := h.wire(head, body); !strings.Contains(got, want) {
			t.Errorf("%s: %q", path, got)
		}
	}
}

// A client that asks first gets the refusal and is never asked for the body.
func TestARefusalComesInsteadOfContinue(t *testing.T) {
	h := open(t, t.TempDir(), http.HandlerFunc(plainAnswer), func(c *config.Config) { c.Limits.Body = 1000 })
	head := strings.Replace(post("/openai/v1/chat/completions", 2000), "\r\n", "\r\nExpect: 100-continue\r\n", 1)
	if got := h.wire(head, nil); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
		t.Errorf("%q", got)
	}
}

// TestHeadersAreNotAddedTo: no Content-Type is guessed where the provider gave
// none, and trailers come whether they were announced or not.
func TestHeadersAreNotAddedTo(t *testing.T) {
	h := open(t, t.TempDir(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, out, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if strings.HasSuffix(r.URL.Path, "/bare") {
			fmt.Fprint(out, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")
		} else {
			fmt.Fprint(out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Announced\r\n\r\n2\r\n{}\r\n0\r\nX-Announced: a\r\nX-Other: b\r\n\r\n")
		}
		out.Flush()
	}), nil)
	if resp, text := h.call("/openai/v1/bare", "{}"); text != "<html>" || len(resp.Header["Content-Type"]) > 0 {
		t.Errorf("%q, Content-Type %q", text, resp.Header["Content-Type"])
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, post("/openai/v1/trailers", 2)+"{}")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(resp.Body); string(text) != "{}" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if resp.Trailer.Get("X-Announced") != "a" || resp.Trailer.Get("X-Other") != "b" {
		t.Errorf("trailers %v", resp.Trailer)
	}
}
