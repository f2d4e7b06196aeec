package console_test

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/ledger"

	"github.com/workingagents/gatehouse/internal/policy"
)

func TestViewsAreSavedByTheirOwner(t *testing.T) {
	d := newDesk(t)
	if w := d.ask("POST", "/api/v1/views", `{"name":"big spenders","page":"/live","q":"cost:1"}`); w.Code != 201 {
		t.Fatalf("saving: %d %s", w.Code, w.Body)
	}
	want := `{"views":[{"name":"big spenders","page":"/live","q":"cost:1","owner":"console token"}]}`
	if w := d.ask("GET", "/api/v1/views", ""); strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("got %s, want %s", w.Body, want)
	}
	for _, body := range []string{`{"name":"a","page":"//evil.example","q":""}`, `{"name":"a","page":"/live","q":"","owner":"eve"}`} {
		if w := d.ask("POST", "/api/v1/views", body); w.Code != 400 {
			t.Errorf("%s: %d, want 400", body, w.Code)
		}
	}
	if w := d.ask("POST", "/api/v1/views", `{"name":"wrong","page":"/live","q":"verdict:blok"}`); w.Code != 400 || !strings.HasPrefix(w.Body.String(), `{"error":{"kind":"filter","message":"verdict can't be blok`) {
		t.Errorf("a filter that can't be read: %d %s", w.Code, w.Body)
	}
	if w := d.ask("DELETE", "/api/v1/views/big%20spenders", ""); w.Code != 204 {
		t.Errorf("deleting: %d %s", w.Code, w.Body)
	}
	if w := d.ask("GET", "/api/v1/views", ""); strings.TrimSpace(w.Body.String()) != `{"views":[]}` {
		t.Errorf("afterwards: %s", w.Body)
	}
}

func TestJournalIsListedInPages(t *testing.T) {
	d := newDesk(t)
	w := d.ask("GET", "/api/v1/journal?kind=read&before=9&limit=5", "")
	if q := d.book.journal; w.Code != 200 || q.Before != 9 || q.Limit != 5 || q.Readings == nil || !*q.Readings || !strings.Contains(w.Body.String(), `"entry":7`) {
		t.Errorf("asked for %+v, got %d %s", q, w.Code, w.Body)
	}
	for _, many := range []string{"100000", "0"} {
		d.ask("GET", "/api/v1/journal?limit="+many, "")
		if q := d.book.journal; q.Limit != 1000 || q.Readings != nil {
			t.Errorf("asked for %s and so %+v, want 1000 of both kinds", many, q)
		}
	}
	for _, wrong := range []string{"kind=all", "limit=-1", "before=x"} {
		if w := d.ask("GET", "/api/v1/journal?"+wrong, ""); w.Code != 400 {
			t.Errorf("%s: %d, want 400", wrong, w.Code)
		}
	}
}

func TestPolicyInForceIsReadable(t *testing.T) {
	d := newDesk(t)
	want := string(policy.Default().Text())
	if w := d.ask("GET", "/api/v1/policy/text", ""); w.Body.String() != want || !strings.Contains(want, "mode: report") {
		t.Errorf("got %q, want %q", w.Body, want)
	}
}

func TestOverviewIsGrouped(t *testing.T) {
	d := newDesk(t)
	w := d.ask("GET", "/api/v1/overview?by=day,model&offset=330&session=s", "")
	if w.Code != 200 || !slices.Equal(d.book.by, []ledger.By{ledger.ByDay, ledger.ByModel}) || d.book.offset != 330*time.Minute || d.book.query.Session != "s" {
		t.Errorf("%d %s: asked by %v, %v, %+v", w.Code, w.Body, d.book.by, d.book.offset, d.book.query)
	}
	for _, wrong := range []string{"by=colour", "by=day,day", "by=day,model,agent", "offset=x", "offset=2000"} {
		if w := d.ask("GET", "/api/v1/overview?"+wrong, ""); w.Code != 400 {
			t.Errorf("%s: %d, want 400", wrong, w.Code)
		}
	}
}

func TestSetupSaysWhatToSetAndWhoCame(t *testing.T) {
	d := newDesk(t)
	var s console.Setup
	if err := json.Unmarshal(d.ask("GET", "/api/v1/setup", "").Body.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(s.Agents, func(a console.SetupAgent) bool { return a.Name == "claude" })
	if i < 0 || len(s.Agents[i].Seen) != 1 || s.Agents[i].Seen[0].Flow != "f1" {
		t.Fatalf("claude: %+v", s.Agents)
	}
	var texts []string
	for _, way := range s.Agents[i].Ways {
		texts = append(texts, way.Text)
	}
	want := []string{
		"gatehouse run --data '/data of mine' -- claude", `eval "$(gatehouse env --data '/data of mine' claude)"`,
		"ANTHROPIC_BASE_URL=http://127.0.0.1:4000/anthropic", "gatehouse run --data '/data of mine' --intercept -- claude",
	}
	for i, text := range want {
		if i >= len(texts) || !strings.Contains(texts[i], text) {
			t.Errorf("way %d of %q, want one with %s", i, texts, text)
		}
	}
}

// TestSetupOfAGatewayThatListensEverywhere: agents on this machine call it by an
// address that there is.
func TestSetupOfAGatewayThatListensEverywhere(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:4000", "[::]:4000"} {
		b := &book{}
		c := console.New(console.Options{Flows: b, Ledger: b, Token: token, About: console.About{Listen: listen}})
		r := httptest.NewRequest("GET", "http://127.0.0.1:4040/api/v1/setup", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		c.Handler().ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), "ANTHROPIC_BASE_URL=http://127.0.0.1:4000/anthropic") || strings.Contains(w.Body.String(), `"text":""`) {
			t.Errorf("%s: %.1500s", listen, w.Body)
		}
	}
}
