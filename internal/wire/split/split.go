// Package split cuts a request body into pieces along its parts, so that each
// part can be compared, stored and scanned once however often an agent resends
// it. The pieces put together are the body, byte for byte, for every input.
//
// It knows the shape of conversations, not the providers: a top-level member
// whose value is an array of objects is a run of blocks, and so are the arrays
// called content, parts or tools inside of its elements. A body that is not a
// JSON object is cut by its content.
//
// With the Doc of an earlier body, what both share is compared and copied, and
// only what is new is scanned; the result is the same as without.
//
// It never changes, decodes or judges a body, and never fails.
package split

import (
	"bytes"
	"slices"
)

// Kind says what a piece is.
type Kind uint8

// The kinds of a piece.
const (
	Literal Kind = iota // outside of any run
	Glue                // inside a run, between blocks
	Block               // the content of a part
)

func (k Kind) String() string {
	switch k {
	case Glue:
		return "glue"
	case Block:
		return "block"
	}
	return "literal"
}

// Limits that keep a Doc small beside its body.
const (
	maxDepth  = 512     // nesting of a JSON body; deeper is not JSON to us
	maxFields = 1024    // top-level members; more is not JSON to us
	maxPieces = 1 << 16 // a body with more is cut by its content instead

	longValue  = 256 // bytes from which a plain top-level value is a block of its own
	longString = 64  // bytes from which a first string makes its array a run
)

// Hole is a span inside a block that is lifted out of it, in offsets of Body: a
// cache_control member with one comma beside it. Without its holes a block has
// the bytes that it would have if the marker had never been set.
type Hole struct{ Start, End int }

// Piece is one span of the body, never empty.
type Piece struct {
	Start, End int // offsets in Body
	Kind       Kind
	end        state  // of the scanner where a block ends
	Run        int    // index in Fields of the member that it lies in; -1 for Literal, and for the blocks of a body that is cut by its content
	Holes      []Hole // in order, apart from each other; only in a Block
	Same       int    // index in the base of the identical piece, with identical pieces before it in its run; or -1
}

// Field is a member of the top-level object, or of an object that wraps a whole
// request in it (Code Assist's "request").
type Field struct {
	Name       string // decoded
	Start, End int    // the value's span in Body
	Dup        bool   // an earlier member of the same object has the same name
	In         int    // index of the field that wraps it, or -1
}

// Doc is a body and its pieces. It is not changed after it is made.
type Doc struct {
	Body   []byte
	JSON   bool   // one JSON value, strictly: well-formed UTF-8, at most 512 levels deep, at most 1,024 top-level members
	Why    string // why it is not JSON, without a byte of it
	Pieces []Piece
	Fields []Field // in order; empty when the body is no JSON object

	cut bool // along its parts, not by its content
}

// Split cuts a body. The base, which may be nil, is the Doc of an earlier body
// of the same conversation; it makes the cut fast and says in Same what is not
// new, and changes nothing else. The Doc keeps body, and nothing of the base.
func Split(body []byte, base *Doc) *Doc {
	d := &Doc{Body: body}
	if why, ok := unfit(body); !ok {
		d.Why = why
		return d.chunk(base)
	}
	s := newWalker(d, base)
	s.walk()
	switch {
	case s.why != "":
		d.Why, d.Fields = s.reason(), nil
		return d.chunk(base)
	case s.over || !s.object:
		d.JSON = true
		return d.chunk(base)
	}
	d.JSON, d.cut = true, true
	return d
}

// unfit finds in the first bytes what no JSON text begins with.
func unfit(body []byte) (why string, ok bool) {
	switch {
	case len(body) == 0:
		return "empty body", false
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		return "starts with a byte order mark", false
	}
	return "", true
}

// Get gives the bytes of a member's value, going down through objects by name.
// Of members with the same name the last one counts. It scans what it descends
// through, and is meant for small look-ups.
func (d *Doc) Get(path ...string) (raw []byte, ok bool) {
	if len(path) == 0 {
		return nil, false
	}
	for i := len(d.Fields) - 1; i >= 0; i-- {
		if f := &d.Fields[i]; f.In < 0 && f.Name == path[0] {
			return descend(d.Body[f.Start:f.End], path[1:])
		}
	}
	return nil, false
}

func descend(raw []byte, path []string) ([]byte, bool) {
	for _, name := range path {
		var ok bool
		if raw, ok = member(raw, name); !ok {
			return nil, false
		}
	}
	return raw, true
}

// Conversation gives the indices in Pieces of the blocks of the conversation:
// the member messages, input or contents, whichever exists first in this list.
func (d *Doc) Conversation() []int {
	k := d.conversation()
	if k < 0 {
		return nil
	}
	var blocks []int
	for i := d.first(k); i >= 0 && i < len(d.Pieces) && d.Pieces[i].Run == k; i++ {
		if d.Pieces[i].Kind == Block {
			blocks = append(blocks, i)
		}
	}
	return blocks
}

func (d *Doc) conversation() int {
	for _, name := range []string{"messages", "input", "contents"} {
		for i := len(d.Fields) - 1; i >= 0; i-- {
			if d.Fields[i].Name == name {
				return i
			}
		}
	}
	return -1
}

// first gives the index of the first piece of a field's run, or -1 when the
// field is no run.
func (d *Doc) first(field int) int {
	i, ok := slices.BinarySearchFunc(d.Pieces, d.Fields[field].Start, func(p Piece, at int) int { return p.Start - at })
	if !ok || d.Pieces[i].Run != field {
		return -1
	}
	return i
}
