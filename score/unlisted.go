package main

import (
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/secret"
)

// unlisted is the family secret as if nobody had listed a provider: what it finds
// of the token rules' sets says how it fares with a provider that nobody here
// knows.
type unlisted struct {
	structure *inspect.Engine // the detectors alone
	names     *inspect.Engine // with the providers' names
}

// formOfProviders are the rules with a detector that know the providers' prefixes;
// withNames is the one that knows their names.
var formOfProviders = []string{"documented-token", "airtable-token"}

const withNames = "provider-key"

// newUnlisted makes the engines from the rules in the binary, less those that are
// a pattern.
func newUnlisted() (*unlisted, error) {
	set, err := secret.Set()
	if err != nil {
		return nil, err
	}
	without := func(ids ...string) (*inspect.Engine, error) {
		some := *set
		some.Rules = slices.DeleteFunc(slices.Clone(set.Rules), func(r inspect.Rule) bool {
			return r.Detector == "" || slices.Contains(ids, r.ID)
		})
		return inspect.Compile(secret.Library(), &some)
	}
	var u unlisted
	if u.structure, err = without(append(formOfProviders, withNames)...); err != nil {
		return nil, err
	}
	u.names, err = without(formOfProviders...)
	return &u, err
}

// count adds a record of the token rules to the strata of what is found without
// them.
func (u *unlisted) count(s *score, r record) {
	if !r.isTrue() || strings.HasSuffix(r.Source, "/invisible") {
		return
	}
	for _, one := range []struct {
		how    string
		engine *inspect.Engine
	}{{"no provider listed", u.structure}, {"only the providers' names listed", u.names}} {
		t, _ := judge(r, one.engine.Scan([]byte(r.Text), inspect.Options{}), nil, 1)
		s.count(allTokens+", "+one.how, t)
		s.count(allTokens+", "+one.how+", half "+r.half(), t)
	}
}
