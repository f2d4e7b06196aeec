package console_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/console/door"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// browser is what a page at an address has of its own.
type browser struct {
	d            *desk
	cookie, page string
}

func (b *browser) ask(method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:4040"+path, strings.NewReader(body))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if b.cookie != "" {
		r.Header.Set("Cookie", b.cookie)
	}
	if b.page != "" {
		r.Header.Set("Gatehouse-Page", b.page)
	}
	return b.d.send(r)
}

// link asks for a link as the command line does, and gives its token.
func (d *desk) link(t *testing.T) string {
	t.Helper()
	w := d.ask("POST", "/api/v1/links", "")
	var made console.NewLink
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != 201 {
		t.Fatalf("making a link: %d %s", w.Code, w.Body)
	}
	token, ok := strings.CutPrefix(made.Link, "http://127.0.0.1:4040/login#")
	if !ok {
		t.Fatalf("link %s does not lead to the console", made.Link)
	}
	return token
}

// enter opens a link.
func enter(t *testing.T, d *desk, token string) *browser {
	t.Helper()
	b := &browser{d: d}
	w := b.ask("POST", "/api/v1/login", `{"token":"`+token+`"}`)
	var v console.Visit
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != 200 {
		t.Fatalf("opening a link: %d %s", w.Code, w.Body)
	}
	cookies := w.Result().Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode || cookies[0].Path != "/" {
		t.Fatalf("cookies %v, want one that no script and no foreign page gets", cookies)
	}
	b.cookie, b.page = cookies[0].Name+"="+cookies[0].Value, v.Page
	return b
}

func TestLinkLetsABrowserInOnce(t *testing.T) {
	d := newDesk(t)
	token := d.link(t)
	b := enter(t, d, token)
	if w := b.ask("GET", "/api/v1/flows", ""); w.Code != 200 {
		t.Errorf("after the link: %d %s", w.Code, w.Body)
	}
	d.book.content = []ledger.Chunk{{Data: []byte("x")}}
	b.ask("GET", "/api/v1/flows/f1/content/request?why=audit", "")
	if got := d.book.accesses; len(got) != 1 || got[0].Who != "console token (browser)" {
		t.Errorf("content was read by %+v, want who made the link, in a browser", got)
	}
	if w := (&browser{d: d}).ask("POST", "/api/v1/login", `{"token":"`+token+`"}`); w.Code != 401 || !strings.Contains(w.Body.String(), "gatehouse open") {
		t.Errorf("the link a second time: %d %s, want 401 and what to do", w.Code, w.Body)
	}
	if w := b.ask("POST", "/api/v1/links", ""); w.Code != 403 {
		t.Errorf("a visitor makes a link: %d, want 403", w.Code)
	}
	if want := []string{"console.login "}; !slices.Equal(d.book.entries, want) {
		t.Errorf("entries %q, want %q", d.book.entries, want)
	}
	if w := b.ask("POST", "/api/v1/logout", ""); w.Code != 204 || !strings.Contains(w.Header().Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("logging out: %d %v", w.Code, w.Header())
	}
	if w := b.ask("GET", "/api/v1/flows", ""); w.Code != 401 {
		t.Errorf("after logging out: %d, want 401", w.Code)
	}
}

// TestHalfAPassIsNone: a server on another port of the host gets the cookie.
func TestHalfAPassIsNone(t *testing.T) {
	d := newDesk(t)
	b := enter(t, d, d.link(t))
	for name, half := range map[string]*browser{"cookie": {d: d, cookie: b.cookie}, "page's word": {d: d, page: b.page}} {
		if w := half.ask("GET", "/api/v1/flows", ""); w.Code != 401 {
			t.Errorf("the %s alone: %d, want 401", name, w.Code)
		}
	}
}

func TestNobodyEntersUnrecorded(t *testing.T) {
	d := newDesk(t)
	token := d.link(t)
	d.book.fault = &flow.Refusal{Status: 503, Kind: "ledger_full", Text: "the disk is nearly full"}
	w := (&browser{d: d}).ask("POST", "/api/v1/login", `{"token":"`+token+`"}`)
	if w.Code != 503 || w.Header().Get("Set-Cookie") != "" || strings.Contains(w.Body.String(), "page\"") {
		t.Errorf("%d %v %s, want 503 and no pass", w.Code, w.Header(), w.Body)
	}
}

func openDoor(t *testing.T) *door.Door {
	t.Helper()
	d, err := door.Open(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
