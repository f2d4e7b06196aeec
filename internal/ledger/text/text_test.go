package text_test

import (
	"testing"

	"github.com/workingagents/gatehouse/internal/ledger/text"
)

var secret = []byte("0123456789abcdef0123456789abcdef")

func TestWords(t *testing.T) {
	for in, want := range map[string]string{
		"Hello, World!":          "hello world",
		"snake_case src/main.go": "snake +case src +main +go",
		"a@b.example x::y":       "a +b +example x y",
		"don't stop":             "don t stop",
		"東京 tower都":              "東 +京 tower +都",
		"ÄRGER é":                "ärger é",
		"x\xffy":                 "x y",
		"  ":                     "",
		"v1.2 0x1F":              "v1 +2 0x1f",
	} {
		got := ""
		text.Words(in, func(w text.Word) bool {
			if got != "" {
				got += " "
			}
			if w.Joined {
				got += "+"
			}
			got += string(w.Text)
			return true
		})
		if got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
