package plain_test

import (
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect/plain"
)

func TestOf(t *testing.T) {
	for text, want := range map[string]string{
		"ｋｅｙ＿１":                          "key_1",
		"𝐤𝒆𝓎 𝟏":                          "key 1",
		"ⓚⓔⓨ":                            "key",
		"ᴋᴇʏ":                            "KEY",
		"🇰🇪🇾":                            "KEY",
		"kеy":                            "key", // its e is Cyrillic
		"k\u00ade\u200by":                "key",
		"k\u0336e\u0301y":                "key",
		"a\u00a0b\u3000c":                "a b c",
		"\U000E006B\U000E0065\U000E0079": "key",
		"\U000E015B\U000E0155\U000E0169": "key",
		"naïve 中文 ، é":                   "naïve 中文 ، é",
	} {
		got := ""
		for _, r := range text {
			switch c, ok := plain.Of(r); {
			case !ok:
				got += string(r)
			case !plain.Begins(string(r)[0]):
				t.Errorf("%U begins with no byte of such a rune", r)
			case c != 0:
				got += string(rune(c))
			}
		}
		if got != want {
			t.Errorf("%+q: got %q, want %q", text, got, want)
		}
	}
	for _, r := range []rune{-1, 0xE0200, 0x10FFFF, 0xFFFD} {
		if _, ok := plain.Of(r); ok {
			t.Errorf("%U stands for another", r)
		}
	}
}
