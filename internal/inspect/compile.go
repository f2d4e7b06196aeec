package inspect

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
)

// Bounds of rules.
const (
	maxWindow     = 4096
	defaultBefore = 64
	defaultAfter  = 512
	maxPattern    = 4096   // bytes of a pattern
	maxProgram    = 20_000 // instructions that it compiles to
	maxAnchor     = 1024
	minAnchor     = 3
)

// Engine is compiled rules. It is safe for concurrent use and does not change.
type Engine struct {
	rules      []*rule
	byName     map[string]*Rule
	anchors    *anchors
	registered *registry
	shapes     *shapes // nil: no rule has some
	version    string
	twins      int // patterns that several rules have
	scanners   sync.Pool
}

// rule is a Rule that can be run.
type rule struct {
	*Rule
	pattern  *pattern
	behind   *pattern // the pattern at a fixed place, behind one rune of context
	start    *pattern // the pattern at the beginning of the text
	index    int32    // in the engine
	twins    int32    // of those that share its pattern: see Engine.pair; -1: none does
	twin     int32    // index of the first rule with the same pattern; -1: it is alone
	group    int      // that is the value
	detector Detector
	checks   []check
	before   int
	after    int
}

// pattern is a regular expression that is known to compile. Most of hundreds are
// never needed, so the program is made when the first text asks for it.
type pattern struct{ program func() *regexp.Regexp }

func newPattern(text string) *pattern {
	return &pattern{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}
}

// leads reports whether every match begins with an anchor, so that the pattern
// is tried there and nowhere else.
func (r *rule) leads() bool { return r.start != nil }

// Compile makes an engine of all sets, or none: an error names every rule that
// is wrong, with its file and line.
func Compile(lib Library, sets ...*Set) (*Engine, error) {
	e := &Engine{byName: make(map[string]*Rule)}
	var errs []error
	var list []anchor
	first := make(map[string]*rule) // by pattern
	for _, set := range sets {
		for i := range set.Rules {
			r := set.Rules[i]
			r.family = cmp.Or(r.family, set.Family)
			compiled, err := compile(lib, &r)
			if err = errors.Join(err, e.name(&r)); err != nil {
				errs = append(errs, err)
				continue
			}
			for _, a := range r.Anchors {
				list = append(list, anchor{text: a, exact: r.CaseAnchors, words: r.Words, owners: []int32{int32(len(e.rules))}})
			}
			compiled.index = int32(len(e.rules))
			e.shape(compiled)
			e.rules = append(e.rules, compiled)
			e.pair(first, compiled)
			pair(first, compiled)
		}
		errs = append(errs, e.register(lib.Key, set))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	e.anchors = newAnchors(list)
	e.version = version(lib.Key, sets)
	e.scanners.New = func() any { return newScanner(e) }
	return e, nil
}

// pair finds the rules that have the same pattern and differ in what must hold
// of its matches.
func pair(first map[string]*rule, r *rule) {
	r.twin = -1
	if r.pattern == nil {
		return
	}
	if other := first[r.Pattern]; other != nil {
		other.twin, r.twin = other.index, other.index
		return
	}
	first[r.Pattern] = r
}

// pair makes rules with the same pattern share it: they differ in what must hold
// of its matches, and it is tried once for all of them.
func (e *Engine) pair(first map[string]*rule, r *rule) {
	r.twins = -1
	if r.pattern == nil {
		return
	}
	other := first[r.Pattern]
	if other == nil || other.leads() != r.leads() {
		first[r.Pattern] = r
		return
	}
	if other.twins < 0 {
		other.twins = int32(e.twins)
		e.twins++
	}
	r.twins, r.pattern, r.behind, r.start = other.twins, other.pattern, other.behind, other.start
}

// shape enters a rule under its shapes.
func (e *Engine) shape(r *rule) {
	for _, shape := range r.Shapes {
		if e.shapes == nil {
			e.shapes = &shapes{rules: make(map[uint64][]int32), shortest: maxWord}
		}
		e.shapes.add(shape, r.index)
	}
}

// name enters a rule under its name.
func (e *Engine) name(r *Rule) error {
	if other := e.byName[r.Name()]; other != nil {
		return r.errorf("the name is taken by the rule at %s", other.place)
	}
	e.byName[r.Name()] = r
	return nil
}

// Version is a hash of all rules. Results of one version do not hold for
// another.
func (e *Engine) Version() string { return e.version }

// Rule finds a rule by its name, "family.id"; nil when there is none.
func (e *Engine) Rule(name string) *Rule { return e.byName[name] }

// Rules are the compiled rules in the order of their sets, then the registered
// values.
func (e *Engine) Rules() []*Rule {
	all := make([]*Rule, len(e.rules))
	for i, r := range e.rules {
		all[i] = r.Rule
	}
	if e.registered != nil {
		all = append(all, e.registered.list...)
	}
	return all
}

// engineVersion changes when the engine itself finds something else with the
// same rules.
const engineVersion = "2"

// version hashes what decides about findings. Go code can't be hashed: who
// changes a detector or a check changes its family's Version.
func version(key []byte, sets []*Set) string {
	h := sha256.New()
	h.Write([]byte(engineVersion))
	h.Write(binary.LittleEndian.AppendUint64(nil, seed(key)))
	for _, s := range sets {
		same := *s
		same.File = ""
		// A Set is plain data: encoding can't fail.
		text, _ := json.Marshal(same)
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

var ruleID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// IsID reports whether a text can be a rule's id.
func IsID(s string) bool { return ruleID.MatchString(s) }

// compile makes one rule ready. Its error holds every problem.
func compile(lib Library, r *Rule) (*rule, error) {
	c := &rule{Rule: r, before: r.Before, after: r.After}
	if c.before == 0 {
		c.before = defaultBefore
	}
	if c.after == 0 {
		c.after = defaultAfter
	}
	err := errors.Join(r.sound(), c.setPattern(), c.setDetector(lib), c.setChecks(lib))
	return c, err
}

// sound checks the plain members.
func (r *Rule) sound() error {
	var errs []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, r.errorf(format, args...))
		}
	}
	require(ruleID.MatchString(r.ID), "the id must be lower case letters, digits and -")
	require(r.Severity.String() != "unknown", "severity is missing")
	require(r.Confidence > 0 && r.Confidence <= 100, "confidence must be 1 to 100 percent")
	require(len(r.Anchors) > 0 || len(r.Shapes) > 0, "anchors are missing, or shapes")
	require(len(r.Anchors) == 0 || len(r.Shapes) == 0, "it has anchors and shapes")
	require(len(r.Shapes) == 0 || r.Pattern == "", "it has shapes and a pattern")
	for _, s := range r.Shapes {
		require(r.Detector != "" || s != anyNumber && s != atSign && s != colons, "shape %q needs a detector", s)
		require(isShape(s), "shape %q: write # for a digit, A for a letter, ? for a digit that may be there, - . / and space as they are, or one of #* @ :", s)
	}
	require(r.Before >= 0 && r.Before <= maxWindow && r.After >= 0 && r.After <= maxWindow, "the window must be at most %d bytes each side", maxWindow)
	require(r.Pattern == "" || r.Detector == "", "it has a pattern and a detector")
	for _, a := range r.Anchors {
		require(len(a) >= minAnchor && len(a) <= maxAnchor, "anchor %q must be %d to %d bytes", a, minAnchor, maxAnchor)
		require(!strings.ContainsRune(a, 0), "anchor %q holds a zero byte", a)
	}
	return errors.Join(errs...)
}

func (c *rule) setDetector(lib Library) error {
	if c.Detector == "" {
		return nil
	}
	if c.detector = lib.Detectors[c.Detector]; c.detector == nil {
		return c.errorf("there is no detector %q", c.Detector)
	}
	return nil
}

// setPattern compiles the pattern, and again for one fixed place when all its
// matches begin with an anchor.
func (c *rule) setPattern() error {
	if c.Pattern == "" {
		return nil
	}
	if len(c.Pattern) > maxPattern {
		return c.errorf("the pattern is longer than %d bytes", maxPattern)
	}
	tree, err := syntax.Parse(c.Pattern, syntax.Perl)
	if err != nil {
		return c.errorf("the pattern does not compile: %w", err)
	}
	names := tree.CapNames()
	tree = tree.Simplify()
	program, err := syntax.Compile(tree)
	if err != nil || len(program.Inst) > maxProgram {
		return c.errorf("the pattern is too large")
	}
	c.pattern = newPattern(c.Pattern)
	c.group = valueGroup(names)
	if most := longest(tree); most >= 0 {
		c.after = min(c.after, most+16)
		c.before = min(c.before, most+16)
	}
	if c.beginsWithAnchor(tree) {
		c.start = newPattern(`^(?:` + c.Pattern + `)`)
		c.behind = newPattern(`^(?s:.)(?:` + c.Pattern + `)`)
	}
	return nil
}

// valueGroup is the group named value, else the first, else the whole match.
func valueGroup(names []string) int {
	if i := slices.Index(names, "value"); i > 0 {
		return i
	}
	return min(len(names)-1, 1)
}
