// Package inspect finds what rules describe in the bytes of a body: secrets, and
// whatever other families of rules are given to it. An Engine is compiled from
// sets of rules and a library of detectors; a scan looks for the rules' anchors
// in the decoded text, confirms each with a pattern or a detector in a window
// around it, undoes encodings inside of the text, and looks again.
//
// It does no I/O, reads no clock and keeps nothing of what it scanned. It never
// judges what a finding means for a call, and never fails: what it did not read
// is said in the result.
package inspect

import (
	"fmt"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Rule is one thing to look for.
type Rule struct {
	ID         string        // name within its family: lower case letters, digits, "-"
	Title      string        // what it is, for people
	Severity   flow.Severity // how bad it is when it is true
	Confidence int           // percent of its matches that are expected to be true

	// Anchors are literals of at least 3 bytes. Every match must hold one of
	// them, or stand within Before and After of one.
	Anchors     []string
	CaseAnchors bool // anchors are matched with regard to ASCII case
	Words       bool // an anchor counts only as a whole word

	// Shapes, instead of Anchors and Pattern, are what tokens look like: # is a digit,
	// A a letter, ? a digit that may be there, and - . / and space stand for
	// themselves. The token is the value, or what a Detector is given. "#*" is any
	// token of at least six digits, "@" that sign, ":" a row of hex digits and
	// colons; these need a Detector, which must look at no more than 128 bytes on
	// each side.
	Shapes []string

	// Pattern is a regular expression (RE2) that is tried on the window around
	// an anchor. The value is the group "value", else group 1, else the whole
	// match. With neither Pattern nor Detector the anchor itself is the value.
	Pattern  string
	Before   int    // bytes of the window before the anchor; 0: 64; at most 4096
	After    int    // bytes of the window from the anchor's start; 0: 512; at most 4096
	Detector string // name in Library.Detectors, instead of Pattern

	// Checks must all hold for a value: "len>=20", "len<=64", "entropy>=3.2"
	// (bits for each byte), or names in Library.Checks, with an argument behind
	// ">=", "<=", "=" or ":".
	Checks []string

	Source string // where its form is written down: a law, a standard, an address

	Examples []string // texts in which the rule must find something
	Misses   []string // texts in which it must find nothing

	family string
	place  place
}

// Name is the rule's family and id, as findings and policies name it:
// "secret.github-token".
func (r *Rule) Name() string {
	if r.family == "" {
		return r.ID
	}
	return r.family + "." + r.ID
}

// Family is the first part of the rule's name.
func (r *Rule) Family() string { return r.family }

// File is the file that the rule was read from; empty for one made in Go.
func (r *Rule) File() string { return r.place.file }

// errorf is an error about the rule, where it stands.
func (r *Rule) errorf(format string, args ...any) error {
	return r.place.errorf("rule %q: %w", r.Name(), fmt.Errorf(format, args...))
}

// place is where something stands in a rules file; line 0 is nowhere.
type place struct {
	file         string
	line, column int
}

func (p place) String() string {
	switch {
	case p.file == "" && p.line == 0:
		return "rules"
	case p.line == 0:
		return p.file
	}
	return fmt.Sprintf("%s:%d:%d", p.file, p.line, p.column)
}

// errorf is an error at the place.
func (p place) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %w", p, fmt.Errorf(format, args...))
}

// Set is the rules of one family.
type Set struct {
	Family     string // first part of its rules' names
	Version    string // changes with the family's rules, detectors and checks
	Rules      []Rule
	Registered []Registered // secret values that are known by their keyed hash only
	File       string       // name for errors
	Key        string       // KeyID of the key of the registered values' hashes; empty: not said

	keyPlace place
}

// Detector finds what a pattern can't. The text is decoded, the anchor stands
// at text[at:end]. It reports spans of values in text; it must look at no more
// than 8 KiB on each side of the anchor.
type Detector func(text []byte, at, end int, report func(start, end int))

// Check judges the candidate text[start:end] with what stands around it. The
// arg is what follows the check's name in the rule.
type Check func(text []byte, start, end int, arg string) bool

// Library is the Go part of families of rules.
type Library struct {
	Detectors map[string]Detector
	Checks    map[string]Check
	Key       []byte // of the hashes of registered values; needed only when a set has some
}

// Options say what a scan is given.
type Options struct {
	Media bool   // b is a part that holds a picture or another file
	JSON  bool   // b is JSON text, or a stretch of it that begins outside of a string: escapes are undone for scanning
	Known *Known // exact values to look for, too; may be nil
}

// ValueKind says how a value stands in the scanned bytes, and so how it can be
// replaced.
type ValueKind uint8

// The kinds of a value's place.
const (
	Raw      ValueKind = iota // not JSON, or a span that crosses JSON structure
	InString                  // within one JSON string
	InNumber                  // a bare JSON number, the whole of it
)

func (k ValueKind) String() string {
	switch k {
	case InString:
		return "string"
	case InNumber:
		return "number"
	}
	return "raw"
}

// Span is a range of the scanned bytes; End is exclusive.
type Span struct{ Start, End int }

// Match is a value that a rule found. Matches share no memory with the scanned
// bytes.
type Match struct {
	Rule       *Rule     // for a Known value: the rule that found it first
	Start, End int       // the value as it stands in the scanned bytes: escapes included, quotes not. Of an encoded value: the whole run
	Value      []byte    // the span's text with JSON escapes undone. What a vault keeps
	Secret     []byte    // the value with all encodings undone; equal to Value unless Via is set, or what overlaps the value had to go, too
	Kind       ValueKind // how the span stands in the bytes
	Via        []string  // encodings that were undone, the outermost first: base32, base64, hex, url, json, html, ansi, unicode, utf-16, gzip, zlib, zstd
	Known      bool      // an exact value of Options.Known
}

// Region is a stretch that was recognised as encoded content and not read.
type Region struct {
	Start, End int    // in the scanned bytes
	Why        string // what it is: "base64: png image", "base64: unknown binary"
}

// Result is what a scan found. It holds for the bytes, the engine's version and
// the options; it is not changed after it is made.
type Result struct {
	Matches []Match     // by Start, without overlaps; at most 1,000
	Inner   []EdgeMatch // values that are cut in pieces by the structure between the strings of one JSON text
	Scanned int         // bytes that were read to the end
	Unread  []Region    // by Start
	Cut     string      // the bounds that were reached, so that something was not looked at; "" when none was
	Edge    Edge        // for Join
}

// EdgeMatch is a value whose beginning and end stand in different places.
type EdgeMatch struct {
	Rule    *Rule
	Left    Span   // in the left one's bytes
	Between []Span // whole strings between the two; of Result.Inner only
	Right   Span   // in the right one's bytes
	Value   []byte // the whole value, decoded
	Known   bool
}
