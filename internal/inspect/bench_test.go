package inspect_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
)

// many makes n rules of the kinds that families have: mostly tokens with a
// prefix of their own, keys that are known by a word near them, and
// assignments with common words.
func many(n int) *inspect.Set {
	set := &inspect.Set{Family: "many", Version: "1"}
	for i := range n - 40 {
		prefix := strings.ToLower(letters(3+i%3, uint32(i*7919+1))) + "_"
		set.Rules = append(set.Rules, inspect.Rule{
			ID: fmt.Sprintf("token-%d", i), Title: "token", Severity: flow.High, Confidence: 95, Anchors: []string{prefix},
			Pattern: `\b` + prefix + fmt.Sprintf(`[A-Za-z0-9_-]{%d,}`, 20+i%30), Checks: []string{"entropy>=3"},
		})
	}
	for i := range 30 {
		word := strings.ToLower(letters(6+i%4, uint32(i*104729+5)))
		set.Rules = append(set.Rules, inspect.Rule{
			ID: fmt.Sprintf("near-%d", i), Title: "key", Severity: flow.Medium, Confidence: 70, Anchors: []string{word},
			Pattern: `(?i)\b` + word + `.{0,40}?\b([0-9a-f]{32})\b`,
		})
	}
	for i, words := range [][]string{{"password", "passwd"}, {"secret"}, {"token"}, {"api_key", "apikey", "api-key"}, {"credential"}, {"auth"}, {"private"}, {"access_key"}, {"client"}, {"passphrase"}} {
		set.Rules = append(set.Rules, inspect.Rule{
			ID: fmt.Sprintf("assigned-%d", i), Title: "assignment", Severity: flow.Medium, Confidence: 60, Anchors: words,
			Detector: "assignment", Checks: []string{"len>=8", "entropy>=3", "not-placeholder"},
		})
	}
	return set
}

// sources is the text of this module: what coding agents read all day.
func sources(t testing.TB) []string {
	var all []string
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		text, err := os.ReadFile(name)
		all = append(all, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

type object = map[string]any

// conversation is a body of about n bytes as an agent sends it: files that were
// read, with line numbers, calls with their arguments as objects and as text,
// and signed thinking.
func conversation(t testing.TB, n int) []byte {
	var messages []any
	texts := sources(t)
	for size := 0; size < n*19/20; {
		for _, text := range texts {
			if size >= n*19/20 {
				break
			}
			var lines strings.Builder
			for k, line := range strings.Split(text, "\n") {
				fmt.Fprintf(&lines, "%6d\t%s\n", k+1, line)
			}
			id := fmt.Sprintf("toolu_%d", len(messages))
			args, _ := json.Marshal(object{"path": "internal/x.go", "old": text[:min(len(text), 700)]})
			messages = append(messages,
				object{"role": "assistant", "content": []any{
					object{"type": "thinking", "thinking": "Let me look at this file first.", "signature": base64.StdEncoding.EncodeToString([]byte(letters(400, uint32(size))))},
					object{"type": "tool_use", "id": id, "name": "Read", "input": object{"file_path": "/home/dev/project/internal/x.go"}},
				}, "tool_calls": []any{object{"id": id, "function": object{"name": "edit", "arguments": string(args)}}}},
				object{"role": "user", "content": []any{object{"type": "tool_result", "tool_use_id": id, "content": lines.String()}}},
			)
			size += lines.Len() + len(args) + 800
		}
	}
	body, err := json.Marshal(object{"model": "claude-test", "messages": messages, "max_tokens": 32000})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func BenchmarkCold(b *testing.B) {
	e := engine(b, many(300))
	body := conversation(b, 2<<20)
	b.Logf("%d bytes, %d matches", len(body), len(e.Scan(body, inspect.Options{JSON: true}).Matches))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	start := cpu()
	for b.Loop() {
		e.Scan(body, inspect.Options{JSON: true})
	}
	reportCPU(b, start)
}

func BenchmarkColdWithKnown(b *testing.B) {
	e := engine(b, many(300))
	body := conversation(b, 2<<20)
	var values []inspect.KnownValue
	for i := range 1000 {
		values = append(values, inspect.KnownValue{Value: []byte(token(uint32(i))), Rule: "many.token-1"})
	}
	o := inspect.Options{JSON: true, Known: inspect.NewKnown(values)}
	b.SetBytes(int64(len(body)))
	start := cpu()
	for b.Loop() {
		e.Scan(body, o)
	}
	reportCPU(b, start)
}

// BenchmarkWarm is a body of 40 blocks of which the last, 20 KB, is new.
func BenchmarkWarm(b *testing.B) {
	e := engine(b, many(300))
	body := conversation(b, 2<<20)
	cache := inspect.NewCache(64 << 20)
	var blocks [][]byte
	for i := 0; i+50<<10 < len(body); i += 50 << 10 {
		blocks = append(blocks, body[i:i+50<<10])
	}
	news := conversation(b, 20<<10)
	b.SetBytes(int64(len(body)))
	start := cpu()
	for b.Loop() {
		news[9]++
		for _, block := range blocks {
			cache.Scan(e, block, inspect.Options{JSON: true})
		}
		cache.Scan(e, news, inspect.Options{JSON: true})
	}
	reportCPU(b, start)
}
