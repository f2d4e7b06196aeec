package export

import (
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
)

// intent masks values in what an intent says beside path and headers: names that
// agents gave, and sentences about them. The intent is a copy; what it points to is not.
func (v *Values) intent(in *flow.Intent) {
	v.names(&in.Model, &in.Host, &in.Agent, &in.Unreadable, &in.Session.ID, &in.Session.Subagent, &in.Session.Parent, &in.Principal.Name, &in.Decision.Why)
	in.Acts = slices.Clone(in.Acts)
	for i := range in.Acts {
		in.Acts[i].Name = v.words(in.Acts[i].Name)
	}
	in.Findings = v.findings(in.Findings)
}

// outcome is intent for the copy of an outcome.
func (v *Values) outcome(out *flow.Outcome) {
	v.names(&out.Model, &out.Why, &out.Stop, &out.Error, &out.ResponseID, &out.ProviderRequestID, &out.Unreadable)
	out.Tools = v.list(out.Tools)
	out.Findings = v.findings(out.Findings)
	if out.Decision != nil {
		d := *out.Decision
		d.Why = v.words(d.Why)
		out.Decision = &d
	}
}

func (v *Values) findings(list []flow.Finding) []flow.Finding {
	list = slices.Clone(list)
	for i := range list {
		f := &list[i]
		f.Note, f.Facts = v.words(f.Note), v.list(f.Facts)
		if f.From != nil {
			from := *f.From
			from.Tool = v.words(from.Tool)
			f.From = &from
		}
	}
	return list
}

func (v *Values) list(names []string) []string {
	names = slices.Clone(names)
	for i := range names {
		names[i] = v.words(names[i])
	}
	return names
}

func (v *Values) names(texts ...*string) {
	for _, s := range texts {
		*s = v.words(*s)
	}
}
