package rewrite

import "bytes"

// link follows the last word of a prose, as it is written in JSON, to tell
// whether it is an address that a reader's program may fetch by itself, or that a
// click sends away: a value that is put in there leaves.
type link struct {
	word []byte // up to longestWord
	sure bool   // it is one, whatever follows
}

// longestWord is how much of a word is kept, in bytes.
const longestWord = 512

// add takes what follows.
func (k *link) add(text []byte) {
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
func (k *link) leaves() bool { return k.sure || addressed(k.word) }

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
// without a scheme, or of the target of a Markdown link or image. The addresses
// of databases and the like don't count: no program follows them in a text.
func addressed(word []byte) bool {
	if bytes.Contains(word, []byte("](")) || bytes.Contains(word, []byte("]:")) {
		return true
	}
	if bytes.IndexByte(word, '\\') >= 0 {
		word = bytes.ReplaceAll(word, []byte(`\/`), []byte("/"))
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

// fetched reports whether before ends with a scheme that browsers fetch.
func fetched(before []byte) bool {
	for _, scheme := range []string{"http", "https", "ws", "wss", "ftp", "file"} {
		if n := len(before) - len(scheme); n >= 0 && bytes.EqualFold(before[n:], []byte(scheme)) && (n == 0 || !scalar(before[n-1])) {
			return true
		}
	}
	return false
}
