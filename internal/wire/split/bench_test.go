package split_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/wire/split"
)

// session gives two successive bodies of a coding session; the second has size
// bytes or a little more, of which fresh are new. As in real ones, a message has
// about 1.5 KB, and a line of code 35 letters.
func session(size, fresh int) (before, after []byte) {
	return coding(size - fresh), coding(size)
}

func coding(size int) []byte {
	r := rand.New(rand.NewPCG(1, 1))
	line := `\tif err := record(ctx, flow); err != nil {\n\t\treturn fmt.Errorf(\"recording: %w\", err)\n\t}\n`
	var s strings.Builder
	s.WriteString(`{"model":"claude-test","messages":[{"role":"user","content":"Fix the bug"}`)
	for i := 0; s.Len() < size-1000; i++ {
		fmt.Fprintf(&s, `,{"role":"assistant","content":[{"type":"text","text":"Now %d."},{"type":"tool_use","id":"toolu_%016x","name":"Read","input":{"path":"/src/f%d.go","offset":%d}}]}`, i, r.Uint64(), i, i)
		fmt.Fprintf(&s, `,{"role":"user","content":[{"tool_use_id":"toolu_%016x","type":"tool_result","content":"%s — %d"}]}`, r.Uint64(), strings.Repeat(line, min(r.IntN(60), size/500)), i)
	}
	s.WriteString(`],"system":[{"type":"text","text":"You are","cache_control":{"type":"ephemeral"}}],"tools":[{"name":"Read","description":"Reads a file","input_schema":{"type":"object","properties":{"path":{"type":"string"},"offset":{"type":"integer"}},"required":["path"]}}],"metadata":{"user_id":"u"},"max_tokens":32000,"stream":true}`)
	return []byte(s.String())
}

func BenchmarkSplit(b *testing.B) {
	for _, size := range []int{2_000, 50_000, 500_000} {
		before, after := session(size, min(size/4, 20_000))
		base := split.Split(before, nil)
		b.Run(fmt.Sprintf("%dKB/alone", size/1000), func(b *testing.B) { run(b, after, nil) })
		b.Run(fmt.Sprintf("%dKB/next", size/1000), func(b *testing.B) { run(b, after, base) })
		whole := split.Split(after, nil)
		b.Run(fmt.Sprintf("%dKB/again", size/1000), func(b *testing.B) { run(b, bytes.Clone(after), whole) })
	}
}

func run(b *testing.B, body []byte, base *split.Doc) {
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if d := split.Split(body, base); !d.JSON {
			b.Fatal(d.Why)
		}
	}
}

// BenchmarkCompare is the floor of Split with a base: to look at all bytes once.
func BenchmarkCompare(b *testing.B) {
	_, body := session(500_000, 20_000)
	other := bytes.Clone(body)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if !bytes.Equal(body, other) {
			b.Fatal("differ")
		}
	}
}

func BenchmarkChunks(b *testing.B) {
	body := make([]byte, 500_000)
	rand.NewChaCha8([32]byte{}).Read(body)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if d := split.Split(body, nil); d.JSON {
			b.Fatal("JSON")
		}
	}
}
