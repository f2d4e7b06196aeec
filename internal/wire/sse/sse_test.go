package sse_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/wire/sse"
)

// decode pushes the stream in pieces that end at the given places.
func decode(stream []byte, cuts ...int) []sse.Event {
	var d sse.Decoder
	var events []sse.Event
	emit := func(e sse.Event) {
		e.Data = bytes.Clone(e.Data)
		events = append(events, e)
	}
	at := 0
	for _, cut := range append(cuts, len(stream)) {
		piece := bytes.Clone(stream[at:cut]) // so that a kept slice is found out
		d.Push(piece, emit)
		clear(piece)
		at = cut
	}
	d.End(emit)
	return events
}

// reference is the standard's own algorithm, line by line.
func reference(stream string) []sse.Event {
	var events []sse.Event
	var kind, data, id string
	stream = strings.TrimPrefix(stream, "\ufeff")
	stream = strings.ReplaceAll(strings.ReplaceAll(stream, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(stream, "\n")
	last := len(lines) - 1
	for i, line := range lines {
		if i == last && line == "" {
			break
		}
		if line == "" {
			if data != "" {
				events = append(events, sse.Event{Type: kind, Data: []byte(strings.TrimSuffix(data, "\n")), ID: id})
			}
			kind, data = "", ""
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			kind = value
		case "data":
			data += value + "\n"
		case "id":
			if !strings.Contains(value, "\x00") {
				id = value
			}
		}
	}
	if data != "" {
		events = append(events, sse.Event{Type: kind, Data: []byte(strings.TrimSuffix(data, "\n")), ID: id, Unended: true})
	}
	return events
}

func show(events []sse.Event) string {
	var s strings.Builder
	for _, e := range events {
		fmt.Fprintf(&s, "%q %q id=%q long=%v unended=%v\n", e.Type, e.Data, e.ID, e.TooLong, e.Unended)
	}
	return s.String()
}

var streams = map[string]string{
	"anthropic": "event: message_start\ndata: {\"type\":\"message_start\"}\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\n",
	"openai":    "data: {\"choices\":[]}\n\ndata: [DONE]\n\n",
	"crlf":      "event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n",
	"cr":        "event: a\rdata: 1\r\rdata: 2\r\r",
	"mixed":     "data: 1\r\n\ndata: 2\n\r\ndata: 3\r\r\ndata: 4\n\n",
	"bom":       "\xef\xbb\xbfdata: 1\n\n\xef\xbb\xbfdata: 2\n\n",
	"bom alone": "\xef\xbb\xbf\n\ndata: 1\n\n",
	"comments":  ": hello\n:\ndata: 1\n: between\ndata: 2\n\n:\n\n",
	"multiline": "data: a\ndata\ndata:\ndata:  b\n\n",
	"empty":     "data\n\ndata:\n\nevent: x\n\nevent: y\nevent:\ndata: z\n\n",
	"id":        "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\nid: x\x00y\ndata: d\n\n",
	"unknown":   "retry: 100\nfoo: bar\n data: no\nDATA: no\ndata : no\ndata: a:b: c\n\n",
	"unended":   "data: a\n\ndata: b\n",
	"cut":       "data: a\n\nevent: e\ndata: b",
	"cut later": "data: a\n\ndata: b\ndata: {",
	"only type": "event: e",
	"nothing":   "",
	"utf-8":     "data: 日本語 \xff\n\n",
}

func TestEveryCut(t *testing.T) {
	for name, stream := range streams {
		t.Run(name, func(t *testing.T) {
			want := show(reference(stream))
			if got := show(decode([]byte(stream))); got != want {
				t.Fatalf("got\n%swant\n%s", got, want)
			}
			for i := range len(stream) + 1 {
				for j := i; j <= len(stream); j++ {
					if got := show(decode([]byte(stream), i, j)); got != want {
						t.Fatalf("cut at %d and %d: got\n%swant\n%s", i, j, got, want)
					}
				}
			}
			each := make([]int, len(stream))
			for i := range each {
				each[i] = i
			}
			if got := show(decode([]byte(stream), each...)); got != want {
				t.Fatalf("byte by byte: got\n%swant\n%s", got, want)
			}
		})
	}
}

func TestRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"\n", "\n", "\r", "\r\n", "data", "event", "id", ":", ": ", " ", "x", "\xef\xbb\xbf", "data: a\n", "event: e\n", "\n\n", "\x00"}
	for range 5000 {
		var s strings.Builder
		for range r.IntN(25) {
			s.WriteString(words[r.IntN(len(words))])
		}
		stream := s.String()
		var cuts []int
		for i := range len(stream) {
			if r.IntN(4) == 0 {
				cuts = append(cuts, i)
			}
		}
		if got, want := show(decode([]byte(stream), cuts...)), show(reference(stream)); got != want {
			t.Fatalf("%q at %v: got\n%swant\n%s", stream, cuts, got, want)
		}
	}
}

// TestLong has what is longer than any buffer, and longer than is taken.
func TestLong(t *testing.T) {
	million := strings.Repeat("x", 1<<20)
	tooLong := strings.Repeat("y", sse.Limit)
	for _, c := range []struct {
		name, stream string
		want         string // type, bytes and marks of each event
	}{
		{"a megabyte", "event: e\ndata: " + million + "\n\ndata: 1\n\n", "e 1048576 false,  1 false"},
		{"a line too long", "event: e\ndata: " + tooLong + "\n\ndata: 1\n\n", "e 0 true,  1 false"},
		{"too long and unended", "data: " + tooLong, " 0 true"},
		{"lines too long together", strings.Repeat("data: "+million+"\n", 17) + "\ndata: 1\n\n", " 0 true,  1 false"},
		{"a type too long", "event: " + tooLong + "\ndata: 1\n\n", " 0 true"},
		{"a comment of any length", ":" + tooLong + tooLong + "\ndata: 1\n\n", " 1 false"},
		{"just short enough", "data:" + tooLong[5:] + "\n\n", " 16777211 false"},
		{"one too many", "data:" + tooLong[4:] + "\n\n", " 0 true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := []byte(c.stream)
			var every []int
			for i := 0; i < len(stream); i += 320_700 {
				every = append(every, i)
			}
			for _, cuts := range [][]int{nil, every} {
				var got []string
				for _, e := range decode(stream, cuts...) {
					got = append(got, fmt.Sprint(e.Type, " ", len(e.Data), " ", e.TooLong))
				}
				if g := strings.Join(got, ", "); g != c.want {
					t.Errorf("in %d pieces: got %q, want %q", len(cuts)+1, g, c.want)
				}
			}
		})
	}
}

// TestReuse makes sure that a decoder is as new after End.
func TestReuse(t *testing.T) {
	var d sse.Decoder
	var events []sse.Event
	emit := func(e sse.Event) {
		e.Data = bytes.Clone(e.Data)
		events = append(events, e)
	}
	d.Push([]byte("id: 7\ndata: a\r"), emit)
	d.End(emit)
	d.Push([]byte("\n\xef\xbb\xbfdata: a\n\n"), emit) // a byte order mark stands at the start only
	d.End(emit)
	d.Push([]byte("\xef\xbb\xbfdata: b\n\n"), emit)
	want := "\"\" \"a\" id=\"7\" long=false unended=true\n\"\" \"b\" id=\"\" long=false unended=false\n"
	if got := show(events); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestMemory: long events leave nothing behind.
func TestMemory(t *testing.T) {
	line := bytes.Repeat([]byte("x"), 1<<20)
	decoders := make([]sse.Decoder, 20)
	before := heap()
	for i := range decoders {
		d := &decoders[i]
		for range 3 {
			d.Push([]byte("data: "), func(sse.Event) {})
			d.Push(line, func(sse.Event) {})
			d.Push([]byte("\ndata: "), func(sse.Event) {})
			d.Push(line, func(sse.Event) {})
			d.Push([]byte("\n\n"), func(sse.Event) {})
		}
	}
	if after := heap(); after > before+4<<20 {
		t.Errorf("20 decoders hold %d bytes", after-before)
	}
	runtime.KeepAlive(decoders)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func FuzzDecoder(f *testing.F) {
	for _, stream := range streams {
		f.Add([]byte(stream), uint64(3))
	}
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		want := show(reference(string(stream)))
		var cuts []int
		r := rand.New(rand.NewPCG(seed, 0))
		for i := 0; i < len(stream); i += 1 + r.IntN(9) {
			cuts = append(cuts, i)
		}
		if got := show(decode(stream, cuts...)); got != want {
			t.Fatalf("got\n%swant\n%s", got, want)
		}
	})
}

func BenchmarkDecoder(b *testing.B) {
	delta := "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello there\"}}\n\n"
	for _, c := range []struct {
		name   string
		stream string
		piece  int
	}{
		{"event a push", strings.Repeat(delta, 1000), len(delta)},
		{"4KB a push", strings.Repeat(delta, 1000), 4096},
		{"1MB lines", "data: " + strings.Repeat("x", 1<<20) + "\n\n", 32 << 10},
		{"CR only", strings.ReplaceAll(strings.Repeat(delta, 1000), "\n", "\r"), 64 << 10},
	} {
		b.Run(c.name, func(b *testing.B) {
			stream := []byte(c.stream)
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			var d sse.Decoder
			n := 0
			for b.Loop() {
				for at := 0; at < len(stream); at += c.piece {
					d.Push(stream[at:min(at+c.piece, len(stream))], func(sse.Event) { n++ })
				}
			}
			if n == 0 {
				b.Fatal("no events")
			}
		})
	}
}
