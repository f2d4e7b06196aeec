package ledger_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/filter"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func chosen(t testing.TB, text string) *filter.Filter {
	t.Helper()
	f, err := filter.Parse(text, noon)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return f
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// oneOfMany makes the n-th of a ledger full of all kinds of flows. A nil
// outcome: it stays open.
func oneOfMany(r *rand.Rand, n int) (*flow.Intent, *flow.Outcome) {
	id := flow.ID(fmt.Sprintf("01kb%08d", n))
	session := r.IntN(40)
	in := &flow.Intent{
		Flow: id, Started: noon.Add(-time.Duration(r.IntN(200_000_000)) * time.Millisecond), Entrance: pick(r, flow.Redirect, flow.Redirect, flow.Intercept, flow.Tunnel),
		Provider: pick(r, flow.Anthropic, flow.OpenAI), API: pick(r, flow.Messages, flow.Chat, flow.Opaque), Agent: pick(r, "claude", "codex", ""),
		Model: pick(r, "claude-opus", "Claude-Haiku", "gpt-x", ""), Method: pick(r, "POST", "GET"), Path: pick(r, "/v1/messages?beta=true", "/v1/chat", "/v1/files/"+string(id)),
		Host: pick(r, "", "api.example.com", "example.org:8443"), Session: flow.Session{ID: fmt.Sprintf("S%d", session), Subagent: pick(r, "", "", "agent-1", "agent-2")},
		Turn: r.IntN(12), Principal: flow.Principal{Name: pick(r, "alice/claude", "bob", "key:CI")}, Custody: flow.SameUser, Capture: flow.CaptureMetadata,
		Decision:     flow.Decision{Verdict: pick(r, flow.Pass, flow.Pass, flow.Redact, flow.Block), Why: pick(r, "observe", "a rule said so"), Rules: pick(r, nil, []string{"limit:size", "secrets"})},
		RequestBytes: int64(r.IntN(3_000_000)), Findings: someFindings(r),
	}
	if r.IntN(10) == 0 && n > 0 {
		in.RetryOf = flow.ID(fmt.Sprintf("01kb%08d", n-1))
	}
	if r.IntN(4) == 0 {
		in.Decision.Would = pick(r, "block", "redact")
	}
	if r.IntN(40) == 0 {
		in.Decision.Why = strings.Repeat("long ", 200) + pick(r, "end", "other end")
	}
	if r.IntN(25) == 0 {
		return in, nil
	}
	out := &flow.Outcome{
		Flow: id, State: pick(r, flow.Done, flow.Done, flow.Aborted, flow.Refused), Status: pick(r, 200, 200, 404, 529, 0), Model: pick(r, "", "claude-opus-1", "gpt-x"),
		ResponseBytes: int64(r.IntN(9000)), Usage: flow.Usage{Input: r.Int64N(5000), CacheRead: r.Int64N(90_000), CacheWrite: r.Int64N(3000), Output: r.Int64N(900), Reasoning: r.Int64N(90), Estimated: r.IntN(9) == 0, Tier: "batch"},
		Stop: pick(r, "end_turn", "tool_use", ""), Error: pick(r, "", "", "overloaded_error"), Tools: pick(r, nil, []string{"Bash"}, []string{"Bash", "Read"}, []string{"mcp__x"}),
		Why: pick(r, "", "", "the client left"), FirstByte: pick(r, 0, time.Duration(r.Int64N(3e9))), Duration: time.Duration(r.Int64N(60e9)), Findings: someFindings(r),
	}
	if r.IntN(3) > 0 {
		cost := float64(r.IntN(2000)) / 1000
		out.Cost = &cost
	}
	if r.IntN(8) == 0 {
		out.Decision = &flow.Decision{Verdict: pick(r, flow.Block, flow.Redact), Why: "the answer", Rules: []string{"answers"}, Would: pick(r, "", "block")}
	}
	return in, out
}

func someFindings(r *rand.Rand) []flow.Finding {
	var list []flow.Finding
	for r.IntN(4) == 0 {
		list = append(list, flow.Finding{ID: "f", Rule: pick(r, "secret.aws", "pii.email", "action.shell"), Severity: pick(r, flow.Low, flow.Medium, flow.High, flow.Critical), Start: r.Int64N(99)})
	}
	return list
}

func keepFlow(t testing.TB, l *ledger.Ledger, in *flow.Intent, out *flow.Outcome) {
	t.Helper()
	rec, err := l.Begin(in, ledger.Content{})
	if err == nil && out != nil {
		err = rec.End(out, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// everyFilter has each field, alone and denied, what has no value, and some
// that have all of it.
func everyFilter() []string {
	list := []string{"", "agent:unknown", "model:unknown", "finding:unknown", "cost:unknown", "turn:unknown", "subagent:unknown", "would:*", "status:unknown",
		"first_byte:unknown", "duration:*", "error:*", "tool:*", "host:unknown", "rule:*", "why:*end", "why:*other*", "-why:*other*", "why:*other* turn:*", `why:"observe"`,
		"model:claude* tool:Bash cost>0.5", "verdict:block OR is:open", "-(verdict:block OR -is:open)", "(agent:codex OR -model:*opus*) turn:2..5 -retry:yes",
		"id:01KB0000001*", "id:01kb00000017", "id:*7", "session:s1*", "principal:KEY:*", "principal:alice/* session:S1 OR subagent:agent-1", "severity>medium finding:pii.*",
		"since:2026-11-26 until:2026-11-26T06:00", "path:*00017", "is:unpriced", "tool:Nope", "-tool:Nope", "model:nope OR since:12h"}
	for _, f := range filter.Fields() {
		list = append(list, f.Example, "-"+f.Example)
		for _, c := range f.Choices {
			list = append(list, string(f.Field)+":"+c)
		}
	}
	return list
}

const many = 300

// TestFiltersChooseWhatMatches compares what the index finds with what the
// filter says of each flow, also when the index was made anew.
func TestFiltersChooseWhatMatches(t *testing.T) {
	dir := t.TempDir()
	l, stop := open(t, ledger.Options{Dir: dir})
	r := rand.New(rand.NewPCG(7, 7))
	for n := range many {
		in, out := oneOfMany(r, n)
		keepFlow(t, l, in, out)
	}
	compare(t, l, everyFilter())
	stop()
	os.Remove(filepath.Join(dir, "index.db"))
	l = start(t, ledger.Options{Dir: dir})
	compare(t, l, everyFilter()[:30])
}

func compare(t *testing.T, l *ledger.Ledger, filters []string) {
	all, err := listed(l, ledger.Query{})
	if err != nil || len(all) != many {
		t.Fatal(len(all), err)
	}
	hits := 0
	for i, text := range filters {
		f := chosen(t, text)
		var want []flow.ID
		sessions := map[string]bool{}
		for i := range all {
			if f.Match(&all[i], nil) {
				want = append(want, all[i].ID)
				sessions[all[i].Principal+" "+all[i].Session] = true
			}
		}
		if len(want) > 0 && len(want) < len(all) {
			hits++
		}
		rows, err := l.Rows(ledger.Query{Filter: f})
		var got []flow.ID
		for _, r := range rows {
			got = append(got, r.ID)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d flows, %v, want %d", text, len(got), err, len(want))
		}
		if n, err := l.Count(ledger.Query{Filter: f, Limit: 3}); err != nil || n != len(want) {
			t.Errorf("%s: count %d, %v, want %d", text, n, err, len(want))
		}
		if i%4 == 0 {
			if got, err := gather(l.Sessions(ledger.Query{Filter: f})); err != nil || len(got) != len(sessions) {
				t.Errorf("%s: %d sessions, %v, want %d", text, len(got), err, len(sessions))
			}
		}
		if i%8 == 0 {
			pages(t, l, f, want)
		}
	}
	if hits < 2*len(filters)/3 {
		t.Errorf("only %d filters tell flows apart", hits)
	}
	rows, err := l.Rows(ledger.Query{})
	if err != nil || len(rows) != len(all) {
		t.Fatal(len(rows), err)
	}
	for i := range all {
		if want := flow.NewRow(&all[i]); !reflect.DeepEqual(rows[i], want) {
			t.Errorf("row %+v\nwant %+v", rows[i], want)
		}
	}
}

func ids(views []flow.View) (list []flow.ID) {
	for _, v := range views {
		list = append(list, v.ID)
	}
	return list
}

// pages asks for all as views, for the newest of them, and walks back with Before.
func pages(t *testing.T, l *ledger.Ledger, f *filter.Filter, want []flow.ID) {
	t.Helper()
	if views, err := listed(l, ledger.Query{Filter: f}); err != nil || !reflect.DeepEqual(ids(views), want) {
		t.Errorf("%s: %d views, %v, want %d", f, len(views), err, len(want))
	}
	limits(t, l, ledger.Query{Filter: f}, want)
	const limit = 120
	for before := flow.ID(""); ; {
		rows, err := l.Rows(ledger.Query{Filter: f, Before: before, Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		rest := want[max(0, len(want)-limit):]
		for i := range rows {
			if len(rows) != len(rest) || rows[i].ID != rest[i] {
				t.Fatalf("%s: page before %q has %d rows, want %d", f, before, len(rows), len(rest))
			}
		}
		if want = want[:len(want)-len(rest)]; len(rows) < limit {
			break
		}
		before = rows[0].ID
	}
	if len(want) > 0 {
		t.Errorf("%s: %d flows were on no page", f, len(want))
	}
}

func TestSessionsAreSummedWhole(t *testing.T) {
	l := start(t, ledger.Options{})
	for n := range 3 {
		id := flow.ID(fmt.Sprintf("f%d", n))
		in, out := intent(id, "s1", nil), outcome(id, nil)
		if n == 1 {
			in.Agent = "claude"
			out.Tools = []string{"Bash"}
		}
		keepFlow(t, l, in, out)
	}
	keepFlow(t, l, intent("g", "s2", nil), outcome("g", nil))
	got, err := gather(l.Sessions(ledger.Query{Filter: chosen(t, "tool:Bash")}))
	if err != nil || len(got) != 1 || got[0].Session != "s1" || got[0].Flows != 3 || *got[0].Cost != 0.75 || got[0].Agent != "claude" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestQueriesThatCantBeAnswered(t *testing.T) {
	l := start(t, ledger.Options{})
	keepFlow(t, l, intent("f", "s", nil), outcome("f", nil))
	if _, err := l.Rows(ledger.Query{Before: "gone"}); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("before an unknown flow: %v", err)
	}
	var refused *flow.Refusal
	if _, err := l.Rows(ledger.Query{Filter: chosen(t, "de*")}); !errors.As(err, &refused) || refused.Status != 400 {
		t.Errorf("the beginning of a word that is too short: %v", err)
	}
}

// TestListingWhileRecording: what comes while a plan is made is judged all the
// same.
func TestListingWhileRecording(t *testing.T) {
	l := start(t, ledger.Options{})
	var all sync.WaitGroup
	for w := range 2 {
		all.Go(func() {
			for n := range 200 {
				id := flow.ID(fmt.Sprintf("w%d-%03d", w, n))
				in := intent(id, fmt.Sprint("s", n), nil)
				in.Model = fmt.Sprint("model-", n)
				out := outcome(id, nil)
				out.Model = ""
				keepFlow(t, l, in, out)
			}
		})
	}
	for range 50 {
		rows, err := l.Rows(ledger.Query{Filter: chosen(t, "-model:*1*")})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if strings.Contains(r.Model, "1") {
				t.Fatalf("model %s was listed", r.Model)
			}
		}
	}
	all.Wait()
}

// large has 100,000 flows of 2,000 sessions.
func large(b *testing.B, n int) *ledger.Ledger {
	l := start(b, ledger.Options{})
	var all sync.WaitGroup
	for w := range 16 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(w)))
			for i := w; i < n; i += 16 {
				in, out := oneOfMany(r, i)
				in.Started = noon.Add(time.Duration(i-n) * time.Second)
				in.Session.ID = fmt.Sprint("S", i/50)
				realistic(r, in, out)
				if i == n/3 {
					in.Path, in.Model, in.Host = "/rare", "rare", "rare.example.com"
				}
				if i == n/3 && out != nil {
					out.Tools, out.Error = []string{"Rare"}, "rare"
				}
				keepFlow(b, l, in, out)
			}
		})
	}
	all.Wait()
	return l
}

// realistic takes out what no agent has: one has one provider, a few models, and
// mostly one path.
func realistic(r *rand.Rand, in *flow.Intent, out *flow.Outcome) {
	if out != nil {
		out.State, out.Why, out.Error, out.Status, out.Model = flow.Done, "", "", 200, ""
		if r.IntN(20) == 0 {
			out.State, out.Why, out.Error, out.Status, out.Stop, out.Tools = flow.Aborted, "the client left", "overloaded_error", 529, "", nil
		}
		if r.IntN(3) > 0 {
			out.Findings, out.Decision = nil, nil
		}
	}
	if len(in.Findings) == 0 {
		in.Decision = flow.Decision{Verdict: flow.Pass, Why: "observe"}
	}
	in.Host, in.Entrance, in.Method = "", flow.Redirect, "POST"
	in.Agent, in.Provider, in.API, in.Path = "claude", flow.Anthropic, flow.Messages, "/v1/messages?beta=true"
	in.Model = pick(r, "claude-opus", "claude-haiku")
	if r.IntN(4) == 0 {
		in.Agent, in.Provider, in.API, in.Path, in.Model = "codex", flow.OpenAI, flow.Responses, "/v1/responses", "gpt-x"
	}
	if r.IntN(10) == 0 {
		in.API, in.Path, in.Model = flow.Opaque, "/v1/files/"+string(in.Flow), ""
	}
}

func BenchmarkFilters(b *testing.B) {
	const flows = 100_000
	l := large(b, flows)
	for _, text := range []string{
		"", "model:claude*", "model:rare", "tool:Bash", "tool:Rare", "path:/rare", "host:rare.*", "finding:secret.*", "severity:critical", "verdict:block", "would:block", "why:*client*",
		"session:S7", "session:S1*", "principal:bob", "subagent:agent-1", "cost>1.9", "cost>100", "cost:unknown", "tokens>97k", "duration>59.9s", "first_byte>1h", "size>1000GB", "turn:11",
		"is:open", "is:unpriced", "status:5xx", "error:rare", "retry:yes", "id:01kb00033333", "id:*99999", "path:*99999", "since:1h", "until:2026-11-25T09:00", "-model:claude* -tool:Bash cost>1.9 OR tool:Rare",
	} {
		f := chosen(b, text)
		b.Run("rows/"+text, func(b *testing.B) {
			n := 0
			for b.Loop() {
				rows, err := l.Rows(ledger.Query{Filter: f, Limit: 200})
				if err != nil {
					b.Fatal(err)
				}
				n = len(rows)
			}
			b.ReportMetric(float64(n), "rows")
		})
		b.Run("count/"+text, func(b *testing.B) {
			n := 0
			for b.Loop() {
				var err error
				if n, err = l.Count(ledger.Query{Filter: f}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n), "flows")
		})
	}
	b.Run("views", func(b *testing.B) {
		for b.Loop() {
			if _, err := listed(l, ledger.Query{Limit: 200}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sessions/tool:Rare", func(b *testing.B) {
		for b.Loop() {
			if _, err := gather(l.Sessions(ledger.Query{Filter: chosen(b, "tool:Rare")})); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkLists compares rows with views of a session whose content is kept.
func BenchmarkLists(b *testing.B) {
	l := start(b, ledger.Options{})
	session(b, l, "one", 1, 200, 1<<20)
	q := ledger.Query{Limit: 200}
	b.Run("rows", func(b *testing.B) {
		for b.Loop() {
			if rows, err := l.Rows(q); err != nil || len(rows) != 200 {
				b.Fatal(len(rows), err)
			}
		}
	})
	b.Run("views", func(b *testing.B) {
		for b.Loop() {
			if views, err := listed(l, q); err != nil || len(views) != 200 {
				b.Fatal(len(views), err)
			}
		}
	})
}
