package pii_test

import (
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
)

// A number whose groups stand apart by other blanks than the usual one is the same
// number, and what is found is how it stands there.
func TestNumbersWithOtherBlanks(t *testing.T) {
	e, _ := engine(t)
	for _, number := range []string{"0961 8619 1064 9021", "QR34 8259 5599 5087 5685 55", "+94 625 6789012"} {
		number = inspect.Rotate(number)
		for _, blank := range []string{"\u00a0", "\u202f", `\u00a0`, "&nbsp;"} {
			var text []byte
			for _, c := range number {
				if c == ' ' {
					text = append(text, blank...)
				} else {
					text = append(text, string(c)...)
				}
			}
			r := e.Scan([]byte("it is "+string(text)+", yes"), inspect.Options{})
			if len(r.Matches) != 1 || string(r.Matches[0].Value) != string(text) || string(r.Matches[0].Secret) != number || r.Cut != "" {
				t.Errorf("%s: %+v", text, r.Matches)
			}
		}
	}
	if r := e.Scan([]byte("100\u00a0€ or 10\u202fkm, 20\u00a0%"), inspect.Options{}); len(r.Matches) > 0 {
		t.Errorf("%+v", r.Matches)
	}
}
