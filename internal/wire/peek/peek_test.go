package peek_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/wire/peek"
)

func TestMembers(t *testing.T) {
	raw := []byte(" { \"a\" : 1 , \"b\\u0063\":\"x\\\"y\",\"n\":{\"m\":[1,{\"}\":\"]\"}]},\"t\":true,\"z\":null } ")
	var got []string
	w := peek.Members(raw)
	for w.Next() {
		got = append(got, string(w.Name)+"="+string(w.Value))
	}
	want := []string{"a=1", `bc="x\"y"`, `n={"m":[1,{"}":"]"}]}`, "t=true", "z=null"}
	if strings.Join(got, "|") != strings.Join(want, "|") || w.Bad() {
		t.Errorf("got %q bad=%v, want %q", got, w.Bad(), want)
	}
}

func TestElements(t *testing.T) {
	var got []string
	for w := peek.Elements([]byte(`[1, "a,]", {"x":[]}, [2]]`)); w.Next(); {
		got = append(got, string(w.Value))
	}
	if want := `1|"a,]"|{"x":[]}|[2]`; strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMalformedIsBad(t *testing.T) {
	for _, raw := range []string{``, `x`, `"s"`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":"`, `{"a":{}`, `{1:2}`, `{"a" 1}`, `{"a":}`} {
		w := peek.Members([]byte(raw))
		for w.Next() {
		}
		if !w.Bad() {
			t.Errorf("%q: want bad", raw)
		}
	}
}

func TestGet(t *testing.T) {
	raw := []byte(`{"a":{"b":1},"a":{"b":"two","c":[{}]}}`)
	if got := peek.String(peek.Get(raw, "a", "b")); got != "two" {
		t.Errorf("got %q, want the last duplicate", got)
	}
	if got := peek.Get(raw, "a", "b", "c"); got != nil {
		t.Errorf("got %q, want nil", got)
	}
	if got := string(peek.Get(raw, "a", "c")); got != "[{}]" {
		t.Errorf("got %q", got)
	}
}

func TestWhole(t *testing.T) {
	for raw, want := range map[string]bool{` {"a":1} `: true, `[]`: false, `{} {}`: false, `{`: false, `1`: false, ``: false} {
		if got := peek.Whole([]byte(raw)); got != want {
			t.Errorf("Whole(%q) = %v, want %v", raw, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	long, _ := json.Marshal(strings.Repeat("é", 1000))
	if got := peek.Short(long); got != strings.Repeat("é", 128) {
		t.Errorf("got %d bytes %q", len(got), got)
	}
	if got := peek.Short([]byte("\"a\xffb\"")); got != "ab" {
		t.Errorf("got %q, want ab", got)
	}
}

func TestInt(t *testing.T) {
	for raw, want := range map[string]int64{`12`: 12, `-3`: -3, `1.9`: 1, `1e3`: 1000, `"7"`: 0, `null`: 0, ``: 0, `1e99`: 0, `NaN`: 0} {
		if got := peek.Int([]byte(raw)); got != want {
			t.Errorf("Int(%q) = %d, want %d", raw, got, want)
		}
	}
}

// strings that go through each branch of the scanner: quotes and backslashes
// before, at and after the place where it changes to another way of looking.
func texts() []string {
	var list []string
	for n := range 90 {
		pad := strings.Repeat("a", n)
		list = append(list, pad, pad+`"`, pad+`\`, pad+`\\"`, `"`+pad, pad+"\n"+pad, pad+"é€😀"+pad+`\"`)
	}
	return list
}

func TestStringsAsEncodingJSONReadsThem(t *testing.T) {
	for _, want := range texts() {
		raw, _ := json.Marshal(want)
		check(t, raw, want)
		check(t, escaped(want), want)
	}
}

// escaped writes every UTF-16 unit as \uXXXX.
func escaped(s string) []byte {
	out := []byte{'"'}
	for _, r := range s {
		for _, u := range units(r) {
			const hex = "0123456789aBcDeF"
			out = append(out, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
		}
	}
	return append(out, '"')
}

func units(r rune) []uint16 {
	if r < 0x10000 {
		return []uint16{uint16(r)}
	}
	r -= 0x10000
	return []uint16{uint16(0xD800 + r>>10), uint16(0xDC00 + r&0x3FF)}
}

func check(t *testing.T, raw []byte, want string) {
	t.Helper()
	if got := peek.String(raw); got != want {
		t.Errorf("String(%s) = %q, want %q", raw, got, want)
	}
	if got := peek.Size(raw); got != len(want) {
		t.Errorf("Size(%s) = %d, want %d", raw, got, len(want))
	}
	var stepped []byte
	for text := raw[1 : len(raw)-1]; len(text) > 0; {
		var n int
		stepped, n = peek.Step(stepped, text)
		text = text[n:]
	}
	if string(stepped) != want {
		t.Errorf("stepping through %s gave %q, want %q", raw, stepped, want)
	}
	if !peek.Is(raw, want) || peek.Is(raw, want+"x") {
		t.Errorf("Is(%s) is wrong", raw)
	}
	obj := append(append([]byte(`{"k":`), raw...), `,"after":1}`...)
	if got := string(peek.Get(obj, "k")); got != string(raw) {
		t.Errorf("Get = %s, want %s", got, raw)
	}
	if got := string(peek.Get(obj, "after")); got != "1" {
		t.Errorf("member after %s: got %q", raw, got)
	}
}

func TestLoneSurrogates(t *testing.T) {
	for raw, want := range map[string]string{`"\ud83dx"`: "\uFFFDx", `"\ude00"`: "\uFFFD", `"\ud83d\u0041"`: "\uFFFDA", `"\u12"`: "\uFFFD12"} {
		check := peek.String([]byte(raw))
		if check != want || peek.Size([]byte(raw)) != len(want) {
			t.Errorf("%s: got %q (%d), want %q", raw, check, peek.Size([]byte(raw)), want)
		}
	}
}

// FuzzPeek compares with encoding/json wherever that accepts the input.
func FuzzPeek(f *testing.F) {
	for _, seed := range []string{`{"a":"b\n","c":[1,2,{"d":null}]}`, `["x",{}]`, `{"a":1,"a":"\ud83d\ude00"}`, `{"a":"\\\\\""`, `{"":"0123456789012345\""}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		visit(raw, 0)
		var want map[string]json.RawMessage
		if json.Unmarshal(raw, &want) != nil || want == nil {
			return
		}
		got := map[string]string{}
		w := peek.Members(raw)
		for w.Next() {
			got[strings.ToValidUTF8(string(w.Name), "\uFFFD")] = string(w.Value)
		}
		if w.Bad() || !peek.Whole(raw) {
			t.Fatalf("valid JSON is bad: %q", raw)
		}
		for name, value := range want {
			compare(t, name, got, value)
		}
	})
}

func compare(t *testing.T, name string, got map[string]string, value json.RawMessage) {
	found, ok := got[name]
	if !ok {
		if strings.Contains(name, "\uFFFD") {
			return // encoding/json replaces bytes one by one
		}
		t.Fatalf("no member %q", name)
	}
	if found != string(value) && !strings.Contains(name, "\uFFFD") {
		t.Fatalf("member %q: got %q, want %q", name, found, value)
	}
	var s string
	if value[0] == '"' && json.Unmarshal(value, &s) == nil && !strings.Contains(s, "\uFFFD") && peek.String(value) != s {
		t.Fatalf("string %q: got %q, want %q", value, peek.String(value), s)
	}
	if value[0] == '"' && peek.Size(value) != len(peek.String(value)) {
		t.Fatalf("size of %q", value)
	}
}

func visit(raw []byte, depth int) {
	if depth > 20 {
		return
	}
	for w := peek.Members(raw); w.Next(); {
		peek.String(w.Value)
		peek.Int(w.Value)
		peek.Short(w.Value)
		visit(w.Value, depth+1)
	}
	for w := peek.Elements(raw); w.Next(); {
		visit(w.Value, depth+1)
	}
}

func TestScanner(t *testing.T) {
	raw := []byte(`{"skip":{"a":[1,{}]},"in":{"x":"1","list":[ {"y":2}, 3, [] ],"z":4},"after":5} tail`)
	s := peek.Scan(raw)
	var got []string
	take := func(what string) { got = append(got, what+"="+string(s.Value())) }
	if s.Array() || !s.Object() {
		t.Fatal("want an object")
	}
	for s.Member() {
		switch string(s.Name) {
		case "in":
			if !s.Object() {
				t.Fatal("want an object")
			}
			for s.Member() {
				if string(s.Name) != "list" || !s.Array() {
					take(string(s.Name))
					continue
				}
				for s.Element() {
					take("element")
				}
			}
		case "after":
			take("after")
			take("again")
		}
	}
	want := `x="1"|element={"y":2}|element=3|element=[]|z=4|after=5|again=`
	if strings.Join(got, "|") != want || s.Bad() {
		t.Errorf("got %q bad=%v, want %q", got, s.Bad(), want)
	}
}

func TestScannerMalformed(t *testing.T) {
	for _, raw := range []string{`{"a":{"b":[1`, `{"a":{"b":[1}`, `{"a":{"b":[,`, `{"a":{"b":["x`, `{"a":{1`, `{"a":{"b" :`} {
		s := peek.Scan([]byte(raw))
		if s.Object() {
			for s.Member() {
				for s.Object(); s.Member(); {
					for s.Array(); s.Element(); {
					}
				}
			}
		}
		if !s.Bad() || s.Member() || s.Element() || s.Value() != nil {
			t.Errorf("%q: want bad", raw)
		}
	}
}

func BenchmarkMembers(b *testing.B) {
	raw := []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" and then the"}}`)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		for w := peek.Members(raw); w.Next(); {
			if string(w.Name) == "delta" {
				for d := peek.Members(w.Value); d.Next(); {
				}
			}
		}
	}
}

func BenchmarkScanner(b *testing.B) {
	raw := []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" and then the"}}`)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		s := peek.Scan(raw)
		s.Object()
		for s.Member() {
			if string(s.Name) == "delta" && s.Object() {
				for s.Member() {
				}
			}
		}
	}
}
