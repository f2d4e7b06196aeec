package console_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/allow"
	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/console/saved"
	"github.com/workingagents/gatehouse/internal/filter"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/ledger"
)

const token = "ght_0123456789012345678901234567890123456789"

// book is a ledger in memory that behaves as the real one promises: it gives
// out content only after it has recorded the access.
type book struct {
	mu       sync.Mutex
	views    []flow.View
	content  []ledger.Chunk
	query    ledger.Query
	journal  ledger.JournalQuery
	searched string
	by       []ledger.By
	offset   time.Duration
	accesses []ledger.Access
	entries  []string
	fault    error                             // of every write and inner read
	broken   error                             // at the end of a list
	live     func(*flow.Intent, *flow.Outcome) // tells who watches
	verify   func(progress func(done, total int64)) (ledger.Report, error)
}

func (b *book) Choose(q ledger.Query) (ledger.Chosen, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.query = q
	return ledger.Chosen{Views: walk(b.views, b.broken)}, b.fault
}

// walk gives a list, and then an error if there is one.
func walk[T any](list []T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
		if err != nil {
			yield(*new(T), err)
		}
	}
}

func (b *book) Rows(q ledger.Query) ([]flow.Row, error) {
	b.query = q
	rows := make([]flow.Row, 0, len(b.views))
	for i := range b.views {
		rows = append(rows, flow.NewRow(&b.views[i]))
	}
	return rows[max(0, len(rows)-q.Limit):], b.fault
}

func (b *book) Count(q ledger.Query) (int, error) {
	b.query = q
	return len(b.views), b.fault
}

func (b *book) Sessions(q ledger.Query) iter.Seq2[ledger.SessionView, error] {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.query = q
	if b.fault != nil {
		return walk[ledger.SessionView](nil, b.fault)
	}
	return walk([]ledger.SessionView{{Session: "s1", Flows: 2}}, b.broken)
}

func (b *book) Flow(id flow.ID) (*flow.Intent, *flow.Outcome, error) {
	if b.fault != nil {
		return nil, nil, b.fault
	}
	if id != "f1" {
		return nil, nil, ledger.ErrNotFound
	}
	return &flow.Intent{Flow: id, Model: "m"}, nil, nil
}

func (b *book) Read(_ flow.ID, _ ledger.What, by ledger.Access) ([]ledger.Chunk, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fault != nil {
		return nil, b.fault
	}
	b.accesses = append(b.accesses, by)
	return b.content, nil
}

func (b *book) Search(f *filter.Filter, q ledger.SearchQuery, by ledger.Access) (ledger.Found, error) {
	b.searched = f.String() + " " + strconv.Itoa(q.Limit) + " " + q.Before + " " + by.Why
	return ledger.Found{Hits: []ledger.Hit{{Flow: "f1", Snippet: []ledger.Fragment{{Text: "a "}, {Text: "word", Match: true}}, Resent: 3}}, More: true, Next: "7"}, b.fault
}

func (b *book) Journal(q ledger.JournalQuery) ([]ledger.JournalEntry, error) {
	b.journal = q
	return []ledger.JournalEntry{{Entry: 7, Kind: "start"}}, b.fault
}

func (b *book) FirstCalls() ([]ledger.FirstCall, error) {
	return []ledger.FirstCall{{Agent: "claude", Entrance: flow.Redirect, Flow: "f1"}}, b.fault
}

func (b *book) Overview(q ledger.Query, by []ledger.By, offset time.Duration) (ledger.Overview, error) {
	b.query, b.by, b.offset = q, by, offset
	return ledger.Overview{Groups: []ledger.Group{{Keys: []string{"claude"}}}}, b.fault
}

func (b *book) Follow(f *filter.Filter, by ledger.Access) (func(*flow.View) bool, error) {
	return func(v *flow.View) bool { return f.Match(v, nil) }, b.fault
}

func (b *book) Watch(told func(*flow.Intent, *flow.Outcome)) (stop func()) {
	b.live = told
	return func() {}
}

func (b *book) Admin(kind, _ string, attrs map[string]string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fault == nil {
		b.entries = append(b.entries, kind+" "+attrs["name"]+attrs["finding"])
	}
	return b.fault
}

func (b *book) Verify(progress func(done, total int64)) (ledger.Report, error) {
	return b.verify(progress)
}

func (b *book) Stats() ledger.Stats { return ledger.Stats{Entries: 7} }

func (b *book) Growth() ([]ledger.Stretch, error) {
	return []ledger.Stretch{{From: time.Unix(0, 0).UTC(), Bytes: 9}}, b.fault
}

// desk is a console over a book.
type desk struct {
	*console.Console
	book *book
	keys *identity.Keys
	log  *bytes.Buffer

	policy  *statutes
	talk    *talker
	rules   *sieve
	allowed *allow.Store
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	keys, err := identity.OpenKeys(t.TempDir(), []byte("secret"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	allowed, err := allow.Open(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	views, err := saved.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{book: &book{}, keys: keys, log: new(bytes.Buffer), policy: &statutes{}, rules: &sieve{}, allowed: allowed, talk: &talker{}}
	d.Console = console.New(console.Options{
		Flows: d.book, Talk: d.talk, Ledger: d.book, Keys: keys, Policy: d.policy, Rules: d.rules, Allowances: allowed, Token: token, Hosts: []string{"gate.example"},
		Views: views, Door: openDoor(t), About: console.About{Version: "v1", Console: "127.0.0.1:4040", Listen: "127.0.0.1:4000", Intercept: "127.0.0.1:4001", Data: "/data of mine"}, Log: slog.New(slog.NewTextHandler(d.log, nil)),
		Ready: func() error { return d.book.fault },
	})
	return d
}

// ask calls a route over TCP with the token.
func (d *desk) ask(method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:4040"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	return d.send(r)
}

func (d *desk) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.Handler().ServeHTTP(w, r)
	return w
}

func TestTokenIsNeededOverTCP(t *testing.T) {
	for _, test := range []struct {
		name, path, authorization string
		want                      int
	}{
		{"none", "/api/v1/flows", "", 401},
		{"wrong", "/api/v1/flows", "Bearer ght_wrong", 401},
		{"right, as the wrong scheme", "/api/v1/flows", "Basic " + token, 401},
		{"right", "/api/v1/flows", "Bearer " + token, 200},
		{"none, unknown route", "/api/v1/nothing", "", 401},
		{"right, unknown route", "/api/v1/nothing", "bearer " + token, 404},
		{"none, health", "/healthz", "", 200},
		{"none, readiness", "/readyz", "", 200},
		{"none, metrics", "/metrics", "", 200},
	} {
		r := httptest.NewRequest("GET", "http://127.0.0.1:4040"+test.path, nil)
		r.Header.Set("Authorization", test.authorization)
		if got := newDesk(t).send(r).Code; got != test.want {
			t.Errorf("%s: status %d, want %d", test.name, got, test.want)
		}
	}
}

func TestNoTokenLetsNobodyInOverTCP(t *testing.T) {
	b := &book{}
	c := console.New(console.Options{Flows: b, Ledger: b})
	for _, authorization := range []string{"", "Bearer", "Bearer "} {
		r := httptest.NewRequest("GET", "http://127.0.0.1/api/v1/status", nil)
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		c.Handler().ServeHTTP(w, r)
		if w.Code != 401 {
			t.Errorf("authorization %q: status %d, want 401", authorization, w.Code)
		}
	}
}

func TestForeignPagesAreRefused(t *testing.T) {
	for _, test := range []struct {
		name, host, origin, site string
		want                     int
	}{
		{"address", "127.0.0.1:4040", "", "", 200},
		{"address of version 6", "[::1]:4040", "", "", 200},
		{"localhost", "localhost:4040", "", "", 200},
		{"listed name", "GATE.example:4040", "", "", 200},
		{"rebound name", "evil.example:4040", "", "", 403},
		{"name that begins as ours", "localhost.evil.example", "", "", 403},
		{"no host", "", "", "", 403},
		{"own origin", "127.0.0.1:4040", "http://127.0.0.1:4040", "same-origin", 200},
		{"typed address", "127.0.0.1:4040", "", "none", 200},
		{"foreign origin", "127.0.0.1:4040", "https://evil.example", "", 403},
		{"origin on another port", "127.0.0.1:4040", "http://127.0.0.1:8080", "", 403},
		{"origin null", "127.0.0.1:4040", "null", "", 403},
		{"image on a foreign page", "127.0.0.1:4040", "", "cross-site", 403},
		{"page of a neighbour", "127.0.0.1:4040", "", "same-site", 403},
	} {
		for _, path := range []string{"/healthz", "/metrics", "/api/v1/flows"} {
			r := httptest.NewRequest("GET", "http://x"+path, nil)
			r.Host = test.host
			r.Header.Set("Authorization", "Bearer "+token)
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			if test.site != "" {
				r.Header.Set("Sec-Fetch-Site", test.site)
			}
			if got := newDesk(t).send(r).Code; got != test.want {
				t.Errorf("%s, %s: status %d, want %d", test.name, path, got, test.want)
			}
		}
	}
}

func TestFlowsAreLines(t *testing.T) {
	d := newDesk(t)
	d.book.views = []flow.View{{ID: "a", Why: "<b>"}, {ID: "b"}}
	w := d.ask("GET", "/api/v1/flows?session=s1&since=2026-01-02T03:04:05Z&limit=5", "")
	lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"id":"a"`) || !strings.Contains(lines[0], `"why":"<b>"`) {
		t.Errorf("got %q, want a line for each of two flows, oldest first", lines)
	}
	by := ledger.Access{Who: "console token", Why: "flows are chosen by a text in them"}
	want := ledger.Query{Session: "s1", Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Limit: 5, By: by}
	if d.book.query != want {
		t.Errorf("asked the ledger for %+v, want %+v", d.book.query, want)
	}
}

func TestQueryThatCannotBeReadIsRefused(t *testing.T) {
	d := newDesk(t)
	for _, query := range []string{"since=yesterday", "limit=-1", "limit=many"} {
		for _, path := range []string{"/api/v1/flows?", "/api/v1/sessions?"} {
			if w := d.ask("GET", path+query, ""); w.Code != 400 {
				t.Errorf("%s%s: status %d, want 400", path, query, w.Code)
			}
		}
	}
}

func TestFiltersReachTheLedger(t *testing.T) {
	d := newDesk(t)
	for _, path := range []string{"flows", "sessions", "rows", "rows/count", "overview"} {
		d.book.query = ledger.Query{}
		w := d.ask("GET", "/api/v1/"+path+"?q=tool:Bash+since:15:04&before=f9&offset=120", "")
		if w.Code != 200 || d.book.query.Before != "f9" {
			t.Errorf("%s: %d %s, asked for %+v", path, w.Code, w.Body, d.book.query)
		}
		if got := d.book.query.Filter.String(); !strings.HasPrefix(got, "tool:Bash since:2") || !strings.HasSuffix(got, "T13:04:00Z") {
			t.Errorf("%s: asked for %s, want 15:04 two hours ahead of UTC", path, got)
		}
	}
}

func TestFilterThatCannotBeReadIsExplained(t *testing.T) {
	d := newDesk(t)
	for _, path := range []string{"flows", "sessions", "rows", "rows/count", "filter", "tail", "events", "overview"} {
		w := d.ask("GET", "/api/v1/"+path+"?q=tool:Bash+modle:x", "")
		const want = `{"error":{"kind":"filter","message":"there is no field modle","column":11,"hint":"did you mean model?"}}`
		if got := strings.TrimSpace(w.Body.String()); w.Code != 400 || got != want {
			t.Errorf("%s: %d %s, want %s", path, w.Code, got, want)
		}
	}
}

func TestRowsSayWhenThereAreMore(t *testing.T) {
	d := newDesk(t)
	for _, id := range []flow.ID{"a", "b", "c"} {
		d.book.views = append(d.book.views, flow.View{ID: id, Findings: []flow.Finding{{Rule: "x.y", Severity: flow.Low}, {Rule: "x.y", Severity: flow.High}}})
	}
	for limit, want := range map[string][2]string{"2": {"bc", "1"}, "3": {"abc", ""}, "": {"abc", ""}} {
		w := d.ask("GET", "/api/v1/rows?limit="+limit, "")
		var rows []flow.Row
		if err := json.Unmarshal(w.Body.Bytes(), &rows); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, r := range rows {
			got += string(r.ID)
			if r.Severity != "high" || len(r.Rules) != 1 {
				t.Errorf("%+v", r)
			}
		}
		if more := w.Header().Get("X-More"); got != want[0] || more != want[1] {
			t.Errorf("limit %q: %s, more %q, want %v", limit, got, more, want)
		}
	}
	if w := d.ask("GET", "/api/v1/rows/count?limit=1", ""); strings.TrimSpace(w.Body.String()) != `{"count":3}` {
		t.Errorf("count: %s", w.Body)
	}
	if w := d.ask("GET", "/api/v1/rows?limit=5001", ""); w.Code != 400 {
		t.Errorf("too many rows: %d", w.Code)
	}
	d.book.views = nil
	if w := d.ask("GET", "/api/v1/rows", ""); strings.TrimSpace(w.Body.String()) != `[]` {
		t.Errorf("no rows: %s", w.Body)
	}
}

func TestFlowIsIntentAndOutcome(t *testing.T) {
	d := newDesk(t)
	w := d.ask("GET", "/api/v1/flows/f1", "")
	if got := w.Body.String(); !strings.Contains(got, `"intent":{"flow":"f1"`) || !strings.Contains(got, `"outcome":null`) {
		t.Errorf("got %s, want the intent and no outcome", got)
	}
	if w := d.ask("GET", "/api/v1/flows/nobody", ""); w.Code != 404 || !strings.Contains(w.Body.String(), `"kind":"not_found"`) {
		t.Errorf("unknown flow: %d %s, want 404 not_found", w.Code, w.Body)
	}
}

func TestContentNeedsAReason(t *testing.T) {
	d := newDesk(t)
	d.book.content = []ledger.Chunk{{Data: []byte("secret")}}
	for _, why := range []string{"", "why=", "why=two%0Alines", "why=%ff", "why=" + strings.Repeat("x", 501)} {
		w := d.ask("GET", "/api/v1/flows/f1/content/request?"+why, "")
		if w.Code != 400 || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%.20s: %d %s, want 400 and no content", why, w.Code, w.Body)
		}
	}
	if len(d.book.accesses) != 0 {
		t.Errorf("the ledger was read %d times, want none", len(d.book.accesses))
	}
}

func TestContentNamesItsReader(t *testing.T) {
	d := newDesk(t)
	d.book.content = []ledger.Chunk{{Data: []byte("exact ")}, {Data: []byte("bytes\x00\xff"), At: 1500 * time.Microsecond}}
	w := d.ask("GET", "/api/v1/flows/f1/content/response?why=audit", "")
	if got, want := w.Body.String(), "exact bytes\x00\xff"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := w.Header().Get("Content-Type"); got != "application/octet-stream" {
		t.Errorf("content type %s: a browser might render it", got)
	}
	want := []ledger.Access{{Who: "console token", Why: "audit"}}
	if !slices.Equal(d.book.accesses, want) {
		t.Errorf("recorded %+v, want %+v", d.book.accesses, want)
	}
	w = d.ask("GET", "/api/v1/flows/f1/content/response?why=audit&chunks=1", "")
	lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	if want := `{"at_ms":1.5,"len":7,"data":"Ynl0ZXMA/w=="}`; len(lines) != 2 || lines[1] != want {
		t.Errorf("got %q, want two lines, the second %s", lines, want)
	}
}

func TestContentThatIsNotRecordedIsNotGiven(t *testing.T) {
	d := newDesk(t)
	d.book.content = []ledger.Chunk{{Data: []byte("secret")}}
	d.book.fault = &flow.Refusal{Status: 503, Kind: "ledger_fault", Text: "the ledger can't be written"}
	w := d.ask("GET", "/api/v1/flows/f1/content/request?why=audit", "")
	if w.Code != 503 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %s, want 503 and no content", w.Code, w.Body)
	}
	if w := d.ask("GET", "/api/v1/flows/f1/content/nothing?why=audit", ""); w.Code != 404 {
		t.Errorf("unknown content: %d, want 404", w.Code)
	}
}

func TestInnerErrorsStayInTheLog(t *testing.T) {
	d := newDesk(t)
	d.book.fault = errors.New("reading segment 7: input/output error")
	w := d.ask("GET", "/api/v1/flows", "")
	if w.Code != 500 || strings.Contains(w.Body.String(), "segment") {
		t.Errorf("%d %s, want 500 without the cause", w.Code, w.Body)
	}
	if !strings.Contains(d.log.String(), "segment 7") {
		t.Errorf("the log says %q, want the cause", d.log)
	}
}

func TestTailIsLive(t *testing.T) {
	d := newDesk(t)
	server := httptest.NewServer(d.Handler())
	defer server.Close()
	req, _ := http.NewRequest("GET", server.URL+"/api/v1/tail", nil)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := json.NewDecoder(resp.Body)
	for _, id := range []flow.ID{"a", "b"} {
		d.book.live(&flow.Intent{Flow: id}, nil)
		var got struct{ ID flow.ID }
		if err := lines.Decode(&got); err != nil { // each line arrives before the next flow
			t.Fatal(err)
		}
		if got.ID != id {
			t.Errorf("got %+v, want flow %q", got, id)
		}
	}
	defer d.flood()()
	for got := (struct{ Gap bool }{}); !got.Gap; {
		if err := lines.Decode(&got); err != nil {
			t.Fatal(err)
		}
	}
}

// flood lets more flows come at once than a reader may lag behind, again and again
// until stop is called.
func (d *desk) flood() (stop func()) {
	enough := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			for range 3 * 8192 {
				d.book.live(&flow.Intent{Flow: "x"}, nil)
			}
			select {
			case <-enough:
				return
			default:
			}
		}
	})
	return func() { close(enough); wait.Wait() }
}

func TestVerifyReportsOnceAndAlone(t *testing.T) {
	d := newDesk(t)
	var second *httptest.ResponseRecorder
	d.book.verify = func(progress func(done, total int64)) (ledger.Report, error) {
		second = d.ask("POST", "/api/v1/verify", "")
		for i := range int64(10_000) {
			progress(i, 10_000)
		}
		return ledger.Report{Code: 1}, nil
	}
	w := d.ask("POST", "/api/v1/verify", "")
	lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	if n := len(lines); n != 101 || !strings.HasPrefix(lines[100], `{"report":`) {
		t.Errorf("got %d lines, the last %s; want 100 of progress and a report", n, lines[n-1])
	}
	if second.Code != 409 {
		t.Errorf("a second verification got %d, want 409", second.Code)
	}
	d.book.verify = func(progress func(done, total int64)) (ledger.Report, error) {
		progress(0, 1)
		return ledger.Report{}, errors.New("input/output error")
	}
	w = d.ask("POST", "/api/v1/verify", "")
	if got := w.Body.String(); strings.Contains(got, "report") || !strings.Contains(got, `{"error":`) {
		t.Errorf("a verification that broke off answered %s, want an error line", got)
	}
}

func TestKeysAreShownOnce(t *testing.T) {
	d := newDesk(t)
	w := d.ask("POST", "/api/v1/keys", `{"name":"ci"}`)
	var made struct{ Name, Key string }
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != 201 {
		t.Fatalf("adding: %d %s", w.Code, w.Body)
	}
	if k, err := d.keys.Lookup(made.Key); err != nil || k.Name != "ci" {
		t.Errorf("the key that was shown names %q, %v; want ci", k.Name, err)
	}
	list := d.ask("GET", "/api/v1/keys", "").Body.String()
	if !strings.Contains(list, `"name":"ci"`) || strings.Contains(list, "hash") || strings.Contains(list, made.Key) {
		t.Errorf("the list says %s, want the name alone", list)
	}
	if w := d.ask("DELETE", "/api/v1/keys/ci", ""); w.Code != 204 {
		t.Errorf("revoking: %d %s, want 204", w.Code, w.Body)
	}
	if _, err := d.keys.Lookup(made.Key); err == nil {
		t.Error("the revoked key is still valid")
	}
	if want := []string{"key.add ci", "key.revoke ci"}; !slices.Equal(d.book.entries, want) {
		t.Errorf("entries %q, want %q", d.book.entries, want)
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	d := newDesk(t)
	d.ask("POST", "/api/v1/keys", `{"name":"taken"}`)
	for _, test := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/api/v1/keys", `{"name":"taken"}`, 409},
		{"POST", "/api/v1/keys", `{"name":"two words"}`, 400},
		{"POST", "/api/v1/keys", `{"nom":"x"}`, 400},
		{"POST", "/api/v1/keys", `{"name":"` + strings.Repeat("x", 5<<10) + `"}`, 400},
		{"DELETE", "/api/v1/keys/nobody", "", 404},
	} {
		if w := d.ask(test.method, test.path, test.body); w.Code != test.want {
			t.Errorf("%s %s %.30s: %d %s, want %d", test.method, test.path, test.body, w.Code, w.Body, test.want)
		}
	}
}

func TestKeyWithoutAnEntryIsNoKey(t *testing.T) {
	d := newDesk(t)
	d.book.fault = &flow.Refusal{Status: 503, Kind: "ledger_full", Text: "the disk is nearly full"}
	w := d.ask("POST", "/api/v1/keys", `{"name":"ci"}`)
	if w.Code != 503 || strings.Contains(w.Body.String(), "ghk_") {
		t.Errorf("%d %s, want 503 and no key", w.Code, w.Body)
	}
	keys, err := d.keys.List()
	if err != nil || slices.ContainsFunc(keys, func(k identity.Key) bool { return k.Revoked.IsZero() }) {
		t.Errorf("keys %+v, %v; want none that is valid", keys, err)
	}
}

func TestReadinessSaysWhyNot(t *testing.T) {
	d := newDesk(t)
	if w := d.ask("GET", "/readyz", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"ready":true`) {
		t.Errorf("%d %s, want ready", w.Code, w.Body)
	}
	d.book.fault = errors.New("the disk is nearly full")
	w := d.ask("GET", "/readyz", "")
	if w.Code != 503 || !strings.Contains(w.Body.String(), "nearly full") {
		t.Errorf("%d %s, want 503 and the why", w.Code, w.Body)
	}
	if w := d.ask("GET", "/healthz", ""); w.Code != 200 {
		t.Errorf("health: %d, want 200: the process lives", w.Code)
	}
	if w := d.ask("GET", "/api/v1/status", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `"version":"v1"`) {
		t.Errorf("status: %d %s", w.Code, w.Body)
	}
}

func TestSocketNeedsNoTokenAndNamesTheUser(t *testing.T) {
	d := newDesk(t)
	ln, err := console.Listen(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- d.Serve(ctx, ln) }()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", ln.Addr().String())
	}}}
	resp, err := client.Get("http://gatehouse/api/v1/flows/f1/content/request?why=audit")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || len(d.book.accesses) != 1 {
		t.Fatalf("status %d, %d accesses; want 200, 1", resp.StatusCode, len(d.book.accesses))
	}
	if who := d.book.accesses[0].Who; who != me.Username && who != "local" {
		t.Errorf("the reader is %q, want %q", who, me.Username)
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("serving ended with %v, want nil", err)
	}
}

func TestServeEndsLiveAnswers(t *testing.T) {
	d := newDesk(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- d.Serve(ctx, ln) }()
	req, _ := http.NewRequest("GET", "http://"+ln.Addr().String()+"/api/v1/tail", nil)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body := bufio.NewReader(resp.Body)
	d.book.live(&flow.Intent{Flow: "first"}, nil)
	if _, err := body.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	d.book.live(&flow.Intent{Flow: "last"}, nil) // sooner than anybody is told of it
	cancel()
	if err := <-served; err != nil {
		t.Errorf("serving ended with %v, want nil", err)
	}
	rest, err := io.ReadAll(body)
	if err != nil {
		t.Errorf("the tail was cut off: %v; want that it ended", err)
	}
	if !bytes.Contains(rest, []byte(`"id":"last"`)) {
		t.Errorf("what came just before the end was not told: %q", rest)
	}
}

func TestFilterIsReadAndAppliedToNothing(t *testing.T) {
	d := newDesk(t)
	for _, tt := range []struct{ q, want string }{
		{"", `{"filter":"","texts":false}`},
		{"model:claude*  tool:Bash", `{"filter":"model:claude* tool:Bash","texts":false}`},
		{`agent:codex -"rm -rf"`, `{"filter":"agent:codex -\"rm -rf\"","texts":true}`},
	} {
		if got := strings.TrimSpace(d.ask("GET", "/api/v1/filter?q="+url.QueryEscape(tt.q), "").Body.String()); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.q, got, tt.want)
		}
	}
}
