package main

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// mer is the length in bytes of the strings that are counted; segment that of
// the pieces that are picked.
const (
	mer     = 6
	segment = 64
)

// cover picks the pieces of texts that many of them share, size bytes in all,
// the most shared last, where they cost the fewest bits to refer to. The
// method is that of Liao, Petri, Moffat and Wirth, "Effective construction of
// relative Lempel-Ziv dictionaries" (WWW 2016), which zstd's own trainer uses,
// too: the training text is walked through in as many stretches as there are
// pieces, and of each stretch the piece that covers most of what is not yet
// covered is taken.
func cover(texts [][]byte, size int) []byte {
	counts := countMers(texts)
	all := bytes.Join(texts, nil)
	var pieces []piece
	taken := 0
	stretch := min(len(all), max(len(all)*segment/size, 4*segment))
	for taken < size {
		before := taken
		for at := 0; at+stretch <= len(all) && taken < size; at += stretch {
			p := best(all[at:at+stretch], counts)
			if p.score == 0 {
				continue
			}
			pieces = append(pieces, p)
			taken += len(p.text)
			forget(p.text, counts)
		}
		if taken == before {
			break
		}
	}
	slices.SortStableFunc(pieces, func(a, b piece) int { return a.score - b.score })
	var dict []byte
	for _, p := range pieces {
		dict = append(dict, p.text...)
	}
	return dict[max(0, len(dict)-size):]
}

type piece struct {
	text  []byte
	score int
}

func key(b []byte) uint64 {
	var k [8]byte
	copy(k[:], b[:mer])
	return binary.LittleEndian.Uint64(k[:])
}

// countMers tells in how many texts each mer stands. What stands in one only
// counts as nothing.
func countMers(texts [][]byte) map[uint64]int {
	counts := make(map[uint64]int)
	seen := make(map[uint64]bool)
	for _, t := range texts {
		clear(seen)
		for i := 0; i+mer <= len(t); i++ {
			k := key(t[i:])
			if !seen[k] {
				seen[k] = true
				counts[k]++
			}
		}
	}
	for k, n := range counts {
		if n < 2 {
			delete(counts, k)
		}
	}
	return counts
}

// best slides a window of segment bytes over text and gives the one whose
// distinct mers have the highest count, without the ends that count nothing.
func best(text []byte, counts map[uint64]int) piece {
	const mers = segment - mer + 1
	in := make(map[uint64]int)
	score, top, at := 0, 0, 0
	for i := 0; i+mer <= len(text); i++ {
		k := key(text[i:])
		if in[k]++; in[k] == 1 {
			score += counts[k]
		}
		if i >= mers {
			old := key(text[i-mers:])
			if in[old]--; in[old] == 0 {
				score -= counts[old]
				delete(in, old)
			}
		}
		if score > top {
			top, at = score, max(0, i-mers+1)
		}
	}
	if top == 0 {
		return piece{}
	}
	return piece{trim(text[at:min(len(text), at+segment)], counts), top}
}

func trim(text []byte, counts map[uint64]int) []byte {
	for len(text) > mer && counts[key(text)] == 0 {
		text = text[1:]
	}
	for len(text) > mer && counts[key(text[len(text)-mer:])] == 0 {
		text = text[:len(text)-1]
	}
	return text
}

func forget(text []byte, counts map[uint64]int) {
	for i := 0; i+mer <= len(text); i++ {
		delete(counts, key(text[i:]))
	}
}
