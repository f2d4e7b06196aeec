package inspect_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"

	"github.com/workingagents/gatehouse/internal/inspect"
)

// encodings are the ways in which a text may stand within a text, by the name
// that Via has for them.
var encodings = map[string]func(string) string{
	"base64":          func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 raw url":  func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"base64 in lines": func(s string) string { return lines(base64.StdEncoding.EncodeToString([]byte(s))) },
	"base64 behind":   func(s string) string { return "dir/x" + base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 far behind": func(s string) string {
		return "a/long/way/down/the/tree/" + base64.StdEncoding.EncodeToString([]byte(s))
	},
	"hex":                   func(s string) string { return hex.EncodeToString([]byte(s)) },
	"hex capitals":          func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	"url":                   percent,
	"url query":             func(s string) string { return url.QueryEscape("/"+s[:1]) + percent(s[1:]) },
	"json":                  quote2,
	"html":                  entities,
	"ansi":                  coloured,
	"base64 utf-16":         func(s string) string { return base64.StdEncoding.EncodeToString(wide(s)) },
	"base64 gzip":           func(s string) string { return base64.StdEncoding.EncodeToString(squeezed([]byte(s))) },
	"base64 zlib":           func(s string) string { return base64.StdEncoding.EncodeToString(deflated(s)) },
	"base64 zstd":           func(s string) string { return base64.StdEncoding.EncodeToString(zstded(s)) },
	"base64 in short lines": func(s string) string { return wrapped(base64.StdEncoding.EncodeToString([]byte(s)), 20) },
	"base32":                func(s string) string { return base32.StdEncoding.EncodeToString([]byte(s)) },
	"json braces":           braces,
	"hex gzip":              func(s string) string { return hex.EncodeToString(squeezed([]byte(s))) },
}

// disguises are ways to write a value in characters that people see as its own.
var disguises = map[string]func(string) string{
	"letters of another width": func(s string) string {
		return strings.Map(func(r rune) rune { return r - '!' + '\uff01' }, s)
	},
	"soft hyphens":       func(s string) string { return strings.Join(strings.Split(s, ""), "\u00ad") },
	"one that is unseen": func(s string) string { return s[:len(s)/2] + "\u200b" + s[len(s)/2:] },
	"selectors":          func(s string) string { return strings.Join(strings.Split(s, ""), "\ufe0e") },
}

func TestDisguisedValuesAreFound(t *testing.T) {
	e := engine(t)
	secret := token(2)
	for name, disguise := range disguises {
		for _, text := range []string{
			"see " + disguise(secret) + " there",
			strings.Repeat("\u4e2d\u6587 ", 100) + disguise(secret) + strings.Repeat(" \u4e2d\u6587", 100),
		} {
			b := []byte(`{"n":1,"content":` + quote(text) + `,"x":"y"}`)
			o := inspect.Options{JSON: true}
			r := e.Scan(b, o)
			valid(t, b, o, r)
			if len(r.Matches) != 1 || r.Cut != "" {
				t.Fatalf("%s: got %+v", name, r)
			}
			m := r.Matches[0]
			if string(m.Secret) != secret || string(m.Value) != disguise(secret) || !slices.Equal(m.Via, []string{"unicode"}) || m.Kind != inspect.InString {
				t.Errorf("%s: got %q for %q via %v", name, m.Secret, m.Value, m.Via)
			}
		}
		hidden := encodings["base64"]("the key is " + disguise(secret) + " as was said")
		if r := e.Scan([]byte(hidden), inspect.Options{}); len(r.Matches) != 1 || string(r.Matches[0].Secret) != secret {
			t.Errorf("base64 of %s: got %+v", name, r.Matches)
		}
	}
}

// A value beside a character that is folded is found where it stands, as it is.
func TestWhatIsNotDisguisedStandsAsItIs(t *testing.T) {
	e := engine(t)
	r := e.Scan([]byte("caf\u00e9\u00a0: "+token(2)+"\u00a0."), inspect.Options{})
	if len(r.Matches) != 1 || string(r.Matches[0].Value) != token(2) || r.Matches[0].Via != nil {
		t.Errorf("got %+v", r.Matches)
	}
}

func lines(s string) string { return wrapped(s, 64) }

func wrapped(s string, width int) string {
	var b strings.Builder
	for len(s) > width {
		b.WriteString(s[:width] + "\r\n")
		s = s[width:]
	}
	return b.String() + s
}

func braces(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteString(`\u{` + hex.EncodeToString([]byte{c}) + "}")
	}
	return b.String()
}

func percent(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteString("%" + hex.EncodeToString([]byte{c}))
	}
	return b.String()
}

// quote2 is a text that JSON escapes each character of.
func quote2(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteString(units(r))
	}
	return b.String()
}

func entities(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteString("&#x" + hex.EncodeToString([]byte{c}) + ";")
	}
	return b.String()
}

// coloured is a text as grep, ls and tput colour it, with each third letter in colours.
func coloured(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i%3 == 0 && r < 0x80 {
			b.WriteString([]string{"\x1b[01;31m\x1b[K", "\x1b(B\x1b[m", "\x1b]8;;https://h.example\x1b\\", "\x1b]0;title\a"}[i/3%4])
		}
		b.WriteRune(r)
	}
	return b.String()
}

func wide(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

func deflated(s string) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.Bytes()
}

func zstded(s string) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll([]byte(s), nil)
}

// named gives Via's words for an encoding of the table.
func named(name string) []string {
	var via []string
	for _, w := range strings.Fields(name) {
		if slices.Contains([]string{"base64", "hex", "url", "json", "html", "ansi", "utf-16", "base32", "gzip", "zlib", "zstd"}, w) {
			via = append(via, w)
		}
	}
	if name == "base64 raw url" {
		via = via[:1]
	}
	if name == "url query" {
		via = via[:1]
	}
	return via
}

func TestEncodedValuesAreFound(t *testing.T) {
	e := engine(t)
	secret := token(2)
	text := "config: {\"zed\": \"" + secret + "\"}\n and more text that follows it"
	for name, encode := range encodings {
		t.Run(name, func(t *testing.T) {
			b := []byte(`{"n":1,"content":` + quote("see "+encode(text)+" there") + `,"x":"y"}`)
			o := inspect.Options{JSON: true}
			r := e.Scan(b, o)
			valid(t, b, o, r)
			if len(r.Matches) != 1 || r.Cut != "" {
				t.Fatalf("got %+v", r)
			}
			m := r.Matches[0]
			if string(m.Secret) != secret || !slices.Equal(m.Via, named(name)) || m.Kind != inspect.InString {
				t.Errorf("got %q via %v, want %v", m.Secret, m.Via, named(name))
			}
		})
	}
}

// Every pair of encodings, one around the other.
func TestStackedEncodings(t *testing.T) {
	e := engine(t)
	secret := token(3)
	for outer, around := range encodings {
		for inner, encode := range encodings {
			b := []byte(`{"content":` + quote(around("text: "+encode("key is "+secret+" ok, is it not?")+" end of text")) + `}`)
			o := inspect.Options{JSON: true}
			r := e.Scan(b, o)
			valid(t, b, o, r)
			if len(r.Matches) != 1 || string(r.Matches[0].Secret) != secret {
				t.Errorf("%s of %s: got %+v", outer, inner, r.Matches)
			}
		}
	}
}

func TestNestingHasAnEndThatIsTold(t *testing.T) {
	e := engine(t)
	text := "the key is " + token(4) + " and that is all"
	for depth := 1; depth <= 8; depth++ {
		text = encodings["base64"](text)
		r := e.Scan([]byte(`{"a":"`+text+`"}`), inspect.Options{JSON: true})
		if found, cut := len(r.Matches) == 1, r.Cut != ""; found == cut || found != (depth <= 5) {
			t.Errorf("%d deep: got %d matches, cut %q", depth, len(r.Matches), r.Cut)
		}
	}
}

func TestJSONWithinJSONMapsExactly(t *testing.T) {
	e := engine(t)
	text := `{"command":"export A=\"` + token(5) + `\"\nexport B=\u0041"}`
	for depth := range 10 {
		r := e.Scan([]byte(text), inspect.Options{JSON: true})
		if len(r.Matches) != 1 || r.Cut != "" {
			t.Fatalf("%d deep: got %d matches, cut %q", depth, len(r.Matches), r.Cut)
		}
		if m := r.Matches[0]; text[m.Start:m.End] != token(5) || string(m.Secret) != token(5) {
			t.Errorf("%d deep: got %q, want the token alone", depth, text[m.Start:m.End])
		}
		text = `{"arguments":` + quote(text) + `}`
	}
}

// A value all of whose letters are escaped, in strings within strings.
func TestEscapedLettersWithinStrings(t *testing.T) {
	e := engine(t)
	text := `{"a":"` + quote2("the key is "+token(6)) + `"}`
	for depth := range 8 {
		b := []byte(text)
		r := e.Scan(b, inspect.Options{JSON: true})
		valid(t, b, inspect.Options{JSON: true}, r)
		if len(r.Matches) != 1 || string(r.Matches[0].Secret) != token(6) {
			t.Errorf("%d deep: got %+v", depth, r.Matches)
		}
		text = `{"arguments":` + quote(text) + `}`
	}
}

func TestBinaryContentIsTold(t *testing.T) {
	e := engine(t)
	noise := random(3000)
	for _, c := range []struct {
		content []byte
		want    string
	}{
		{append([]byte("\x89PNG\r\n\x1a\n"), noise...), "base64: png image"},
		{append([]byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3"), noise...), "base64: pdf"},
		{append([]byte("PK\x03\x04\x14\x00"), noise...), "base64: zip archive or office file"},
		{noise, "base64: unknown binary"},
		{bytes.Repeat([]byte("\x00\x00\x00\x00abcd\x00\x00\x00\x00\x00\x00\x00\x00Zx9\x00"), 100), "base64: unknown binary"},
		{append(noise[:2000:2000], "a text at the end of it"...), "base64: unknown binary"},
		{noise[:500], ""},
		{append([]byte("\x89PNG\r\n\x1a\n"), noise[:60]...), "base64: png image"},
		{append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF"), noise[:60]...), "base64: jpeg image"},
		{append([]byte("BZh91AY&SY"), noise[:60]...), "base64: bzip2"},
		{append([]byte("PK\x03\x04\x14\x00"), noise[:60]...), "base64: zip archive or office file"},
		{append([]byte("ID3\x04\x00"), noise[:60]...), "base64: mp3 audio"},
		{append([]byte("\x00\x00\x01\x00\x01\x00\x10\x10\x00\x00\x01\x00\x20\x00"), noise[:60]...), "base64: icon image"},
		{append([]byte("\xff\xd8\xff\x10"), noise[:60]...), ""},
		{append([]byte("\x00\x00\x01\x00"), noise[:60]...), ""},
		{append([]byte("BZh"), noise[:60]...), ""},
		{bytes.Repeat([]byte("plain text, only long. "), 200), ""},
	} {
		b := []byte(`{"data":"` + base64.StdEncoding.EncodeToString(c.content) + `","t":"` + token(6) + `"}`)
		r := e.Scan(b, inspect.Options{JSON: true})
		got := ""
		if len(r.Unread) > 0 {
			got = r.Unread[0].Why
			if u := r.Unread[0]; u.Start != 9 || u.End != bytes.IndexByte(b, ',')-1 || r.Scanned != len(b)-(u.End-u.Start) {
				t.Errorf("%s: got %+v, scanned %d of %d", c.want, u, r.Scanned, len(b))
			}
		}
		if got != c.want || len(r.Unread) > 1 || len(r.Matches) != 1 {
			t.Errorf("got %q and %d matches, want %q and 1", got, len(r.Matches), c.want)
		}
	}
}

// What says of itself that it is content is told however short it is.
func TestDeclaredContentIsTold(t *testing.T) {
	e := engine(t)
	noise := base64.StdEncoding.EncodeToString(random(90))
	for _, c := range []struct {
		text  string
		media bool
		want  int
	}{
		{`{"image_url":"data:image/x;base64,` + noise + `"}`, false, 1},
		{`{"type":"audio","source":{"data": "` + noise + `"}}`, true, 1},
		{`{"type":"audio","source":{"data": "` + noise + `"}}`, false, 0},
		{`{"type":"image","source":{"file_id":"` + noise + `"}}`, true, 0},
		{`{"type":"image","source":{"url":"https://h.example/` + noise + `"}}`, true, 0},
		{`{"hash":"` + hex.EncodeToString(append([]byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3"), random(20)...)) + `"}`, false, 1},
	} {
		if r := e.Scan([]byte(c.text), inspect.Options{JSON: true, Media: c.media}); len(r.Unread) != c.want {
			t.Errorf("%s, media %v: got %+v", c.text, c.media, r.Unread)
		}
	}
}

func TestNumbersAndHashesAreNoBinaryContent(t *testing.T) {
	e := engine(t)
	for _, s := range []string{strings.Repeat("1234567890", 1000), strings.Repeat("a", 9000), strings.Repeat("path/to/", 400)} {
		if r := e.Scan([]byte(`"`+s+`"`), inspect.Options{JSON: true}); len(r.Unread) > 0 || r.Cut != "" {
			t.Errorf("%.20s: got %+v %q", s, r.Unread, r.Cut)
		}
	}
}

// A secret in content that is no text, such as a serialised message.
func TestValuesInSmallBinaryContent(t *testing.T) {
	e := engine(t)
	content := "\x0a\x04name\x12\x24\x00\xff" + token(7) + "\x00\x01\x02\x03\xfe\xfd\x80\x81\x82\x83\x84\x85\x86\x87\x88"
	m := one(t, e, base64.StdEncoding.EncodeToString([]byte(content)), inspect.Options{})
	if string(m.Secret) != token(7) {
		t.Errorf("got %q", m.Secret)
	}
}

func TestNoiseInBinaryContentIsNoValue(t *testing.T) {
	e := engine(t, loose())
	content := "\x01\x02\x03\x04\x05\x80\x81\x82\x83zed\x00\xff\xfe\xfd\x80\x81\x82\x83\x84\x85\x86\x87\x88"
	if r := e.Scan([]byte(base64.StdEncoding.EncodeToString([]byte(content))), inspect.Options{}); len(r.Matches) != 0 {
		t.Errorf("got %q", r.Matches[0].Secret)
	}
}
