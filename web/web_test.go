//go:build !noui

package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/workingagents/gatehouse/web"
)

func get(t *testing.T, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	web.New().ServeHTTP(w, r)
	return w
}

// script gives the path of the page's script.
func script(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile(`src="(/assets/[^"]+\.js)"`).FindStringSubmatch(get(t, "/").Body.String())
	if m == nil {
		t.Fatal("the page names no script")
	}
	return m[1]
}

func TestPageHoldsNothingThatItsPolicyForbids(t *testing.T) {
	w := get(t, "/")
	if got := w.Header().Get("Content-Security-Policy"); got != web.Policy {
		t.Errorf("policy %q, want %q", got, web.Policy)
	}
	body := w.Body.String()
	for _, forbidden := range []string{"<style", "style=", "onload", "<script>", "http://", "https://", "<base", "<iframe"} {
		if strings.Contains(body, forbidden) {
			t.Errorf("the page holds %q", forbidden)
		}
	}
}

func TestPlacesAreThePage(t *testing.T) {
	want := get(t, "/").Body.String()
	for _, path := range []string{"/live", "/sessions/a.b", "/flows/f1?tab=x", "/nowhere"} {
		w := get(t, path)
		if w.Code != 200 || w.Body.String() != want || w.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d, %s; want the page, asked for each time", path, w.Code, w.Header().Get("Cache-Control"))
		}
	}
}

func TestAssetsAreKept(t *testing.T) {
	path := script(t)
	w := get(t, path)
	if got := w.Header().Get("Cache-Control"); w.Code != 200 || !strings.Contains(got, "immutable") {
		t.Errorf("%d, %q; want it kept for good", w.Code, got)
	}
	if got := w.Header().Get("Content-Type"); got != "text/javascript; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
	if got := get(t, path, "If-None-Match", w.Header().Get("ETag")).Code; got != http.StatusNotModified {
		t.Errorf("the same again: %d, want 304", got)
	}
	if !web.New().Has(path) || web.New().Has("/index.html") || web.New().Has("/live") {
		t.Error("Has must know the files, and the page is none")
	}
}

func TestAnswersArePackedForWhoTakesThem(t *testing.T) {
	path := script(t)
	plain := get(t, path).Body.String()
	unpack := map[string]func(io.Reader) (io.Reader, error){
		"":     func(r io.Reader) (io.Reader, error) { return r, nil },
		"br":   func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
	}
	for _, test := range []struct{ accept, want string }{
		{"", ""}, {"identity", ""}, {"gzip", "gzip"}, {"gzip, deflate, br, zstd", "br"}, {"br;q=0, GZIP;q=0.1", "gzip"}, {"br;q=x", ""}, {"*", ""},
	} {
		w := get(t, path, "Accept-Encoding", test.accept)
		if got := w.Header().Get("Content-Encoding"); got != test.want {
			t.Errorf("%q: coding %q, want %q", test.accept, got, test.want)
			continue
		}
		r, err := unpack[test.want](w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != plain {
			t.Errorf("%q: %d bytes, %v; want the %d of the file", test.accept, len(got), err, len(plain))
		}
	}
}

// TestOfflineNeedsNothing: a file of a session is a script and a style that ask for
// nothing, and are no place of the console.
func TestOfflineNeedsNothing(t *testing.T) {
	script, style, ok := web.Offline()
	if !ok || len(script) == 0 || len(style) == 0 {
		t.Fatal("there is none")
	}
	for _, asks := range []string{"fetch(", "XMLHttpRequest", "EventSource", "WebSocket", "import(", "/api/", "@import", "localStorage", "document.cookie"} {
		if strings.Contains(string(script)+string(style), asks) {
			t.Errorf("it has %q", asks)
		}
	}
	if web.New().Has("/offline/offline.js") {
		t.Error("it is served")
	}
}
