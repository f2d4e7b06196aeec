package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// turn is a kind of call that is timed alone, one at a time: what inspecting,
// storing and forwarding it add to the time to the first byte.
type turn struct {
	name, what string
	source     func(text *prose) source
	skip       int // of the calls at the beginning, that only prepare
	calls      int
}

var turns = []turn{
	{"cold-2m", "a 2 MB body, all of it new", func(text *prose) source { return newCalls(text, 2<<20, "json", "") }, 2, 10},
	{"warm-20k", "20 KB more in a conversation of 500 KB", func(text *prose) source { return newLong(text) }, 3, 20},
}

// gap is the time to the first byte of one round's calls, in the middle.
type gap struct{ proxy, gatehouse time.Duration }

// long is a conversation that is 500 KB long from its first turn on.
type long struct {
	text    *prose
	talk    []byte
	request request
	turn    int
}

const (
	longStart = 500 << 10
	longStep  = 20 << 10
)

func newLong(text *prose) *long {
	l := &long{text: text, request: request{answer: "turn", session: newID()}}
	for len(l.talk) < longStart {
		l.add(8 << 10)
	}
	return l
}

func (l *long) add(n int) {
	comma := ""
	if l.turn > 0 {
		comma = fmt.Sprintf(`,{"role":"assistant","content":[{"type":"tool_use","id":"toolu_%06d","name":"Read","input":{"path":"/src/file_%d.go"}}]},`, l.turn, l.turn)
	}
	l.talk = fmt.Appendf(l.talk, `%s{"role":"user","content":[{"type":"text","text":"%s"}]}`, comma, l.text.take(n))
	l.turn++
}

func (l *long) next() *request {
	l.add(longStep)
	head := []byte(`{"model":"claude-sonnet-4-5","max_tokens":32000,"stream":true,"messages":[`)
	l.request.body = net.Buffers{head, l.talk, []byte(`]}`)}
	l.request.size = len(head) + len(l.talk) + 2
	return &l.request
}

// alone times each kind of turn at both sides, alternating.
func (r *results) alone(ctx context.Context, o options, f *field) error {
	r.gaps = map[string][]gap{}
	for _, t := range turns {
		for round := range o.rounds {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			var g gap
			for _, step := range order(round, f) {
				middle, err := t.time(target{addr: step.addr, lean: o.lean}, uint64(2000+round))
				if err != nil {
					return fmt.Errorf("%s: %w: %s", step.name, err, step.log)
				}
				if step == f.proxy {
					g.proxy = middle
				} else {
					g.gatehouse = middle
				}
			}
			r.gaps[t.name] = append(r.gaps[t.name], g)
		}
	}
	return nil
}

func (t turn) time(to target, seed uint64) (middle time.Duration, err error) {
	c, err := dial(to)
	if err != nil {
		return 0, err
	}
	defer c.close()
	src := t.source(texts(seed, 0))
	var all []time.Duration
	for i := range t.skip + t.calls {
		q := src.next()
		began := time.Now()
		if _, err := call(c, q); err != nil {
			return 0, err
		}
		if i >= t.skip {
			all = append(all, c.firstByte().Sub(began))
		}
	}
	slices.Sort(all)
	return quantile(all, 50), nil
}

func (r *results) turns(b *strings.Builder) {
	fmt.Fprintf(b, "\n| time to first byte, one call at a time, ms | proxy | gatehouse | added |\n|---|---|---|---|\n")
	for _, t := range turns {
		all := r.gaps[t.name]
		fmt.Fprintf(b, "| %s: %s | %s | %s | %s |\n", t.name, t.what,
			newSpread(all, func(g gap) float64 { return ms(g.proxy) }).text("%.2f"),
			newSpread(all, func(g gap) float64 { return ms(g.gatehouse) }).text("%.2f"),
			newSpread(all, func(g gap) float64 { return ms(g.gatehouse - g.proxy) }).text("%.2f"))
	}
}
