// Package rewrite changes a provider's answer on its way to the client: it puts
// values back in place of pseudonyms, holds tool calls until they are judged, and
// ends an answer whose tool call was refused in the provider's own form. What
// leaves is the provider's bytes with edits, and the edits say exactly which: it
// never writes an answer anew, never touches what the provider signed, and does
// no I/O.
package rewrite

import (
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Limit is the longest event, line or body that is rewritten, in bytes. What is
// longer passes as it is, or, where tool calls must be judged, is refused.
const Limit = 16 << 20

// MaxHold is the default of Options.MaxHold.
const MaxHold = 1 << 20

// overhead is how many of the provider's bytes are held for a byte of
// arguments: an event of 120 bytes often carries no more than ten.
const overhead = 16

// Framing says how the bytes of an answer are framed. The values up to Messages
// are those of codec.Stream.
type Framing uint8

// The framings. Sniff looks at the first byte that is neither space nor a byte order
// mark, as codec does: { or [ is JSON, all else SSE. JSON whose API is not read is
// Lines when its first line is a whole document.
const (
	Sniff    Framing = iota
	Messages         // WebSocket: one Push is one event's payload
	Lines            // one document a line: batch results
	events
	document // one document; for Gemini's streams an array of them
)

// Value is what a pseudonym stands for. A number was redacted as a quoted
// token and becomes a bare number again where the token is a whole JSON string.
type Value struct {
	Text   []byte
	Number bool
}

// Pseudonyms are the tokens that may be restored in this answer. All begin with
// "QZ" and consist of ASCII letters and digits; none begins with another. It is
// not to change while the Rewriter is in use.
type Pseudonyms interface {
	Lookup(token []byte) (Value, bool)
	Longest() int // length of the longest token; 0: there is none
	// MayStart reports whether suffix is a proper prefix of a token. Of `"` (one
	// quote) it reports whether a token stands for a number: then the quote before
	// a value is held until what follows is known.
	MayStart(suffix []byte) bool
}

// Judge decides about a finished tool call; nil lets it pass. The part's text
// is what the client would get: the arguments with values restored.
type Judge func(part flow.Part) *flow.Refusal

// Options says what is done to an answer. The zero Options changes nothing.
type Options struct {
	API        flow.API // Opaque: by the shape of each JSON document
	Framing    Framing
	Pseudonyms Pseudonyms
	Restore    func(tool string, path []string) bool // tool "": text. A nil path: a tool's free text. nil: nowhere
	Hold       bool                                  // hold tool calls until Judge has seen them
	Judge      Judge                                 // nil with Hold: every call is refused
	Unread     func() *flow.Refusal                  // with Hold: asked about an answer that is neither a stream nor a document, which passes when nil is given
	Streams    bool                                  // the client asked for a stream: what it is told in place of such an answer is one
	MaxHold    int                                   // longest arguments that are held, in bytes; 0: MaxHold
}

// Edit replaces Cut bytes at offset At of the provider's answer by Put. Edits
// come in the order of their offsets and do not overlap; offsets of WebSocket
// messages count as if they were one body.
type Edit struct {
	At, Cut int64
	Put     []byte
	Token   string // Put is the value behind this pseudonym, escaped as Escape says; "": it is not
	Escape  uint8  // as for the function Escape
}

// Rewriter rewrites one answer. It is not for use by several goroutines at
// once.
type Rewriter struct {
	o       Options
	plain   bool // nothing to do
	text    bool // values may be restored in text
	numbers bool // some pseudonym stands for a number
	dialect dialect
	framing Framing
	begun   bool // the framing is known
	unsure  bool // JSON may yet be Lines
	opaque  bool // its API is not read: what it is shows its shape

	buf  []byte // not released yet; the provider's bytes from base on
	room []byte // the memory behind buf
	base int64  // everything before it was released
	in   int64  // bytes that came
	free int64  // everything before it may be released
	scan scanner

	event     event // that is read
	templates []*template
	hint      hint
	learned   int   // templates that were made, less for those that fit
	figure    int64 // the last number in the last event that was read by its template

	queue    []Edit // for bytes that were not released, in order
	done     []Edit // for what is released now
	out      []byte // released now, when it is not an alias
	ends     []int  // of messages in what is released now
	queued   []int64
	lanes    map[laneKey]*lane
	waits    []*lane // whose last text may be the start of a pseudonym
	calls    []*call // not judged, oldest first
	passed   int     // calls that were judged and may go
	judged   map[[32]byte]bool
	now      int64 // end of the event that is read
	refused  *flow.Refusal
	farewell []payload // with refused: what is said in place of what is withheld
	cut      int64     // with refused: everything from here on is withheld
	restored []string
	said     int // bytes of text that lanes were given, about
}

// New makes the rewriter of one answer.
func New(o Options) *Rewriter {
	if o.MaxHold == 0 {
		o.MaxHold = MaxHold
	}
	r := &Rewriter{o: o, framing: o.Framing, lanes: map[laneKey]*lane{}}
	if o.Pseudonyms == nil || o.Pseudonyms.Longest() == 0 || o.Restore == nil {
		r.o.Pseudonyms = nil
	} else {
		r.text = o.Restore("", nil)
		r.numbers = o.Pseudonyms.MayStart([]byte{'"'})
	}
	r.dialect = newDialect(r, o.API)
	r.plain = r.o.Pseudonyms == nil && !o.Hold
	r.begun = r.framing != Sniff
	return r
}

// Push takes the next bytes, free of content coding, and gives what may go to
// the client now, with the edits by which that differs from the provider's bytes.
// Both are valid until the next call; out may be p itself.
func (r *Rewriter) Push(p []byte) (out []byte, edits []Edit) {
	r.in += int64(len(p))
	r.out, r.done, r.ends = r.out[:0], nil, r.ends[:0]
	if r.plain {
		if r.base = r.in; r.framing == Messages {
			r.ends = append(r.ends, len(p))
		}
		return p, nil
	}
	if r.refused != nil {
		return nil, nil
	}
	view := r.view(p)
	r.read(view)
	return r.release(view), r.done
}

// End says that no more bytes come, and gives the rest.
func (r *Rewriter) End() (out []byte, edits []Edit) {
	r.out, r.done, r.ends = r.out[:0], nil, r.ends[:0]
	if r.plain {
		return nil, nil
	}
	if r.refused == nil {
		r.finish(r.buf)
		out = r.release(r.buf)
	}
	if r.refused != nil && r.in > r.cut {
		r.done = append(r.done, Edit{At: r.cut, Cut: r.in - r.cut})
		r.cut, r.base = r.in, r.in
	}
	return out, r.done
}

// Ends gives where in the last out each WebSocket message ends.
func (r *Rewriter) Ends() []int { return r.ends }

// Holding reports whether bytes of whole events are held back.
func (r *Rewriter) Holding() bool {
	return r.refused == nil && (len(r.waits) > 0 || len(r.calls) > 0)
}

// Blocked gives the refusal with which the answer was ended by us. What had to be
// said to the client was in out; nothing more comes but edits.
func (r *Rewriter) Blocked() *flow.Refusal { return r.refused }

// Restored gives the pseudonyms whose values were put in, each once, in the order
// of their coming.
func (r *Rewriter) Restored() []string { return r.restored }

// KeepAlive gives an empty event of the provider's own form to be sent now, with
// the edit that records it; nil when none fits here. It changes nothing for the
// client but that the answer isn't silent.
func (r *Rewriter) KeepAlive() (out []byte, edits []Edit) {
	if !r.Holding() || r.framing == Lines {
		return nil, nil
	}
	payload, ok := r.dialect.alive()
	if !ok {
		return nil, nil
	}
	r.out, r.ends = r.out[:0], r.ends[:0]
	r.say(payload)
	put := append([]byte(nil), r.out...)
	return put, []Edit{{At: r.base, Put: put}}
}

// view gives all bytes that were not released, p at their end.
func (r *Rewriter) view(p []byte) []byte {
	if len(r.buf) == 0 {
		return p
	}
	r.buf = append(r.buf, p...)
	return r.buf
}

// release gives what is free, with its edits made, and keeps the rest.
func (r *Rewriter) release(view []byte) []byte {
	n := int(r.free - r.base)
	if r.refused != nil {
		r.apply(view, r.free)
		r.last()
		return r.out
	}
	out := view[:n]
	if len(r.queue) > 0 && r.queue[0].At < r.free {
		r.apply(view, r.free)
		out = r.out
	} else {
		r.unedited()
	}
	r.keep(view[n:])
	r.base = r.free
	return out
}

// last says what is said in place of what is withheld.
func (r *Rewriter) last() {
	from := len(r.out)
	r.say(r.farewell...)
	if put := r.out[from:]; len(put) > 0 || r.cut > r.free {
		r.done = append(r.done, Edit{At: r.free, Cut: r.cut - r.free, Put: append([]byte(nil), put...)})
	}
	r.base, r.buf, r.room = r.cut, nil, nil
}

// unedited finds the ends of messages in what is released.
func (r *Rewriter) unedited() {
	for len(r.queued) > 0 && r.queued[0] <= r.free {
		r.ends = append(r.ends, int(r.queued[0]-r.base))
		r.queued = r.queued[1:]
	}
}

// apply makes the edits of what is free and appends it to out.
func (r *Rewriter) apply(view []byte, to int64) {
	at := r.base
	for len(r.queue) > 0 && r.queue[0].At < to {
		e := r.queue[0]
		r.queue = r.queue[1:]
		r.pass(view, at, e.At)
		r.out = append(r.out, e.Put...)
		r.done = append(r.done, e)
		at = e.At + e.Cut
	}
	r.pass(view, at, to)
}

// pass appends the provider's bytes [from, to) to out, and notes the ends of
// messages in them.
func (r *Rewriter) pass(view []byte, from, to int64) {
	for len(r.queued) > 0 && r.queued[0] <= to {
		end := r.queued[0]
		r.queued = r.queued[1:]
		if from < end {
			r.out = append(r.out, view[from-r.base:end-r.base]...)
			from = end
		}
		if n := len(r.ends); n == 0 && len(r.out) > 0 || n > 0 && r.ends[n-1] < len(r.out) { // not one that was cut out
			r.ends = append(r.ends, len(r.out))
		}
	}
	r.out = append(r.out, view[from-r.base:to-r.base]...)
}

// keep holds what was not released until the next call. What release gave may
// lie in the same memory, so it is not moved but when there is none left.
func (r *Rewriter) keep(rest []byte) {
	switch {
	case len(rest) == 0:
		r.buf = r.room[:0]
		if cap(r.room) > Limit/16 {
			r.buf, r.room = nil, nil
		}
	case len(r.buf) == 0: // rest is the caller's
		r.buf = append(r.room[:0], rest...)
		r.room = r.buf
	default:
		r.buf = rest
	}
}

// edit queues an edit in its place.
func (r *Rewriter) edit(e Edit) {
	i := len(r.queue)
	for i > 0 && r.queue[i-1].At > e.At {
		i--
	}
	r.queue = slices.Insert(r.queue, i, e)
}

// edited gives a piece of an event's data with the edits that are queued for it.
func (r *Rewriter) edited(e *event, piece []byte) (out []byte) {
	from, to := e.place(piece), e.endOf(piece)
	first := e.index(from)
	at := 0
	for _, q := range r.queue {
		if q.At < from || q.At >= to {
			continue
		}
		i := e.index(q.At) - first
		out = append(append(out, piece[at:i]...), q.Put...)
		at = i + int(q.Cut)
	}
	return append(out, piece[at:]...)
}

// count notes a pseudonym that was restored.
func (r *Rewriter) count(token string) {
	if !slices.Contains(r.restored, token) {
		r.restored = append(r.restored, token)
	}
}

// Settled is how many of the provider's bytes were released: what came after
// them has not been delivered in any form.
func (r *Rewriter) Settled() int64 { return r.base }
