package inspect

import "bytes"

// Crossing is a value that begins in one text and ends in a later one.
type Crossing struct {
	Rule  *Rule
	Parts []Part // in order, two at least unless only the context is in another text
	Value []byte // the whole value, decoded
	Known bool
}

// Part is the stretch of a value in one of the texts.
type Part struct {
	Index int // of the text's edge
	Span  Span
}

// Join finds the values that begin in one and end in a later one of a row of
// adjacent texts: halves in adjacent strings, or in adjacent stretches of one text,
// also with several short ones between. A nil Edge is an empty text. What a scan of
// one of them alone finds is left out.
func (e *Engine) Join(edges []*Edge, o Options) []Crossing {
	s := e.scanners.Get().(*scanner)
	defer s.release()
	values, whole := &s.values, &s.whole
	values.edges, whole.edges = edges, edges
	for i, edge := range edges {
		if edge == nil {
			continue
		}
		first, last := i == 0, i == len(edges)-1
		values.ends(i, &edge.values, first, last)
		if !o.JSON || leads(edges, i) || i > 0 && leads(edges, i-1) {
			whole.ends(i, &edge.whole, first, last)
		} else {
			whole.cut()
		}
	}
	values.cut()
	whole.cut()
	s.begin(nil, o)
	s.work += 4 * (len(values.text) + len(whole.text))
	all := values.search(s, joinConfidence)
	for _, c := range whole.search(s, 0) {
		if !known(all, c) {
			all = append(all, c)
		}
	}
	return all
}

// leads reports whether a text ends with a member's name, whose value begins
// the next one. Between all else that is JSON stand quotes and commas, which
// no value crosses.
func leads(edges []*Edge, i int) bool {
	if edges[i] == nil {
		return false
	}
	text := bytes.TrimRight(edges[i].whole.tail.text, " \t\r\n")
	if bytes.HasSuffix(text, []byte(":")) {
		return true
	}
	return i+1 < len(edges) && edges[i+1] != nil && bytes.HasPrefix(bytes.TrimLeft(edges[i+1].whole.head.text, " \t\r\n"), []byte(":"))
}

func known(list []Crossing, c Crossing) bool {
	for _, d := range list {
		if d.Rule == c.Rule && string(d.Value) == string(c.Value) && d.Parts[0] == c.Parts[0] {
			return true
		}
	}
	return false
}

// weave is the ends of a row of texts, one after the other, with a zero byte where
// they are not adjacent.
type weave struct {
	edges []*Edge
	text  []byte
	spans []woven
	start int // of what is adjacent to what comes next, in text
	first int // of that in spans
}

// cut ends what is adjacent. What stands in one text alone crosses nothing, and is
// left out.
func (w *weave) cut() {
	if len(w.spans)-w.first < 2 {
		w.text, w.spans = w.text[:w.start], w.spans[:w.first]
		return
	}
	w.text = append(w.text, 0)
	w.start, w.first = len(w.text), len(w.spans)
}

// emptied is a weave with the buffers of w, to be used again.
func (w *weave) emptied() weave {
	if cap(w.text) > maxScratch {
		return weave{}
	}
	clear(w.text)
	clear(w.spans)
	return weave{text: w.text[:0], spans: w.spans[:0]}
}

// woven is where one end stands in a weave.
type woven struct {
	at, index int
	end       *thread
}

// ends adds both ends of a text. The beginning of the first text, if it is a long
// one, joins nothing, nor does the end of the last.
func (w *weave) ends(index int, e *ends, first, last bool) {
	if e.short || !first {
		w.put(index, &e.head)
	}
	if e.short {
		return
	}
	w.cut()
	if !last {
		w.put(index, &e.tail)
	}
}

func (w *weave) put(index int, t *thread) {
	if len(t.text) > 0 {
		w.spans = append(w.spans, woven{len(w.text), index, t})
		w.text = append(w.text, t.text...)
	}
}

// search gives what crosses from one text to another.
func (w *weave) search(s *scanner, confidence int) []Crossing {
	if len(w.spans) < 2 {
		return nil
	}
	s.found = s.found[:0]
	clear(s.seen)
	s.least = confidence
	s.search(s.joints(w.text), seamLevel)
	var all []Crossing
	for _, c := range s.found {
		if !c.known && c.rule.Confidence < confidence {
			continue
		}
		parts := w.parts(c.start, c.end)
		if !w.crosses(c, parts, confidence > 0) {
			continue
		}
		all = append(all, Crossing{Rule: c.rule, Parts: parts, Value: append([]byte(nil), w.text[c.start:c.end]...), Known: c.known})
	}
	return all
}

// parts gives where text[start:end] stands in the texts.
func (w *weave) parts(start, end int) []Part {
	var list []Part
	for _, x := range w.spans {
		from, to := max(start, x.at), min(end, x.at+len(x.end.text))
		if from >= to {
			continue
		}
		for _, span := range x.end.spans(from-x.at, to-x.at) {
			list = append(list, Part{x.index, span})
		}
	}
	return merged(list)
}

// merged makes one part of adjacent ones.
func merged(list []Part) []Part {
	var out []Part
	for _, p := range list {
		if n := len(out); n > 0 && out[n-1].Index == p.Index && out[n-1].Span.End == p.Span.Start {
			out[n-1].Span.End = p.Span.End
			continue
		}
		out = append(out, p)
	}
	return out
}

// crosses reports whether a candidate needs more than one of the texts. In
// values that were put together the value itself must be cut, and its first part
// be no finding as sure by itself; in a text that was cut somewhere its context may
// stand before the cut.
func (w *weave) crosses(c candidate, parts []Part, strict bool) bool {
	first, last := parts[0], parts[len(parts)-1]
	if first.Index != last.Index {
		return !strict || !w.edges[first.Index].covers(first.Span, c.rule)
	}
	hull := w.parts(c.hull, c.start)
	return !strict && len(hull) > 0 && hull[0].Index != first.Index && !w.edges[first.Index].covers(first.Span, c.rule)
}
