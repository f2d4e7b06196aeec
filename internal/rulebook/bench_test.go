package rulebook_test

import (
	"encoding/json"
	"io/fs"
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
