package inspect

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// anchor is one literal of the anchor scan.
type anchor struct {
	text   string
	exact  bool    // with regard to ASCII case
	words  bool    // only with no letter or digit beside it
	gram   int     // offset of the 4 bytes by which it is found
	owners []int32 // what it belongs to
}

// anchors finds literals in a text: a bitmap of hashed 4-byte grams says where
// one may stand, a second one with another hash sifts what the first lets
// through, a comparison says whether it does. Grams are folded: with bit 0x20 set,
// letters lose their case.
type anchors struct {
	bitmap []uint64
	second []uint64
	shift  uint     // of a gram's hash to a bit number
	heads  []uint32 // per bit number of the first: where its list begins in refs
	refs   []uint32 // indexes into list
	list   []anchor
}

const (
	foldGram  = 0x20202020
	foldWord  = foldGram<<32 | foldGram
	gramMix   = 0x9E3779B1
	secondMix = 0x85EBCA77
)

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
	size := bits.Len(uint(len(a.list) * 64)) // at most one bit in 64 set, so few false starts
	size = min(max(size, 16), 20)
	a.shift = uint(32 - size)
	a.bitmap, a.second = make([]uint64, 1<<size/64), make([]uint64, 1<<size/64)
	buckets := make(map[uint32][]uint32)
	load := make(map[uint32]int)
	for i := range a.list {
		for _, gram := range a.grams(&a.list[i], load) {
			load[gram]++
			h := gram * gramMix >> a.shift
			set(a.bitmap, h)
			set(a.second, gram*secondMix>>a.shift)
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

func set(bitmap []uint64, h uint32) { bitmap[h>>6] |= 1 << (h & 63) }

// grams picks the 4 bytes by which an anchor is found: where few others are
// found by the same, and rare bytes. Of an anchor of 3 bytes there are as many
// grams as a fourth byte can make.
func (a *anchors) grams(n *anchor, load map[uint32]int) []uint32 {
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
		s := -1000 * load[gram]
		for _, c := range []byte(n.text[at : at+4]) {
			s += rarity(c)
		}
		if s > score {
			best, score, n.gram = gram, s, at
		}
	}
	return []uint32{best}
}

// grep finds the grams in text whose hash is in the bitmap, until hit returns
// false.
func grep(text []byte, bitmap []uint64, shift uint, hit func(gram uint32, at int) bool) {
	i := 0
	for ; i+8 <= len(text); i += 5 {
		x := binary.LittleEndian.Uint64(text[i:]) | foldWord
		h0, h1, h2 := uint32(x)*gramMix>>shift, uint32(x>>8)*gramMix>>shift, uint32(x>>16)*gramMix>>shift
		h3, h4 := uint32(x>>24)*gramMix>>shift, uint32(x>>32)*gramMix>>shift
		any := bit(bitmap, h0) | bit(bitmap, h1) | bit(bitmap, h2) | bit(bitmap, h3) | bit(bitmap, h4)
		if any&1 == 0 {
			continue
		}
		for j, h := range [5]uint32{h0, h1, h2, h3, h4} {
			if bit(bitmap, h)&1 != 0 && !hit(uint32(x>>(8*j)), i+j) {
				return
			}
		}
	}
	var tail [16]byte
	n := copy(tail[:], text[i:])
	for j := range n {
		gram := binary.LittleEndian.Uint32(tail[j:]) | foldGram
		if bit(bitmap, gram*gramMix>>shift)&1 != 0 && !hit(gram, i+j) {
			return
		}
	}
}

// bit is 1 in its lowest bit when a gram with the hash is looked for.
func bit(bitmap []uint64, h uint32) uint64 { return bitmap[h>>6] >> (h & 63) }

// verify calls found for every anchor that stands where its gram does.
func (a *anchors) verify(text []byte, gram uint32, at int, found func(n *anchor, at int) bool) bool {
	if bit(a.second, gram*secondMix>>a.shift)&1 == 0 {
		return true
	}
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

// union is the bitmap of two sets of anchors, of the larger one's size, in the
// memory of into. A hash is the highest bits of a product: each bit of the smaller
// bitmap is a row of bits of the larger.
func union(into []uint64, a, b *anchors) (bitmap []uint64, shift uint) {
	if a.shift > b.shift {
		a, b = b, a
	}
	into = append(into[:0], a.bitmap...)
	wide := b.shift - a.shift
	for i, w := range b.bitmap {
		for ; w != 0; w &= w - 1 {
			h := uint32(i*64 + bits.TrailingZeros64(w))
			for k := h << wide; k < (h+1)<<wide; k++ {
				set(into, k)
			}
		}
	}
	return into, a.shift
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
