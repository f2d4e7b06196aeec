package segment_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"testing"

	"github.com/workingagents/gatehouse/internal/ledger/segment"
)

func aead(t testing.TB, key byte) cipher.AEAD {
	t.Helper()
	block, err := aes.NewCipher(bytes.Repeat([]byte{key}, 32))
	if err != nil {
		t.Fatal(err)
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// file makes a segment of frames that hold these texts.
func file(t testing.TB, texts ...string) []byte {
	t.Helper()
	b := segment.Head(7)
	var prev segment.Tag
	for i, text := range texts {
		h := segment.Header{Entry: uint64(i + 1), Key: 3, Dict: 1, Flags: segment.Packed, Prev: prev}
		b, prev = segment.Append(b, &h, aead(t, 1), []byte(text))
	}
	return b
}

func TestFramesComeBack(t *testing.T) {
	texts := []string{"one", "", string(bytes.Repeat([]byte("long "), 200_000)), "four"}
	b := append(file(t, texts...), make([]byte, 5000)...)
	if err := segment.CheckHead(b, 7); err != nil {
		t.Fatal(err)
	}
	r := segment.NewReader(bytes.NewReader(b), segment.FileHead, int64(len(b)))
	var prev segment.Tag
	for i, want := range texts {
		at := r.Offset()
		f, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if f.Entry != uint64(i+1) || f.Key != 3 || f.Dict != 1 || f.Prev != prev || f.Leaf != segment.LeafVersion {
			t.Errorf("frame %d: %+v", i, f.Header)
		}
		prev = f.Tag()
		got, err := f.Open(nil, aead(t, 1))
		if err != nil || string(got) != want {
			t.Errorf("frame %d: %d bytes, %v", i, len(got), err)
		}
		if _, err := f.Open(nil, aead(t, 2)); err == nil {
			t.Errorf("frame %d opens with another key", i)
		}
		single, err := segment.ReadAt(bytes.NewReader(b), at)
		if err != nil || single.Entry != f.Entry || single.Size != f.Size {
			t.Errorf("frame %d read alone: %+v, %v", i, single, err)
		}
	}
	if _, err := r.Next(); !errors.Is(err, segment.ErrEnd) {
		t.Errorf("behind the last frame: %v", err)
	}
	if clean, err := r.Zeros(); err != nil || !clean {
		t.Errorf("the rest is zeros: %v, %v", clean, err)
	}
}

func TestEveryBitCounts(t *testing.T) {
	b := file(t, "some text")
	for i := segment.FileHead; i < len(b); i++ {
		changed := bytes.Clone(b)
		changed[i] ^= 0x40
		f, err := segment.Parse(changed[segment.FileHead:])
		if err == nil {
			_, err = f.Open(nil, aead(t, 1))
		}
		if err == nil {
			t.Errorf("a change of byte %d is not found", i)
		}
	}
	for i := range segment.FileHead {
		changed := bytes.Clone(b)
		changed[i] ^= 0x40
		if segment.CheckHead(changed, 7) == nil {
			t.Errorf("a change of byte %d of the head is not found", i)
		}
	}
	for n := segment.FileHead + 1; n < len(b); n++ {
		if _, err := segment.Parse(b[segment.FileHead:n]); !errors.Is(err, segment.ErrDamaged) {
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
}

func TestResync(t *testing.T) {
	b := file(t, "one", "two GHF1 two", "three")
	b[segment.FileHead+segment.HeaderSize+3+segment.TagSize+90] ^= 1 // in the second
	r := segment.NewReader(bytes.NewReader(b), segment.FileHead, int64(len(b)))
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); !errors.Is(err, segment.ErrDamaged) {
		t.Fatalf("a damaged frame: %v", err)
	}
	found, err := r.Resync()
	if err != nil || !found {
		t.Fatalf("resync: %v, %v", found, err)
	}
	f, err := r.Next()
	if err != nil || f.Entry != 3 {
		t.Fatalf("the frame behind the damage: %+v, %v", f, err)
	}
	if found, err := r.Resync(); err != nil || found {
		t.Errorf("resync at the end: %v, %v", found, err)
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]uint64{
		"00000001.seg": 1, "00000042.seg": 42, "123456789.seg": 123456789,
		"00000000.seg": 0, "1.seg": 0, "00000001.seg.cut-1": 0, "x0000001.seg": 0, "0000000001.seg": 0,
	} {
		if got, ok := segment.Number(name); got != want && ok || ok != (want > 0) {
			t.Errorf("%s: %d, %v, want %d", name, got, ok, want)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add(file(f, "one", "two")[segment.FileHead:])
	f.Add(make([]byte, 200))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := segment.NewReader(bytes.NewReader(b), 0, int64(len(b)))
		for {
			at := r.Offset()
			f, err := r.Next()
			if err == nil {
				if r.Offset() != at+int64(f.Size) || f.Size < segment.HeaderSize {
					t.Fatalf("a frame of %d bytes, from %d to %d", f.Size, at, r.Offset())
				}
				f.Open(nil, aead(t, 1))
				continue
			}
			if r.Offset() != at {
				t.Fatalf("an error moves the reader from %d to %d", at, r.Offset())
			}
			found, err := r.Resync()
			if err != nil {
				t.Fatal(err)
			}
			if !found {
				return
			}
			if r.Offset() <= at {
				t.Fatalf("resync goes from %d to %d", at, r.Offset())
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	a, plain := aead(b, 1), make([]byte, 1000)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		h := segment.Header{Entry: 1, Key: 2}
		dst, _ = segment.Append(dst[:0], &h, a, plain)
	}
}
