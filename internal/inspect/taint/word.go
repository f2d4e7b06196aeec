package taint

import (
	"bytes"
	"hash/maphash"
	"strings"
	"unicode/utf8"
)

// Kind says what a word is.
type Kind uint8

// The kinds of a word.
const (
	Value   Kind = iota // a token, a number, a name that no prose has
	Host                // of an address or by itself
	Address             // with its scheme: https://…, ssh://…
	Number              // in groups
)

// Word is a word that can be told from prose.
type Word struct {
	Kind       Kind
	Start, End int // in the text
	Text       []byte
}

func (w Word) hash() uint64 {
	switch w.Kind {
	case Host:
		return maphash.Bytes(seed, sameHost(w.Text))
	case Number:
		return maphash.Bytes(seed, joined(w.Text))
	}
	return maphash.Bytes(seed, w.Text)
}

// maxRun is the length from which a row of characters is encoded content: its
// first bytes stand for it.
const maxRun = 4096

// stops are the bytes that end a row of characters; of the rest only some stand
// between words.
var stops, between [256]bool

func init() {
	for c := 0; c <= ' '; c++ {
		stops[c] = true
	}
	for c := 0x7f; c < 256; c++ {
		stops[c] = true
	}
	for _, c := range "\"'`<>(){}[]\\,;|^*!$" {
		stops[c] = true
	}
	for _, c := range "/?&=#@:%+~" {
		between[c] = true
	}
}

// each calls f for the words of a text. Of JSON an escape ends a word, so that
// text and raw string have the same ones.
func each(text []byte, json bool, f func(Word)) {
	named := 0 // up to where hosts in other letters were looked for
	for i := 0; i < len(text); {
		if stops[text[i]] {
			switch {
			case text[i] == '\\' && json:
				i += escape(text[i:])
			case text[i] >= utf8.RuneSelf && i >= named:
				named = wide(text, i, f)
				i++
			default:
				i++
			}
			continue
		}
		start := i
		for i < len(text) && !stops[text[i]] {
			i++
		}
		if c := text[start]; isDigit(c) || c == '+' || isUpper(c) {
			groups(text, start, f)
		}
		run(text, start, i, f)
	}
}

// escape is the length of the JSON escape that a text begins with.
func escape(text []byte) int {
	if len(text) > 1 && text[1] == 'u' {
		return min(6, len(text))
	}
	return min(2, len(text))
}

// shortest is the length of the shortest word.
const shortest = 6

// run takes a row of characters apart: an address as a whole, its host, and all
// words in it.
func run(text []byte, start, end int, f func(Word)) {
	end = min(end, start+maxRun)
	for end > start && strings.IndexByte(".:?", text[end-1]) >= 0 { // of the sentence
		end--
	}
	if end-start < shortest {
		return
	}
	whole := text[start:end]
	if at := bytes.Index(whole, []byte("://")); at > 0 {
		for at > 0 && isLetter(whole[at-1]) {
			at--
		}
		f(Word{Address, start + at, end, whole[at:]})
	}
	for i := start; i < end; {
		for i < end && between[text[i]] {
			i++
		}
		from := i
		for i < end && !between[text[i]] {
			i++
		}
		if w := (Word{Start: from, End: i, Text: text[from:i]}); w.told() {
			f(w)
		}
	}
}

// told reports whether a word can be told from prose, and says what it is.
func (w *Word) told() bool {
	if len(w.Text) < shortest {
		return false
	}
	var digits, letters, joints, turns int
	for i, c := range w.Text {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case isLetter(c):
			letters++
			if i > 0 && c <= 'Z' && w.Text[i-1] >= 'a' && w.Text[i-1] <= 'z' {
				turns++
			}
		default:
			joints++
		}
	}
	if isHost(w.Text) {
		w.Kind = Host
		return true
	}
	switch n := len(w.Text); {
	case digits == n:
		return n >= 8
	case digits > 0 && letters > 0:
		return n >= 8
	case joints > 0 || turns > 0:
		return n >= 12
	default:
		return n >= 20
	}
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// isHost reports whether a word has the form of a host's name: two labels at
// least, the last one of letters, also in Punycode, as no file's.
func isHost(w []byte) bool {
	dot := bytes.LastIndexByte(w, '.')
	if dot <= 0 || len(w)-dot < 3 || len(w) > 253 {
		return false
	}
	if last := w[dot+1:]; !bytes.HasPrefix(last, []byte("xn--")) && bytes.ContainsFunc(last, func(c rune) bool { return c >= utf8.RuneSelf || !isLetter(byte(c)) }) {
		return false
	}
	if files[strings.ToLower(string(w[dot+1:]))] {
		return false
	}
	for _, c := range w[:dot] {
		if !isLetter(c) && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// files are endings of file names that no top-level domain has, or that are far
// more often a file's.
var files = map[string]bool{
	"go": true, "js": true, "ts": true, "jsx": true, "tsx": true, "json": true, "yaml": true, "yml": true, "toml": true, "txt": true, "html": true, "htm": true,
	"css": true, "py": true, "rb": true, "rs": true, "java": true, "cpp": true, "hpp": true, "md": true, "sh": true, "lock": true, "log": true, "xml": true,
	"png": true, "jpg": true, "svg": true, "gif": true, "pdf": true, "csv": true, "sql": true, "zip": true, "tar": true, "gz": true, "mod": true, "sum": true,
}
