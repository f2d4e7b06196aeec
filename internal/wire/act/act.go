// Package act finds what a request makes the provider do, or recall, by itself:
// the tools that the provider runs, addresses that it fetches, things that it
// keeps or takes from what it keeps, and tools that we don't know. It knows the
// words of all providers in one table, because they serve each other's APIs. It
// judges nothing and never looks into what a client's own tools are called with.
//
// Sources: platform.claude.com/docs (tool reference, MCP connector, files),
// the OpenAI API reference (responses, chat, batch), ai.google.dev/api
// (generateContent, caching, live, batch), and what the agents were seen to send.
package act

import (
	"bytes"
	"cmp"
	"iter"
	"slices"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/peek"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// The kinds of an act.
const (
	Fetch   = "fetch"   // takes something from an address
	Search  = "search"  // asks an index of the world
	Execute = "execute" // runs code, or another model
	Connect = "connect" // talks to a server that the request names
	Recall  = "recall"  // takes something that was stored with the provider
	Store   = "store"   // keeps request and answer with the provider
	Unknown = "unknown" // a tool, or a part with an address, that we don't know
)

// Bounds: a body can name a million addresses. Beyond most, an act counts only
// when it is the first of its kind and name, and of each kind there are no more
// than moreNames. That something else was left out is an act of its own.
const (
	most      = 1000
	moreNames = 50
	leftOut   = "more than are listed"
	deepest   = 8 // nesting of content in content
	tooDeep   = "nested deeper than is read"
)

// Find gives the acts of a request in the order of their places. For an API
// that is not read it looks for the members that conversations have, also in
// the requests of a batch. Acts of a base that the body was cut against, if
// there is one, are taken over for all that is the same in both.
func Find(api flow.API, doc, base *split.Doc, known []flow.Act) []flow.Act {
	if doc == nil || !doc.JSON {
		return nil
	}
	f := finder{body: doc.Body, opaque: api == flow.Opaque, base: base, known: known}
	for i := range doc.Fields {
		f.field(doc, i)
	}
	if api == flow.Responses || api == flow.ResponsesSocket {
		f.unsaid(doc)
	}
	slices.SortStableFunc(f.acts, func(a, b flow.Act) int { return cmp.Compare(a.Start, b.Start) })
	return f.acts
}

// In gives the acts of requests that stand in a body as values: the lines of a
// batch, a part of an upload. Requests are their spans; places are offsets in
// the body.
func In(body []byte, requests iter.Seq2[int, int]) []flow.Act {
	f := finder{body: body, opaque: true}
	for start, end := range requests {
		each(bytes.TrimLeft(body[start:end], " \t\r\n"), func(raw []byte) { f.members(raw, 0) })
	}
	return f.acts
}

type finder struct {
	body   []byte
	opaque bool
	base   *split.Doc
	known  []flow.Act // of the base
	acts   []flow.Act
	seen   map[[2]string]bool // kinds and names, once there are most
	more   map[string]int     // how many there are beyond most, of each kind
}

func (f *finder) field(doc *split.Doc, i int) {
	fd := &doc.Fields[i]
	if wraps(doc, i) {
		return
	}
	read := f.list(fd.Name)
	if read == nil {
		f.member(fd.Name, doc.Body[fd.Start:fd.End], 0)
		return
	}
	doc.Elements(i, f.base, func(start, end, was int) {
		if was >= 0 {
			f.carry(was, start, end)
			return
		}
		read(doc.Body[start:end], 0)
	})
}

// wraps reports whether the members of a field are fields themselves.
func wraps(doc *split.Doc, i int) bool {
	return i+1 < len(doc.Fields) && doc.Fields[i+1].In == i
}

// carry takes over the acts of an element that began at was in the base.
func (f *finder) carry(was, start, end int) {
	by := int64(start - was)
	i, _ := slices.BinarySearchFunc(f.known, int64(was), func(a flow.Act, at int64) int { return cmp.Compare(a.Start, at) })
	for ; i < len(f.known) && f.known[i].Start < int64(end)-by; i++ {
		a := f.known[i]
		a.Start, a.End = a.Start+by, a.End+by
		f.keep(a)
	}
}

// list gives the reader for the elements of a member that is a list of tools
// or of content; nil for any other member.
func (f *finder) list(name string) func(raw []byte, depth int) {
	switch name {
	case "tools", "functions":
		return f.tool
	case "messages", "input", "contents", "system", "instructions", "systemInstruction", "system_instruction":
		return f.content
	case "mcp_servers":
		return func(raw []byte, _ int) { f.value(Connect, "mcp_servers", raw) }
	}
	return nil
}

// members reads an object as a request.
func (f *finder) members(raw []byte, depth int) {
	for w := peek.Members(raw); w.Next(); {
		name := string(w.Name)
		if read := f.list(name); read != nil {
			each(w.Value, func(raw []byte) { read(raw, depth) })
			continue
		}
		f.member(name, w.Value, depth)
	}
}

// each visits the elements of an array, or the value that is none.
func each(raw []byte, visit func([]byte)) {
	if !peek.IsArray(raw) {
		visit(raw)
		return
	}
	for w := peek.Elements(raw); w.Next(); {
		visit(w.Value)
	}
}

// reads reports whether a value is an object that is read. One that lies too
// deep is not, and is an act that we don't know.
func (f *finder) reads(raw []byte, depth int) bool {
	if !peek.IsObject(raw) {
		return false
	}
	if depth > deepest {
		f.add(Unknown, tooDeep, raw)
		return false
	}
	return true
}

// value adds an act for a value, unless it is null, false or empty.
func (f *finder) value(kind, name string, raw []byte) {
	switch string(raw[:min(len(raw), 6)]) {
	case "", "null", "false", `""`, "[]", "{}":
		return
	}
	f.add(kind, name, raw)
}

// add adds an act that stands where raw, a slice of the body, does: what is left
// of the capacity says how far that is from the end.
func (f *finder) add(kind, name string, raw []byte) {
	start := int64(cap(f.body) - cap(raw))
	f.keep(flow.Act{Kind: kind, Name: name, Start: start, End: start + int64(len(raw))})
}

func (f *finder) keep(a flow.Act) {
	if len(f.acts) < most {
		f.acts = append(f.acts, a)
		return
	}
	f.beyond(a)
}

// beyond keeps an act that is the first of its kind and name.
func (f *finder) beyond(a flow.Act) {
	if f.seen == nil {
		f.seen, f.more = map[[2]string]bool{}, map[string]int{}
		for _, b := range f.acts {
			f.seen[[2]string{b.Kind, b.Name}] = true
		}
	}
	if f.seen[[2]string{a.Kind, a.Name}] {
		return
	}
	if f.more[a.Kind] >= moreNames {
		a.Kind, a.Name = Unknown, leftOut
		if f.seen[[2]string{a.Kind, a.Name}] {
			return
		}
	}
	f.more[a.Kind]++
	f.seen[[2]string{a.Kind, a.Name}] = true
	f.acts = append(f.acts, a)
}
