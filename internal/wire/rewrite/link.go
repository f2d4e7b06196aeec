package rewrite

import (
	"bytes"

	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// link follows the last word of a prose, as it is written in JSON, to tell
// whether it is an address that a reader's program may fetch by itself, or that a
// click sends away: a value that is put in there leaves.
type link struct {
	word []byte // up to longestWord
	sure bool   // it is one, whatever follows

	before []byte // the last of the text, up to longestOpening, without escapes
	until  byte   // what ends the address that the text stands in, whatever space is in it; 0: it stands in none
}

// longestOpening is how much of a text is kept to tell what opens an address.
const longestOpening = 32

// longestWord is how much of a word is kept, in bytes.
const longestWord = 512

// add takes what follows.
func (k *link) add(text []byte) {
	k.quoted(unescaped(text))
	if i := lastWord(text); i >= 0 {
		k.word, k.sure = k.word[:0], false
		text = text[i:]
	}
	if k.sure {
		return
	}
	if k.word = append(k.word, text...); len(k.word) > longestWord {
		k.sure = addressed(k.word)
		k.word = append(k.word[:0:0], k.word[len(k.word)-longestWord/4:]...)
	}
}

// leaves reports whether what comes next is a part of an address.
func (k *link) leaves() bool { return k.until != 0 || k.sure || addressed(k.word) }

// quoted follows the addresses that stand between two characters.
func (k *link) quoted(text []byte) {
	at := len(k.before)
	text = append(k.before, text...)
	for at < len(text) {
		if k.until != 0 {
			end := bytes.IndexByte(text[at:], k.until)
			if end < 0 {
				break
			}
			k.until, at = 0, at+end+1
			continue
		}
		open := bytes.IndexAny(text[at:], "<\"'")
		if open < 0 {
			break
		}
		at += open + 1
		k.until = closing(text[:at-1], text[at-1])
	}
	k.before = append([]byte(nil), text[max(0, len(text)-longestOpening):]...)
}

// closing gives what ends the address that a character opens behind a text: the target
// of a link or image in Markdown, the value of an attribute in HTML, an address in CSS;
// 0 when it opens none.
func closing(before []byte, c byte) byte {
	before = bytes.TrimRight(before, " \t\r\n")
	if c == '<' {
		if bytes.HasSuffix(before, []byte("](")) || bytes.HasSuffix(before, []byte("]:")) {
			return '>'
		}
		return 0
	}
	before = bytes.ToLower(before)
	if bytes.HasSuffix(before, []byte("url(")) {
		return c
	}
	name, ok := bytes.CutSuffix(before, []byte("="))
	name = bytes.TrimRight(name, " \t\r\n")
	for _, known := range [...]string{"src", "href", "srcset", "poster", "background", "ping"} {
		if ok && bytes.HasSuffix(name, []byte(known)) {
			return c
		}
	}
	return 0
}

// unescaped reads text that is written in JSON.
func unescaped(text []byte) []byte {
	at := bytes.IndexByte(text, '\\')
	if at < 0 {
		return text
	}
	said := append([]byte(nil), text[:at]...)
	for at < len(text) {
		var width int
		said, width = peek.Step(said, text[at:])
		at += width
	}
	return said
}

// lastWord gives where the last word begins that begins in text, or -1.
func lastWord(text []byte) int {
	i := bytes.LastIndexByte(text, ' ') + 1
	for j := len(text) - 2; j >= i; j-- {
		if text[j] == '\\' && (text[j+1] == 'n' || text[j+1] == 't' || text[j+1] == 'r') && !escaped(text, j) {
			return j + 2
		}
	}
	if i == 0 {
		return -1
	}
	return i
}

// escaped reports whether the character at i belongs to an escape before it.
func escaped(text []byte, i int) bool {
	n := 0
	for n < i && text[i-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// addressed reports whether a word holds the begin of a web address, of one
// without a scheme, of a mail, or of the target of a Markdown link or image. The addresses
// of databases and the like don't count: no program follows them in a text.
func addressed(word []byte) bool {
	if bytes.Contains(word, []byte("](")) || bytes.Contains(word, []byte("]:")) {
		return true
	}
	if bytes.IndexByte(word, '\\') >= 0 {
		word = bytes.ReplaceAll(word, []byte(`\/`), []byte("/"))
	}
	if begins(word, "www.") || begins(word, "mailto:") {
		return true
	}
	for {
		i := bytes.Index(word, []byte("//"))
		if i < 0 {
			return false
		}
		if i == 0 || word[i-1] != ':' || fetched(word[:i-1]) {
			return true
		}
		word = word[i+2:]
	}
}

// begins reports whether the begin of an address stands in a word, with nothing before
// it that makes it another name.
func begins(word []byte, with string) bool {
	word = bytes.ToLower(word)
	for at := 0; ; {
		i := bytes.Index(word[at:], []byte(with))
		if i < 0 {
			return false
		}
		if at += i; at == 0 || !scalar(word[at-1]) {
			return true
		}
		at++
	}
}

// fetched reports whether before ends with a scheme that browsers fetch.
func fetched(before []byte) bool {
	for _, scheme := range []string{"http", "https", "ws", "wss", "ftp", "file"} {
		if n := len(before) - len(scheme); n >= 0 && bytes.EqualFold(before[n:], []byte(scheme)) && (n == 0 || !scalar(before[n-1])) {
			return true
		}
	}
	return false
}
