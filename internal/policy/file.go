package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/strict"
)

// Version of the file's form that this program reads.
const formVersion = 1

// document is the file as it is written. docs/policy.md explains each key.
type document struct {
	Version      int          `yaml:"version"`
	Mode         Mode         `yaml:"mode"`
	Rules        []ruleText   `yaml:"rules"`
	Default      do           `yaml:"default"`
	Unredactable do           `yaml:"unredactable"`
	Unreadable   unreadable   `yaml:"unreadable"`
	ProviderActs providerActs `yaml:"provider_acts"`
	Restore      restoreText  `yaml:"restore"`
	Taint        taintText    `yaml:"taint"`
	Tests        []Test       `yaml:"tests"`
}

type ruleText struct {
	Rule          strict.List   `yaml:"rule"`
	Channel       strict.List   `yaml:"channel"`
	Direction     strict.List   `yaml:"direction"`
	Principal     strict.List   `yaml:"principal"`
	Provider      strict.List   `yaml:"provider"`
	Model         strict.List   `yaml:"model"`
	Severity      flow.Severity `yaml:"severity"`
	MinConfidence int           `yaml:"min_confidence"`
	Fact          strict.List   `yaml:"fact"`
	Do            do            `yaml:"do"`
	Why           string        `yaml:"why"`
}

type unreadable struct {
	Media     do `yaml:"media"`
	Encoded   do `yaml:"encoded"`
	Malformed do `yaml:"malformed"`
	Cut       do `yaml:"cut"`
	Remote    do `yaml:"remote"`
}

type providerActs struct {
	Fetch   do            `yaml:"fetch"`
	Search  do            `yaml:"search"`
	Execute do            `yaml:"execute"`
	Recall  do            `yaml:"recall"`
	Store   do            `yaml:"store"`
	Connect do            `yaml:"connect"`
	Unknown do            `yaml:"unknown"`
	Tools   map[string]do `yaml:"tools"`
}

type restoreText struct {
	Text  bool              `yaml:"text"`
	Tools []restoreToolText `yaml:"tools"`
}

type restoreToolText struct {
	Tool     string      `yaml:"tool"`
	Fields   strict.List `yaml:"fields"`
	FreeText bool        `yaml:"free_text"`
}

type taintText struct {
	Untrusted strict.List `yaml:"untrusted"`
}

// do is an action as it is written; a zero one was not.
type do struct {
	action flow.Action
	set    bool
}

var actions = []string{"off", "flag", "redact", "ask", "block"}

// UnmarshalText reads an action's name.
func (d *do) UnmarshalText(text []byte) error {
	d.set = true
	if err := d.action.UnmarshalText(text); err != nil {
		return fmt.Errorf("%w%s", err, strict.Nearest(string(text), actions))
	}
	return nil
}

// Parse reads a policy file; sections that it leaves out are the built-in
// policy's. file names it in errors, which list every problem, one a line, as
// FILE:LINE:COLUMN: what is wrong.
func Parse(file string, text []byte) (Policy, error) {
	s, problems := read(file, text, builtIn())
	if len(problems) == 0 {
		return Policy{set: s}, nil
	}
	errs := make([]error, len(problems))
	for i, p := range problems {
		at := file
		if p.Line > 0 {
			at = fmt.Sprintf("%s:%d:%d", file, p.Line, p.Column)
		}
		errs[i] = fmt.Errorf("%s: %s", at, p.Text)
	}
	return Policy{}, errors.Join(errs...)
}

// read compiles a text over a base, which is nil for the built-in policy
// itself.
func read(file string, text []byte, base *set) (*set, []strict.Problem) {
	var doc document
	if base != nil {
		doc = base.doc
		doc.Version, doc.Tests = 0, nil
		doc.ProviderActs.Tools = maps.Clone(doc.ProviderActs.Tools)
	}
	r := strict.Read(text, &doc)
	if !r.Broken {
		doc.check(r)
	}
	if problems := r.Problems(); len(problems) > 0 {
		return nil, problems
	}
	s := &set{version: version(file, text), text: bytes.Clone(text), mode: doc.Mode, doc: doc, tests: doc.Tests}
	s.places = places{file: filepath.Base(file), reading: r}
	if base != nil {
		s.places.base = &base.places
	}
	s.compile()
	return s, nil
}

// version names a text. Only the built-in one has no file of its own.
func version(file string, text []byte) string {
	sum := sha256.Sum256(text)
	name := "policy-"
	if file == "default" {
		name = "default-"
	}
	return name + hex.EncodeToString(sum[:6])
}

// check finds values that can't be meant.
func (d *document) check(r *strict.Reading) {
	r.Require(d.Version == formVersion, "version", "must be %d: the form of this file", formVersion)
	for i := range d.Rules {
		d.Rules[i].check(r, fmt.Sprintf("rules[%d]", i))
	}
	if r.Has("rules") {
		d.checkOrder(r)
	}
	r.Require(d.Unredactable.action != flow.RedactIt, "unredactable", "can't be redact: it is for what can't be redacted")
	for path, x := range d.plain() {
		r.Require(x.action != flow.RedactIt, path, "can't be redact: there is nothing to replace; off, flag, ask or block")
	}
	for i, t := range d.Restore.Tools {
		at := fmt.Sprintf("restore.tools[%d]", i)
		r.Require(t.Tool != "", at, "needs a tool")
		r.Require(len(t.Fields) > 0 || t.FreeText, at, "needs fields, or free_text: true for a tool that takes free text")
	}
	for _, pattern := range d.Taint.Untrusted {
		r.Require(pattern != "" && pattern != "*", "taint.untrusted", "%q is no name of a tool, or of all: then nothing could be told from anything", pattern)
	}
	for i, t := range d.Tests {
		t.check(r, fmt.Sprintf("tests[%d]", i))
	}
}

// plain are the places that take no redact.
func (d *document) plain() map[string]do {
	u, a := d.Unreadable, d.ProviderActs
	all := map[string]do{
		"unreadable.media": u.Media, "unreadable.encoded": u.Encoded, "unreadable.malformed": u.Malformed, "unreadable.cut": u.Cut, "unreadable.remote": u.Remote,
		"provider_acts.fetch": a.Fetch, "provider_acts.search": a.Search, "provider_acts.execute": a.Execute, "provider_acts.recall": a.Recall,
		"provider_acts.store": a.Store, "provider_acts.connect": a.Connect, "provider_acts.unknown": a.Unknown,
	}
	for name, x := range a.Tools {
		all["provider_acts.tools."+name] = x
	}
	return all
}

var (
	channels = []string{
		string(flow.System), string(flow.User), string(flow.Assistant), string(flow.ToolDefs), string(flow.ToolCalls),
		string(flow.ToolResults), string(flow.File), string(flow.Envelope), string(flow.ProviderActor),
	}
	providers  = []string{string(flow.Anthropic), string(flow.OpenAI), string(flow.Gemini), string(flow.LiteLLM)}
	directions = []string{toProvider, toAgent}
)

func (t *ruleText) check(r *strict.Reading, at string) {
	r.Require(len(t.Rule) > 0, at, "needs a rule: the name of what was found, or a pattern such as secret.*")
	for _, pattern := range t.Rule {
		r.Require(pattern != "" && !strings.ContainsAny(pattern, " \t\n"), at+".rule", "%q is no name of a rule", pattern)
		r.Require(!isSpecial(pattern) || isFailure(pattern) || fitsSome(pattern, specialRules), at+".rule", "%q fits none of %s%s",
			pattern, strings.Join(specialRules, ", "), strict.Nearest(pattern, specialRules))
	}
	words(r, at+".channel", "channel", t.Channel, channels)
	words(r, at+".direction", "direction", t.Direction, directions)
	words(r, at+".provider", "provider", t.Provider, providers)
	r.Require(t.MinConfidence >= 0 && t.MinConfidence <= 100, at+".min_confidence", "must be between 0 and 100: percent")
	t.checkFacts(r, at+".fact")
	r.Require(t.Do.set, at, "needs do: %s", strings.Join(actions, ", "))
	r.Require(!strings.ContainsAny(t.Why, "\n\r"), at+".why", "must be one line")
}

// factKeys are the facts that the findings of a family have. Those of the others have none.
var factKeys = map[string][]string{
	"action":   {"cmd", "host", "path", "remote", "sql"},
	"taint":    {"cmd", "host", "path", "remote", "sql", "from"},
	"coverage": {"agent", "host", "path", "entrance", "provider"},
}

// checkFacts finds patterns of facts that no finding of the rule's can have, and writes
// hosts as findings do.
func (t *ruleText) checkFacts(r *strict.Reading, at string) {
	for i, pattern := range t.Fact {
		key, value, ok := strings.Cut(pattern, "=")
		if !ok || key == "" || value == "" || isWild(key) {
			r.Require(false, at, "%q is no fact: KEY=VALUE, such as host=*.example.com, path=/etc/* or cmd=git", pattern)
			continue
		}
		if key == "host" {
			t.Fact[i] = strings.ToLower(pattern)
		}
		known := t.factKeys()
		if len(known) == 0 {
			r.Require(false, at, "findings of %s have no facts: only those of action, taint and coverage have", strings.Join(t.Rule, ", "))
			return
		}
		r.Require(slices.Contains(known, key), at, "%q is no fact of %s: %s%s", key, strings.Join(t.Rule, ", "), strings.Join(known, ", "), strict.Nearest(key, known))
	}
}

// factKeys are the facts that findings of the rule may have.
func (t *ruleText) factKeys() (known []string) {
	for family, keys := range factKeys {
		if slices.ContainsFunc(t.Rule, func(rule string) bool { return mayName(rule, family) }) {
			known = append(known, keys...)
		}
	}
	slices.Sort(known)
	return slices.Compact(known)
}

// mayName reports whether a pattern of rules fits one of a family.
func mayName(pattern, family string) bool {
	before, _, dotted := strings.Cut(pattern, ".")
	return match(before, family) || !dotted && isWild(pattern)
}

func fitsSome(pattern string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return match(pattern, name) })
}

// words checks that each is one of the known; * is all of them.
func words(r *strict.Reading, path, noun string, got, known []string) {
	for _, w := range got {
		r.Require(w == "*" || slices.Contains(known, w), path, "%q is no %s: %s%s", w, noun, strings.Join(known, ", "), strict.Nearest(w, known))
	}
}

// checkOrder finds rules that never decide, because one before them always
// does.
func (d *document) checkOrder(r *strict.Reading) {
	for i := range d.Rules {
		for j := range i {
			if len(d.Rules[i].Rule) > 0 && d.Rules[j].covers(&d.Rules[i]) {
				at := r.At(fmt.Sprintf("rules[%d]", j))
				r.Require(false, fmt.Sprintf("rules[%d]", i), "never decides: the rule on line %d always does", at.Line)
				break
			}
		}
	}
}

// covers reports that whatever fits other fits t. It may miss some.
func (t *ruleText) covers(other *ruleText) bool {
	return coversRules(t.Rule, other.Rule) && coversWords(t.Channel, other.Channel) && coversWords(t.Direction, other.Direction) &&
		coversWords(t.Principal, other.Principal) && coversWords(t.Provider, other.Provider) && coversWords(t.Model, other.Model) &&
		t.Severity <= other.Severity && t.MinConfidence <= other.MinConfidence && t.coversFacts(other)
}

// coversFacts compares what both say of facts: other lists may mean the same.
func (t *ruleText) coversFacts(other *ruleText) bool {
	return len(t.Fact) == 0 || t.Do.lenient() == other.Do.lenient() && slices.Equal(t.Fact, other.Fact)
}

// lenient reports whether what is found goes on as it is.
func (d do) lenient() bool { return d.action >= flow.FlagIt }

func coversWords(wide, narrow []string) bool {
	if len(wide) == 0 || slices.Contains(wide, "*") {
		return true
	}
	return len(narrow) > 0 && !slices.ContainsFunc(narrow, func(n string) bool { return !slices.Contains(wide, n) })
}

func coversRules(wide, narrow []string) bool {
	return !slices.ContainsFunc(narrow, func(n string) bool {
		return !slices.Contains(wide, n) && (isWild(n) || isSpecial(n) || !matchAny(wide, n))
	})
}
