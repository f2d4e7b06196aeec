package pii_test

import (
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
)

// Telephones as people write them. They are stored rotated, as the rules' examples are.
func TestTelephones(t *testing.T) {
	e, _ := engine(t)
	for _, tt := range []struct{ text, want string }{
		{"Unaql 5625/0009988", "5625/0009988"},
		{"Gry. 534 / 678901", "534 / 678901"},
		{"Gry.: 595/678 90 12", "595/678 90 12"},
		{"+94(5)625/0009988", "+94(5)625/0009988"},
		{"pnyy +94 (5) 625 / 0009988", "+94 (5) 625 / 0009988"},
		{"cubar 970-000-5678", ""},
		{"+6-000-5655", ""},
		{"(000) 000-5678", ""},
		{"cubar 970-000-5778", "970-000-5778"},
		{"gry 55/7579", ""},
		{"cubar 6/7/7579", ""},
	} {
		r := e.Scan([]byte(inspect.Rotate(tt.text)), inspect.Options{})
		got := ""
		for _, m := range r.Matches {
			got += inspect.Rotate(string(m.Value))
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.text, got, tt.want)
		}
	}
}
