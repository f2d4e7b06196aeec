package splice_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/wire/splice"
)

// token is a string or number of a JSON text, with what it decodes to.
type token struct {
	start, end int
	units      []int // of a string: where its characters begin, and the end
	name       bool
}

// tokens reads a valid JSON text by itself.
func tokens(body []byte) (list []token) {
	for i := 0; i < len(body); {
		switch c := body[i]; {
		case c == '"':
			t := token{start: i}
			for i++; body[i] != '"'; {
				t.units = append(t.units, i)
				i += unit(body[i:])
			}
			t.units = append(t.units, i)
			i++
			t.end = i
			t.name = bytes.HasPrefix(bytes.TrimLeft(body[i:], " \t\r\n"), []byte(":"))
			list = append(list, t)
		case c == '-' || '0' <= c && c <= '9':
			t := token{start: i}
			for i < len(body) && bytes.IndexByte([]byte("+-.eE0123456789"), body[i]) >= 0 {
				i++
			}
			t.end = i
			list = append(list, t)
		default:
			i++
		}
	}
	return list
}

// unit gives the length of a character: a rune, an escape, a pair of them.
func unit(b []byte) int {
	if b[0] != '\\' {
		_, n := utf8.DecodeRune(b)
		return n
	}
	if b[1] != 'u' {
		return 2
	}
	if len(b) >= 12 && b[6] == '\\' && b[7] == 'u' {
		var r string
		if json.Unmarshal([]byte(`"`+string(b[:12])+`"`), &r) == nil && utf8.RuneCountInString(r) == 1 {
			return 12
		}
	}
	return 6
}

var replacements = []string{"", "QZABC", "a\"b\\c\n\x00\x1f", "é😀\u2028", "</script>", "\\u0041"}

// pick makes changes in some of the tokens, and the texts that the tokens must
// have afterwards.
func pick(r *rand.Rand, body []byte, list []token) (changes []splice.Change, want map[int]string) {
	want = map[int]string{}
	for k, t := range list {
		if r.IntN(3) == 0 {
			continue
		}
		text := replacements[r.IntN(len(replacements))]
		if t.units == nil {
			i := t.start + r.IntN(t.end-t.start)
			j := i + 1 + r.IntN(t.end-i)
			changes = append(changes, splice.Change{Start: i, End: j, Kind: splice.Number, Text: []byte(text)})
			want[k] = string(body[t.start:i]) + text + string(body[j:t.end])
			continue
		}
		i := r.IntN(len(t.units))
		j := i + r.IntN(len(t.units)-i)
		changes = append(changes, splice.Change{Start: t.units[i], End: t.units[j], Text: []byte(text)})
		want[k] = decode(body[t.units[0]:t.units[i]]) + text + decode(body[t.units[j]:t.end-1])
	}
	return changes, want
}

func decode(content []byte) (s string) {
	json.Unmarshal([]byte(`"`+string(content)+`"`), &s)
	return s
}

// tree gives the tokens of a JSON text as encoding/json reads them.
func tree(body []byte) (list []any) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	for {
		t, err := d.Token()
		if err == io.EOF {
			return list
		}
		if err != nil {
			return nil
		}
		list = append(list, t)
	}
}

// expect puts the wanted texts into the tokens of the original.
func expect(list []any, want map[int]string) []any {
	k := 0
	for i, t := range list {
		switch t.(type) {
		case string, json.Number:
			if text, ok := want[k]; ok {
				list[i] = text
			}
			k++
		}
	}
	return list
}

// outside makes sure that the edits are in order and apart, and that all bytes
// outside of them stay.
func outside(t *testing.T, body, edited []byte, edits []splice.Edit) {
	t.Helper()
	at, to := int64(0), int64(0)
	for _, e := range edits {
		n := e.At - at
		if n < 0 || e.Cut < 0 || !bytes.Equal(body[at:e.At], edited[to:to+n]) {
			t.Fatalf("bytes before the edit at %d have changed", e.At)
		}
		at, to = e.At+e.Cut, to+n+int64(len(e.Put))
	}
	if !bytes.Equal(body[at:], edited[to:]) {
		t.Fatal("bytes behind the last edit have changed")
	}
}

func check(t *testing.T, body []byte, r *rand.Rand) {
	t.Helper()
	if !json.Valid(body) || !utf8.Valid(body) {
		return
	}
	changes, want := pick(r, body, tokens(body))
	r.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
	edits, err := splice.Edits(body, changes)
	if err != nil {
		t.Fatalf("%q %+v: %v", body, changes, err)
	}
	edited := splice.Apply(body, edits)
	outside(t, body, edited, edits)
	if got, want := tree(edited), expect(tree(body), want); !reflect.DeepEqual(got, want) {
		t.Fatalf("%q became %q\n got %q\nwant %q", body, edited, got, want)
	}
}

var seeds = []string{
	`{"a":"hello","b":[1,-2.5e7,{"c":"\u00e9\ud83d\ude00x\\\"\n"}],"d":null,"e":true}`,
	`[ "" , {"":""}, 0, "日本語😀", "\ud800", "\udc00\ud800" ]`,
	`"just a string"`, `4111111111111111`, `{"arguments":"{\"command\":\"echo \\\"x\\\"\"}"}`,
}

func TestEditedJSONSaysTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		check(t, []byte(seeds[r.IntN(len(seeds))]), r)
	}
}

// FuzzEdits takes any body: in JSON it edits tokens and compares; in anything it
// asks for changes anywhere, which are made whole or not at all.
func FuzzEdits(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), uint64(1), 3, 5, uint8(0))
	}
	f.Fuzz(func(t *testing.T, body []byte, seed uint64, i, j int, kind uint8) {
		check(t, body, rand.New(rand.NewPCG(seed, 0)))
		c := splice.Change{Start: i, End: j, Kind: splice.Kind(kind % 3), Text: []byte("7")}
		edits, err := splice.Edits(body, []splice.Change{c})
		if err != nil {
			if edits != nil {
				t.Fatal("an error, and edits")
			}
			return
		}
		edited := splice.Apply(body, edits)
		outside(t, body, edited, edits)
		if json.Valid(body) && c.Kind != splice.Raw && !json.Valid(edited) {
			t.Fatalf("%q became %q", body, edited)
		}
	})
}
