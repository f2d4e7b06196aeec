package policy

import "time"

// Allowance switches one finding off for a while: a false alarm, or a risk
// that its owner takes.
type Allowance struct {
	ID      string    `json:"id"`
	Finding string    `json:"finding"` // id of the finding
	Scope   string    `json:"scope"`   // a principal's name, or * for all
	Owner   string    `json:"owner"`   // who made it
	Reason  string    `json:"reason"`
	Made    time.Time `json:"made"`
	Until   time.Time `json:"until"`            // it no longer holds from then on
	Revoked time.Time `json:"revoked,omitzero"` // zero: it was not
}

// Holds reports whether it switches a principal's finding off now.
func (a Allowance) Holds(principal string, now time.Time) bool {
	return (a.Scope == "*" || a.Scope == principal) && a.Current(now)
}

// Current reports whether it was neither revoked nor has ended.
func (a Allowance) Current(now time.Time) bool { return a.Revoked.IsZero() && now.Before(a.Until) }

// Allowances are what is allowed, by finding. They don't change.
type Allowances map[string][]Allowance

// Index makes Allowances of a list.
func Index(list []Allowance) Allowances {
	index := make(Allowances, len(list))
	for _, a := range list {
		index[a.Finding] = append(index[a.Finding], a)
	}
	return index
}

// With gives the policy with these allowances in place of those that it had.
func (p Policy) With(allowed Allowances) Policy {
	p.allowed = allowed
	return p
}

// allowance finds the one that switches a finding off.
func (p Policy) allowance(finding, principal string, now time.Time) (string, bool) {
	for _, a := range p.allowed[finding] {
		if a.Holds(principal, now) {
			return a.ID, true
		}
	}
	return "", false
}
