package ledger_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/filter"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// card is a value that is found, and reported, and so in no vault.
const card = "4539 5787 6362 1486"

// stands is a finding of what stands somewhere in a body. Of a value that is written in
// another way the id says nothing about the bytes.
func stands(body, value string) flow.Finding {
	at := strings.Index(body, value)
	if at < 0 {
		panic("the value is not there: " + value)
	}
	return flow.Finding{
		ID: "f_0123456789abcdef", Rule: "pii.card", Severity: flow.High, Confidence: 90, Action: flow.FlagIt,
		Channel: flow.User, Start: int64(at), End: int64(at + len(value)),
	}
}

// snippets are what hits show: their ids and times may have any digits.
func snippets(hits []ledger.Hit) string {
	var out strings.Builder
	for _, h := range hits {
		for _, f := range h.Snippet {
			out.WriteString(f.Text)
		}
		out.WriteByte('\n')
	}
	return out.String()
}

// hides wants that what stands beside a value is found, and the value is neither found
// nor shown.
func hides(t *testing.T, l *ledger.Ledger, name string, beside ...string) {
	t.Helper()
	for _, q := range beside {
		hits := seek(t, l, q).Hits
		if len(hits) == 0 {
			t.Errorf("%s: %s is not found", name, q)
		}
		if got := snippets(hits); strings.Contains(got, "5787") || strings.Contains(got, "6362") || strings.Contains(got, "NTc4NyA2") {
			t.Errorf("%s: %s shows it: %.600s", name, q, got)
		}
	}
	by := ledger.Access{Who: "tester", Why: "test"}
	for _, q := range []string{"5787", "6362", "4539578763621486", "u0034539"} {
		if hits := seek(t, l, q).Hits; len(hits) != 0 {
			t.Errorf("%s: %s is found: %.600v", name, q, hits)
		}
		for id := range l.Brought(filter.Text{Words: q}, by) {
			t.Errorf("%s: %s is brought by %s", name, q, id)
		}
		for _, id := range []flow.ID{"f001", "f002"} {
			if says, err := l.Says(id, filter.Text{Words: q}); err == nil && says {
				t.Errorf("%s: %s says %s", name, id, q)
			}
		}
	}
}

// TestFoundValuesAreHidden: however a value stands in a request.
func TestFoundValuesAreHidden(t *testing.T) {
	escaped := `\u0034539\n5787 63\u0036\u0032\/1486`
	run := base64.StdEncoding.EncodeToString([]byte("it is 4539 5787 6362 1486, no other"))
	text := func(s string) string {
		return `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"` + s + `"}]}]}`
	}
	words := strings.Repeat("word ", 13_105) // the value lies over the end of the first 64 KB
	for name, tc := range map[string]struct {
		body, value string
		api         flow.API
		beside      []string
	}{
		"as it is":           {body: text("a quokka pays by " + card + " today"), value: card, beside: []string{"quokka", "today"}},
		"escaped":            {body: text("a quokka pays by " + escaped + " today"), value: escaped, beside: []string{"quokka", "today"}},
		"behind escapes":     {body: text(`\ud83d\ude00 \"a\" quokka\t\u00e9 pays by ` + card + " today"), value: card, beside: []string{"quokka", "today"}},
		"encoded":            {body: text("a quokka says " + run + " today"), value: run, beside: []string{"quokka", "today"}},
		"twice":              {body: text("a quokka pays by " + escaped + " or " + card + " today"), value: escaped + " or " + card, beside: []string{"quokka", "today"}},
		"over two pieces":    {body: text(words + "quokka " + card + " today " + words), value: card, beside: []string{"quokka", "today"}},
		"over two blocks":    {body: text(strings.Repeat("word ", 209_707) + "quokka " + card + " today " + words), value: card, beside: []string{"quokka", "today"}},
		"in an argument":     {body: `{"model":"m","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"Pay","input":{"who":"quokka","n":4539578763621486,"to":"wombat"}}]}]}`, value: "4539578763621486", beside: []string{"quokka", "wombat"}},
		"in nested JSON":     {body: `{"model":"m","input":[{"type":"function_call","name":"pay","call_id":"c","arguments":"{\"who\":\"quokka\",\"n\":\"\\u0034539 5787 6362 1486\",\"to\":\"wombat\"}"}]}`, value: `\\u0034539 5787 6362 1486`, api: flow.Responses, beside: []string{"quokka", "wombat"}},
		"in JSON as it is":   {body: `{"contents":[{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"who":"quokka","n":"` + escaped + `","to":"wombat"}}}]}]}`, value: escaped, api: flow.Generate, beside: []string{"quokka", "wombat"}},
		"over two strings":   {body: `{"model":"m","messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"quokka 4539 5787"},{"type":"text","text":"6362 1486 wombat"}]}]}]}`, value: `4539 5787"},{"type":"text","text":"6362 1486`, beside: []string{"quokka"}},
		"around":             {body: `{"model":"m","user":"quokka ` + escaped + ` wombat","messages":[{"role":"user","content":"hi"}]}`, value: escaped, beside: []string{"quokka", "wombat"}},
		"in a form of texts": {body: "a quokka pays\n4539 5787 6362 1486\nby the wombat", value: card, api: flow.Opaque, beside: []string{"quokka", "wombat"}},
		"in a definition":    {body: `{"model":"m","tools":[{"functionDeclarations":[{"name":"f","description":"quokka ` + escaped + ` wombat"}]}],"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`, value: escaped, api: flow.Generate, beside: []string{"quokka", "wombat"}},
		"beside the vault's": {body: text(`the key hunter2secret-and-much-more-than-the-mark-that-stands-for-it of quokka and ` + escaped + ` today`), value: escaped, beside: []string{"quokka", "today"}},
		"behind a marker":    {body: `{"model":"m","messages":[{"role":"user","content":[{"cache_control":{"type":"ephemeral"},"type":"text","text":"quokka ` + escaped + ` wombat"}]}]}`, value: escaped, beside: []string{"quokka", "wombat"}},
		"before a marker":    {body: `{"model":"m","messages":[{"role":"user","content":[{"type":"text","cache_control":{"type":"ephemeral"},"text":"quokka ` + escaped + ` wombat"},{"type":"text","text":"bye"}]}]}`, value: escaped, beside: []string{"quokka", "wombat", "bye"}},
	} {
		for _, coding := range []string{"", "zstd"} {
			if tc.api == flow.Opaque && coding != "" {
				continue // of what comes compressed only JSON is read
			}
			l, stop := open(t, ledger.Options{Dir: t.TempDir()})
			k := newTalk(t, l)
			body := tc.body
			if coding != "" {
				body = zip(t, body)
			}
			k.turn("s", body, "Fine.", func(in *flow.Intent, c *ledger.Content) {
				if tc.api != "" {
					in.API = tc.api
				}
				in.Findings = append(in.Findings, stands(tc.body, tc.value))
				if coding != "" {
					in.Header = append(in.Header, flow.Header{Name: "Content-Encoding", Value: coding})
				} else if at := strings.Index(body, "hunter2secret"); at >= 0 {
					c.Secrets = []ledger.Secret{{Start: at, End: strings.Index(body, " of quokka"), Rule: "secret.test"}}
				}
			})
			hides(t, l, name+" "+coding, tc.beside...)
			stop()
		}
	}
}

// TestFoundValuesOfAnswersAreHidden: of which nothing says in which part they stand.
func TestFoundValuesOfAnswersAreHidden(t *testing.T) {
	l := start(t, ledger.Options{})
	body := messages(user("pay"))
	answer := func(id flow.ID, session, said string, found flow.Finding) {
		r, err := l.Begin(intent(id, session, []byte(body)), ledger.Content{Doc: split.Split([]byte(body), nil)})
		if err != nil {
			t.Fatal(err)
		}
		sse := []byte(said)
		if err := r.Push(sse); err != nil {
			t.Fatal(err)
		}
		out := outcome(id, sse)
		found.Place = "answer"
		out.Findings = append(out.Findings, found)
		if err := r.End(out, nil); err != nil {
			t.Fatal(err)
		}
	}
	text := "a quokka pays by " + card + " today"
	answer("f001", "a", string(said(text)), stands(text, card))
	args := `{"who":"wombat","n":"\u0034539 5787 63\u00362 1486","to":"heron"}`
	call := stands(args, `\u0034539 5787 63\u00362 1486`)
	call.Channel = flow.ToolCalls
	answer("f002", "b", fmt.Sprintf(`{"id":"msg_1","type":"message","role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"Pay","input":%s}],"stop_reason":"tool_use"}`, args), call)
	hides(t, l, "answers", "quokka", "today", "wombat", "heron")

	// A place that no part has.
	nowhere := stands(text, card)
	nowhere.Start, nowhere.End = 4000, 4020
	answer("f003", "c", string(said("an ibis says 4539 5787 6362 1486")), nowhere)
	hides(t, l, "nowhere", "quokka")
	if hits := seek(t, l, "ibis").Hits; len(hits) != 0 {
		t.Errorf("ibis: %v", hits)
	}
}

// TestResentValuesStayHidden: only the flow that brings a value first has the finding.
// A body that comes compressed has all of it again.
func TestResentValuesStayHidden(t *testing.T) {
	dir := t.TempDir()
	l, stop := open(t, ledger.Options{Dir: dir})
	k := newTalk(t, l)
	first := user("a quokka pays by " + card + " today")
	turn := func(found bool, list ...string) {
		body := messages(list...)
		k.turn("s", zip(t, body), "Fine.", func(in *flow.Intent, _ *ledger.Content) {
			in.Header = append(in.Header, flow.Header{Name: "Content-Encoding", Value: "zstd"})
			if found {
				in.Findings = append(in.Findings, stands(body, card))
			}
		})
	}
	turn(true, first)
	turn(false, first, model("Fine."), user("and the wombat"))
	want(t, l, "quokka", "f001 user x1")
	hides(t, l, "resent", "quokka")
	stop()
	l, stop = open(t, ledger.Options{Dir: dir}) // nothing is remembered of what was seen
	defer func() { stop() }()
	k.l, k.bases = l, map[string]*ledger.Stored{}
	turn(false, first, model("Fine."), user("and the wombat"), user("and the heron"))
	want(t, l, "quokka", "f001 user x2")
	hides(t, l, "resent after a restart", "quokka", "heron")

	// New rules find what the old ones did not.
	other := user("an ibis pays by 4539 5787 6362 1487 today")
	turn(false, first, other)
	if len(seek(t, l, "1487").Hits) != 1 {
		t.Error("what no rule found is not found")
	}
	body := messages(first, other)
	k.turn("s", zip(t, body), "Fine.", func(in *flow.Intent, _ *ledger.Content) {
		in.Header = append(in.Header, flow.Header{Name: "Content-Encoding", Value: "zstd"})
		in.Findings = append(in.Findings, stands(body, "4539 5787 6362 1487"))
	})
	hides(t, l, "found later", "quokka", "ibis")
	if got := fmt.Sprint(seek(t, l, "ibis").Hits); !strings.Contains(got, "withheld") {
		t.Errorf("ibis: %s", got)
	}
}

// TestValuesAreWithheld: when the flow that has the finding is gone, and its text
// stands in a later one, nothing tells any more where the value is.
func TestValuesAreWithheld(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	l, stop := open(t, ledger.Options{Dir: t.TempDir(), SegmentBytes: 64 << 10, MaxBytes: 300 << 10, Now: func() time.Time { return now }})
	defer func() { stop() }()
	k := newTalk(t, l)
	first := user("an evergreen pays by " + card + " today")
	for i := range 60 {
		body := messages(first, user(fmt.Sprintf("turn nr%d %s", i, filler(i))))
		k.turn("s", body, "", func(in *flow.Intent, _ *ledger.Content) {
			in.Started = now
			if i == 0 {
				in.Findings = append(in.Findings, stands(body, card))
			}
		})
		if i%10 == 0 {
			hides(t, l, "before", "evergreen")
			if err := l.Retain(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 3 {
		if err := l.Retain(); err != nil {
			t.Fatal(err)
		}
	}
	hits := seek(t, l, "evergreen").Hits
	if len(hits) != 1 || hits[0].Flow == "f001" || !slices.ContainsFunc(hits[0].Snippet, func(f ledger.Fragment) bool { return strings.HasPrefix(f.Text, "withheld") }) {
		t.Errorf("hits: %+v", hits)
	}
	hides(t, l, "after", "evergreen")

	// Nor does it help to guess what is withheld.
	guess := func(q string) (found, chosen int) {
		rows, err := l.Rows(ledger.Query{Filter: parse(t, q), By: ledger.Access{Who: "tester", Why: "test"}})
		if err != nil {
			t.Fatal(err)
		}
		return len(seek(t, l, q).Hits), len(rows)
	}
	for right, wrong := range map[string]string{
		"evergreen -5787": "evergreen -5788", "evergreen -636*": "evergreen -637*",
		`evergreen -"by 4539"`: `evergreen -"by 4540"`, `"by 4539"`: `"by 4540"`,
	} {
		hits, rows := guess(right)
		if otherHits, otherRows := guess(wrong); hits != otherHits || rows != otherRows {
			t.Errorf("%s: %d hits, %d rows; %s: %d, %d", right, hits, rows, wrong, otherHits, otherRows)
		}
	}
	if hits, rows := guess(`"evergreen pays"`); hits != 1 || rows != 1 {
		t.Errorf("a phrase beside it: %d hits, %d rows", hits, rows)
	}
}
