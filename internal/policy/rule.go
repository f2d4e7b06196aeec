package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/strict"
)

// Families of rules that say what was not or can't be detected. The pattern * does not reach them:
// a rule that means them names them.
const (
	unreadableFamily = "unreadable." // unreadable.media, .encoded, .malformed, .cut: what detectors could not read
	providerFamily   = "provider."   // provider.fetch …: what a request makes the provider do
	coverageFamily   = "coverage."   // how a call came and where it goes; * does reach these
	remoteFamily     = "remote."     // remote.NAME-failed: a remote detector did not judge; what it finds is as any finding
	failedSuffix     = "-failed"
)

// Untrusted names a provider whose TLS was not trusted. No line decides about it:
// nothing is forwarded to one in any mode.
const Untrusted = "upstream.untrusted"

var specialRules = []string{
	"unreadable.media", "unreadable.encoded", "unreadable.malformed", "unreadable.cut",
	"provider.fetch", "provider.search", "provider.execute", "provider.recall", "provider.store", "provider.connect", "provider.unknown",
}

func isSpecial(rule string) bool {
	return strings.HasPrefix(rule, unreadableFamily) || strings.HasPrefix(rule, providerFamily) || isFailure(rule)
}

// isFailure reports whether a rule, or a pattern, means that a remote detector failed.
func isFailure(rule string) bool {
	return strings.HasPrefix(rule, remoteFamily) && strings.HasSuffix(rule, failedSuffix)
}

// Directions.
const (
	toProvider = "request"
	toAgent    = "answer"
)

// set is a compiled file. It does not change.
type set struct {
	version string
	text    []byte // of the file
	mode    Mode
	doc     document
	places  places

	rules        []rule
	fallback     choice
	unredactable choice
	unreadable   map[string]choice // by what comes after unreadable.
	acts         map[string]choice // by kind
	actTools     []named           // the longest pattern first
	restore      restore
	tests        []Test
}

// choice is what a line of the file says.
type choice struct {
	do   flow.Action
	path string // the line's key: rules[2], default, unreadable.media
	line string // where it stands: policy.yaml:14
	why  string // in the operator's words; may be empty
}

type named struct {
	pattern string
	choice
}

type rule struct {
	ruleText
	choice
}

// places finds where a key stands, in a file or in what it is read over.
type places struct {
	file    string
	reading *strict.Reading
	base    *places
}

func (p *places) line(path string) string {
	if at := p.reading.At(path); at.Line > 0 && p.has(path) {
		return fmt.Sprintf("%s:%d", p.file, at.Line)
	}
	if p.base != nil {
		return p.base.line(path)
	}
	return p.file
}

// has reports whether this file says it: a list is one file's as a whole.
func (p *places) has(path string) bool {
	list, _, inList := strings.Cut(path, "[")
	return p.reading.Has(path) || inList && p.reading.Has(list)
}

func (s *set) compile() {
	at := func(path string, x do, why string) choice {
		return choice{x.action, path, s.places.line(path), why}
	}
	d := &s.doc
	for i, t := range d.Rules {
		s.rules = append(s.rules, rule{t, at(fmt.Sprintf("rules[%d]", i), t.Do, t.Why)})
	}
	s.fallback, s.unredactable = at("default", d.Default, ""), at("unredactable", d.Unredactable, "")
	s.unreadable, s.acts = map[string]choice{}, map[string]choice{}
	for path, x := range d.plain() {
		section, name, _ := strings.Cut(path, ".")
		tool, isTool := strings.CutPrefix(name, "tools.")
		switch {
		case section == "unreadable":
			s.unreadable[name] = at(path, x, "")
		case isTool:
			s.actTools = append(s.actTools, named{tool, at(path, x, "")})
		default:
			s.acts[name] = at(path, x, "")
		}
	}
	slices.SortFunc(s.actTools, func(a, b named) int {
		return cmp.Or(len(b.pattern)-len(a.pattern), cmp.Compare(a.pattern, b.pattern))
	})
	s.restore = restore{text: d.Restore.Text}
	for _, t := range d.Restore.Tools {
		tool := restoreTool{tool: t.Tool, freeText: t.FreeText}
		for _, field := range t.Fields {
			tool.fields = append(tool.fields, strings.Split(field, "."))
		}
		s.restore.tools = append(s.restore.tools, tool)
	}
}

// choose finds the line that decides: the first rule that fits, else the
// section for what it is.
func (s *set) choose(c *Case) choice {
	for i := range s.rules {
		if s.rules[i].misses(c) == "" {
			return s.rules[i].choice
		}
	}
	if name, ok := strings.CutPrefix(c.Rule, unreadableFamily); ok {
		return orStrictest(s.unreadable, name, "malformed")
	}
	if kind, ok := strings.CutPrefix(c.Rule, providerFamily); ok {
		for _, t := range s.actTools {
			if t.fits(c.Name) {
				return t.choice
			}
		}
		return orStrictest(s.acts, kind, "unknown")
	}
	if isFailure(c.Rule) {
		return s.unreadable["remote"]
	}
	return s.fallback
}

// orStrictest gives a section's choice; a name that it does not have is as
// what is wholly unknown.
func orStrictest(section map[string]choice, name, unknown string) choice {
	if c, ok := section[name]; ok {
		return c
	}
	return section[unknown]
}

// fits compares with an act's whole name and with the tool type in it
// ("tools[].type=web_search_20250305").
func (n named) fits(name string) bool {
	_, tool, _ := strings.Cut(name, "=")
	return match(n.pattern, name) || tool != "" && match(n.pattern, tool)
}

// misses says which condition of a rule does not hold; "" when all do.
func (r *rule) misses(c *Case) string {
	switch {
	case !r.names(c.Rule):
		return "rule is " + strings.Join(r.Rule, ", ")
	case !matchAny(r.Channel, string(c.Channel)):
		return "channel is " + strings.Join(r.Channel, ", ")
	case !matchAny(r.Direction, c.direction()):
		return "direction is " + strings.Join(r.Direction, ", ")
	case !matchAny(r.Principal, c.Principal):
		return "principal is " + strings.Join(r.Principal, ", ")
	case !matchAny(r.Provider, string(c.Provider)):
		return "provider is " + strings.Join(r.Provider, ", ")
	case !matchAny(r.Model, c.Model):
		return "model is " + strings.Join(r.Model, ", ")
	case c.Severity < r.Severity:
		return "severity is at least " + r.Severity.String()
	case c.Confidence < r.MinConfidence:
		return fmt.Sprintf("confidence is at least %d", r.MinConfidence)
	case !r.factsFit(c.Facts):
		return "facts are " + strings.Join(r.Fact, ", ")
	}
	return ""
}

// factsFit compares a finding's facts with the rule's patterns, key by key. A rule
// that stops something needs one fact that fits; one that lets it go on needs all
// facts of that key to fit, or a second host would pass behind the first.
func (r *rule) factsFit(facts []string) bool {
	for _, pattern := range r.Fact {
		key, _, _ := strings.Cut(pattern, "=")
		if !r.keyFits(key+"=", facts) {
			return false
		}
	}
	return true
}

func (r *rule) keyFits(key string, facts []string) bool {
	some, all := false, true
	for _, fact := range facts {
		if !strings.HasPrefix(fact, key) {
			continue
		}
		fits := slices.ContainsFunc(r.Fact, func(p string) bool { return strings.HasPrefix(p, key) && match(p, fact) })
		if unknown := fact == key+"?"; unknown && r.Do.lenient() {
			fits = false
		}
		some, all = some || fits, all && fits
	}
	return some && (all || !r.Do.lenient())
}

func (r *rule) names(name string) bool {
	return slices.ContainsFunc(r.Rule, func(pattern string) bool {
		return match(pattern, name) && (!isSpecial(name) || isSpecial(pattern))
	})
}
