package inspect_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
)

// hostile are texts that were made to hurt, of about n bytes.
var hostile = []struct {
	name string
	json bool
	make func(n int) []byte
}{
	{"digits", false, func(n int) []byte { return bytes.Repeat([]byte("1234567890"), n/10) }},
	{"digits in JSON", true, func(n int) []byte { return []byte(`{"a":` + strings.Repeat("7", n) + `}`) }},
	{"one letter", true, func(n int) []byte { return bytes.Repeat([]byte("a"), n) }},
	{"invalid UTF-8", true, func(n int) []byte { return bytes.Repeat([]byte("\xff\xc0\x80\xed\xa0\x80 zed_\xfe"), n/12) }},
	{"random bytes", false, func(n int) []byte { return random(n) }},
	{"zero bytes", false, func(n int) []byte { return make([]byte, n) }},
	{"deep arrays", true, func(n int) []byte { return []byte(strings.Repeat("[", n/2) + strings.Repeat("]", n/2)) }},
	{"deep objects", true, func(n int) []byte { return []byte(strings.Repeat(`{"a":`, n/6) + "1" + strings.Repeat("}", n/6)) }},
	{"short strings", true, func(n int) []byte { return []byte("[" + strings.Repeat(`"ab",`, n/5) + `""]`) }},
	{"empty strings", true, func(n int) []byte { return []byte("[" + strings.Repeat(`"",`, n/3) + `""]`) }},
	{"quotes", true, func(n int) []byte { return bytes.Repeat([]byte(`"`), n) }},
	{"backslashes", true, func(n int) []byte { return bytes.Repeat([]byte(`\`), n) }},
	{"escaped letters", true, func(n int) []byte { return []byte(`"` + strings.Repeat(`\u0041`, n/6) + `"`) }},
	{"lone surrogates", true, func(n int) []byte { return []byte(`"` + strings.Repeat(`\ud83d`, n/6) + `"`) }},
	{"percents", false, func(n int) []byte { return bytes.Repeat([]byte("%25"), n/3) }},
	{"entities", false, func(n int) []byte { return bytes.Repeat([]byte("&amp;"), n/5) }},
	{"colours", false, func(n int) []byte { return bytes.Repeat([]byte("\x1b[01;31m"), n/8) }},
	{"colours without an end", false, func(n int) []byte { return bytes.Repeat([]byte("\x1b[\x1b]"), n/4) }},
	{"all escapes", true, func(n int) []byte { return bytes.Repeat([]byte(`%5c&#92;\\u005c`), n/15) }},
	{"anchors", false, func(n int) []byte { return bytes.Repeat([]byte("zed_"), n/4) }},
	{"anchors of windows", false, func(n int) []byte { return bytes.Repeat([]byte("-eu1"), n/4) }},
	{"anchors of detectors", false, func(n int) []byte { return bytes.Repeat([]byte("password"), n/8) }},
	{"all anchors", false, func(n int) []byte { return bytes.Repeat([]byte("zed_-eu1password bluebird "), n/26) }},
	{"findings", true, func(n int) []byte {
		var b strings.Builder
		for i := 0; b.Len() < n; i++ {
			b.WriteString(`"` + token(uint32(i)) + `",`)
		}
		return []byte(b.String())
	}},
	{"one finding often", true, func(n int) []byte { return bytes.Repeat([]byte(`"`+token(1)+`",`), n/39) }},
	{"base64 of base64", true, func(n int) []byte {
		text := letters(n/8, 1)
		for len(text) < n/2 {
			text = base64.StdEncoding.EncodeToString([]byte(text))
		}
		return []byte(`{"a":"` + text + `"}`)
	}},
	{"base64 of noise", true, func(n int) []byte {
		return []byte(`{"a":"` + base64.StdEncoding.EncodeToString(random(n*3/4)) + `"}`)
	}},
	{"base64 in pieces", true, func(n int) []byte {
		piece := base64.StdEncoding.EncodeToString([]byte("aGVsbG8gd29ybGQhIQ is text"))
		return bytes.Repeat([]byte(piece+" "), n/len(piece))
	}},
	{"hex of hex", false, func(n int) []byte {
		return []byte(hex.EncodeToString([]byte(hex.EncodeToString([]byte(letters(n/4, 1))))))
	}},
	{"bomb", true, func(n int) []byte {
		bomb := base64.StdEncoding.EncodeToString(squeezed(make([]byte, 16<<20)))
		return bytes.Repeat([]byte(`"`+bomb+`",`), max(1, n/len(bomb)))
	}},
	{"small compressed runs", true, func(n int) []byte {
		piece := base64.StdEncoding.EncodeToString(zstded("some text that is short"))
		return bytes.Repeat([]byte(`"`+piece+`",`), n/(len(piece)+3))
	}},
	{"UTF-16", false, func(n int) []byte { return bytes.Repeat([]byte("p\x00a\x00s\x00s\x00"), n/8) }},
	{"strings within strings", true, func(n int) []byte {
		text := "x"
		for len(text) < n/2 {
			text = quote(text)
		}
		return []byte(text)
	}},
}

func random(n int) []byte {
	b := make([]byte, n)
	source := rand.NewChaCha8([32]byte{1})
	source.Read(b)
	return b
}

func squeezed(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func TestHostileTextIsReadOrSaidNotToBe(t *testing.T) {
	e := engine(t)
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			b := h.make(100 << 10)
			o := inspect.Options{JSON: h.json, Known: fuzzKnown}
			r := e.Scan(b, o)
			valid(t, b, o, r)
			if len(r.Matches) > 1000 {
				t.Errorf("got %d matches", len(r.Matches))
			}
			if r.Scanned < len(b) && r.Cut == "" && len(r.Unread) == 0 {
				t.Errorf("%d of %d bytes were scanned, and the result does not say why", r.Scanned, len(b))
			}
		})
	}
}

// BenchmarkHostile is every hostile text, 2 MB of each.
func BenchmarkHostile(b *testing.B) {
	e := engine(b, rules(), many(300))
	for _, h := range hostile {
		b.Run(strings.ReplaceAll(h.name, " ", "-"), func(b *testing.B) {
			text := h.make(hostileSize)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			var r inspect.Result
			start := cpu()
			for b.Loop() {
				r = e.Scan(text, inspect.Options{JSON: h.json, Known: fuzzKnown})
			}
			reportCPU(b, start)
			b.ReportMetric(float64(len(r.Matches)), "matches")
			if r.Cut != "" {
				b.Logf("cut: %s; scanned %d of %d", r.Cut, r.Scanned, len(text))
			}
		})
	}
}

const hostileSize = 2 << 20
