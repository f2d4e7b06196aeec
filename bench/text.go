package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// prose is text as it stands within a JSON string, like source code that an
// agent reads: it compresses about as well and has no second copy of itself
// nearby.
type prose struct {
	pool string
	rand *rand.Rand
}

const poolSize = 8 << 20

func newProse(seed uint64) *prose {
	r := rand.New(rand.NewPCG(seed, 1))
	words := vocabulary(r, 4000)
	var b strings.Builder
	for b.Len() < poolSize {
		line(&b, r, words)
	}
	return &prose{b.String(), r}
}

var syllables = strings.Fields("ac ad al an ap ar at ba be bo bu ca ce co cu da de di do en er fa fi fo ga ge ha he in is it ke la le li lo ma me mi mo na ne no on or pa pe po qu ra re ri ro sa se si so ta te ti to un us va ve vi wa we")

func vocabulary(r *rand.Rand, n int) []string {
	words := make([]string, n)
	for i := range words {
		for range 1 + r.IntN(4) {
			words[i] += syllables[r.IntN(len(syllables))]
		}
	}
	return words
}

// line writes one line of code. Frequent words are frequent: squaring a
// uniform number favours the low ones.
func line(b *strings.Builder, r *rand.Rand, words []string) {
	word := func() string {
		f := r.Float64()
		return words[int(f*f*float64(len(words)))]
	}
	indent := strings.Repeat("  ", r.IntN(4))
	switch r.IntN(4) {
	case 0:
		fmt.Fprintf(b, `%sif %s.%s(%s) != \"%s\" { return %s } \n `, indent, word(), word(), word(), word(), word())
	case 1:
		fmt.Fprintf(b, `%s%s := %s[%d] + %s.%s \n `, indent, word(), word(), r.IntN(1000), word(), word())
	case 2:
		fmt.Fprintf(b, `%s// %s %s %s %s %s %s \n `, indent, word(), word(), word(), word(), word(), word())
	default:
		fmt.Fprintf(b, `%s%s(%s, %s_%d, 0x%04x) \n `, indent, word(), word(), word(), r.IntN(100), r.IntN(1<<16))
	}
}

// take gives about n bytes, cut between words: never within an escape.
func (p *prose) take(n int) string {
	at := p.rand.IntN(len(p.pool) - n - 200)
	at += strings.IndexByte(p.pool[at:], ' ')
	end := at + n
	end += strings.IndexByte(p.pool[end:], ' ')
	return p.pool[at:end]
}
