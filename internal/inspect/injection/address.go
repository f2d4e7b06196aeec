package injection

import (
	"bytes"
	"regexp"
	"slices"
)

// Around a name that a text calls: what may stand before it, to its beginning.
const (
	addressing = 48 // bytes that are looked at
	openers    = "\n.!?(/*#>@\"-\x00"
)

// qualified is a kind of program before what it is: "AI code" of AI code reviewers.
var qualified = regexp.MustCompile(`(?i)\b(?:large|ai|llm|coding|automated|autonomous|browsing|email) (?:[a-z]{2,10} )?$`)

// callers is what leads to a name when somebody is called by it.
var callers = regexp.MustCompile(`(?i)\b(?:to|for|note|dear|hey) (?:the |all |any )?$`)

// people have the same names as programs, unless it is said which they are.
var people = []string{"reviewer", "crawler", "bot"}

// isCalled is the check that a name at text[start:] begins a sentence, or is called as
// in "note to": others only speak of whom they name.
func isCalled(text []byte, start, _ int, _ string) bool {
	before := text[max(0, start-addressing):start]
	if at := qualified.FindIndex(before); at != nil {
		before = before[:at[0]]
	} else if slices.ContainsFunc(people, func(name string) bool {
		return len(text)-start >= len(name) && bytes.EqualFold(text[start:start+len(name)], []byte(name))
	}) {
		return false
	}
	if callers.Match(before) {
		return true
	}
	before = bytes.TrimRight(before, " \t")
	return len(before) == 0 || bytes.IndexByte([]byte(openers), before[len(before)-1]) >= 0
}
