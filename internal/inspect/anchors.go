package inspect

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
	"sync"
)

// anchor is one literal of the anchor scan.
type anchor struct {
	text   string
	exact  bool    // with regard to ASCII case
	words  bool    // only with no letter or digit beside it
	gram   int     // offset of the 4 bytes by which it is found
	owners []int32 // what it belongs to
}

// anchors finds literals in a text. Two tables say where one may stand, a
// comparison says whether it does. All are folded: with bit 0x20 set, letters lose
// their case.
type anchors struct {
	tables tables
	shift  uint     // of a gram's hash to a bucket
	heads  []uint32 // per bucket: where its list begins in refs
	refs   []uint32 // indexes into list
	list   []anchor
}

// tables have a bit for the hash of 3 bytes of each anchor, and for that of 4. Each
// place of a text is looked up in the first: it is small, since a scan of a few KB
// finds nothing of it in the processor's caches. About one place in 20 goes on to
// the second.
type tables struct {
	triples [1 << tripleBits / 64]uint64
	grams   [1 << gramBits / 64]uint64
}

const (
	tripleBits = 16
	gramBits   = 18

	foldGram  = 0x20202020
	foldWord  = foldGram<<32 | foldGram
	tripleMix = 0x9E3779B1 << 8 & 0xffffffff // without the highest byte of 4
	gramMix   = 0x85EBCA77
)

// triple is 1 in its lowest bit when the lower 3 bytes may begin a gram.
func (t *tables) triple(bytes uint32) uint64 {
	h := bytes * tripleMix >> (32 - tripleBits)
	return t.triples[h>>6] >> (h & 63)
}

func (t *tables) gram(bytes uint32) uint64 {
	h := bytes * gramMix >> (32 - gramBits)
	return t.grams[h>>6] >> (h & 63)
}

func (t *tables) set(gram uint32) {
	h := gram * tripleMix >> (32 - tripleBits)
	t.triples[h>>6] |= 1 << (h & 63)
	h = gram * gramMix >> (32 - gramBits)
	t.grams[h>>6] |= 1 << (h & 63)
}

// commonest are bytes from the most frequent in text and code on: a gram of
// rare ones makes fewer false starts.
const commonest = " etaonirsldcumpfghb\n\".,_-y/:vwk'()=0;1x2{}[]j35z4q6789"

func rarity(c byte) int {
	if i := strings.IndexByte(commonest, c|0x20); i >= 0 && c != '\n' {
		return i
	}
	return len(commonest)
}

func newAnchors(list []anchor) *anchors {
	a := &anchors{list: unique(list)}
	size := min(bits.Len(uint(len(a.list)))+2, 20)
	a.shift = uint(32 - size)
	buckets := make(map[uint32][]uint32)
	taken := make(map[uint32]bool)
	for _, i := range a.shortest() {
		for _, gram := range a.grams(&a.list[i], taken, buckets) {
			taken[gram&triple] = true
			a.tables.set(gram)
			h := gram * gramMix >> a.shift
			buckets[h] = append(buckets[h], uint32(i))
		}
	}
	a.heads = make([]uint32, 1<<size+1)
	for h := range uint32(1 << size) {
		a.refs = append(a.refs, buckets[h]...)
		a.heads[h+1] = uint32(len(a.refs))
	}
	return a
}

// shortest gives the indexes of the anchors, those of the shortest first: they have
// the least choice.
func (a *anchors) shortest() []int {
	order := make([]int, len(a.list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(len(a.list[i].text), len(a.list[j].text)) })
	return order
}

// unique makes one anchor of those that stand in the same places.
func unique(list []anchor) []anchor {
	type key struct {
		text         string
		exact, words bool
	}
	var out []anchor
	index := make(map[key]int)
	for _, n := range list {
		k := key{n.text, n.exact, n.words}
		if !n.exact {
			k.text = folded(n.text)
		}
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, n)
			continue
		}
		out[i].owners = append(out[i].owners, n.owners...)
	}
	return out
}

func folded(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}

const (
	triple = 0xffffff // of the bytes of a gram
	crowd  = 16       // anchors that share a gram, from which on another one is better
)

// frequentText is the 2,048 most frequent triples of bytes in documentation in
// English and in source code in Go, JavaScript and Python, folded, the first the
// most frequent: what stands in most texts is no sign of an anchor.
//
//go:embed grams.txt
var frequentText []byte

// frequent gives the place of a triple from the end of that list, 1 for the last;
// 0 for one that is not in it.
var frequent = sync.OnceValue(func() map[uint32]int {
	lines := bytes.Split(bytes.TrimSuffix(frequentText, []byte("\n")), []byte("\n"))
	all := make(map[uint32]int, len(lines))
	for i, line := range lines {
		all[uint32(line[0])|uint32(line[1])<<8|uint32(line[2])<<16] = len(lines) - i
	}
	return all
})

// grams picks the 4 bytes by which an anchor is found. Their first 3 are seldom in
// texts, or if they can be, some that others are found by: each that is looked for
// makes false starts. But where one of thousands of values stands, not all the others
// may have to be compared. Of an anchor of 3 bytes there are as many grams as a fourth
// byte can make.
func (a *anchors) grams(n *anchor, taken map[uint32]bool, buckets map[uint32][]uint32) []uint32 {
	if len(n.text) == 3 {
		list := make([]uint32, 0, 128)
		for c := range uint32(256) {
			if c&0x20 != 0 {
				list = append(list, (uint32(n.text[0])|uint32(n.text[1])<<8|uint32(n.text[2])<<16|c<<24)|foldGram)
			}
		}
		return list
	}
	best, score := uint32(0), -1<<30
	for at := 0; at+4 <= len(n.text) && at < 64; at++ {
		gram := binary.LittleEndian.Uint32([]byte(n.text[at:at+4])) | foldGram
		s := 0
		if common := frequent()[gram&triple]; common > 0 {
			s = -1000 - common
		}
		if !taken[gram&triple] {
			s -= 300
			for _, c := range []byte(n.text[at : at+3]) {
				s += rarity(c)
			}
		}
		if s -= max(0, len(buckets[gram*gramMix>>a.shift])-crowd); s > score {
			best, score, n.gram = gram, s, at
		}
	}
	return []uint32{best}
}

// grep finds the grams in text that are in both tables, until hit returns false.
func (t *tables) grep(text []byte, hit func(gram uint32, at int) bool) {
	i := 0
	for ; i+8 <= len(text); i += 5 {
		x := binary.LittleEndian.Uint64(text[i:]) | foldWord
		b0, b1, b2 := t.triple(uint32(x)), t.triple(uint32(x>>8)), t.triple(uint32(x>>16))
		b3, b4 := t.triple(uint32(x>>24)), t.triple(uint32(x>>32))
		if (b0|b1|b2|b3|b4)&1 == 0 {
			continue
		}
		for which := b0&1 | b1&1<<1 | b2&1<<2 | b3&1<<3 | b4&1<<4; which != 0; which &= which - 1 {
			j := bits.TrailingZeros64(which)
			if gram := uint32(x >> (8 * j)); t.gram(gram)&1 != 0 && !hit(gram, i+j) {
				return
			}
		}
	}
	var tail [16]byte
	n := copy(tail[:], text[i:])
	for j := range n {
		gram := binary.LittleEndian.Uint32(tail[j:]) | foldGram
		if t.triple(gram)&t.gram(gram)&1 != 0 && !hit(gram, i+j) {
			return
		}
	}
}

// verify calls found for every anchor that stands where its gram does.
func (a *anchors) verify(text []byte, gram uint32, at int, found func(n *anchor, at int) bool) bool {
	h := gram * gramMix >> a.shift
	for _, i := range a.refs[a.heads[h]:a.heads[h+1]] {
		n := &a.list[i]
		start := at - n.gram
		if start < 0 || start+len(n.text) > len(text) || !n.stands(text, start) {
			continue
		}
		if !found(n, start) {
			return false
		}
	}
	return true
}

// union makes t the tables of two sets of anchors.
func (t *tables) union(a, b *anchors) {
	for i := range t.triples {
		t.triples[i] = a.tables.triples[i] | b.tables.triples[i]
	}
	for i := range t.grams {
		t.grams[i] = a.tables.grams[i] | b.tables.grams[i]
	}
}

func (n *anchor) stands(text []byte, start int) bool {
	end := start + len(n.text)
	for i, c := range text[start:end] {
		if d := n.text[i]; c != d && (n.exact || lower(c) != lower(d)) {
			return false
		}
	}
	return !n.words || !(start > 0 && wordy(text[start-1]) && wordy(text[start])) &&
		!(end < len(text) && wordy(text[end]) && wordy(text[end-1]))
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// wordy tells the bytes of words; all of UTF-8 beyond ASCII counts.
func wordy(c byte) bool {
	return c >= '0' && c <= '9' || lower(c) >= 'a' && lower(c) <= 'z' || c == '_' || c >= 0x80
}
