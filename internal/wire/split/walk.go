package split

// state is where the scanner stands at the end of a block: all that it needs to
// know to go on, beside the fields so far. Because it is so small, a scan can
// be taken up at the end of any block, and two scans that stand in the same
// state before the same bytes give the same pieces.
type state uint8

const (
	atStart  state = iota
	atTop          // after a member of the top-level object
	inRun          // after an element of a run
	inElem         // after a part in an array inside of an element
	inObject       // after a part in an array inside of a top-level object
	elemRest       // after such an array, in the element (never at a block's end)
	objRest        // after such an array, in the top-level object (never at a block's end)
	done

	wrapped state = 1 << 4 // and all that one level deeper, in a wrapper
)

// walker cuts one body.
type walker struct {
	lexer
	twins
	doc    *Doc
	mark   int    // where the last piece ended
	wrap   int    // field of the wrapper that we are in, or -1
	holes  []Hole // of all blocks
	object bool   // the body is a JSON object
	over   bool   // there are more than maxPieces
}

func newWalker(d, base *Doc) *walker {
	w := &walker{lexer: lexer{b: d.Body}, twins: twins{run: -1, twin: -1, expect: -1, peer: -1, prev: -1, known: -1, tail: -1}, doc: d, wrap: -1}
	pieces, fields := 16+len(d.Body)/768, 20
	if base != nil && base.cut {
		w.base = base
		pieces, fields = len(base.Pieces)+16+max(0, len(d.Body)-len(base.Body))/256, len(base.Fields)+1
	}
	d.Pieces, d.Fields = make([]Piece, 0, min(pieces, maxPieces)), make([]Field, 0, fields)
	return w
}

// walk goes through the whole body, or up to the first mistake.
func (w *walker) walk() {
	st := atStart
	if w.base != nil {
		st = w.jump(st, 0)
	}
	for st != done && w.why == "" {
		if st = w.step(st); w.base != nil && st != done {
			st = w.align(st)
		}
	}
}

// step goes on from a state to the end of the next block, or to the end of the
// body, or to a mistake.
func (w *walker) step(st state) state {
	for {
		var hit bool
		in := st & wrapped
		switch st &^ wrapped {
		case atStart:
			st, hit = w.start()
		case atTop:
			st, hit = w.top(in)
		case inRun:
			st, hit = w.elements(in)
		case inElem, inObject:
			st, hit = w.parts(st)
		case elemRest, objRest:
			st, hit = w.rest(st)
		}
		if w.why != "" {
			return done
		}
		if hit {
			return st
		}
	}
}

// depth gives the number of containers that are open around a field's value.
func depth(in state) int {
	if in&wrapped != 0 {
		return 2
	}
	return 1
}

func (w *walker) start() (state, bool) {
	if w.space() != '{' {
		return done, w.value(0) && w.end()
	}
	w.object = true
	w.i++
	if w.space() == '}' {
		return w.top(0)
	}
	return w.field(0)
}

// end makes sure that nothing follows the body's value.
func (w *walker) end() bool {
	if w.space(); w.i < len(w.b) {
		return w.fail(trailing)
	}
	return true
}

// top goes on after a member of the top-level object, or of a wrapper.
func (w *walker) top(in state) (state, bool) {
	switch w.space() {
	case ',':
		w.i++
		w.space()
		return w.field(in)
	case '}':
		w.i++
		if in != 0 {
			w.doc.Fields[w.wrap].End = w.i
			w.wrap = -1
			return atTop, false
		}
		if w.end() {
			w.gap(Literal, len(w.b))
		}
		return done, true
	}
	return done, w.wrong()
}

// field reads a member of the top-level object, or of a wrapper. It ends with
// the first block in it, or behind it when there is none.
func (w *walker) field(in state) (state, bool) {
	raw, ok := w.name()
	if !ok || !w.addField(decode(raw)) {
		return done, false
	}
	start := w.i
	if w.reuse(start, atTop|in) {
		w.closeField()
		return atTop | in, true
	}
	switch w.peek() {
	case '{':
		if in == 0 && string(raw) == "request" {
			return w.unwrap()
		}
		return w.objectValue(start, in)
	case '[':
		if w.list() {
			w.gap(Literal, start)
			return w.element(in)
		}
	}
	w.value(depth(in))
	return w.plain(start, in)
}

// peek gives the byte at hand, 0 at the end.
func (w *walker) peek() byte {
	if w.i < len(w.b) {
		return w.b[w.i]
	}
	return 0
}

// addField adds a field whose value begins here.
func (w *walker) addField(name string) bool {
	if len(w.doc.Fields) >= maxFields {
		return w.fail(tooMany)
	}
	f := Field{Name: name, Start: w.i, In: w.wrap}
	f.Dup = w.dup(name, w.wrap)
	w.doc.Fields = append(w.doc.Fields, f)
	return true
}

func (w *walker) dup(name string, in int) bool {
	for i := range w.doc.Fields {
		if f := &w.doc.Fields[i]; f.In == in && f.Name == name {
			return true
		}
	}
	return false
}

// closeField ends the last field.
func (w *walker) closeField() { w.doc.Fields[len(w.doc.Fields)-1].End = w.i }

// unwrap goes into an object whose members are treated as top-level ones.
func (w *walker) unwrap() (state, bool) {
	w.wrap = len(w.doc.Fields) - 1
	w.i++
	if w.space() == '}' {
		return w.top(wrapped)
	}
	return w.field(wrapped)
}

// objectValue reads a top-level value that is an object: a run when one of its
// members is an array of parts.
func (w *walker) objectValue(start int, in state) (state, bool) {
	mark := len(w.holes)
	w.i++
	found := w.space() != '}' && w.members(depth(in)+1, true)
	w.holes = w.holes[:mark]
	if w.why != "" {
		return done, false
	}
	if found {
		w.gap(Literal, start)
		return w.part(inObject | in)
	}
	w.i++
	return w.plain(start, in)
}

// plain ends a top-level value that is no run of parts. A long one is a block.
func (w *walker) plain(start int, in state) (state, bool) {
	if w.why != "" {
		return done, false
	}
	w.closeField()
	if w.i-start < longValue {
		return atTop | in, false
	}
	w.gap(Literal, start)
	w.block(start, nil, atTop|in)
	return atTop | in, true
}

// endRun ends a field that is a run.
func (w *walker) endRun(in state) (state, bool) {
	w.i++
	w.closeField()
	w.gap(Glue, w.i)
	return atTop | in, false
}

// elements goes on after an element of a run.
func (w *walker) elements(in state) (state, bool) {
	switch w.space() {
	case ',':
		w.i++
		w.space()
		return w.element(in)
	case ']':
		return w.endRun(in)
	}
	return done, w.wrong()
}

// element reads an element of a run. It is a block, or the envelope of blocks.
func (w *walker) element(in state) (state, bool) {
	start, mark := w.i, len(w.holes)
	switch {
	case w.reuse(start, inRun|in):
		return inRun | in, true
	case w.peek() != '{':
		w.value(depth(in) + 1)
	default:
		w.i++
		if w.space() != '}' && w.members(depth(in)+2, true) {
			w.holes = w.holes[:mark]
			return w.part(inElem | in)
		}
		w.i++
	}
	if w.why == "" {
		w.block(start, w.holes[mark:], inRun|in)
	}
	return inRun | in, true
}

// parts goes on after a part.
func (w *walker) parts(st state) (state, bool) {
	switch w.space() {
	case ',':
		w.i++
		w.space()
		return w.part(st)
	case ']':
		w.i++
		return st + elemRest - inElem, false
	}
	return done, w.wrong()
}

// part reads a part, which is a block.
func (w *walker) part(st state) (state, bool) {
	start, mark := w.i, len(w.holes)
	deep := depth(st) + 2
	if st&^wrapped == inElem {
		deep++
	}
	switch {
	case w.reuse(start, st):
		return st, true
	case w.peek() != '{':
		w.value(deep)
	default:
		w.i++
		if w.space() != '}' {
			w.members(deep+1, false)
		}
		w.i++
	}
	if w.why == "" {
		w.block(start, w.holes[mark:], st)
	}
	return st, true
}

// rest goes on in an object after one of its arrays of parts.
func (w *walker) rest(st state) (state, bool) {
	in, isElem := st&wrapped, st&^wrapped == elemRest
	c := w.space()
	if c == ',' {
		deep, mark := depth(in)+1, len(w.holes)
		if isElem {
			deep++
		}
		w.i++
		w.space()
		found := w.members(deep, true)
		w.holes = w.holes[:mark]
		if found {
			return w.part(st + inElem - elemRest)
		}
		if w.why != "" {
			return done, false
		}
		c = '}'
	}
	switch {
	case c != '}':
		return done, w.wrong()
	case isElem:
		w.i++
		return inRun | in, false
	}
	return w.endRun(in)
}

// members reads the members of an object from the first name up to the closing
// brace, and notes the holes that it finds. With inner it stops at the first
// element of an array of parts.
func (w *walker) members(deep int, inner bool) (found bool) {
	kept, comma := false, 0
	for {
		key := w.i
		raw, ok := w.name()
		if !ok {
			return false
		}
		if inner && w.peek() == '[' && holdsParts(raw) && w.list() {
			return true
		}
		if !w.value(deep) {
			return false
		}
		end := w.i
		c := w.space()
		sep := w.i
		if c == ',' {
			w.i++
			w.space()
		} else if c != '}' {
			return w.wrong()
		}
		if string(raw) != "cache_control" {
			kept = true
		} else {
			w.hole(kept, comma, key, end, c == ',')
		}
		if c == '}' {
			return false
		}
		comma = sep
	}
}

// hole notes a member to be lifted, with the comma before it when a member that
// stays stands there, else with the one behind it.
func (w *walker) hole(kept bool, comma, key, end int, more bool) {
	switch {
	case kept:
		key = comma
	case more:
		end = w.i
	}
	w.holes = append(w.holes, Hole{key, end})
}

// holdsParts reports whether an array of that name inside of an element is cut
// by its elements.
func holdsParts(name []byte) bool {
	switch string(name) {
	case "content", "parts", "functionDeclarations", "function_declarations", "tools", "system", "messages", "contents", "input":
		return true
	}
	return false
}

// list reports whether the array at hand is cut by its elements, and goes to
// the first one. It is when that is an object, or a string of some length:
// lists of short words (stop sequences) are not worth it.
func (w *walker) list() bool {
	at := w.i
	w.i++
	switch c := w.space(); {
	case c == '{', c == '"' && w.longAhead():
		return true
	}
	w.i = at
	return false
}

// longAhead reports whether the string at hand has at least longString bytes.
func (w *walker) longAhead() bool {
	ahead := w.b[w.i+1:]
	for i := 0; i < len(ahead) && i < longString; i++ {
		switch ahead[i] {
		case '"':
			return false
		case '\\':
			i++
		}
	}
	return true // or it never ends
}

// gap adds what lies between the last piece and here, if anything.
func (w *walker) gap(k Kind, end int) {
	if w.mark == end {
		return
	}
	p := Piece{Start: w.mark, End: end, Kind: k, Run: -1}
	if k == Glue {
		p.Run = len(w.doc.Fields) - 1
	}
	w.add(p, -1)
}

// block adds a block that ends here, and the glue before it.
func (w *walker) block(start int, holes []Hole, end state) {
	w.gap(Glue, start)
	w.add(Piece{Start: start, End: w.i, Kind: Block, end: end, Run: len(w.doc.Fields) - 1, Holes: holes[:len(holes):len(holes)]}, -1)
}

// add appends a piece. From is the index of the piece in the base that it is
// known to be identical to, or -1.
func (w *walker) add(p Piece, from int) {
	w.mark = p.End
	p.Same = w.same(w.doc, &p, from)
	if len(w.doc.Pieces) >= maxPieces {
		w.over = true
		return
	}
	w.doc.Pieces = append(w.doc.Pieces, p)
}
