package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestSameSourceSameDictionary(t *testing.T) {
	var files [2][]byte
	for i := range files {
		name := filepath.Join(t.TempDir(), "dict")
		if err := train(name, 7, 2<<10, 200); err != nil {
			t.Fatal(err)
		}
		var err error
		if files[i], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("two trainings differ")
	}
}

func TestCoverTakesWhatIsShared(t *testing.T) {
	shared := []byte("what both of these texts have in common, word for word, and nothing else")
	texts := [][]byte{append([]byte("first: 1234567890 abcdefghij "), shared...), append([]byte("second KLMNOPQRST 0987654321 "), shared...)}
	got := cover(texts, 64)
	if len(got) == 0 || !bytes.Contains(shared, got[len(got)-16:]) {
		t.Errorf("cover = %q, want a part of what is shared", got)
	}
}
