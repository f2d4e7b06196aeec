// Package injection is the family of texts that try to instruct the model: the
// rules in rules/injection.yaml (phrases in many languages, imitated roles,
// hidden text, data in links), detectors for what is hidden, and a small linear
// model that reads what stands around a finding.
//
// It judges texts, not intentions: an instruction that is written like any other
// sentence is found by neither rules nor model. It never says more than 60 percent
// for a rule alone, and what a finding means for a call is not its business.
package injection

import (
	"bytes"
	_ "embed"
	"fmt"
	"hash/crc32"
	"regexp"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/injection/linear"
)

//go:embed rules/injection.yaml
var rules []byte

//go:embed model.bin
var weights []byte

// Confirmed ends the id of a rule that asks for more than the rule of the same
// name without it: that the model agrees.
const Confirmed = "-confirmed"

// How sure a rule is at most by itself, and with the model.
const (
	aloneMost = 60
	confirmed = 92
)

// The check that a confirmed rule has beside those of the plain one. Of a text that
// is hidden between others the model reads nothing else.
const (
	agrees       = "model-near>=85"
	agreesInside = "model-inside>=75"
)

var inside = map[string]bool{"hidden-tags": true, "hidden-bytes": true, "invisible": true}

// Set gives the family's rules. Each rule of the file that does not ask the
// model has a second one beside it that does, if the model can judge it. The error is one of the file's
// text.
func Set() (*inspect.Set, error) {
	set, err := inspect.Parse("built-in/injection.yaml", rules)
	if err != nil {
		return nil, err
	}
	set.Version += fmt.Sprintf(" %08x", crc32.ChecksumIEEE(weights)) // the model decides, too
	for i := range set.Rules {
		r := &set.Rules[i]
		if more := anchors[r.Detector]; more != nil {
			r.Anchors = more()
		}
		r.Pattern = spaces.ReplaceAllString(r.Pattern, between+"{$1,5}")
		if r.Confidence > aloneMost {
			return nil, fmt.Errorf("%s: rule %q is surer than a rule may be alone", set.File, r.ID)
		}
		if !slices.ContainsFunc(r.Checks, asksModel) && confirmable(r) {
			set.Rules = append(set.Rules, sure(*r))
		}
	}
	return set, nil
}

// A gap of a pattern, in which white space stands between two words, is one in which
// the marks of Markdown or a tag of HTML may stand, too: nobody sees these.
var spaces = regexp.MustCompile(`\\s\{([01]),[34]\}`)

const between = `(?:\s_?|[*~]|_\s|</?[a-z]+>)`

// confirmable reports whether the model can judge what a rule finds. It can't
// where it does not read what is meant, and in languages of which it has learned
// from no harmless text: there it would agree with everything.
func confirmable(r *inspect.Rule) bool {
	language, foreign := strings.CutPrefix(r.ID, "ignore-instructions-")
	return r.ID != "rot13" && r.ID != "terminal-escape" && (!foreign || language == "de")
}

func asksModel(check string) bool { return strings.HasPrefix(check, "model") }

// sure is the rule that also asks the model.
func sure(r inspect.Rule) inspect.Rule {
	r.ID += Confirmed
	r.Title += ", and the text around it reads like one"
	r.Confidence = confirmed
	check := agrees
	if inside[r.Detector] {
		check = agreesInside
	}
	r.Checks = append(slices.Clone(r.Checks), check)
	if strings.HasPrefix(r.ID, "ignore-instructions") || strings.HasPrefix(r.ID, "system-prompt") {
		r.Checks = append(r.Checks, "unnegated")
	}
	return r
}

// Library gives the detectors and checks that the rules name, with the model in
// the binary.
func Library() inspect.Library {
	m, err := linear.Read(weights)
	if err != nil {
		panic("the model in this binary is damaged") // a test reads it
	}
	return LibraryWith(m)
}

// LibraryWith is Library with another model: to measure one that has not seen
// what it is measured on. Nil agrees with everything.
func LibraryWith(m *linear.Model) inspect.Library {
	return inspect.Library{
		Detectors: map[string]inspect.Detector{
			"phrase":           phrase,
			"hidden-tags":      tagRuns,
			"hidden-bytes":     selectorRuns,
			"invisible":        invisibleRuns,
			"bidi":             bidi,
			"imitated-letters": imitated,
			"hidden-comment":   comments,
			"hidden-element":   elements,
			"data-in-link":     links,
		},
		Checks: map[string]inspect.Check{
			"unnegated":    unnegated,
			"called":       isCalled,
			"model":        asked(m, Window),
			"model-near":   asked(m, Window, ofLine, ofSentence),
			"model-inside": asked(m, value),
		},
	}
}

// phrase reports the anchor itself. It is a detector so that the engine counts
// what the model's reading costs.
func phrase(_ []byte, at, end int, report func(start, end int)) { report(at, end) }

// What the model reads around a finding, in bytes before and behind it.
const (
	before = 240
	behind = 400
)

// Window is what the model reads when a value is found at text[start:end]. It
// stays within the JSON string that the value stands in, since what stands around
// that is an API's and the model has not learnt to read it, and within what was
// decoded with it: a zero byte ends that.
func Window(text []byte, start, end int) []byte {
	from, to := around(text, start, end)
	return text[from:to]
}

// around gives where Window begins and ends.
func around(text []byte, start, end int) (from, to int) {
	left := text[max(0, start-before):start]
	for _, opens := range []string{"\x00", `":"`, `": "`} {
		if i := bytes.LastIndex(left, []byte(opens)); i >= 0 {
			left = left[i+len(opens):]
		}
	}
	stop := min(len(text), max(end, start)+behind, start+2*behind)
	right := text[start:max(start, stop)]
	for _, closes := range []string{"\x00", `","`, `"}`, `", "`} {
		if i := bytes.Index(right, []byte(closes)); i >= 0 {
			right = right[:i]
		}
	}
	return start - len(left), start + len(right)
}

// ofLine and ofSentence are the parts of the window that stand in the value's own
// lines and sentences. What is ordinary around an order, be it one more line, makes
// the whole window read like an ordinary text.
func ofLine(text []byte, start, end int) []byte { return part(text, start, end, "\n") }

func ofSentence(text []byte, start, end int) []byte {
	return part(text, start, end, "\n", ". ", "! ", "? ", "<", ">")
}

// part is the window from the last of some marks before the value to the first one
// behind it.
func part(text []byte, start, end int, marks ...string) []byte {
	from, to := around(text, start, end)
	last := min(end, to)
	for _, mark := range marks {
		if i := bytes.LastIndex(text[from:start], []byte(mark)); i >= 0 {
			from += i + len(mark)
		}
		if i := bytes.Index(text[last:to], []byte(mark)); i >= 0 {
			to = last + i
		}
	}
	return text[from:to]
}

// window gives what the model reads when a value is found at text[start:end].
type window func(text []byte, start, end int) []byte

func value(text []byte, start, end int) []byte { return text[start:end] }

// asked is the check that the model is sure of what stands in one of the windows.
func asked(m *linear.Model, windows ...window) inspect.Check {
	return func(text []byte, start, end int, least string) bool {
		return m == nil || slices.ContainsFunc(windows, func(w window) bool {
			return m.Percent(w(text, start, end)) >= atoi(least)
		})
	}
}

var (
	// negated is the end of a text that turns the sentence around which goes on behind it.
	negated = regexp.MustCompile(`(?i)(?:\b(?:not|never|cannot|(?:do|does|did|can|must|should|would|wo)n['’]?t|nicht|niet|nie|ne|no|non|não|inte|ikke|не)\s{1,3}(?:to |just |simply |ever |blindly )?|\bn['’]|不要|别|勿)$`)
	// negates is a verb with the word behind it that does.
	negates = regexp.MustCompile(`(?i)^\S+(?:\s(?:sie|du|vous|je))?\s{1,3}(?:nicht|pas|niet|inte|ikke)\b`)
)

// unnegated reports whether a value is no part of a sentence that says the contrary:
// not to ignore an instruction, never to tell a prompt. What is written so is still
// found by the plain rule. Of other rules the orders themselves say what not to do.
func unnegated(text []byte, start, end int, _ string) bool {
	return !negated.Match(text[max(0, start-24):start]) && !negates.Match(text[start:end])
}

// atoi reads the digits of a check's argument; Set's rules have no others.
func atoi(s string) (n int) {
	for _, c := range s {
		n = 10*n + int(c-'0')
	}
	return n
}
