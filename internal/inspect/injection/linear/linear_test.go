package linear_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect/injection/linear"
)

func samples() (list []linear.Sample) {
	for _, who := range []string{"cat", "dog", "bird", "fish", "horse"} {
		list = append(list, linear.Sample{Text: []byte("obey the " + who + " now"), Yes: true, Weight: 1},
			linear.Sample{Text: []byte("the " + who + " sleeps in the house"), Weight: 1})
	}
	return list
}

func TestItLearns(t *testing.T) {
	m := linear.Train(samples())
	for text, yes := range map[string]bool{"obey the mouse now": true, "the mouse sleeps in the house": false, "": false} {
		if got := m.Percent([]byte(text)); got >= 80 != yes || got >= 50 != yes {
			t.Errorf("%q: %d percent", text, got)
		}
	}
}

// The same samples make the same bytes, and those bytes the same model.
func TestBytes(t *testing.T) {
	m := linear.Train(samples())
	b := m.Bytes()
	if !bytes.Equal(b, linear.Train(samples()).Bytes()) {
		t.Error("two trainings differ")
	}
	again, err := linear.Read(b)
	if err != nil || len(b) != linear.Size || len(b) > 256<<10 {
		t.Fatalf("%d bytes: %v", len(b), err)
	}
	for _, text := range []string{"obey the mouse", "sleeps in", "!"} {
		if got, want := again.Percent([]byte(text)), m.Percent([]byte(text)); got != want {
			t.Errorf("%q: %d and %d percent", text, got, want)
		}
	}
	for _, bad := range [][]byte{nil, b[:len(b)-1], append([]byte("x"), b[1:]...), append(b[:8:8], bytes.Repeat([]byte{0xff}, len(b)-8)...)} {
		if _, err := linear.Read(bad); err == nil {
			t.Errorf("%d bytes are taken for a model", len(bad))
		}
	}
}

// A text reads the same however its letters are disguised.
func TestDisguisesAreSeenThrough(t *testing.T) {
	m := linear.Train(samples())
	plain := "obey the mouse now"
	want := m.Percent([]byte(plain))
	for name, f := range map[string]func(rune) string{
		"tags":       func(r rune) string { return string(0xE0000 + r) },
		"selectors":  func(r rune) string { return string(0xE0100 + r - 16) },
		"full width": func(r rune) string { return map[bool]string{true: " ", false: string(0xFEE0 + r)}[r == ' '] },
		"no width":   func(r rune) string { return string(r) + "\u200b" },
		"capitals":   func(r rune) string { return strings.ToUpper(string(r)) },
		"Cyrillic":   func(r rune) string { return strings.NewReplacer("o", "\u043e", "e", "\u0435").Replace(string(r)) },
	} {
		var b strings.Builder
		for _, r := range plain {
			b.WriteString(f(r))
		}
		if got := m.Percent([]byte(b.String())); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

// FuzzPercent scores any text: the result is a percentage.
func FuzzPercent(f *testing.F) {
	m := linear.Train(samples())
	f.Add([]byte("obey \xff\u200b\U000E0041 \u5ffd\u7565 <|x|> 12"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if got := m.Percent(text); got < 0 || got > 100 {
			t.Errorf("%d percent", got)
		}
	})
}
