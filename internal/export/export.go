// Package export writes flows for other tools and other people: JSON lines, HAR
// files, commands that repeat a call. It masks what rules found, when that is
// asked for, and what it can't mask it leaves out, and says so. It gets flows one
// after the other and holds no more than one; it does no I/O but to the writer
// that it is given, and never reads the ledger.
package export

import (
	"bytes"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/coding"
)

// What names a body of a flow, as the ledger does.
type What string

// The bodies of a flow.
const (
	Request   What = "request"   // what the client sent
	Forwarded What = "forwarded" // what the provider got
	Response  What = "response"  // what the provider sent
	Delivered What = "delivered" // what the client got
)

// Flow is one flow, as far as it is given out.
type Flow struct {
	Intent  *flow.Intent
	Outcome *flow.Outcome // nil: open
	Bodies  []Body        // those that were asked for; none: metadata alone
	Masked  bool          // by Values.Mask
}

// Body is a body of a flow.
type Body struct {
	What   What
	Chunks []Chunk
	Left   string // why it is left out, in a sentence; empty: it is there
	Plain  bool   // its content coding was taken off
	Masks  int    // stretches that were masked
}

// Chunk is a piece of a body as it came: of a WebSocket, one message.
type Chunk struct {
	Data []byte
	At   time.Duration // since the flow began
}

// Body gives one of the flow's bodies; nil: it is not given out.
func (f *Flow) Body(what What) *Body {
	for i := range f.Bodies {
		if f.Bodies[i].What == what {
			return &f.Bodies[i]
		}
	}
	return nil
}

// sent is the body that stands for the request: what the client sent, if that is
// given out.
func (f *Flow) sent() *Body {
	if b := f.Body(Request); b != nil {
		return b
	}
	return f.Body(Forwarded)
}

// got is the body that stands for the answer: what the client got, if that is
// given out.
func (f *Flow) got() *Body {
	if b := f.Body(Delivered); b != nil {
		return b
	}
	return f.Body(Response)
}

// message reports whether the flow is one message of a WebSocket, with what came
// back.
func (f *Flow) message() bool { return f.Intent.Method == flow.MethodMessage }

// coding is the content coding of a body.
func (f *Flow) coding(what What) string {
	switch {
	case f.message():
		return "" // the headers are the upgrade's
	case what == Request || what == Forwarded:
		return coded(f.Intent.Header)
	case f.Outcome != nil:
		return coded(f.Outcome.Header)
	}
	return ""
}

func coded(header []flow.Header) string {
	if e := flow.HeaderValue(header, "Content-Encoding"); !strings.EqualFold(e, "identity") {
		return e
	}
	return ""
}

// whole joins a body's chunks.
func (b *Body) whole() []byte {
	if len(b.Chunks) == 1 {
		return b.Chunks[0].Data
	}
	var all []byte
	for _, c := range b.Chunks {
		all = append(all, c.Data...)
	}
	return all
}

// decodeMax bounds what a body is decoded to.
const decodeMax = 256 << 20

// plain takes the content coding off a body. The headers of what was imported may
// tell of one that had been taken off before: what is text as it stands is text.
func plain(body []byte, encoding string) (text []byte, ok bool) {
	if encoding == "" || len(body) == 0 {
		return body, true
	}
	text, err := coding.Decode(encoding, body, coding.Limit{Bytes: decodeMax})
	if err == nil {
		return text, true
	}
	return body, isText(body)
}

// isText reports whether bytes can be read: UTF-8 without NUL.
func isText(b []byte) bool { return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 }

// isFingerprint reports whether a value is what stands for a credential: see
// identity.Fingerprint.
func isFingerprint(value string) bool {
	sum, ok := strings.CutPrefix(value, "fp_")
	return ok && len(sum) == 16 && strings.Trim(sum, "0123456789abcdef") == ""
}

// Address is where a flow's request went: an absolute URL. base is the address of
// the provider's API, for those that came by a base URL of ours.
func Address(in *flow.Intent, base string) string {
	if in.Host != "" {
		base = "https://" + in.Host
	}
	base = strings.TrimRight(base, "/")
	if base == "" {
		base = "https://" + string(in.Provider) + ".invalid"
	}
	if in.API == flow.ResponsesSocket || in.Method == flow.MethodMessage {
		if rest, ok := strings.CutPrefix(base, "http"); ok {
			base = "ws" + rest
		}
	}
	return base + in.Path
}
