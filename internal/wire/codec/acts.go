package codec

import (
	"bytes"

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

// UploadActs gives the acts of the requests in an upload: the lines of a batch
// file, the parts of a form. Places are offsets in the body, of which stretches
// are what Stretches gave.
func UploadActs(body []byte, stretches []Stretch) []flow.Act {
	return act.In(body, func(yield func(start, end int) bool) {
		for i := 0; i < len(stretches); {
			s, end := stretches[i], stretches[i].End
			for i++; i < len(stretches) && s.JSON && goesOn(s, stretches[i]); i++ {
				end = stretches[i].End
			}
			if s.JSON && !requests(body, s.Start, end, s.Why == jsonLines, yield) {
				return
			}
		}
	})
}

const jsonLines = "JSON lines"

// goesOn reports whether a stretch belongs to the JSON before it: lists of token
// numbers are cut out of it.
func goesOn(s, next Stretch) bool {
	return next.Why == "token numbers" || next.JSON && next.Why == s.Why
}

// requests yields the span of a JSON text, or of each of its lines.
func requests(body []byte, start, end int, lines bool, yield func(start, end int) bool) bool {
	for start < end {
		next := end
		if i := bytes.IndexByte(body[start:end], '\n'); i >= 0 && lines {
			next = start + i + 1
		}
		if !yield(start, next) {
			return false
		}
		start = next
	}
	return true
}
