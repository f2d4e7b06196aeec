package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/archive"
)

// read gives the exchanges that can be read, and why others can't.
func read(text string) (list []*archive.Exchange, err error) {
	var odd []error
	err = archive.Read(strings.NewReader(text), func(x *archive.Exchange) error {
		if x.Err != nil {
			odd = append(odd, x.Err)
			return nil
		}
		list = append(list, x)
		return nil
	})
	return list, errors.Join(append(odd, err)...)
}

// What mitmproxy recorded comes back as it went over the wire: the compressed body
// compressed, but in the HAR file, which has it decoded.
func TestRecordings(t *testing.T) {
	for _, name := range []string{"mitmproxy-8.1.1.flows", "mitmproxy-11.0.2.flows", "mitmproxy-11.0.2.har"} {
		t.Run(name, func(t *testing.T) {
			file, err := os.ReadFile("testdata/" + name)
			if err != nil {
				t.Fatal(err)
			}
			list, err := read(string(file))
			if err != nil {
				t.Fatal(err)
			}
			var streamed, compressed, socket *archive.Exchange
			for _, x := range list {
				if !strings.HasPrefix(x.URL, "http://127.0.0.1:4177/") || x.Started.Year() != 2026 || x.Response == nil || x.Response.Duration < 0 || x.Response.Duration > time.Minute {
					t.Errorf("%s %s at %s, answered %+v", x.Method, x.URL, x.Started, x.Response)
				}
				switch {
				case strings.HasSuffix(x.URL, "/v1/messages"):
					streamed = x
				case strings.HasSuffix(x.URL, "/v1/chat/completions"):
					compressed = x
				case strings.HasSuffix(x.URL, "/v1/responses"):
					socket = x
				}
			}
			if streamed == nil || compressed == nil || socket == nil {
				t.Fatalf("%d exchanges, and not all of them", len(list))
			}
			if !bytes.Contains(streamed.Body, []byte("from an old recording")) || streamed.Header.Get("X-Claude-Code-Session-Id") != "old-1" ||
				streamed.Response.Status != 200 || !bytes.HasSuffix(streamed.Response.Body, []byte("{\"type\":\"message_stop\"}\n\n")) {
				t.Errorf("a stream: %s %v %s", streamed.Body, streamed.Header, streamed.Response.Body)
			}
			if plain := bytes.Contains(compressed.Response.Body, []byte("compressed")); plain != strings.HasSuffix(name, ".har") || plain != compressed.Response.Decoded || compressed.Response.Header.Get("Content-Encoding") != "gzip" {
				t.Errorf("a compressed answer: decoded %v, %q", compressed.Response.Decoded, compressed.Response.Body)
			}
			if n := len(socket.Messages); n < 3 || !socket.Messages[0].FromClient || !socket.Messages[0].Text || !bytes.Contains(socket.Messages[0].Data, []byte("response.create")) ||
				socket.Messages[n-1].FromClient || !bytes.Contains(socket.Messages[n-1].Data, []byte("response.completed")) {
				t.Errorf("a socket: %d messages", n)
			}
		})
	}
}

const har = `{"log":{"version":"1.2","creator":{"name":"x"},"entries":[
 {"startedDateTime":"2025-03-01T10:00:00.500Z","time":250.5,"request":{"method":"POST","url":"https://api.openai.com/v1/chat/completions","headers":[{"name":":authority","value":"x"},{"name":"Content-Type","value":"application/json"}],"postData":{"mimeType":"application/json","text":"{}"}},
  "response":{"status":200,"headers":[],"content":{"text":"aGk=","encoding":"base64"}},"timings":{"blocked":-1,"send":1,"wait":99,"receive":150}},
 {"startedDateTime":"2025-03-01T10:00:01Z","time":0,"request":{"method":"GET","url":"https://a.example/"},"response":{"status":0}},
 {"startedDateTime":"2025-03-01T10:00:02Z","request":{"method":"GET","url":"wss://api.openai.com/v1/responses"},"response":{"status":101,"content":{}},
  "_webSocketMessages":[{"type":"send","time":1740823202.25,"opcode":1,"data":"{}"},{"type":"receive","time":1740823202.5,"opcode":2,"data":"aGk="}]}
]}}`

func TestHAR(t *testing.T) {
	list, err := read("\xef\xbb\xbf \n" + har)
	if err != nil || len(list) != 3 {
		t.Fatalf("%d exchanges, %v", len(list), err)
	}
	a, failed, socket := list[0], list[1], list[2]
	if string(a.Body) != "{}" || string(a.Response.Body) != "hi" || a.Response.FirstByte != 100*time.Millisecond || a.Response.Duration != 250500*time.Microsecond || len(a.Header) != 1 {
		t.Errorf("%+v %+v", a, a.Response)
	}
	if failed.Response != nil {
		t.Errorf("a call that failed was answered: %+v", failed.Response)
	}
	if m := socket.Messages; len(m) != 2 || !m[0].FromClient || string(m[1].Data) != "hi" || m[1].Text || m[1].At.UnixMilli() != 1740823202500 {
		t.Errorf("messages %+v", m)
	}
}

// What is wrong with a file is said, with the place; what stands before it was
// given.
func TestBadFiles(t *testing.T) {
	flow := func(s string) string { return fmt.Sprintf("%d:%s}", len(s), s) }
	entries := func(list ...string) string { return `{"log":{"entries":[` + strings.Join(list, ",") + `]}}` }
	call := `"request":{"method":"GET","url":"http://x/"}}`
	good := flow("4:type;4:http;7:request;26:6:method;3:GET;4:path;1:/;}")
	for _, tt := range []struct {
		file, want string
		given      int
	}{
		{"", "empty", 0},
		{" \n\t", "empty", 0},
		{"<html>", "neither a HAR file nor", 0},
		{"{}", "log.entries", 0},
		{`{"log":{"entries":{}}}`, "log.entries", 0},
		{`{"log":[]}`, "log.entries", 0},
		{har[:len(har)*3/4], "entry 3", 2},
		{har[:len(har)-4], "ends early", 3},
		{`{"log":{"entries":[{"request":{}}]}}`, "entry 1", 0},
		{`{"log":{"entries":[{"request":{"method":"GET","url":"x"},"response":{"status":200,"content":{"text":"%","encoding":"base64"}}}]}}`, "base64", 0},
		{"12", "middle", 0},
		{"x:", "neither", 0},
		{"3:abc", "middle", 0},
		{"3:abc,", "dictionary", 0},
		{"9999999999:", "longer", 0},
		{"99999999999999:", "netstring", 0},
		{flow("4:type;4:http;"), "no request", 0},
		{flow("4:type"), "netstring", 0},
		{flow("+1:a;1:b;"), "netstring", 0},
		{good + "5:ab", "flow 2", 1},
		{flow("1:a;" + strings.Repeat("9:", 40)), "netstring", 0},
		{flow("4:type;3:tcp;"), "", 0},
		{flow("1:a;10:1234567890") + flow("4:type;4:http;") + "1:a," + good, "flow 3", 1},
		{flow("4:type;4:http;7:request;15:6:method;3:GET;}8:response;22:11:status_code;4:1e30^}") + good, "the answer's status", 1},
		{entries(`{"startedDateTime":5,`+call, `{"startedDateTime":"2026-11-01T10:00:00.000+0100",`+call, `{"startedDateTime":"",`+call), "", 3},
		{entries(`{"response":{"status":200.0},`+call, `{"response":{"status":0},`+call), "", 2},
		{entries(`{"response":{"status":1e300},`+call, `{`+call), "entry 1 of the HAR file: the answer's status", 1},
		{entries(`{"response":{"status":"SECRET"},`+call, `{`+call), "response.status is of the type string", 1},
		{entries(`{"time":"12",`+call, `{"response":{"content":{"text":5},"status":200},`+call, `{`+call), "response.content.text is of the type number", 1},
		{entries(`7`, `null`, `"x"`, `[]`, `{}`, `{`+call), "entry 4 of the HAR file: the entry is of the type array", 1},
		{entries(`{"_webSocketMessages":[{"opcode":2,"data":"###"}],`+call, `{`+call), "a WebSocket message", 1},
		{entries(`{"_webSocketMessages":[5],`+call, `{`+call), "entry 1", 1},
	} {
		list, err := read(tt.file)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%.60q: %v, want %q", tt.file, err, tt.want)
		}
		if len(list) != tt.given {
			t.Errorf("%.60q: gave %d exchanges, want %d", tt.file, len(list), tt.given)
		}
		if err != nil && (strings.Contains(err.Error(), "archive.") || strings.Contains(err.Error(), "SECRET")) {
			t.Errorf("%.60q: %v", tt.file, err)
		}
	}
	if err := archive.Read(strings.NewReader("{}"), nil); !errors.Is(err, archive.ErrFormat) {
		t.Errorf("%v is no ErrFormat", err)
	}
	if err := archive.Read(strings.NewReader(har), func(*archive.Exchange) error { return io.ErrNoProgress }); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("each's error became %v", err)
	}
	nested := ""
	for range 60 {
		nested = fmt.Sprintf("%d:%s]", len(nested), nested)
	}
	if _, err := read(flow("1:a;" + nested)); err == nil || !strings.Contains(err.Error(), "deep") {
		t.Errorf("60 lists in each other: %v", err)
	}
}

// An exchange may be only so long, a file as long as it likes.
func TestLongExchanges(t *testing.T) {
	t.Cleanup(archive.Longest(1 << 20))
	entry := func(n int) string {
		return fmt.Sprintf(`{"request":{"method":"GET","url":"http://x/","postData":{"text":"%s"}}}`, strings.Repeat("a", n))
	}
	file := func(last int) string {
		return `{"log":{"entries":[` + strings.Repeat(entry(100<<10)+",", 30) + entry(last) + `]}}`
	}
	if list, err := read(file(900 << 10)); err != nil || len(list) != 31 {
		t.Errorf("31 entries of 3.9 MB: %d given, %v", len(list), err)
	}
	if list, err := read(file(3 << 20)); err == nil || !strings.Contains(err.Error(), "entry 31") || !strings.Contains(err.Error(), "longer than 1048576 bytes") || len(list) != 30 {
		t.Errorf("an entry of 3 MB: %d given before, %v", len(list), err)
	}
	if list, err := read(`{"log":{"comment":"` + strings.Repeat("a", 3<<20) + `","entries":[]}}`); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("a comment of 3 MB: %d given, %v", len(list), err)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"mitmproxy-8.1.1.flows", "mitmproxy-11.0.2.flows", "mitmproxy-11.0.2.har"} {
		file, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	f.Add([]byte(har))
	f.Fuzz(func(t *testing.T, file []byte) {
		size := 0
		archive.Read(bytes.NewReader(file), func(x *archive.Exchange) error {
			size += len(x.Body)
			for _, m := range x.Messages {
				size += len(m.Data)
			}
			if x.Response != nil {
				size += len(x.Response.Body)
				if x.Response.Duration < 0 || x.Response.FirstByte < 0 {
					t.Errorf("times %+v", x.Response)
				}
			}
			if size > 4*len(file) || x.Header == nil {
				t.Errorf("%d bytes of bodies in %d, header %v", size, len(file), x.Header)
			}
			return nil
		})
	})
}
