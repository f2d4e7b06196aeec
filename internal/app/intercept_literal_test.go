package app_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
)

// TestARequestThatCouldNotGoOnAsItCame is refused, and on record, over both
// versions of HTTP.
func TestARequestThatCouldNotGoOnAsItCame(t *testing.T) {
	up := answering(plainAnswer)
	h := intercepting(t, up, nil)
	n := 0
	refused := func(name string, status int, rule string) {
		t.Helper()
		n++
		if v := h.ended(n)[n-1]; v.State != flow.Refused || v.Status != status || v.Rules[0] != "limit:"+rule {
			t.Errorf("%s: on record as %s %d %q, want refused %d %s", name, v.State, v.Status, v.Rules, status, rule)
		}
	}
	for _, tt := range []struct{ line, rule string }{
		{"OPTIONS *", "bad_path"},
		{"GET /v1/models#f", "unescaped"},
		{"GET /v1/mod\u00e9ls", "unescaped"},
		{"GET /v1/{models}", "unescaped"},
	} {
		conn := h.inside(nil)
		io.WriteString(conn, tt.line+" HTTP/1.1\r\nHost: api.anthropic.com\r\n\r\n")
		if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %v %v", tt.line, resp, err)
		}
		conn.Close()
		refused(tt.line, http.StatusBadRequest, tt.rule)
	}
	const host = "api.anthropic.com"
	for _, tt := range []struct {
		method, authority, path string
		header                  []string
		status                  int
		rule                    string
	}{
		{"GET", host, "/v1/mod els", nil, 400, "unescaped"},
		{"GET", host, "/v1/models?a=b c", nil, 400, "unescaped"},
		{"GET", host, "/v1/models#f", nil, 400, "unescaped"},
		{"G T", host, "/v1/models", nil, 400, "bad_method"},
		{"GET", host, "https://api.openai.com/v1/models", nil, 421, "misdirected"},
		{"GET", host, "/v1/models", []string{"host", "api.openai.com"}, 421, "misdirected"},
		{"GET", "api.openai.com", "/v1/models", []string{"host", host}, 421, "misdirected"},
	} {
		conn := h.inside(&tls.Config{NextProtos: []string{"h2"}})
		head := append([]string{":method", tt.method, ":scheme", "https", ":authority", tt.authority, ":path", tt.path}, tt.header...)
		io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+h2frame(4, 0, 0, "")+h2frame(1, 5, 1, fields(head...)))
		if err := answered(conn); err != nil {
			t.Errorf("%s %s %s: %v", tt.method, tt.authority, tt.path, err)
		}
		conn.Close()
		refused(strings.Join(head, " "), tt.status, tt.rule)
	}
	if n := len(up.seen); n != 0 {
		t.Errorf("the provider got %d requests", n)
	}
}

// h2frame is one of HTTP/2 (RFC 9113 section 4.1).
func h2frame(kind, flags byte, stream uint32, payload string) string {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	head = binary.BigEndian.AppendUint32(append(head, flags), stream)
	return string(head) + payload
}

// fields are names and values as HPACK has them that are short, new and not to be
// remembered (RFC 7541 section 6.2.2).
func fields(all ...string) (block string) {
	for i := 0; i < len(all); i += 2 {
		block += "\x00" + string(rune(len(all[i]))) + all[i] + string(rune(len(all[i+1]))) + all[i+1]
	}
	return block
}

// answered reads frames until one has headers.
func answered(r io.Reader) error {
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(r, head); err != nil {
			return err
		}
		if head[3] == 1 {
			return nil
		}
		if _, err := io.CopyN(io.Discard, r, int64(binary.BigEndian.Uint32(head)>>8)); err != nil {
			return err
		}
	}
}
