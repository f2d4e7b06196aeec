package flow

import "strings"

// Hidden reports whether what a rule found is shown to nobody who does not ask for
// it alone.
func (f *Finding) Hidden() bool {
	family, _, _ := strings.Cut(f.Rule, ".")
	switch family {
	case "secret", "registered", "canary":
		return true
	case "pii":
		return f.Action == BlockIt || f.Action == RedactIt || f.Severity >= High
	}
	return f.Action == RedactIt
}
