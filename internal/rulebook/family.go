package rulebook

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/injection"
	"github.com/workingagents/gatehouse/internal/inspect/pii"
	"github.com/workingagents/gatehouse/internal/inspect/secret"
)

// families are the families in the binary. A new one is a line here.
var families = []struct {
	set     func() (*inspect.Set, error)
	library func() inspect.Library
}{
	{secret.Set, secret.Library},
	{pii.Set, pii.Library},
	{injection.Set, injection.Library},
}

// builtIn are the rules in the binary, which nobody changes: reading them takes
// longer than all else.
var builtIn = sync.OnceValues(func() (sets []*inspect.Set, err error) {
	for _, f := range families {
		set, e := f.set()
		sets, err = append(sets, set), errors.Join(err, e)
	}
	return sets, err
})

// Library is the Go part of all built-in families. No two name the same: a test
// says so.
func Library() inspect.Library {
	all := inspect.Library{Detectors: map[string]inspect.Detector{}, Checks: map[string]inspect.Check{}}
	for _, f := range families {
		lib := f.library()
		maps.Copy(all.Detectors, lib.Detectors)
		maps.Copy(all.Checks, lib.Checks)
	}
	return all
}

// Compile makes the engine of the built-in rules and the sets. The key is that
// of the hashes of registered values.
func Compile(key []byte, sets []*inspect.Set) (*inspect.Engine, error) {
	own, err := builtIn()
	if err != nil {
		return nil, err
	}
	lib := Library()
	lib.Key = key
	return inspect.Compile(lib, append(slices.Clip(own), sets...)...)
}
