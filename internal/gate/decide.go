package gate

import (
	"errors"
	"fmt"
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/vault"
	"github.com/workingagents/gatehouse/internal/wire/peek"
	"github.com/workingagents/gatehouse/internal/wire/splice"
)

// plan is what follows from inspection and policy: what is forwarded, and what
// of the body belongs into the vault.
type plan struct {
	edits   []ledger.Edit   // forwarded against the decoded body
	secrets []ledger.Secret // spans of the decoded body
}

// spot names a finding: its piece, and its index there; piece -1: outside of
// the body.
type spot struct{ piece, index int }

// decide lets policy judge what stands in the request, sets the intent's
// decision and findings, and plans the edits. A barred request is blocked
// whatever policy says.
func (x *examiner) decide(p policy.Policy, barred bool) (plan, error) {
	findings, spots := x.held(p)
	x.in.Findings, x.in.Acts = findings, x.judged
	x.count()
	x.in.Decision = p.Decide(x.in, x.in.Started)
	x.in.Findings, x.in.Acts = x.recent(findings, spots), x.newActs()
	if barred {
		x.in.Decision = barring("limit:continues-blocked", "this goes on with an answer that was blocked; send the conversation again without it")
	}
	if x.in.Decision.Verdict == flow.Redact {
		if err := x.replace(findings, spots); err != nil {
			return plan{}, err
		}
	}
	if !passes(x.in) {
		return plan{secrets: x.secrets()}, nil
	}
	out := plan{edits: x.edits(), secrets: x.secrets()}
	if len(out.edits) > 0 { // perhaps redacted earlier in the conversation: it stays so
		x.in.Decision.Verdict = flow.Redact
	}
	return out, nil
}

// replace makes the edits that policy asks for. A request in which that can't be
// done is blocked.
func (x *examiner) replace(findings []flow.Finding, spots []spot) error {
	err := x.redact(findings, spots)
	switch {
	case errors.Is(err, vault.ErrTooMany):
		x.in.Decision = barring("limit:redactions", err.Error())
	case errors.Is(err, errPlace):
		x.in.Decision = barring("limit:redaction", "a value in the request can't be replaced where it stands")
	default:
		return err
	}
	return nil
}

func barring(rule, why string) flow.Decision {
	return flow.Decision{Verdict: flow.Block, Why: why, Rules: []string{rule}}
}

// errPlace says that a value can't be replaced where it stands.
var errPlace = errors.New("no edit can be made there")

// held gives all findings that hold for the request, judged, but for those
// that can't be undone: what was forwarded in an earlier turn as it was.
func (x *examiner) held(p policy.Policy) (findings []flow.Finding, spots []spot) {
	for i, v := range x.out.views {
		if v == nil {
			continue
		}
		start := x.start(i)
		for j := range v.found {
			if v.found[j].aside {
				continue
			}
			f := v.found[j].finding
			f.Start, f.End = int64(start+v.found[j].start), int64(start+v.found[j].end)
			findings, spots = append(findings, f), append(spots, spot{i, j})
		}
	}
	for j := range x.outer {
		findings, spots = append(findings, x.outer[j].finding), append(spots, spot{-1, j})
	}
	p.Judge(policy.Subject{Principal: x.in.Principal, Provider: x.in.Provider, API: x.in.API, Model: x.in.Model, Now: x.in.Started}, findings)
	n := 0
	for k, at := range spots {
		if findings[k].Action == flow.RedactIt && x.past(at) {
			continue
		}
		findings[n], spots[n] = findings[k], at
		n++
	}
	return findings[:n], spots[:n]
}

// past reports whether the value at a spot was forwarded in an earlier turn
// without being replaced.
func (x *examiner) past(at spot) bool {
	if at.piece < 0 {
		return false
	}
	v := x.out.views[at.piece]
	f := &v.found[at.index]
	return v.sent && !v.replaces(f)
}

// replaces reports whether an edit takes all of a value out.
func (v *view) replaces(f *found) bool {
	return slices.ContainsFunc(v.edits, func(e pieceEdit) bool { return e.at <= f.start && f.end <= e.at+e.cut })
}

func (x *examiner) start(piece int) int {
	if !x.json {
		return 0
	}
	return x.doc.Pieces[piece].Start
}

// count notes how much of the body was read.
func (x *examiner) count() {
	unread := int64(0)
	for _, v := range x.out.views {
		if v != nil {
			unread += v.unread
		}
	}
	if x.in.Unreadable != "" && len(x.doc.Body) == 0 {
		unread = x.in.RequestBytes // it could not be decoded at all
	}
	x.in.UnreadableBytes, x.in.ScannedBytes = unread, max(0, int64(len(x.doc.Body))-unread)
}

// recent gives the findings in what is new in this request.
func (x *examiner) recent(findings []flow.Finding, spots []spot) (list []flow.Finding) {
	for k, at := range spots {
		told := at.piece < 0 && x.outer[at.index].told && findings[k].Action > flow.AskFirst
		if (at.piece < 0 || x.fresh[at.piece]) && !told {
			list = append(list, findings[k])
		}
	}
	return list
}

// newActs gives the acts, unless an earlier turn had the same.
func (x *examiner) newActs() []flow.Act {
	if x.base != nil && slices.EqualFunc(x.out.acts, x.base.acts, func(a, b flow.Act) bool { return a.Kind == b.Kind && a.Name == b.Name }) {
		return nil
	}
	return x.judged
}

// token gives the pseudonym for a value, under which it can be restored in the
// answers of the same session. What a model says repeats what it was told, so
// its words keep the pseudonym that it knows.
func (x *examiner) token(f *found) (string, error) {
	if x.vault == nil {
		v, err := x.g.o.Vault.Session(x.in.Principal.Name, x.in.Session.ID)
		if err != nil {
			return "", err
		}
		x.vault = v
	}
	if c := f.finding.Channel; c == flow.Assistant || c == flow.ToolCalls {
		if token, ok := x.vault.Token(f.value); ok {
			return token, nil
		}
	}
	return x.vault.Redact(vault.Value{Text: f.value, Rule: f.finding.Rule, Origin: vault.OriginOf(f.finding.Channel), Number: f.number})
}

// redact makes the edits for what policy says is to be replaced, in pieces that
// were not forwarded before.
func (x *examiner) redact(findings []flow.Finding, spots []spot) error {
	for k := 0; k < len(spots); {
		i, first := spots[k].piece, k
		for k < len(spots) && spots[k].piece == i {
			k++
		}
		if i < 0 || x.out.views[i].sent {
			continue
		}
		var list []found
		for n := first; n < k; n++ {
			if findings[n].Action == flow.RedactIt {
				list = append(list, x.out.views[i].found[spots[n].index])
			}
		}
		if err := x.redactPiece(i, list); err != nil {
			return err
		}
	}
	return nil
}

func (x *examiner) redactPiece(i int, list []found) error {
	var changes []splice.Change
	var tokens []string
	for _, f := range x.merge(i, list) {
		token, err := x.token(&f)
		if err != nil {
			return err
		}
		tokens = append(tokens, token)
		changes = append(changes, x.change(&f, token))
	}
	edits, err := splice.Edits(x.piece(i), changes)
	if err != nil {
		return fmt.Errorf("%w: %w", errPlace, err)
	}
	own := *x.out.views[i]
	own.edits = make([]pieceEdit, len(edits))
	for k, e := range edits {
		own.edits[k] = pieceEdit{at: int(e.At), cut: int(e.Cut), put: string(e.Put), token: tokens[k]}
	}
	x.out.views[i] = &own
	return nil
}

// change puts a pseudonym in the place of a value. A number becomes a string.
func (x *examiner) change(f *found, token string) splice.Change {
	c := splice.Change{Start: f.start, End: f.end, Kind: splice.String, Text: []byte(token)}
	switch {
	case !x.json && f.number: // of a batch: its lines are JSON, and all is not
		c.Kind, c.Text = splice.Raw, []byte(`"`+token+`"`)
	case !x.json:
		c.Kind = splice.Raw
	case f.nested:
		c.Text = []byte(`"` + token + `"`)
	case f.number:
		c.Kind = splice.Number
	}
	return c
}

// piece gives the bytes of a piece; of a body that is no JSON all of it.
func (x *examiner) piece(i int) []byte {
	if !x.json {
		return x.doc.Body
	}
	p := &x.doc.Pieces[i]
	return x.doc.Body[p.Start:p.End]
}

// merge sorts values by their place and joins those that overlap: all of both
// has to go.
func (x *examiner) merge(i int, list []found) []found {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b found) int { return a.start - b.start })
	n := 0
	for _, f := range list {
		if n == 0 || f.start >= list[n-1].end {
			list[n] = f
			n++
			continue
		}
		if last := &list[n-1]; f.end > last.end {
			last.end, last.number, last.nested = f.end, false, false
			last.value = x.text(i, last.start, last.end)
		}
	}
	return list[:n]
}

// text gives a span of a piece, free of JSON's escapes.
func (x *examiner) text(i, start, end int) []byte {
	at := x.start(i)
	raw := x.doc.Body[at+start : at+end]
	if !x.json {
		return raw
	}
	return peek.Append(nil, append(append([]byte{'"'}, raw...), '"'))
}

// edits gives the edits of all pieces in offsets of the body.
func (x *examiner) edits() (list []ledger.Edit) {
	for i, v := range x.out.views {
		if v == nil {
			continue
		}
		at := x.start(i)
		for _, e := range v.edits {
			list = append(list, ledger.Edit{At: int64(at + e.at), Cut: int64(e.cut), Put: []byte(e.put)})
		}
	}
	return list
}

// secrets gives the spans that belong into the vault.
func (x *examiner) secrets() (list []ledger.Secret) {
	for i, v := range x.out.views {
		if v == nil {
			continue
		}
		var in []found
		for _, f := range v.found {
			f.secret = f.secret || f.value != nil && v.replaces(&f) // or it could not come back
			if f.secret {
				in = append(in, f)
			}
		}
		at := x.start(i)
		for _, f := range x.merge(i, in) {
			token := ""
			if v.sent || passes(x.in) {
				token = v.pseudonym(&f)
			}
			list = append(list, ledger.Secret{
				Start: at + f.start, End: at + f.end, Value: f.value, Rule: f.finding.Rule, Number: f.number,
				Origin: vault.OriginOf(f.finding.Channel), Part: !f.sought(token != ""), Pseudonym: token,
			})
			if f.plain != nil && f.lasting() {
				list = append(list, ledger.Secret{Start: at + f.end, End: at + f.end, Value: f.plain, Rule: f.finding.Rule, Origin: vault.OriginOf(f.finding.Channel)})
			}
		}
	}
	return list
}

// pseudonym gives what was put in a value's place; empty: nothing was.
func (v *view) pseudonym(f *found) string {
	for _, e := range v.edits {
		if e.at == f.start && e.cut == f.end-f.start {
			return e.token
		}
	}
	return ""
}

// sought reports whether a value is to be looked for as it stands there: one
// that was replaced comes back to the agent, which sends it again.
func (f *found) sought(replaced bool) bool {
	if replaced && !f.part {
		return true
	}
	return f.lasting() && f.plain == nil || replaced && len(f.value) >= lastingBytes
}

// learn makes the secrets of a request values that are looked for in whatever
// its principal sends from now on. The ledger has them.
func (g *Gate) learn(in *flow.Intent, secrets []ledger.Secret) error {
	for i := range secrets {
		s := &secrets[i]
		if s.Part || len(s.Value) == 0 {
			continue
		}
		if err := g.o.Vault.Learn(in.Principal.Name, vault.Value{Text: s.Value, Rule: s.Rule, Origin: s.Origin, Number: s.Number}); err != nil {
			return err
		}
	}
	return nil
}
