package codec

import (
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/act"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// Acts gives what a request makes the provider do, or recall, by itself, in the
// order of their places. previous_response_id is among them: whether the
// session made that response itself is for the caller to know. A body that is
// not JSON has none. For Opaque it looks for what requests have in common, and
// into the requests of a batch.
func Acts(api flow.API, doc *split.Doc) []flow.Act { return act.Find(api, doc, nil, nil) }

// MoreActs is Acts for a body that was cut against base, whose acts are known:
// it gives the same, and looks only at what is new.
func MoreActs(api flow.API, doc, base *split.Doc, known []flow.Act) []flow.Act {
	return act.Find(api, doc, base, known)
}
