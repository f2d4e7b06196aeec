package text_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger/text"
)

// BenchmarkMillion builds an index of a million texts and asks it. It takes
// minutes, and is run by itself:
//
//	go test -bench Million -benchtime 1x -run - ./internal/ledger/text
func BenchmarkMillion(b *testing.B) {
	for range b.N {
		s, err := text.Open(b.TempDir(), secret, "boot")
		if err != nil {
			b.Fatal(err)
		}
		words := newZipf()
		start := time.Now()
		spent := build(b, s, words, *texts)
		took := time.Since(start) - spent
		f, err := s.Figures()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(f.Texts)/took.Seconds(), "texts/s")
		b.ReportMetric(float64(f.Bytes)/float64(f.Texts), "bytes/text")
		b.Logf("%d texts of %d sessions, %.1f MB, %.0f texts/s", f.Texts, *texts/100, float64(f.Bytes)/1e6, float64(f.Texts)/took.Seconds())
		for _, q := range questions(words) {
			ask(b, s, q)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

var texts = flag.Int("texts", 1_000_000, "texts of BenchmarkMillion")

// build gives how long it took to make the texts.
func build(b *testing.B, s *text.Store, words *zipf, total int) (made time.Duration) {
	r := rand.New(rand.NewPCG(7, 7))
	entry := uint64(0)
	begun := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	for done := 0; done < total; {
		batch := s.NewBatch()
		for batch.Size() < 4<<20 && done < total { // flows, each of which adds five texts
			entry++
			key := uint64(1 + done/100)
			f := &text.Flow{N: entry, Key: key, ID: fmt.Sprintf("f%025d", entry), Started: begun + int64(entry)*100, Segment: 1 + entry/10000, Offset: int64(entry)}
			first := uint64(done%100) * 2
			for i := range uint64(5) {
				ref := first + 2*i + 2
				parent := ref - 2
				f.Nodes = append(f.Nodes, text.Node{Ref: ref, Parent: parent, Block: ref - 1})
				f.Tips = []uint64{ref}
			}
			batch.AddFlow(f)
			for i := range uint64(5) {
				start := time.Now()
				said := words.text(r, 150)
				made += time.Since(start)
				batch.AddText(text.Text{Key: key, Flow: entry, Entry: entry, Role: "user", Kind: "text", At: text.Place{Segment: f.Segment, Offset: f.Offset, Ref: first + 2*i + 1}}, said)
				done++
			}
		}
		if err := s.Apply(batch, text.Mark{Entry: entry}); err != nil {
			b.Fatal(err)
		}
	}
	return made
}

type question struct {
	name  string
	terms func(r *rand.Rand) []string
}

func questions(words *zipf) []question {
	rare := func(r *rand.Rand) string { return words.word(20_000 + r.IntN(150_000)) }
	common := func(r *rand.Rand) string { return words.word(r.IntN(50)) }
	usual := func(r *rand.Rand) string { return words.word(500 + r.IntN(2000)) }
	return []question{
		{"rare word", func(r *rand.Rand) []string { return []string{rare(r)} }},
		{"common word", func(r *rand.Rand) []string { return []string{common(r)} }},
		{"two common words", func(r *rand.Rand) []string { return []string{common(r), common(r)} }},
		{"common and rare", func(r *rand.Rand) []string { return []string{common(r), rare(r)} }},
		{"two usual words", func(r *rand.Rand) []string { return []string{usual(r), usual(r)} }},
		{"phrase of three", func(r *rand.Rand) []string { return []string{common(r) + " " + usual(r) + " " + common(r)} }},
	}
}

// ask takes the times of a question: the first 20 hits and how often each was
// sent again, as a search has them; and once all hits, as a list may need them.
func ask(b *testing.B, s *text.Store, q question) {
	r := rand.New(rand.NewPCG(11, 11))
	const rounds = 200
	var times []time.Duration
	for range rounds {
		query := text.Query{}
		for _, w := range q.terms(r) {
			t, err := text.Parse(w, false)
			if err != nil {
				b.Fatal(err)
			}
			query.Want.All = append(query.Want.All, text.Want{Term: &t})
		}
		start := time.Now()
		var hits []text.Hit
		for h, err := range s.Find(query) {
			if err != nil {
				b.Fatal(err)
			}
			if hits = append(hits, h); len(hits) == 20 {
				break
			}
		}
		if _, err := s.Carried(hits); err != nil {
			b.Fatal(err)
		}
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	b.Logf("%-18s p50 %8.2f ms   p99 %8.2f ms", q.name, ms(times[rounds/2]), ms(times[rounds*99/100]))
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

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
