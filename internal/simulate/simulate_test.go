package simulate_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/workingagents/gatehouse/internal/simulate"
)

func serve(t *testing.T, o simulate.Options) string {
	t.Helper()
	return newServer(t, simulate.New(o).ServeHTTP)
}

func newServer(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	var busy sync.WaitGroup // Close does not wait for an upgraded connection's handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		busy.Add(1)
		defer busy.Done()
		h(w, r)
	}))
	t.Cleanup(func() {
		srv.Close()
		busy.Wait()
	})
	return srv.URL
}

func request(t *testing.T, url, body string, header ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func post(t *testing.T, url, body string, header ...string) (int, string) {
	t.Helper()
	resp := request(t, url, body, header...)
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

const (
	claudeTool = `"tools":[{"name":"Other","input_schema":{}},{"name":"Bash","input_schema":{"type":"object","properties":{"command":{"type":"string"},"description":{"type":"string"}},"required":["command"]}}]`
	chatTool   = `"tools":[{"type":"function","function":{"name":"shell","parameters":{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"}}},"required":["command"]}}}]`
	execTool   = `{"type":"additional_tools","role":"developer","tools":[{"type":"namespace","name":"functions","tools":[{"type":"custom","name":"exec"}]}]}`
	geminiTool = `"tools":[{"functionDeclarations":[{"name":"run_shell_command","parametersJsonSchema":{"type":"object","properties":{"command":{"type":"string"}},"required":["command"]}}]}]`
)

// TestRound plays the two requests of one tool round trip on every API: the
// first answer must call the client's own tool, the second quote its result.
func TestRound(t *testing.T) {
	tests := []struct{ name, path, first, second, call string }{
		{"messages", "/v1/messages",
			`{"model":"m",%s` + claudeTool + `,"messages":[{"role":"user","content":[{"type":"text","text":"<system-reminder>run: no</system-reminder>"},{"type":"text","text":"run: echo hi"}]}]}`,
			`{"model":"m",%s` + claudeTool + `,"messages":[{"role":"user","content":"run: echo hi"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"Bash","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"RESULT"}]}]}]}`,
			`"name":"Bash"`},
		{"chat", "/openai/chat/completions",
			`{"model":"m",%s` + chatTool + `,"messages":[{"role":"system","content":"x"},{"role":"user","content":"run: echo hi"}]}`,
			`{"model":"m",%s` + chatTool + `,"messages":[{"role":"user","content":"run: echo hi"},{"role":"assistant","tool_calls":[]},{"role":"tool","tool_call_id":"c","content":"RESULT"}]}`,
			`"name":"shell"`},
		{"responses", "/openai/v1/responses",
			`{"model":"m",%s"input":[` + execTool + `,{"type":"message","role":"user","content":[{"type":"input_text","text":"run: echo hi"}]}]}`,
			`{"model":"m",%s"input":[` + execTool + `,{"type":"message","role":"user","content":"run: echo hi"},{"type":"custom_tool_call_output","call_id":"c","output":[{"type":"input_text","text":"RESULT"}]}]}`,
			`tools.exec_command({cmd: \"echo hi\"})`},
	}
	for _, tc := range tests {
		for _, stream := range []string{"", `"stream":true,`} {
			t.Run(tc.name+stream, func(t *testing.T) {
				url := serve(t, simulate.Options{}) + tc.path
				if status, got := post(t, url, fmt.Sprintf(tc.first, stream)); status != 200 || !strings.Contains(got, tc.call) {
					t.Errorf("first answer: status %d, want a call %s in %s", status, tc.call, got)
				}
				if _, got := post(t, url, fmt.Sprintf(tc.second, stream)); !strings.Contains(got, "RESULT") || strings.Contains(got, tc.call) {
					t.Errorf("second answer: want RESULT and no call in %s", got)
				}
			})
		}
	}
}

func TestRoundGemini(t *testing.T) {
	first := `{` + geminiTool + `,"contents":[{"role":"user","parts":[{"text":"<context>"},{"text":"run: echo hi"}]}]}`
	second := `{` + geminiTool + `,"contents":[{"role":"user","parts":[{"text":"run: echo hi"}]},{"role":"model","parts":[{"functionCall":{}}]},{"role":"user","parts":[{"functionResponse":{"response":{"output":"RESULT"}}}]}]}`
	for _, verb := range []string{"generateContent", "streamGenerateContent", "streamGenerateContent?alt=sse"} {
		url := serve(t, simulate.Options{}) + "/gemini/v1beta/models/gemini-2.5-pro:" + verb
		if _, got := post(t, url, first); !strings.Contains(got, `"functionCall":{"name":"run_shell_command","args":{"command":"echo hi"}}`) {
			t.Errorf("%s: no call in %s", verb, got)
		}
		_, got := post(t, url, second)
		if !strings.Contains(got, "RESULT") || strings.Contains(got, "functionCall") {
			t.Errorf("%s: want RESULT and no call in %s", verb, got)
		}
		if verb == "streamGenerateContent" && !json.Valid([]byte(got)) {
			t.Errorf("%s: not a JSON array: %s", verb, got)
		}
	}
}

// TestAgents answers what the real agents sent: the first request of each
// must lead to a call of its own shell tool.
func TestAgents(t *testing.T) {
	url := serve(t, simulate.Options{})
	for name, want := range map[string]string{
		"claude-code-2.1.197": `"name":"Bash"`, "codex-0.169.0-sse": `tools.exec_command`, "gemini-cli-0.61.0": `"name":"run_shell_command"`,
	} {
		dir := filepath.Join("..", "..", "test", "fixtures", "agents", name)
		var index []struct{ Path string }
		data, err := os.ReadFile(filepath.Join(dir, "index.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &index); err != nil {
			t.Fatal(err)
		}
		if _, got := post(t, url+index[0].Path, gunzip(t, filepath.Join(dir, "1.request.gz"))); !strings.Contains(got, want) {
			t.Errorf("%s: no call %s in %s", name, want, got)
		}
	}
}

func gunzip(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func message(text string) string {
	return `{"model":"m","stream":true,"messages":[{"role":"user","content":` + string(must(json.Marshal(text))) + `}]}`
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestRoundsAndParallel(t *testing.T) {
	url := serve(t, simulate.Options{}) + "/v1/messages"
	ask := func(text, more string) string {
		_, got := post(t, url, `{"model":"m",`+claudeTool+`,"messages":[{"role":"user","content":`+string(must(json.Marshal(text)))+`}`+more+`]}`)
		return got
	}
	result := `,{"role":"user","content":[{"type":"tool_result","content":"one"}]}`
	if got := ask("run: first\nrun: second", ""); !strings.Contains(got, "first") || strings.Contains(got, "second") {
		t.Errorf("first round: %s", got)
	}
	if got := ask("run: first\nrun: second", result); strings.Contains(got, "first") || !strings.Contains(got, "second") {
		t.Errorf("second round: %s", got)
	}
	if got := ask("[parallel] run: first\nrun: second", ""); !strings.Contains(got, "first") || !strings.Contains(got, "second") {
		t.Errorf("parallel: %s", got)
	}
	if got := ask(`call: Other {"x":1}`, ""); !strings.Contains(got, `"name":"Other","input":{"x":1}`) {
		t.Errorf("call: %s", got)
	}
	if got := ask("call: Missing {}", ""); !strings.Contains(got, "no tool") {
		t.Errorf("missing tool: %s", got)
	}
}

// TestManners: how bytes are cut and coded never changes what they say.
func TestManners(t *testing.T) {
	seed := simulate.Options{Seed: 7}
	_, want := post(t, serve(t, seed)+"/v1/messages", message("say: hello there"))
	if _, got := post(t, serve(t, simulate.Options{Seed: 7, Chunk: 3})+"/v1/messages", message("say: hello there")); got != want {
		t.Errorf("cut in 3 bytes:\n%s\nwant\n%s", got, want)
	}
	_, crlf := post(t, serve(t, seed)+"/v1/messages", message("[crlf] say: hello there"))
	if strings.Count(crlf, "\r\n") != strings.Count(crlf, "\n") || strings.Count(crlf, "\n") != strings.Count(want, "\n") {
		t.Errorf("crlf: %q", crlf)
	}
	_, huge := post(t, serve(t, seed)+"/v1/messages", message("[huge 1048576]"))
	if longest(huge) < 1<<20 {
		t.Errorf("longest line is %d bytes", longest(huge))
	}
	if _, odd := post(t, serve(t, seed)+"/v1/messages", message("[odd]")); !strings.Contains(odd, "x_future") {
		t.Errorf("odd: %s", odd)
	}
	if resp := request(t, serve(t, seed)+"/v1/messages", message("[bare]")); resp.Header.Get("Content-Type") != "" {
		t.Errorf("bare: Content-Type %q", resp.Header.Get("Content-Type"))
	}
	if _, got := post(t, serve(t, seed)+"/v1/messages", message("[words 40]")); !strings.Contains(got, "gate") {
		t.Errorf("words: %s", got)
	}
}

func longest(s string) (n int) {
	for line := range strings.Lines(s) {
		n = max(n, len(line))
	}
	return n
}

func TestCodings(t *testing.T) {
	readers := map[string]func(io.Reader) (io.Reader, error){
		"gzip":    func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"deflate": func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) },
		"br":      func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
		"zstd":    func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
	}
	for name, open := range readers {
		resp := request(t, serve(t, simulate.Options{})+"/v1/messages", message("[encode "+name+"] say: squeezed"), "Accept-Encoding", name)
		if got := resp.Header.Get("Content-Encoding"); got != name {
			t.Fatalf("Content-Encoding %q, want %q", got, name)
		}
		r, err := open(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !strings.Contains(string(got), "squeezed") || !strings.Contains(string(got), "message_stop") {
			t.Errorf("%s: %v, %s", name, err, got)
		}
	}
}

// TestCodedStream: a coded event can be read before the next one comes.
func TestCodedStream(t *testing.T) {
	for name, open := range map[string]func(io.Reader) (io.Reader, error){
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"br":   func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
		"zstd": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
	} {
		resp := request(t, serve(t, simulate.Options{})+"/v1/messages", message("[stall 1] [encode "+name+"] say: one two three four"), "Accept-Encoding", name)
		r, err := open(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(r)
		for lines.Scan() && !strings.Contains(lines.Text(), "one two") {
		}
		if err := lines.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_ = resp.Body.Close()
	}
}

// writes is a client that counts how it is written to.
type writes struct {
	*httptest.ResponseRecorder
	longest, flushed int
}

func (w *writes) Write(p []byte) (int, error) {
	w.longest = max(w.longest, len(p))
	return w.ResponseRecorder.Write(p)
}

func (w *writes) Flush() { w.flushed++ }

// TestChunk: bytes are cut where the script says, and each piece is flushed.
func TestChunk(t *testing.T) {
	w := &writes{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequest(http.MethodPost, "/v1/messages", strings.NewReader(message("[chunk 3] say: hello there")))
	simulate.New(simulate.Options{}).ServeHTTP(w, r)
	if n := w.Body.Len(); w.longest != 3 || w.flushed < n/3 {
		t.Errorf("%d bytes with pieces up to %d, flushed %d times", n, w.longest, w.flushed)
	}
}

// TestOwnManners: Google ends lines with CR LF, and Responses may end without
// its output.
func TestOwnManners(t *testing.T) {
	url := serve(t, simulate.Options{})
	_, got := post(t, url+"/v1beta/models/m:streamGenerateContent?alt=sse", `{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}`)
	if strings.Count(got, "\r\n") != strings.Count(got, "\n") || got == "" {
		t.Errorf("Gemini: %q", got)
	}
	_, full := post(t, url+"/v1/responses", `{"model":"m","stream":true,"input":"say: hello"}`)
	_, empty := post(t, url+"/v1/responses", `{"model":"m","stream":true,"input":"[empty] say: hello"}`)
	if strings.Count(full, `"output":[{`) != 1 || strings.Contains(empty, `"output":[{`) {
		t.Errorf("full: %s\nempty: %s", full, empty)
	}
}

func TestCodedRequest(t *testing.T) {
	var b bytes.Buffer
	z := must(zstd.NewWriter(&b))
	_, _ = io.WriteString(z, message("say: came in zstd"))
	_ = z.Close()
	url := serve(t, simulate.Options{}) + "/v1/messages"
	if _, got := post(t, url, b.String(), "Content-Encoding", "zstd"); !strings.Contains(got, "came in zstd") {
		t.Errorf("got %s", got)
	}
	if status, _ := post(t, url, "not zstd", "Content-Encoding", "zstd"); status != http.StatusBadRequest {
		t.Errorf("status %d for a body that does not decode", status)
	}
}

func TestFail(t *testing.T) {
	url := serve(t, simulate.Options{})
	for path, shape := range map[string]string{
		"/v1/messages":         `"type":"rate_limit_error"`,
		"/v1/chat/completions": `"code":"rate_limit_exceeded"`,
	} {
		resp := request(t, url+path, message("[fail 429 times 2 retry-after 7] say: now"))
		body := must(io.ReadAll(resp.Body))
		if resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "7" || !strings.Contains(string(body), shape) {
			t.Errorf("%s: %d %v %s", path, resp.StatusCode, resp.Header, body)
		}
	}
	if status, _ := post(t, url+"/v1/messages", message("[fail 529] x")); status != 529 {
		t.Errorf("status %d, want 529", status)
	}
	for i, want := range []int{500, 500, 200} {
		if status, _ := post(t, url+"/v1/messages", message("[fail 500 times 2] y")); status != want {
			t.Errorf("request %d: status %d, want %d", i+1, status, want)
		}
	}
}

func TestErrorInStream(t *testing.T) {
	url := serve(t, simulate.Options{})
	text := "[error 2] say: one two three four five six seven eight nine ten eleven"
	for path, want := range map[string]string{"/v1/messages": "overloaded_error", "/v1/chat/completions": "server_error"} {
		status, got := post(t, url+path, message(text))
		if status != 200 || !strings.Contains(got, want) || strings.Contains(got, "eleven") {
			t.Errorf("%s: %d %s", path, status, got)
		}
	}
	_, got := post(t, url+"/v1/responses", `{"model":"m","stream":true,"input":"`+text+`"}`)
	if !strings.Contains(got, "response.failed") || strings.Contains(got, "response.completed") {
		t.Errorf("responses: %s", got)
	}
}

func TestCut(t *testing.T) {
	resp := request(t, serve(t, simulate.Options{})+"/v1/messages", message("[cut 1] say: one two three four five"))
	got, err := io.ReadAll(resp.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(string(got), "one two three") {
		t.Errorf("got error %v after %s", err, got)
	}
}

func TestStallAndHang(t *testing.T) {
	ended := make(chan struct{}, 2)
	s := simulate.New(simulate.Options{})
	url := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		defer func() { ended <- struct{}{} }()
		s.ServeHTTP(w, r)
	})

	ctx, cancel := context.WithCancel(t.Context())
	r := must(http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/messages", strings.NewReader(message("[stall 1] say: one two three four"))))
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	for got := ""; !strings.Contains(got, "one two"); {
		n, err := resp.Body.Read(buf)
		if err != nil {
			t.Fatalf("after %q: %v", got, err)
		}
		got += string(buf[:n])
	}
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := io.ReadAll(resp.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("stall: %v, and the client had not left", err)
	}
	<-ended

	ctx, cancel = context.WithCancel(t.Context())
	r = must(http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/messages", &cancelling{strings.NewReader(message("[hang]")), cancel}))
	if _, err := http.DefaultTransport.RoundTrip(r); !errors.Is(err, context.Canceled) {
		t.Errorf("hang: %v", err)
	}
}

// cancelling ends its request when its body has been read.
type cancelling struct {
	io.Reader
	cancel func()
}

func (c *cancelling) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF {
		c.cancel()
	}
	return n, err
}

// TestCache: usage tells whether a prompt came as it came before, which is how
// a gateway that changes bytes is found out.
func TestCache(t *testing.T) {
	url := serve(t, simulate.Options{}) + "/v1/messages"
	system := strings.Repeat("long instructions ", 100)
	ask := func(system, more string) (u struct {
		Usage struct {
			Read  int `json:"cache_read_input_tokens"`
			Write int `json:"cache_creation_input_tokens"`
			Fresh int `json:"input_tokens"`
		}
	}) {
		_, got := post(t, url, `{"model":"m","system":[{"type":"text","text":"`+system+`","cache_control":{"type":"ephemeral"}}],"messages":[`+more+`]}`)
		if err := json.Unmarshal([]byte(got), &u); err != nil {
			t.Fatal(err)
		}
		return u
	}
	marked := `{"role":"user","content":[{"type":"text","text":"a question","cache_control":{"type":"ephemeral"}}]}`
	plain := `{"role":"user","content":[{"type":"text","text":"a question"}]}`
	first := ask(system, marked).Usage
	if first.Read != 0 || first.Write == 0 {
		t.Errorf("first: %+v", first)
	}
	next := plain + `,{"role":"assistant","content":"ok"},` + strings.Replace(marked, "a question", "another", 1)
	if u := ask(system, next).Usage; u.Read != first.Write || u.Write == 0 {
		t.Errorf("second, marker moved: %+v, want to read the %d tokens that were written", u, first.Write)
	}
	if u := ask(system+" ", next).Usage; u.Read != 0 || u.Write < 450 {
		t.Errorf("a changed byte must miss: %+v", u)
	}
}

func TestUsageIsTheSameEverywhere(t *testing.T) {
	url := serve(t, simulate.Options{})
	body := `{"model":"m","stream":true,%s"messages":[{"role":"user","content":"hello"}]}`
	if _, got := post(t, url+"/v1/chat/completions", fmt.Sprintf(body, "")); strings.Contains(got, "prompt_tokens") {
		t.Errorf("Chat gives usage that nobody asked for: %s", got)
	}
	if _, got := post(t, url+"/v1/chat/completions", fmt.Sprintf(body, `"stream_options":{"include_usage":true},`)); !strings.Contains(got, "prompt_tokens") {
		t.Errorf("Chat gives no usage: %s", got)
	}
	if _, got := post(t, url+"/v1/messages", message("[nousage] x")); strings.Contains(got, "input_tokens") {
		t.Errorf("nousage: %s", got)
	}
}

func TestSchema(t *testing.T) {
	url := serve(t, simulate.Options{}) + "/v1/messages"
	_, got := post(t, url, `{"model":"m","output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"title":{"type":"string"},"kind":{"enum":["a","b"]},"list":{"type":"array","items":{"type":"integer"},"minItems":2}}}}},"messages":[{"role":"user","content":"x"}]}`)
	want := `"text":"{\"kind\":\"a\",\"list\":[1,1],\"title\":\"simulated\"}"`
	if !strings.Contains(got, want) {
		t.Errorf("got %s, want %s in it", got, want)
	}
}

func TestShared(t *testing.T) {
	url := serve(t, simulate.Options{})
	for _, tc := range []struct{ path, header, want string }{
		{"/v1/models", "", "X-Request-Id"},
		{"/v1/models", "Anthropic-Version", "Request-Id"},
		{"/v1/models/claude-x", "X-Api-Key", "Request-Id"},
		{"/v1/files", "", "X-Request-Id"},
		{"/gemini/v1beta/models", "", "X-Gemini-Service-Tier"},
	} {
		r := must(http.NewRequestWithContext(t.Context(), http.MethodGet, url+tc.path, nil))
		if tc.header != "" {
			r.Header.Set(tc.header, "x")
		}
		resp := must(http.DefaultTransport.RoundTrip(r))
		body := must(io.ReadAll(resp.Body))
		_ = resp.Body.Close()
		if resp.StatusCode != 200 || resp.Header.Get(tc.want) == "" || !json.Valid(body) {
			t.Errorf("%s with %q: %d %v %s", tc.path, tc.header, resp.StatusCode, resp.Header, body)
		}
	}
	for path, want := range map[string]int{
		"/v1/messages/count_tokens": 200, "/v1/messages/batches": 200, "/v1/embeddings": 200, "/v1/batches": 200, "/v1/files": 200,
		"/v1beta/models/m:countTokens": 200, "/nowhere": 404,
	} {
		if got, body := post(t, url+path, `{}`); got != want || !json.Valid([]byte(body)) {
			t.Errorf("POST %s: %d %s", path, got, body)
		}
	}
	for _, path := range []string{"/v1/messages", "/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1beta/models/m:generateContent"} {
		if got, body := post(t, url+path, `{`); got != 400 || !json.Valid([]byte(body)) {
			t.Errorf("POST %s of bad JSON: %d %s", path, got, body)
		}
	}
}

// TestRecord: a record holds the bytes of both directions, was there before
// the answer, and holds no credential.
func TestRecord(t *testing.T) {
	dir := t.TempDir()
	url := serve(t, simulate.Options{Record: dir})
	body := message("say: for the record")
	_, answer := post(t, url+"/v1/messages?beta=true&key=query-secret", body, "X-Api-Key", "header-secret", "Authorization", "Bearer bearer-secret")

	var in simulate.Received
	load(t, filepath.Join(dir, "000001.json"), &in)
	var out simulate.Sent
	load(t, filepath.Join(dir, "000001.end.json"), &out)
	if in.SHA256 != sum(body) || in.Bytes != len(body) || in.Method != "POST" || !strings.HasPrefix(in.Path, "/v1/messages?beta=true&key=sha256:") {
		t.Errorf("received: %+v", in)
	}
	if out.SHA256 != sum(answer) || out.Bytes != len(answer) || out.Status != 200 || !out.Complete {
		t.Errorf("sent: %+v", out)
	}
	for name, want := range map[string]string{"000001.request": body, "000001.response": answer} {
		if got := string(must(os.ReadFile(filepath.Join(dir, name)))); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, name := range must(filepath.Glob(filepath.Join(dir, "*"))) {
		if strings.Contains(string(must(os.ReadFile(name))), "-secret") {
			t.Errorf("%s holds a credential", name)
		}
	}
}

func TestRecordFolderMissing(t *testing.T) {
	url := serve(t, simulate.Options{Record: filepath.Join(t.TempDir(), "missing")})
	if status, _ := post(t, url+"/v1/messages", message("x")); status != http.StatusInternalServerError {
		t.Errorf("status %d, want 500: an unrecorded answer would make tests lie", status)
	}
}

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func load(t *testing.T, name string, v any) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

func TestHelp(t *testing.T) {
	for _, word := range []string{"run: COMMAND", "[fail STATUS]", "[stall N]", "[encode E]", "{{found RE}}", "[delta N]"} {
		if !strings.Contains(simulate.Help(), word) {
			t.Errorf("Help says nothing about %s", word)
		}
	}
}

// TestHTTP2: with its certificate the provider speaks HTTP/2, and a cut is a
// reset stream there.
func TestHTTP2(t *testing.T) {
	certificate, authority, err := simulate.Certificate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(simulate.New(simulate.Options{}))
	srv.TLS, srv.EnableHTTP2 = &tls.Config{Certificates: []tls.Certificate{certificate}}, true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	resp, err := client.Post(srv.URL+"/v1/messages", "", strings.NewReader(message("[cut 1] say: one two three four five")))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if resp.ProtoMajor != 2 || err == nil || !strings.Contains(string(got), "one two three") {
		t.Errorf("%s, error %v after %s", resp.Proto, err, got)
	}
}
