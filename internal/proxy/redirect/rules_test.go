package redirect_test

import (
	"sync"

	"github.com/workingagents/gatehouse/internal/inspect"
)

// noRules is an engine that finds nothing.
var noRules = sync.OnceValue(func() *inspect.Engine {
	e, err := inspect.Compile(inspect.Library{})
	if err != nil {
		panic(err)
	}
	return e
})
