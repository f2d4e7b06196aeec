package injection_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/injection"
)

// BenchmarkScan scans the recorded requests of real agents, each from cold.
func BenchmarkScan(b *testing.B) {
	names, err := filepath.Glob("../../../test/fixtures/agents/*/*.request.gz")
	if err != nil || len(names) == 0 {
		b.Skip("no recorded requests")
	}
	var bodies [][]byte
	total := 0
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(z)
		if err != nil {
			b.Fatal(err)
		}
		f.Close()
		bodies, total = append(bodies, body), total+len(body)
	}
	e, _ := engine(b, injection.Library())
	b.SetBytes(int64(total))
	for b.Loop() {
		for _, body := range bodies {
			e.Scan(body, inspect.Options{JSON: true})
		}
	}
}
