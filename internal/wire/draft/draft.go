// Package draft collects the parts of an answer while they stream in: deltas
// of several blocks may come interleaved, and later events may correct earlier
// ones. It holds at most Limit bytes of text and never says what a part means.
package draft

import (
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// Limit is how much text a draft keeps, in bytes. An answer's output is bounded
// by the model to a fraction of that; more comes from a peer that means harm.
const Limit = 64 << 20

// leastText is the room for text that a part begins with, in bytes.
const leastText = 512

// most parts that a draft keeps.
const most = 1 << 14

// Key says which block of an answer a delta belongs to. What the numbers mean
// is the codec's business (output item, content index …).
type Key struct{ Major, Minor int64 }

// Draft is the parts of one answer so far. The nil Draft keeps nothing: every
// method may be called on it.
type Draft struct {
	parts []*Part
	open  map[Key]*Part
	size  int
	full  bool
}

// Part is a part under construction. The nil Part takes everything and keeps
// nothing.
type Part struct {
	flow.Part
	key   Key
	text  []byte
	draft *Draft
}

// New makes an empty draft.
func New() *Draft { return &Draft{open: map[Key]*Part{}} }

// Open begins the part of key, or gives the one that is there. An existing
// part keeps its place and its text.
func (d *Draft) Open(key Key, kind flow.Kind, role string) *Part {
	if d == nil {
		return nil
	}
	if p := d.open[key]; p != nil {
		return p
	}
	p := d.add(flow.Part{Kind: kind, Role: role}, key)
	if p != nil {
		d.open[key] = p
	}
	return p
}

// At gives the open part of key, or nil.
func (d *Draft) At(key Key) *Part {
	if d == nil {
		return nil
	}
	return d.open[key]
}

// Add appends a finished part that no delta will reach.
func (d *Draft) Add(part flow.Part, key Key) {
	if d == nil {
		return
	}
	if p := d.add(flow.Part{}, key); p != nil {
		p.Set(part)
	}
}

// Close ends the part of key: a later Open with the same key begins a new one.
func (d *Draft) Close(key Key) {
	if d != nil {
		delete(d.open, key)
	}
}

// Replace puts parts where those of the key's Major stand, or at the end when
// there are none.
func (d *Draft) Replace(major int64, parts []flow.Part) {
	if d == nil {
		return
	}
	kept, at := d.parts[:0:0], -1
	for _, p := range d.parts {
		if p.key.Major != major {
			kept = append(kept, p)
			continue
		}
		if at < 0 {
			at = len(kept)
		}
		d.size -= len(p.text)
		delete(d.open, p.key)
	}
	d.parts = kept
	d.insert(at, major, parts)
}

func (d *Draft) insert(at int, major int64, parts []flow.Part) {
	tail := []*Part(nil)
	if at >= 0 {
		tail = append(tail, d.parts[at:]...)
		d.parts = d.parts[:at]
	}
	for i, part := range parts {
		d.Add(part, Key{major, int64(i)})
	}
	d.parts = append(d.parts, tail...)
}

// Reset drops all parts.
func (d *Draft) Reset() {
	if d != nil {
		full := d.full
		*d = *New()
		d.full = full
	}
}

// Full reports whether something had no room.
func (d *Draft) Full() bool { return d != nil && d.full }

// Parts gives the parts as they are now.
func (d *Draft) Parts() []flow.Part {
	if d == nil {
		return nil
	}
	parts := make([]flow.Part, len(d.parts))
	for i, p := range d.parts {
		parts[i] = p.Part
		parts[i].Text = string(p.text)
	}
	return parts
}

func (d *Draft) add(part flow.Part, key Key) *Part {
	if len(d.parts) >= most {
		d.full = true
		return nil
	}
	p := &Part{Part: part, key: key, draft: d}
	d.parts = append(d.parts, p)
	return p
}

// Append adds the decoded string raw to the part's text, and gives the number of
// bytes that it has, also when they are not kept.
func (p *Part) Append(raw []byte) int {
	if p == nil || !p.room(len(raw)) {
		return peek.Size(raw)
	}
	n := len(p.text)
	if cap(p.text)-n < len(raw) {
		p.text = slices.Grow(p.text, max(n, len(raw), leastText)) // twice: it comes in many parts
	}
	p.text = peek.Append(p.text, raw)
	p.draft.size += len(p.text) - n
	return len(p.text) - n
}

// AppendRaw adds raw as it stands.
func (p *Part) AppendRaw(raw []byte) {
	if p == nil || !p.room(len(raw)) {
		return
	}
	p.text = append(p.text, raw...)
	p.draft.size += len(raw)
}

// Set makes the part what a later event says that it is.
func (p *Part) Set(part flow.Part) {
	if p == nil {
		return
	}
	p.draft.size -= len(p.text)
	p.Part, p.text = part, p.text[:0]
	p.AppendRaw([]byte(part.Text))
	p.Part.Text = ""
}

// Empty reports whether the part has no text yet.
func (p *Part) Empty() bool { return p == nil || len(p.text) == 0 }

func (p *Part) room(n int) bool {
	if p.draft.size+n > Limit {
		p.draft.full = true
		return false
	}
	return true
}
