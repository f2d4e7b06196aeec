package text

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"slices"
	"sync"
	"unicode/utf8"
)

// token stands for a word: a keyed hash of it, cut to 42 bits and written so
// that FTS5 takes it as it is (bytes from 0x80 on are letters to its ascii
// tokenizer). Nobody without the key can tell whether a guess is right.
type token [6]byte

// keyer makes tokens, and hashes of whole texts.
type keyer struct {
	macs sync.Pool // of hash.Hash

	mu    sync.Mutex
	known map[string]token // of what came lately: most words of a text are few
	older map[string]token
}

// maxKnown bounds the tokens in known; when it is full it becomes older.
const maxKnown = 1 << 15

func newKeyer(secret []byte) *keyer {
	return &keyer{
		macs:  sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }},
		known: map[string]token{},
	}
}

// What a token is of; the first byte of what is hashed.
const (
	ofWord      = 'w'
	ofBeginning = 'b' // of a longer word
	ofPair      = 'p' // of two joined words
	ofSession   = 's'
	ofText      = 't'
)

// token gives the token of text, which begins with what it is of.
func (k *keyer) token(text []byte) token {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.get(text)
}

// get is token; k.mu is held.
func (k *keyer) get(text []byte) token {
	t, ok := k.known[string(text)]
	if ok {
		return t
	}
	if t, ok = k.older[string(text)]; !ok {
		n := k.sum(text)
		for i := range t {
			t[i] = 0x80 | byte(n>>(7*i))
		}
	}
	if len(k.known) >= maxKnown {
		k.known, k.older = make(map[string]token, maxKnown), k.known
	}
	k.known[string(text)] = t
	return t
}

func (k *keyer) sum(text []byte) uint64 {
	mac := k.macs.Get().(hash.Hash)
	defer k.macs.Put(mac)
	mac.Reset()
	mac.Write(text)
	var sum [sha256.Size]byte
	return binary.LittleEndian.Uint64(mac.Sum(sum[:0]))
}

func (k *keyer) session(key uint64) token {
	return k.token(binary.LittleEndian.AppendUint64([]byte{ofSession}, key))
}

// tokens gives what the text of a session is found by, and the hash by which it
// is known when it comes again: that of its words, so that it does not matter how they
// are set. ok is false for a text without words.
func (k *keyer) tokens(session uint64, text string) (list []token, sum int64, ok bool) {
	mac := k.macs.Get().(hash.Hash)
	defer k.macs.Put(mac)
	mac.Reset()
	mac.Write(binary.LittleEndian.AppendUint64([]byte{ofText}, session))
	seen := map[token]struct{}{}
	k.mu.Lock()
	defer k.mu.Unlock()
	add := func(b []byte) { seen[k.get(b)] = struct{}{} }
	var buf, before []byte
	Words(text, func(w Word) bool {
		mac.Write(w.Text)
		mac.Write([]byte{0})
		add(append(append(buf[:0], ofWord), w.Text...))
		if w.Joined {
			add(pair(buf[:0], before, w.Text))
		}
		for _, n := range beginnings {
			if b := beginning(w.Text, n); len(b) < len(w.Text) {
				add(append(append(buf[:0], ofBeginning), b...))
			}
		}
		before = append(before[:0], w.Text...)
		ok = true
		return true
	})
	add(binary.LittleEndian.AppendUint64([]byte{ofSession}, session))
	list = make([]token, 0, len(seen))
	for t := range seen {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b token) int { return slices.Compare(a[:], b[:]) })
	var out [sha256.Size]byte
	return list, int64(binary.LittleEndian.Uint64(mac.Sum(out[:0]))), ok
}

func pair(dst, a, b []byte) []byte {
	dst = append(append(dst, ofPair), a...)
	return append(append(dst, 0), b...)
}

// beginning gives the first n characters of a word.
func beginning(word []byte, n int) []byte {
	at := 0
	for ; n > 0 && at < len(word); n-- {
		_, size := utf8.DecodeRune(word[at:])
		at += size
	}
	return word[:at]
}

// query gives what every text with the term has: one token of each list.
func (k *keyer) query(t *Term) [][]token {
	var all [][]token
	for i := range t.words {
		w := &t.words[i]
		switch next := i + 1; {
		case t.prefix && next == len(t.words):
			all = append(all, k.begins(w.text))
		case w.joined:
			all = append(all, []token{k.token(pair(nil, t.words[i-1].text, w.text))})
		case next < len(t.words) && t.words[next].joined && !(t.prefix && next+1 == len(t.words)):
			// The pair that it begins tells more.
		default:
			all = append(all, []token{k.word(w.text)})
		}
	}
	return all
}

func (k *keyer) word(word []byte) token { return k.token(append([]byte{ofWord}, word...)) }

// begins gives the token of the longest beginning that is indexed, and that of
// the word itself when it is no longer than that.
func (k *keyer) begins(word []byte) []token {
	n := utf8.RuneCount(word)
	for _, b := range beginnings {
		if n < b {
			continue
		}
		list := []token{k.token(append([]byte{ofBeginning}, beginning(word, b)...))}
		if n == b {
			list = append(list, k.word(word))
		}
		return list
	}
	return []token{k.word(word)}
}
