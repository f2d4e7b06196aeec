package conversation

import (
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// leastValue is how long a value must be to be looked for in any text, and prefix
// how much of it is compared first.
const (
	leastValue = 4
	prefix     = 4
)

// Values are looked for in texts of which nothing says where they stand: in answers,
// and in bodies that came compressed. A nil *Values holds none.
type Values struct {
	by map[string][]Value
}

// Value is a value that a rule found in the session.
type Value struct {
	Text string
	Rule string
}

// NewValues makes a set of values. Arguments of calls, and bodies without parts, stay
// JSON, and JSON may stand in them: a value is looked for with its escapes, too.
func NewValues(list []Value) *Values {
	v := &Values{by: map[string][]Value{}}
	for _, x := range list {
		if len(x.Text) < leastValue {
			continue
		}
		v.add(x)
		for _, once := range peek.Quotings([]byte(x.Text)) {
			v.add(Value{string(once), x.Rule})
			for _, twice := range peek.Quotings(once) {
				v.add(Value{string(twice), x.Rule})
			}
		}
	}
	return v
}

// add takes a form of a value, once.
func (v *Values) add(x Value) {
	if head := x.Text[:prefix]; !slices.Contains(v.by[head], x) {
		v.by[head] = append(v.by[head], x)
	}
}

// in finds the values in some texts.
func (v *Values) in(parts []flow.Part) (all []placed) {
	if v == nil || len(v.by) == 0 {
		return nil
	}
	for i := range parts {
		t := parts[i].Text
		for at := 0; at+leastValue <= len(t); at++ {
			for _, x := range v.by[t[at:at+prefix]] {
				if strings.HasPrefix(t[at:], x.Text) {
					m := Mark{Rule: x.Rule, Shown: "text", Sealed: true}
					all = append(all, placed{i, at, at + len(x.Text), m, true})
				}
			}
		}
	}
	return all
}
