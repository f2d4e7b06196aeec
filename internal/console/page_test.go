package console_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/console"
)

// sheet is a page of one file.
type sheet struct{}

func (sheet) Has(path string) bool { return path == "/assets/a.js" }

func (sheet) ServeHTTP(w http.ResponseWriter, r *http.Request) { w.Write([]byte("page " + r.URL.Path)) }

func TestPageHasRoutesOfItsOwn(t *testing.T) {
	b := &book{}
	c := console.New(console.Options{Flows: b, Ledger: b, Page: sheet{}})
	const html, any = "text/html,*/*", "*/*"
	for _, test := range []struct {
		method, path, accept string
		want                 int
		page                 bool
	}{
		{"GET", "/", html, 200, true},
		{"GET", "/sessions/a%2Fb?q=x", html, 200, true},
		{"HEAD", "/live", html, 200, true},
		{"GET", "/assets/a.js", any, 200, true},
		{"GET", "/", any, 401, false},
		{"GET", "/assets/b.js", any, 401, false},
		{"POST", "/live", html, 401, false},
		{"GET", "/api/v1/status", html, 401, false},
		{"GET", "/api/v1/nothing", html, 401, false},
		{"GET", "/api/../live", html, 307, false},
		{"GET", "/healthz", html, 200, false},
		{"GET", "/metrics", html, 200, false},
	} {
		r := httptest.NewRequest(test.method, "http://127.0.0.1:4040"+test.path, nil)
		r.Header.Set("Accept", test.accept)
		w := httptest.NewRecorder()
		c.Handler().ServeHTTP(w, r)
		if page := strings.HasPrefix(w.Body.String(), "page "); w.Code != test.want || page != test.page {
			t.Errorf("%s %s as %s: %d, the page: %v; want %d, %v", test.method, test.path, test.accept, w.Code, page, test.want, test.page)
		}
	}
}

func TestForeignPagesMayLinkToThePageOnly(t *testing.T) {
	b := &book{}
	c := console.New(console.Options{Flows: b, Ledger: b, Page: sheet{}})
	for _, test := range []struct {
		name, host, path, mode, dest, origin string
		want                                 int
	}{
		{"link", "127.0.0.1:4040", "/sessions/a", "navigate", "document", "", 200},
		{"link by a rebound name", "evil.example", "/live", "navigate", "document", "", 403},
		{"frame", "127.0.0.1:4040", "/live", "navigate", "iframe", "", 403},
		{"script", "127.0.0.1:4040", "/assets/a.js", "no-cors", "script", "", 403},
		{"tab of a file", "127.0.0.1:4040", "/assets/a.js", "navigate", "document", "", 403},
		{"fetch", "127.0.0.1:4040", "/live", "cors", "empty", "https://evil.example", 403},
		{"link to the API", "127.0.0.1:4040", "/api/v1/flows", "navigate", "document", "", 403},
		{"link to the metrics", "127.0.0.1:4040", "/metrics", "navigate", "document", "", 403},
	} {
		r := httptest.NewRequest("GET", "http://x"+test.path, nil)
		r.Host = test.host
		r.Header = http.Header{"Accept": {"text/html"}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {test.mode}, "Sec-Fetch-Dest": {test.dest}}
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		w := httptest.NewRecorder()
		c.Handler().ServeHTTP(w, r)
		if w.Code != test.want {
			t.Errorf("%s: %d, want %d", test.name, w.Code, test.want)
		}
	}
}
