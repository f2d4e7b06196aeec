package ledger_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// BenchmarkMillion records sessions of a hundred texts, a million in all, and searches
// in them. It takes minutes, and is run by itself:
//
//	go test -bench Million -benchtime 1x -timeout 1h -run - ./internal/ledger
func BenchmarkMillion(b *testing.B) {
	for range b.N {
		dir := b.TempDir()
		l, stop := open(b, ledger.Options{Dir: dir, Mode: ledger.Bounded})
		words := newZipf()
		start := time.Now()
		for n := range *texts / sessionTexts {
			converse(b, l, words, n)
		}
		recorded := time.Since(start)
		if err := l.BuildText(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.Logf("%d texts: recorded in %.0f s, searchable %.0f s later; %.0f bytes of full text each",
			*texts, recorded.Seconds(), (time.Since(start) - recorded).Seconds(), float64(folder(b, filepath.Join(dir, "text")))/float64(*texts))
		for _, q := range questions(words) {
			ask(b, l, q)
		}
		stop()
	}
}

var texts = flag.Int("texts", 1_000_000, "texts of BenchmarkMillion")

const (
	sessionTexts = 100
	turnTexts    = 20 // that a turn adds
)

// converse plays a session whose turns resend what was said before.
func converse(b *testing.B, l *ledger.Ledger, words *zipf, n int) {
	r := rand.New(rand.NewPCG(7, uint64(n)))
	var base *ledger.Stored
	var last *split.Doc
	body := []byte(`{"model":"claude-test","messages":[`)
	for turn := range sessionTexts / turnTexts {
		for range turnTexts {
			body = fmt.Appendf(body, `{"role":"user","content":[{"type":"text","text":"%s"}]},`, words.text(r, 150))
		}
		sent := append(slices.Clone(body[:len(body)-1]), `],"stream":true}`...)
		id := flow.ID(fmt.Sprintf("f%08d.%d", n, turn))
		in := intent(id, fmt.Sprintf("s%d", n), sent)
		in.Turn = turn + 1
		last = split.Split(sent, last)
		record, err := l.Begin(in, ledger.Content{Doc: last, Base: base})
		if err != nil {
			b.Fatal(err)
		}
		base = record.Stored()
		if err := record.End(outcome(id, nil), nil); err != nil {
			b.Fatal(err)
		}
	}
}

func folder(b *testing.B, dir string) (bytes int64) {
	list, err := os.ReadDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range list {
		if info, err := e.Info(); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

type question struct {
	name  string
	words func(r *rand.Rand) string
}

func questions(words *zipf) []question {
	rare := func(r *rand.Rand) string { return words.word(20_000 + r.IntN(150_000)) }
	common := func(r *rand.Rand) string { return words.word(r.IntN(50)) }
	usual := func(r *rand.Rand) string { return words.word(500 + r.IntN(2000)) }
	return []question{
		{"rare word", rare},
		{"common word", common},
		{"two common words", func(r *rand.Rand) string { return common(r) + " " + common(r) }},
		{"common and rare", func(r *rand.Rand) string { return common(r) + " " + rare(r) }},
		{"two usual words", func(r *rand.Rand) string { return usual(r) + " " + usual(r) }},
		{"phrase of three", func(r *rand.Rand) string { return `"` + common(r) + " " + usual(r) + " " + common(r) + `"` }},
		{"rare, by a model", func(r *rand.Rand) string { return "model:claude* " + rare(r) }},
		{"common, of a session", func(r *rand.Rand) string {
			return fmt.Sprintf("session:s%d %s", r.IntN(*texts/sessionTexts), common(r))
		}},
	}
}

// ask takes the times of a question: the newest 20 hits, with their snippets and how
// often each was sent again, as the page has them.
func ask(b *testing.B, l *ledger.Ledger, q question) {
	r := rand.New(rand.NewPCG(11, 11))
	const rounds = 200
	var times []time.Duration
	hits := 0
	for range rounds {
		f := parse(b, q.words(r))
		start := time.Now()
		found, err := l.Search(f, ledger.SearchQuery{}, ledger.Access{Who: "bench", Why: "measuring"})
		if err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(start))
		hits += len(found.Hits)
	}
	slices.Sort(times)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.Logf("%-20s p50 %8.2f ms   p99 %8.2f ms   %4.1f hits", q.name, ms(times[rounds/2]), ms(times[rounds*99/100]), float64(hits)/rounds)
}

// zipf makes texts of words that are as unevenly spread as those of people: the
// nth is there half as often as the n/2nd.
type zipf struct{ log float64 }

const vocabulary = 200_000

func newZipf() *zipf { return &zipf{math.Log(vocabulary)} }

// word gives the nth word: the more often it is used, the shorter.
func (z *zipf) word(n int) string {
	h := uint64(n+1) * 0x9E3779B97F4A7C15
	b := make([]byte, 0, 12)
	for left := n + 30; left > 0; left /= 9 {
		b = append(b, "etaoinshrdlucmfwypvbgkqjxz"[h%26])
		h /= 26
	}
	return string(fmt.Appendf(b, "%c%c", 'a'+n%26, 'a'+n/26%26))
}

func (z *zipf) text(r *rand.Rand, words int) string {
	b := make([]byte, 0, words*8)
	for range words {
		b = append(b, z.word(int(math.Exp(r.Float64()*z.log))-1)...)
		b = append(b, ' ')
	}
	return string(b)
}
