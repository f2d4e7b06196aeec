package rulebook_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/secret"
	"github.com/workingagents/gatehouse/internal/rulebook"
)

// sources is about 2 MB of the text of this module as one JSON string, which is
// what agents send all day.
func sources(b *testing.B) []byte {
	var text strings.Builder
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, ".md") || text.Len() > 2<<20 {
			return err
		}
		one, err := os.ReadFile(name)
		text.Write(one)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	body, err := json.Marshal(text.String())
	if err != nil {
		b.Fatal(err)
	}
	return body
}

// BenchmarkFamilies scans the same text, cold, with the rules for secrets alone
// and with all that are in the binary.
func BenchmarkFamilies(b *testing.B) {
	body := sources(b)
	set, err := secret.Set()
	if err != nil {
		b.Fatal(err)
	}
	alone, err := inspect.Compile(secret.Library(), set)
	if err != nil {
		b.Fatal(err)
	}
	all, err := rulebook.Compile(make([]byte, 32), nil)
	if err != nil {
		b.Fatal(err)
	}
	for name, e := range map[string]*inspect.Engine{"secret": alone, "all": all} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				e.Scan(body, inspect.Options{JSON: true})
			}
		})
	}
}

// prose is a JSON string of about n bytes: lines of made-up words in the shape of
// code, as the bench sends them.
func prose(n int) []byte {
	r := rand.New(rand.NewPCG(1, 1))
	syllables := strings.Fields("ac ad al an ba be bo ca ce co da de di do en er fa ge ha he in is ke la le li lo ma me mi na ne no on or pa pe po qu ra re ri ro sa se si so ta te ti to un us va ve vi wa we")
	words := make([]string, 4000)
	for i := range words {
		for range 1 + r.IntN(4) {
			words[i] += syllables[r.IntN(len(syllables))]
		}
	}
	word := func() string { return words[r.IntN(len(words))] }
	text := []byte{'"'}
	for len(text) < n {
		text = fmt.Appendf(text, `if %s.%s(%s) != \"%s\" { return %s }\n  // %s %s %s %s %s\n%s_%d := %s[%d]\n`,
			word(), word(), word(), word(), word(), word(), word(), word(), word(), word(), word(), r.IntN(100), word(), r.IntN(1000))
	}
	return append(text, '"')
}

// BenchmarkProse scans what few rules know a word of: the cost of looking.
func BenchmarkProse(b *testing.B) {
	all, err := rulebook.Compile(make([]byte, 32), nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{200, 2 << 10, 50 << 10} {
		body := prose(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				all.Scan(body, inspect.Options{JSON: true})
			}
		})
	}
}
