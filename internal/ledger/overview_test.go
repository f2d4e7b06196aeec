package ledger_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// TestOverviewAddsUpWhatIsListed: for every way to group, with and without a
// filter that the index decides alone, the sums are those of the listed flows.
func TestOverviewAddsUpWhatIsListed(t *testing.T) {
	l := start(t, ledger.Options{})
	keepMany(t, l, rand.New(rand.NewPCG(1, 2)), 600)
	const ahead = 5*time.Hour + 30*time.Minute
	key := map[ledger.By]func(v *flow.View) string{
		ledger.ByAgent: func(v *flow.View) string { return v.Agent }, ledger.ByModel: func(v *flow.View) string { return v.Model },
		ledger.BySession: func(v *flow.View) string { return v.Session }, ledger.ByPrincipal: func(v *flow.View) string { return v.Principal },
		ledger.ByProvider: func(v *flow.View) string { return string(v.Provider) }, ledger.ByEntrance: func(v *flow.View) string { return string(v.Entrance) },
		ledger.ByDay: func(v *flow.View) string { return v.Started.Add(ahead).Format(time.DateOnly) },
	}
	for _, text := range []string{"", "agent:claude", "why:*end", "tool:bash cost>0.5"} {
		q := ledger.Query{Filter: chosen(t, text)}
		views, err := listed(l, q)
		if err != nil || len(views) == 0 {
			t.Fatalf("%s: %d flows, %v", text, len(views), err)
		}
		for _, by := range ledger.Bys() {
			o, err := l.Overview(q, []ledger.By{by, ledger.ByModel}, ahead)
			if err != nil {
				t.Fatalf("%s by %s: %v", text, by, err)
			}
			left := o.Total.Flows
			for _, g := range o.Groups {
				var mine []flow.View
				for _, v := range views {
					if key[by](&v) == g.Keys[0] && v.Model == g.Keys[1] && (by != ledger.BySession || v.Principal == g.Principal) {
						mine = append(mine, v)
					}
				}
				adds(t, text+" by "+string(by), &g, mine)
				left -= g.Flows
			}
			if left != 0 {
				t.Errorf("%s by %s: %d flows are in the total and in no group", text, by, left)
			}
			adds(t, text+" in all", &o.Total, views)
		}
	}
}

func keepMany(t *testing.T, l *ledger.Ledger, r *rand.Rand, flows int) {
	t.Helper()
	for n := range flows {
		in, out := oneOfMany(r, n)
		keepFlow(t, l, in, out)
	}
}

func adds(t *testing.T, what string, g *ledger.Group, views []flow.View) {
	t.Helper()
	var cost float64
	var turns, unpriced, blocked, would, failed int
	var input, read int64
	secrets := 0
	for i := range views {
		v := &views[i]
		if v.Turn != nil && v.RetryOf == nil {
			turns++
		}
		if v.Cost != nil {
			cost += *v.Cost
		} else if v.State != flow.Open && v.Usage != (flow.UsageView{}) {
			unpriced++
		}
		if v.Verdict == flow.Block {
			blocked++
		}
		if v.Would != "" {
			would++
		}
		if v.State == flow.Aborted || v.Error != "" || v.Status >= 400 && v.State != flow.Refused {
			failed++
		}
		input, read = input+v.Usage.Input, read+v.Usage.CacheRead
		if slices.ContainsFunc(v.Findings, func(f flow.Finding) bool { return f.Rule == "secret.aws" }) {
			secrets++
		}
	}
	got := 0.0
	if g.Cost != nil {
		got = *g.Cost
	}
	if g.Flows != len(views) || g.Turns != turns || g.Unpriced != unpriced || g.Blocked != blocked || g.Would != would || g.Failed != failed ||
		g.Usage.Input != input || g.Usage.CacheRead != read || g.Findings["secret"] != secrets || math.Abs(got-cost) > 1e-9 {
		t.Errorf("%s %v: %+v (cost %f)\nwant flows %d turns %d unpriced %d blocked %d would %d failed %d input %d read %d secrets %d cost %f",
			what, g.Keys, *g, got, len(views), turns, unpriced, blocked, would, failed, input, read, secrets, cost)
	}
}

// TestSessionsAddUp compares each session of the list with its flows.
func TestSessionsAddUp(t *testing.T) {
	l := start(t, ledger.Options{})
	keepMany(t, l, rand.New(rand.NewPCG(5, 6)), 400)
	views, err := listed(l, ledger.Query{})
	if err != nil {
		t.Fatal(err)
	}
	type name struct{ principal, session string }
	want := map[name]*ledger.SessionView{}
	models, agents := map[name]map[string]bool{}, map[name]map[string]bool{}
	for _, v := range views { // newest last
		k := name{v.Principal, v.Session}
		s := want[k]
		if s == nil {
			s = &ledger.SessionView{First: v.Started}
			want[k], models[k], agents[k] = s, map[string]bool{"": true}, map[string]bool{"": true}
		}
		models[k][v.Model], agents[k][v.Subagent] = true, true
		s.Flows, s.Last, s.Usage.Input, s.Usage.Output = s.Flows+1, v.Started, s.Usage.Input+v.Usage.Input, s.Usage.Output+v.Usage.Output
		if v.Turn != nil && v.RetryOf == nil {
			s.Turns++
		}
		switch v.Verdict {
		case flow.Block:
			s.Blocked++
		case flow.Redact:
			s.Redacted++
		}
		if v.Would != "" {
			s.Would++
		}
		if v.Cost != nil {
			sum := *v.Cost
			if s.Cost != nil {
				sum += *s.Cost
			}
			s.Cost = &sum
		} else if v.State != flow.Open && v.Usage != (flow.UsageView{}) {
			s.Partial = true
		}
	}
	list, err := gather(l.Sessions(ledger.Query{}))
	if err != nil || len(list) != len(want) {
		t.Fatalf("%d sessions, %v; want %d", len(list), err, len(want))
	}
	for _, s := range list {
		k := name{s.Principal, s.Session}
		w := want[k]
		same := (s.Cost == nil) == (w.Cost == nil) && (s.Cost == nil || math.Abs(*s.Cost-*w.Cost) < 1e-9)
		if !same || s.Flows != w.Flows || s.Turns != w.Turns || s.Decided != w.Decided || s.Partial != w.Partial || s.Usage.Input != w.Usage.Input ||
			s.Usage.Output != w.Usage.Output || len(s.Models) != len(models[k])-1 || s.Subagents != len(agents[k])-1 || !s.First.Equal(w.First) || !s.Last.Equal(w.Last) {
			t.Errorf("%v: %+v\nwant %+v, %d models, %d sub-agents", k, s, *w, len(models[k])-1, len(agents[k])-1)
		}
	}
}

func TestFirstCalls(t *testing.T) {
	l := start(t, ledger.Options{})
	r := rand.New(rand.NewPCG(3, 4))
	first := map[[2]string]*flow.Intent{}
	for n := range 300 {
		in, out := oneOfMany(r, n)
		keepFlow(t, l, in, out)
		k := [2]string{in.Agent, string(in.Entrance)}
		if old := first[k]; in.Turn > 0 && (old == nil || in.Started.Before(old.Started)) {
			first[k] = in
		}
	}
	calls, err := l.FirstCalls()
	if err != nil || len(calls) != len(first) {
		t.Fatalf("%d first calls, %v; want %d", len(calls), err, len(first))
	}
	for _, c := range calls {
		if want := first[[2]string{c.Agent, string(c.Entrance)}]; want == nil || want.Flow != c.Flow {
			t.Errorf("%+v, want %+v", c, want)
		}
	}
}

// TestSessionWithoutAModel: who reads the list gets a list of models, an empty one.
func TestSessionWithoutAModel(t *testing.T) {
	l := start(t, ledger.Options{})
	in := intent("f1", "s", nil)
	in.Model = ""
	keepFlow(t, l, in, nil)
	list, err := gather(l.Sessions(ledger.Query{}))
	if err != nil || len(list) != 1 || list[0].Models == nil {
		t.Errorf("%+v, %v; want one session with an empty list of models", list, err)
	}
}
