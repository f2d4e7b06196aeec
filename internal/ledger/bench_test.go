package ledger_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// prose makes n bytes of words that compress about as well as code does.
func prose(r *rand.Rand, n int) []byte {
	b := make([]byte, 0, n+12)
	for len(b) < n {
		b = fmt.Appendf(b, "%s%d ", words[r.IntN(len(words))], r.IntN(1000))
	}
	return b[:n]
}

var words = []string{"func", "return", "err", "nil", "the", "ledger", "writes", "string", "index", "value", "range", "const", "request", "context", "buffer", "append", "length", "offset"}

func single(r *rand.Rand, n int) []byte {
	return fmt.Appendf(nil, `{"model":"claude-test","max_tokens":1024,"messages":[{"role":"user","content":[{"type":"text","text":"%s"}]}],"stream":true}`, prose(r, n))
}

func BenchmarkAdmin(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			l := start(b, ledger.Options{})
			b.ReportAllocs()
			b.ResetTimer()
			used := cpu()
			var n atomic.Int64
			var all sync.WaitGroup
			for range writers {
				all.Go(func() {
					for n.Add(1) <= int64(b.N) {
						if err := l.Admin("bench", "measuring", nil); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			reportCPU(b, used)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkFlow2KB(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			l := start(b, ledger.Options{})
			bodies := make([][]byte, 256)
			for i := range bodies {
				bodies[i] = single(rand.New(rand.NewPCG(1, uint64(i))), 2000)
			}
			answer := prose(rand.New(rand.NewPCG(2, 2)), 2000)
			b.ReportAllocs()
			b.ResetTimer()
			used := cpu()
			var n atomic.Int64
			var all sync.WaitGroup
			for w := range writers {
				all.Go(func() {
					for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
						body := bytes.Clone(bodies[i%256])
						copy(body[110:], fmt.Sprintf("%09d", i))
						id := flow.ID(fmt.Sprintf("%09d", i))
						in := intent(id, fmt.Sprintf("s%d", w), body)
						r, err := l.Begin(in, ledger.Content{Doc: split.Split(body, nil)})
						if err != nil {
							b.Error(err)
							return
						}
						r.Push(answer)
						if err := r.End(outcome(id, answer), nil); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			reportCPU(b, used)
			b.ReportMetric(float64(2*b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkTurn begins and ends turns of a session whose body is 500 KB and
// grows by 20 KB each.
func BenchmarkTurn500KB(b *testing.B) {
	l := start(b, ledger.Options{})
	r := rand.New(rand.NewPCG(3, 3))
	turns := make([][]byte, 26)
	var messages []byte
	for i := range turns {
		messages = fmt.Appendf(messages, `{"role":"user","content":[{"type":"text","text":"%s"}]},`, prose(r, 20_000))
		turns[i] = fmt.Appendf(nil, `{"model":"claude-test","messages":[%s],"system":[{"type":"text","text":"%s"}],"stream":true}`, bytes.TrimSuffix(messages, []byte(",")), prose(rand.New(rand.NewPCG(9, 9)), 10_000))
	}
	answer := prose(r, 4000)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		b.StopTimer()
		// The turn before, whatever session it is in, and then the one that is measured.
		session := fmt.Sprintf("s%d", i)
		id := flow.ID(fmt.Sprintf("a%09d", i))
		first := split.Split(turns[24], nil)
		rec, err := l.Begin(intent(id, session, turns[24]), ledger.Content{Doc: first})
		if err != nil {
			b.Fatal(err)
		}
		rec.End(outcome(id, nil), nil)
		id = flow.ID(fmt.Sprintf("b%09d", i))
		in, out := intent(id, session, turns[25]), outcome(id, answer)
		b.StartTimer()
		doc := split.Split(turns[25], first)
		next, err := l.Begin(in, ledger.Content{Doc: doc, Base: rec.Stored()})
		if err != nil {
			b.Fatal(err)
		}
		next.Push(answer)
		if err := next.End(out, nil); err != nil {
			b.Fatal(err)
		}
	}
}
