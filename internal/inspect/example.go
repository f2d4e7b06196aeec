package inspect

import (
	"encoding/json"
	"errors"
)

// Test runs the examples of the set's rules with an engine that was compiled
// from it: each rule must find something in its own examples, plain and as a
// JSON string, and nothing in its misses. A rule without pattern and detector, a
// list of words, needs no example. The error names all that fail, with file and
// line, and quotes none.
func (set *Set) Test(e *Engine) error {
	var errs []error
	for i := range set.Rules {
		r := &set.Rules[i]
		name := (&Rule{ID: r.ID, family: set.Family}).Name()
		if len(r.Examples) == 0 && (r.Pattern+r.Detector != "" || len(r.Shapes) > 0) {
			errs = append(errs, r.place.errorf("rule %q has no example", name))
		}
		for n, text := range r.Examples {
			if !e.finds(name, []byte(text), Options{}) || !e.finds(name, quoted(text), Options{JSON: true}) {
				errs = append(errs, r.place.errorf("rule %q does not find its example %d", name, n+1))
			}
		}
		for n, text := range r.Misses {
			if e.finds(name, []byte(text), Options{}) {
				errs = append(errs, r.place.errorf("rule %q finds something in its miss %d", name, n+1))
			}
		}
	}
	return errors.Join(errs...)
}

// quoted is the text as a JSON string. Encoding one can't fail.
func quoted(text string) []byte {
	b, _ := json.Marshal(text)
	return b
}

// finds reports whether the rule finds something, whatever else is found there.
func (e *Engine) finds(name string, b []byte, o Options) bool {
	s := e.scanners.Get().(*scanner)
	defer s.release()
	s.scan(b, o)
	for _, c := range s.found {
		if c.rule == e.byName[name] {
			return true
		}
	}
	return false
}
