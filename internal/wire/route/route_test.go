package route_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/route"
)

// header makes one from lines such as "X-Api-Key: k".
func header(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

func match(t *testing.T, target string, lines ...string) (route.Route, bool) {
	t.Helper()
	method, path, _ := strings.Cut(target, " ")
	path, raw, _ := strings.Cut(path, "?")
	query, err := url.ParseQuery(raw)
	if err != nil {
		t.Fatal(err)
	}
	return route.Match(method, path, header(lines...), query)
}

const (
	socket = "Upgrade: websocket"
	ours   = "Anthropic-Version: 2023-06-01"
)

var routes = []struct {
	target string // method and path; also valid below /llm-gateway
	header string
	want   string // provider and API
}{
	{"POST /v1/messages", "", "anthropic anthropic.messages"},
	{"POST /v1/messages?beta=true", "", "anthropic anthropic.messages"},
	{"POST /v1/messages/count_tokens?beta=true", "", "anthropic anthropic.count_tokens"},
	{"POST /v1/messages/batches", "", "anthropic opaque"},
	{"GET /v1/messages/batches/b_1/results", "", "anthropic opaque"},
	{"GET /v1/messages", "", "anthropic opaque"},
	{"POST /v1/complete", "", "anthropic opaque"},
	{"GET /v1/models", ours, "anthropic models"},
	{"GET /v1/models/claude-x", "X-Api-Key: k", "anthropic models"},
	{"POST /v1/files", ours, "anthropic opaque"},
	{"POST /v1/skills", ours, "anthropic opaque"},
	{"HEAD /", "", "anthropic opaque"},

	{"POST /v1/chat/completions", "", "openai openai.chat"},
	{"POST /v1/chat/completions", ours, "openai openai.chat"},
	{"POST /v1/responses", "", "openai openai.responses"},
	{"GET /v1/responses", socket, "openai openai.responses.ws"},
	{"GET /v1/responses", "", "openai opaque"},
	{"GET /v1/responses/resp_1?stream=true", "", "openai opaque"},
	{"POST /v1/responses/compact", "", "openai opaque"},
	{"GET /v1/realtime?model=m", socket, "openai opaque"},
	{"GET /v1/models", "", "openai models"},
	{"GET /v1/models/ft:gpt-4o:org::id", "", "openai models"},
	{"DELETE /v1/models/ft:gpt-4o:org::id", "", "openai opaque"},
	{"GET /v1/files", "Authorization: Bearer k", "openai opaque"},
	{"POST /v1/embeddings", "", "openai opaque"},
	{"POST /v1/completions", "", "openai opaque"},
	{"POST /v1/images/generations", "", "openai opaque"},
	{"POST /v1/audio/speech", "", "openai opaque"},
	{"POST /v1/batches", "", "openai opaque"},
	{"POST /v1/vector_stores/v/files", "", "openai opaque"},
	{"POST /v1/conversations", "", "openai opaque"},
	{"POST /v1/threads/t/runs", "", "openai opaque"},

	{"POST /v1beta/models/gemini-2.5-pro:generateContent", "", "gemini gemini.generate"},
	{"POST /v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", "", "gemini gemini.stream"},
	{"POST /v1beta/models/m:countTokens?key=k", "", "gemini gemini.count"},
	{"POST /v1beta/tunedModels/t-1:generateContent", "", "gemini gemini.generate"},
	{"POST /v1/models/m:streamGenerateContent", "", "gemini gemini.stream"},
	{"POST /v1/projects/p/locations/l/publishers/google/models/m:generateContent", "", "gemini gemini.generate"},
	{"POST /v1alpha/models/m:generateContent", "", "gemini gemini.generate"},
	{"POST /v1beta/models/m%3AgenerateContent", "", "gemini gemini.generate"},
	{"POST /v1beta/models/m:embedContent", "", "gemini opaque"},
	{"GET /v1beta/models/m:generateContent", "", "gemini models"},
	{"GET /v1beta/models", "", "gemini models"},
	{"GET /v1beta/models/m", "", "gemini models"},
	{"GET /v1/models?key=k", "", "gemini models"},
	{"GET /v1/models", "X-Goog-Api-Key: k", "gemini models"},
	{"POST /v1beta/openai/chat/completions", "", "gemini openai.chat"},
	{"POST /v1internal:streamGenerateContent?alt=sse", "", "gemini gemini.stream"},
	{"POST /gemini/v1internal%3AgenerateContent", "", "gemini gemini.generate"},
	{"GET /v1internal:generateContent", "", "gemini opaque"},
	{"POST /v1internal:countTokens", "", "gemini opaque"},
	{"POST /v1internal/x:generateContent", "", "gemini opaque"},
	{"POST /v1internal:loadCodeAssist", "", "gemini opaque"},
	{"POST /upload/v1beta/files", "", "gemini opaque"},

	{"GET /anthropic", "", "anthropic opaque"},
	{"GET /anthropic/", "", "anthropic opaque"},
	{"HEAD /anthropic/", "", "anthropic opaque"},
	{"POST /anthropic/v1/messages?beta=true", "", "anthropic anthropic.messages"},
	{"POST /anthropic/v1/%6Dessages", "", "anthropic anthropic.messages"},
	{"POST /anthropic/V1/Messages", "", "anthropic anthropic.messages"},
	{"POST /anthropic/v1/chat/completions", "", "anthropic openai.chat"},
	{"GET /anthropic/v1/models", "", "anthropic models"},
	{"POST /anthropic/api/event_logging/v2/batch", "", "anthropic opaque"},
	{"POST /anthropic/model/m/invoke-with-response-stream", "", "anthropic opaque"},
	{"POST /openai/v1/responses", "", "openai openai.responses"},
	{"POST /openai/responses", "", "openai openai.responses"},
	{"GET /openai/v1/responses", "Upgrade: h2c, WebSocket", "openai openai.responses.ws"},
	{"GET /openai/responses", socket, "openai openai.responses.ws"},
	{"POST /openai/chat/completions", "", "openai openai.chat"},
	{"POST /openai/deployments/d/chat/completions?api-version=1", "", "openai openai.chat"},
	{"POST /openai/backend-api/codex/responses", "", "openai openai.responses"},
	{"GET /openai/v1/models", ours, "openai models"},
	{"GET /openai/v1/files/f/content", "", "openai opaque"},
	{"POST /openai/v1/anything/new", "", "openai opaque"},
	{"POST /openai/v1/messages", "", "openai opaque"},
	{"POST /gemini/v1beta/models/m:generateContent", "", "gemini gemini.generate"},
	{"POST /gemini/v1/models/m:countTokens", "", "gemini gemini.count"},
	{"GET /gemini/v1beta/models", "X-Api-Key: k", "gemini models"},
	{"GET /gemini/v1beta/files/f", "", "gemini opaque"},
	{"POST /gemini/models/m:generateContent", "", "gemini opaque"},
}

func TestRoutes(t *testing.T) {
	for _, c := range routes {
		for _, before := range []string{"", "/llm-gateway"} {
			target := strings.Replace(c.target, " ", " "+before, 1)
			var lines []string
			if c.header != "" {
				lines = []string{c.header}
			}
			got, ok := match(t, target, lines...)
			if !ok || string(got.Provider)+" "+string(got.API) != c.want {
				t.Errorf("%s (%s): got %+v %v, want %s", target, c.header, got, ok, c.want)
			}
		}
	}
}

// TestPath: what goes on is what the client wrote, less the prefix.
func TestPath(t *testing.T) {
	for target, want := range map[string]string{
		"POST /v1/messages":                                  "/v1/messages",
		"POST /llm-gateway/v1/messages":                      "/v1/messages",
		"POST /llm-gateway/anthropic/v1/messages?beta=true":  "/v1/messages",
		"HEAD /llm-gateway/":                                 "/",
		"HEAD /llm-gateway":                                  "/",
		"GET /anthropic":                                     "/",
		"GET /anthropic/":                                    "/",
		"POST /openai/chat/completions":                      "/chat/completions",
		"GET /openai/v1/files/a%20b%2Fc":                     "/v1/files/a%20b%2Fc",
		"POST /gemini/v1beta/models/m%3AgenerateContent":     "/v1beta/models/m%3AgenerateContent",
		"POST /anthropic/v1/%6Dessages":                      "/v1/%6Dessages",
		"POST /anthropic/openai/v1/chat/completions":         "/openai/v1/chat/completions",
		"POST /anthropic/llm-gateway/v1/messages":            "/llm-gateway/v1/messages",
		"POST /v1beta/models/M-1.5:generateContent?key=a..b": "/v1beta/models/M-1.5:generateContent",
		"GET /openai/v1/files/f..x/content":                  "/v1/files/f..x/content",
	} {
		if got, ok := match(t, target); !ok || got.Path != want {
			t.Errorf("%s: got %q %v, want %q", target, got.Path, ok, want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, target := range []string{
		"GET /", "POST /", "GET /index.html", "GET /favicon.ico", "GET /v1", "GET /v2/messages", "POST /messages",
		"POST /anthropicx/v1/messages", "POST /llm-gatewayx/v1/messages", "GET /llm-gateway", "POST /v1/skills",
		"GET /healthz", "POST /upload/files", "POST /responses", "GET /llm-gateway/llm-gateway/v1/models",
		// What two servers could read in two ways.
		"POST /v1//messages", "POST //v1/messages", "POST /v1/messages/", "POST /anthropic//v1/messages",
		"POST /anthropic/../openai/v1/responses", "POST /anthropic/%2e%2e/openai/v1/responses",
		"POST /anthropic/.%2E/x", "POST /anthropic/%252e%252e/x", "POST /anthropic/./x", "POST /anthropic/x/..",
		"POST /anthropic/..%2fx", "POST /anthropic/x%2f..%2fy", "POST /anthropic/..;a=b/x", "POST /anthropic/;/x",
		"POST /anthropic/a%2f%2fb", `POST /anthropic/..\x`, "POST /anthropic/..%5cx", "POST /anthropic/a%5cb",
		"POST /anthropic/a%00b", "POST /anthropic/a%0d%0ab", "POST /anthropic/%zz", "POST /anthropic/a%2",
		"POST /v1/%2e", "POST /anthropic/v1/messages%2f", "POST /anthropic%2fv1/messages",
		"GET http://example.com/v1/models", "CONNECT example.com:443", "OPTIONS *", "GET ",
	} {
		if got, ok := match(t, target); ok {
			t.Errorf("%s: goes to %+v", target, got)
		}
	}
}

// FuzzMatch looks for paths that go on but mean something else.
// Where log-ins are handed out is told alike at all providers, and no path that a
// model is called by is one.
func TestLogins(t *testing.T) {
	for _, provider := range []flow.Provider{flow.Anthropic, flow.OpenAI, flow.Gemini} {
		for path, want := range map[string]bool{
			"/v1/oauth/token": true, "/api/oauth/claude_cli/roles": true, "/oauth/token": true, "/OAuth/Token": true, "/api/auth/x": true,
			"/backend-api/auth/x": true, "/o/oauth2/v2/auth": true, "/oauth2/v1/certs": true, "/token": true,
			"/": false, "/tokens": false, "/token/x": false, "/oauth": false, "/v1/token": false, "/v1/oauth": false, "/x/oauth/token": false, "/backend-api/codex/responses": false,
		} {
			if r, ok := route.At(provider, "POST", path, nil, nil); !ok || r.Login != want {
				t.Errorf("%s %s: log-in %v, want %v", provider, path, r.Login, want)
			}
		}
		for _, tt := range routes {
			method, path, _ := strings.Cut(tt.target, " ")
			path, _, _ = strings.Cut(path, "?")
			if r, _ := route.At(provider, method, path, nil, nil); r.Login {
				t.Errorf("%s %s is a log-in", provider, tt.target)
			}
		}
	}
}

func FuzzMatch(f *testing.F) {
	for _, c := range routes {
		_, path, _ := strings.Cut(c.target, " ")
		f.Add("POST", path, c.header)
	}
	f.Add("GET", "/anthropic/%2e%2e/x", "")
	f.Fuzz(func(t *testing.T, method, path, line string) {
		r, ok := route.Match(method, path, header(line), url.Values{})
		if !ok {
			if r != (route.Route{}) {
				t.Fatalf("refused with %+v", r)
			}
			return
		}
		if r.Provider == "" || r.API == "" || !strings.HasPrefix(r.Path, "/") {
			t.Fatalf("%q: %+v", path, r)
		}
		if r.Path != "/" && !strings.HasSuffix(path, r.Path) {
			t.Fatalf("%q became %q", path, r.Path)
		}
		plain, err := url.PathUnescape(r.Path)
		if err != nil {
			t.Fatalf("%q: %v", r.Path, err)
		}
		u := url.URL{Path: plain}
		if clean := u.JoinPath().Path; r.Path != "/" && clean != plain {
			t.Fatalf("%q means %q to others", plain, clean)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	h := header(ours)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := route.Match("POST", "/anthropic/v1/messages", h, nil); !ok {
			b.Fatal("no route")
		}
	}
}
