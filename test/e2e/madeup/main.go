// Command madeup rewrites captured request bodies in place: every longer text
// in them is replaced, word for word, by made-up words of the same length. What
// the tests need of a real body stays, its shape, sizes, escapes and what is
// repeated from turn to turn; the vendor's prompts, which are not ours to ship,
// go.
//
//	go run ./madeup FOLDER
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

var (
	literal = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	escape  = regexp.MustCompile(`\\u[0-9a-fA-F]{4}|\\.`)
	word    = regexp.MustCompile(`[A-Za-z0-9_$./<>-]+`)
	letters = regexp.MustCompile(`^[A-Za-z]{3,}$`)
)

// longText is the length from which a text is taken for a vendor's.
const longText = 60

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: madeup FOLDER")
		os.Exit(2)
	}
	files, err := filepath.Glob(filepath.Join(os.Args[1], "*", "*.request.gz"))
	for _, file := range files {
		if err == nil {
			err = rewrite(file)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "madeup:", err)
		os.Exit(1)
	}
	fmt.Println(len(files), "bodies rewritten")
}

func rewrite(file string) error {
	packed, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	made := literal.ReplaceAllFunc(body, text)
	if len(made) != len(body) || !json.Valid(made) {
		return fmt.Errorf("%s came out with another shape", file)
	}
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(made); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(file, out.Bytes(), 0o644)
}

// text rewrites one JSON string. Names, ids and our own scripts stay.
func text(s []byte) []byte {
	if len(s) < longText || !bytes.ContainsRune(s, ' ') || bytes.Contains(s, []byte("[think]")) {
		return s
	}
	var out []byte
	at := 0
	for _, e := range escape.FindAllIndex(s, -1) {
		out = append(out, word.ReplaceAllFunc(s[at:e[0]], invent)...)
		out = append(out, s[e[0]:e[1]]...)
		at = e[1]
	}
	return append(out, word.ReplaceAllFunc(s[at:], invent)...)
}

// invent gives a word of the same length, the same one each time.
func invent(w []byte) []byte {
	if !letters.Match(w) {
		return w
	}
	const consonants, vowels = "bcdfghklmnprstvz", "aeiou"
	sum := sha256.Sum256(bytes.ToLower(w))
	var b strings.Builder
	for i := range len(w) {
		c := rune(consonants[sum[i%32]%16])
		if i%2 == 1 {
			c = rune(vowels[sum[i%32]%5])
		}
		if unicode.IsUpper(rune(w[i])) {
			c = unicode.ToUpper(c)
		}
		b.WriteRune(c)
	}
	return []byte(b.String())
}
