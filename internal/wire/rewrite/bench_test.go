package rewrite_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/wire/rewrite"
)

// prose is what a model says, in the pieces in which it says it.
func prose(n int) (deltas []string) {
	words := strings.Fields(`The function reads the file, then it checks each line: when a line is too long, "it" is cut. Quite simple. See main.go\n\nThen`)
	for i := range n {
		deltas = append(deltas, `"`+strings.Join([]string{words[i%len(words)], words[(i*7+3)%len(words)], words[(i*5+1)%len(words)]}, " ")+` "`)
	}
	for i, d := range deltas {
		deltas[i] = `"` + strings.ReplaceAll(d[1:len(d)-1], `"`, `\"`) + `"`
	}
	return deltas
}

// fewer says how a benchmark's stream comes: an event at a time, or 32 KiB.
func pieces(body []byte, size int) (list [][]byte) {
	for len(body) > 0 {
		n := min(size, len(body))
		list, body = append(list, body[:n]), body[n:]
	}
	return list
}

func BenchmarkAbsent(b *testing.B) {
	for _, w := range wires() {
		streams := map[string][]string{"text": w.stream(w.text(prose(500)...))}
		if w.call != nil {
			streams["call"] = w.stream(w.call("Write", append(append([]string{`"{\"content\":\""`}, prose(500)...), `"\"}"`)...))
		}
		for name, payloads := range streams {
			var events [][]byte
			for _, p := range payloads {
				events = append(events, sse(w.api, p))
			}
			body := sse(w.api, payloads...)
			for how, list := range map[string][][]byte{"events": events, "32K": pieces(body, 32<<10)} {
				for _, hold := range []bool{false, true} {
					o := options(w.api)
					o.Hold, o.Judge = hold, judge("nothing", nil)
					b.Run(fmt.Sprintf("%s/%s/%s/hold=%v", w.api, name, how, hold), func(b *testing.B) { push(b, o, list, len(body)) })
				}
			}
		}
	}
}

func BenchmarkPlain(b *testing.B) {
	w := wires()[0]
	body := sse(w.api, w.stream(w.text(prose(500)...))...)
	push(b, rewrite.Options{API: w.api}, pieces(body, 120), len(body))
}

func push(b *testing.B, o rewrite.Options, list [][]byte, n int) {
	b.SetBytes(int64(n))
	b.ReportAllocs()
	for b.Loop() {
		r := rewrite.New(o)
		for _, p := range list {
			r.Push(p)
		}
		r.End()
	}
}
