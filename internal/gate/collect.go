package gate

import (
	"bytes"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// collector turns what the engine says of some bytes into a view.
type collector struct {
	g     *Gate
	body  []byte
	at    int // offset in body of what the engine was given
	json  bool
	where func(at int) (c flow.Channel, signed bool) // of a place in body
	view
}

// seen gives the view by itself: it is kept with the conversation, and must not
// hold on to the body.
func (c *collector) seen() *view {
	v := c.view
	return &v
}

// take adds what a scan of n bytes found.
func (c *collector) take(r *inspect.Result, n int) {
	c.unread += int64(n - r.Scanned)
	for i := range r.Matches {
		c.match(&r.Matches[i])
	}
	for i := range r.Inner {
		m := &r.Inner[i]
		for _, s := range append(append([]inspect.Span{m.Left}, m.Between...), m.Right) {
			c.part(s, m.Rule, m.Value)
		}
	}
	for _, u := range r.Unread {
		c.unreadable(c.at+u.Start, c.at+u.End, u.Why)
	}
	if r.Cut != "" {
		c.add(found{finding: c.finding(unreadableCut, []byte(r.Cut), flow.High, 100, r.Cut), start: c.at, end: c.at + 1})
	}
}

// The names under which policy knows what could not be read.
const (
	unreadableCut       = "unreadable.cut"
	unreadableMedia     = "unreadable.media"
	unreadableEncoded   = "unreadable.encoded"
	unreadableMalformed = "unreadable.malformed"
)

func (c *collector) match(m *inspect.Match) {
	if isToken(m.Value) || isToken(m.Secret) {
		return // what we put there ourselves is no value
	}
	f := found{
		finding: c.finding(m.Rule.Name(), m.Secret, m.Rule.Severity, m.Rule.Confidence, ""),
		start:   c.at + m.Start, end: c.at + m.End, value: m.Value, number: m.Kind == inspect.InNumber,
	}
	if f.finding.Via = m.Via; !bytes.Equal(m.Secret, m.Value) {
		f.plain = m.Secret
	}
	f.finding.Fixed = c.json && m.Kind == inspect.Raw
	f.nested = c.json && m.Kind == inspect.InString && nested(c.body, f.start, f.end)
	f.number = f.number || f.nested
	c.add(f)
}

// nested reports whether a span of a string is the number behind a member's name:
// of a JSON text in that string, which has to stay one.
func nested(body []byte, start, end int) bool {
	for _, c := range body[start:end] {
		if c < '0' || c > '9' {
			return false
		}
	}
	before, ok := bytes.CutSuffix(bytes.TrimRight(body[:start], " "), []byte(`\":`))
	after := bytes.TrimLeft(body[end:], " ")
	return ok && !bytes.HasSuffix(before, []byte(`\`)) && len(after) > 0 && bytes.IndexByte([]byte(`,}\`), after[0]) >= 0
}

// isToken reports whether a value has the form of a pseudonym.
func isToken(value []byte) bool {
	if len(value) != tokenSize || value[0] != 'Q' || value[1] != 'Z' {
		return false
	}
	for _, c := range value {
		if (c < 'A' || c > 'Z') && (c < '2' || c > '9') {
			return false
		}
	}
	return true
}

const tokenSize = 22 // of a pseudonym: see vault.Session.Redact

// part takes one piece of a value that structure cuts.
func (c *collector) part(s inspect.Span, rule *inspect.Rule, value []byte) {
	f := found{
		finding: c.finding(rule.Name(), value, rule.Severity, rule.Confidence, "cut in pieces"),
		start:   c.at + s.Start, end: c.at + s.End, part: true,
	}
	f.value = bytes.Clone(c.body[f.start:f.end])
	if c.json {
		f.value = peek.Append(nil, append(append([]byte{'"'}, f.value...), '"'))
	}
	c.add(f)
}

// unreadable notes content that could not be decoded. What the provider signed
// or sealed is its own, and it takes nothing else back there.
func (c *collector) unreadable(start, end int, why string) {
	if _, signed := c.where(start); signed {
		c.unread -= int64(end - start)
		return
	}
	rule := unreadableEncoded
	for _, kind := range [...]string{"image", "audio", "video", "pdf", "font"} {
		if strings.Contains(why, kind) {
			rule = unreadableMedia
		}
	}
	c.add(found{finding: c.finding(rule, c.body[start:end], flow.Medium, 100, why), start: start, end: end})
}

func (c *collector) finding(rule string, value []byte, s flow.Severity, confidence int, note string) flow.Finding {
	return flow.Finding{ID: c.g.findingID(rule, value), Rule: rule, Severity: s, Confidence: confidence, Note: note}
}

func (c *collector) add(f found) {
	var signed bool
	f.finding.Channel, signed = c.where(f.start)
	f.finding.Fixed = f.finding.Fixed || signed
	f.secret = f.value != nil && isSecret(f.finding.Rule)
	c.found = append(c.found, f)
}

// isSecret reports whether what a rule finds belongs into the vault, whatever
// policy does about it. What is redacted belongs there, too.
func isSecret(rule string) bool {
	family, _, _ := strings.Cut(rule, ".")
	return family == "secret" || family == inspect.RegisteredFamily || family == inspect.CanaryFamily
}

// findingID is a keyed fingerprint of rule and value.
func (g *Gate) findingID(rule string, value []byte) string {
	return g.o.Ledger.FindingID(rule, value)
}
