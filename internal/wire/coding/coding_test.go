package coding_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/workingagents/gatehouse/internal/wire/coding"
)

// writer is what all compressors have in common.
type writer interface {
	io.WriteCloser
	Flush() error
}

var encoders = []struct {
	name, encoding string
	make           func(io.Writer) writer
}{
	{"gzip", "gzip", func(w io.Writer) writer { return gzip.NewWriter(w) }},
	{"x-gzip", "X-GZip", func(w io.Writer) writer { return gzip.NewWriter(w) }},
	{"zlib", "deflate", func(w io.Writer) writer { return zlib.NewWriter(w) }},
	{"raw deflate", "deflate", func(w io.Writer) writer {
		f, _ := flate.NewWriter(w, 6)
		return f
	}},
	{"brotli", "br", func(w io.Writer) writer { return brotli.NewWriter(w) }},
	{"zstd", "zstd", func(w io.Writer) writer {
		z, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		return z
	}},
}

func encode(tb testing.TB, make func(io.Writer) writer, body []byte) []byte {
	tb.Helper()
	var buf bytes.Buffer
	w := make(&buf)
	if _, err := w.Write(body); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

// decode pushes the body in pieces that end at the cuts, each in memory that is
// spoiled afterwards.
func decode(encoding string, limit coding.Limit, body []byte, cuts ...int) ([]byte, error) {
	d, err := coding.New(encoding, limit)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var out []byte
	at := 0
	for _, cut := range append(cuts, len(body)) {
		piece := bytes.Clone(body[at:cut])
		got, err := d.Push(piece)
		out = append(out, got...)
		if err != nil {
			return out, err
		}
		clear(piece)
		at = cut
	}
	got, err := d.End()
	return append(out, got...), err
}

func text(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var s strings.Builder
	for s.Len() < n {
		fmt.Fprintf(&s, "data: {\"delta\":\"%x\"}\n\n", r.Uint32())
	}
	return []byte(s.String()[:n])
}

func TestEveryCut(t *testing.T) {
	for _, e := range encoders {
		t.Run(e.name, func(t *testing.T) {
			want := text(700)
			coded := encode(t, e.make, want)
			if got, err := coding.Decode(e.encoding, coded, coding.Limit{}); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("whole: %d bytes, %v", len(got), err)
			}
			for i := range len(coded) + 1 {
				if got, err := decode(e.encoding, coding.Limit{}, coded, i); err != nil || !bytes.Equal(got, want) {
					t.Fatalf("cut at %d of %d: %d bytes, %v", i, len(coded), len(got), err)
				}
			}
			each := make([]int, len(coded))
			for i := range each {
				each[i] = i
			}
			if got, err := decode(e.encoding, coding.Limit{}, coded, each...); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("byte by byte: %d bytes, %v", len(got), err)
			}
		})
	}
}

// TestFlush: what the provider flushed can be read at once, though more comes.
func TestFlush(t *testing.T) {
	for _, e := range encoders {
		t.Run(e.name, func(t *testing.T) {
			d, err := coding.New(e.encoding, coding.Limit{})
			if err != nil {
				t.Fatal(err)
			}
			var buf bytes.Buffer
			w := e.make(&buf)
			for i := range 50 {
				want := fmt.Sprintf("data: %d\n\n", i)
				io.WriteString(w, want)
				w.Flush()
				if got, err := d.Push(buf.Bytes()); err != nil || string(got) != want {
					t.Fatalf("got %q, %v, want %q", got, err, want)
				}
				buf.Reset()
			}
			w.Close()
			got, err := d.Push(buf.Bytes())
			if err != nil || len(got) != 0 {
				t.Fatalf("got %q, %v at the end", got, err)
			}
			if got, err := d.End(); err != nil || len(got) != 0 {
				t.Fatalf("got %q, %v behind the end", got, err)
			}
		})
	}
}

func TestStacked(t *testing.T) {
	want := text(3000)
	coded := want
	for _, i := range []int{0, 4, 2} {
		coded = encode(t, encoders[i].make, coded)
	}
	got, err := decode(" gzip ,, identity, BR,\tdeflate", coding.Limit{}, coded, 10, 500)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if got, err := decode("deflate, br, gzip", coding.Limit{}, coded); err == nil {
		t.Errorf("in the wrong order: %d bytes without an error", len(got))
	}
}

func TestIdentity(t *testing.T) {
	for _, encoding := range []string{"", "identity", " Identity , "} {
		d, err := coding.New(encoding, coding.Limit{Bytes: 1})
		if err != nil {
			t.Fatal(err)
		}
		p := []byte("as it is")
		if got, err := d.Push(p); err != nil || &got[0] != &p[0] {
			t.Errorf("%q: got %q, %v", encoding, got, err)
		}
		if got, err := d.End(); err != nil || len(got) != 0 {
			t.Errorf("%q: end: %q, %v", encoding, got, err)
		}
	}
}

func TestUnknown(t *testing.T) {
	for _, encoding := range []string{"compress", "gzip, foo", "zstd;q=1", "gzip br", "*"} {
		if _, err := coding.New(encoding, coding.Limit{}); !errors.Is(err, coding.ErrUnknown) {
			t.Errorf("%q: %v", encoding, err)
		}
		if _, err := coding.Decode(encoding, []byte("x"), coding.Limit{}); !errors.Is(err, coding.ErrUnknown) {
			t.Errorf("%q: %v", encoding, err)
		}
	}
	_, err := coding.New(strings.Repeat("x", 5000), coding.Limit{})
	if err == nil || len(err.Error()) > 100 {
		t.Errorf("a long name makes a long error")
	}
	if _, err := coding.New("br,br,br,br,br", coding.Limit{}); !errors.Is(err, coding.ErrBomb) {
		t.Errorf("five codings: %v", err)
	}
}

func TestBombs(t *testing.T) {
	zeros := make([]byte, 6<<20)
	for _, e := range encoders {
		t.Run(e.name, func(t *testing.T) {
			bomb := encode(t, e.make, zeros)
			for _, limit := range []coding.Limit{{Bytes: 3 << 20}, {Ratio: 20}} {
				most := int64(3 << 20)
				if limit.Bytes == 0 {
					most = 1<<20 + 20*int64(len(bomb))
				}
				for _, cuts := range [][]int{nil, {len(bomb) / 3, len(bomb) / 2}} {
					got, err := decode(e.encoding, limit, bomb, cuts...)
					if !errors.Is(err, coding.ErrBomb) || int64(len(got)) > most {
						t.Errorf("%+v: got %d bytes, %v", limit, len(got), err)
					}
				}
				if got, err := coding.Decode(e.encoding, bomb, limit); !errors.Is(err, coding.ErrBomb) || int64(len(got)) > most {
					t.Errorf("%+v: got %d bytes in one go, %v", limit, len(got), err)
				}
			}
			if got, err := coding.Decode(e.encoding, bomb, coding.Limit{Ratio: 1e6}); err != nil || len(got) != len(zeros) {
				t.Errorf("with room enough: %d bytes, %v", len(got), err)
			}
		})
	}
	// The outer layer decodes to much less than the inner one.
	inner := encode(t, encoders[0].make, zeros)
	got, err := coding.Decode("gzip, br", encode(t, encoders[4].make, inner), coding.Limit{Bytes: 5 << 20})
	if !errors.Is(err, coding.ErrBomb) || len(got) > 5<<20 {
		t.Errorf("stacked: got %d bytes, %v", len(got), err)
	}
	// An outer layer alone over the limit, though nothing comes out at the end.
	outer := encode(t, encoders[5].make, encode(t, encoders[0].make, zeros[:10]))
	if _, err := coding.Decode("gzip, zstd", outer, coding.Limit{Bytes: 12}); !errors.Is(err, coding.ErrBomb) {
		t.Errorf("a layer over the limit: %v", err)
	}
}

func TestDamaged(t *testing.T) {
	want := text(5000)
	for _, e := range encoders {
		t.Run(e.name, func(t *testing.T) {
			coded := encode(t, e.make, want)
			for _, n := range []int{1, 2, len(coded) / 2, len(coded) - 1} {
				got, err := decode(e.encoding, coding.Limit{}, coded[:n])
				if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.HasPrefix(want, got) {
					t.Errorf("first %d of %d bytes: %d bytes, %v", n, len(coded), len(got), err)
				}
			}
			trailing := append(bytes.Clone(coded), "more"...)
			if _, err := coding.Decode(e.encoding, trailing, coding.Limit{}); err == nil {
				t.Error("data after the end is no error in one go")
			}
			for _, cut := range []int{1, len(coded) - 1, len(coded), len(coded) + 1} {
				if got, err := decode(e.encoding, coding.Limit{}, trailing, cut); err == nil {
					t.Errorf("data after the end, cut at %d: %d bytes, no error", cut, len(got))
				}
			}
			if got, err := decode(e.encoding, coding.Limit{}, nil); err != nil || len(got) != 0 {
				t.Errorf("no body: %q, %v", got, err)
			}
			d, _ := coding.New(e.encoding, coding.Limit{})
			if _, err := d.Push([]byte("\x00this is nothing like it, is it")); err == nil {
				if _, err = d.End(); err == nil {
					t.Error("nonsense is no error")
				}
			}
			if _, err := d.Push([]byte("x")); err == nil {
				t.Error("an error does not stay")
			}
			d.Close()
			d.Close()
		})
	}
}

// TestHollow: a coding whose bytes are none at all, below another one.
func TestHollow(t *testing.T) {
	for _, inner := range []string{"gzip", "deflate", "br"} {
		hollow := encode(t, encoders[5].make, nil)
		if got, err := decode(inner+", zstd", coding.Limit{}, hollow, 1); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: got %q, %v", inner, got, err)
		}
	}
}

// TestMembers: a gzip body may have several members, a zstd one several frames.
func TestMembers(t *testing.T) {
	for _, i := range []int{0, 5} {
		e := encoders[i]
		coded := append(encode(t, e.make, []byte("one ")), encode(t, e.make, []byte("two"))...)
		for cut := range coded {
			if got, err := decode(e.encoding, coding.Limit{}, coded, cut); err != nil || string(got) != "one two" {
				t.Fatalf("%s cut at %d: %q, %v", e.name, cut, got, err)
			}
		}
	}
}

// TestNothingLeft: synctest fails when a goroutine outlives the bubble.
func TestNothingLeft(t *testing.T) {
	for _, e := range encoders {
		coded := encode(t, e.make, text(1000))
		for _, end := range []func(*coding.Decoder){
			func(d *coding.Decoder) { d.Close() },
			func(d *coding.Decoder) { d.End() },
			func(d *coding.Decoder) { d.Push(coded[len(coded)/2:]); d.End() },
		} {
			synctest.Test(t, func(t *testing.T) {
				d, err := coding.New(e.encoding, coding.Limit{})
				if err != nil {
					t.Fatal(err)
				}
				d.Push(coded[:len(coded)/2])
				end(d)
				if _, err := d.Push(coded); err == nil {
					t.Error("it goes on after its end")
				}
			})
		}
	}
}

// FuzzDecoder holds pushed pieces against the whole in one go.
func FuzzDecoder(f *testing.F) {
	for i, e := range encoders {
		f.Add(uint8(i), encode(f, e.make, []byte("hello hello hello")), uint16(5), uint16(3))
	}
	names := []string{"gzip", "deflate", "br", "zstd", "gzip, br", "br, zstd"}
	limit := coding.Limit{Bytes: 2 << 20}
	f.Fuzz(func(t *testing.T, which uint8, body []byte, i, j uint16) {
		encoding := names[int(which)%len(names)]
		want, wantErr := coding.Decode(encoding, body, limit)
		a, b := int(i)%(len(body)+1), int(j)%(len(body)+1)
		got, err := decode(encoding, limit, body, min(a, b), max(a, b))
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%s: in pieces %v, whole %v", encoding, err, wantErr)
		}
		if err == nil && !bytes.Equal(got, want) {
			t.Fatalf("%s: in pieces %d bytes, whole %d", encoding, len(got), len(want))
		}
		if int64(len(got)) > limit.Bytes || int64(len(want)) > limit.Bytes {
			t.Fatalf("%d and %d bytes are over the limit", len(got), len(want))
		}
	})
}

func BenchmarkDecoder(b *testing.B) {
	body := text(1 << 20)
	for _, e := range encoders {
		if e.name == "x-gzip" {
			continue
		}
		coded := encode(b, e.make, body)
		b.Run(e.name+"/stream", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				d, err := coding.New(e.encoding, coding.Limit{})
				if err != nil {
					b.Fatal(err)
				}
				for at := 0; at < len(coded); at += 4096 {
					if _, err := d.Push(coded[at:min(at+4096, len(coded))]); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := d.End(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(e.name+"/whole", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := coding.Decode(e.encoding, coded, coding.Limit{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
