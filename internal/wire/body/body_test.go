package body_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/workingagents/gatehouse/internal/wire/body"
)

// render gives each stretch as KIND(why) and its bytes, cut short.
func render(b []byte, list []body.Stretch) string {
	var lines []string
	for _, s := range list {
		kind := "text"
		if s.JSON {
			kind = "JSON"
		}
		if s.Binary {
			kind = "binary"
		}
		text := string(b[s.Start:s.End])
		if len(text) > 60 {
			text = text[:60] + "…"
		}
		lines = append(lines, fmt.Sprintf("%s (%s) %q", kind, s.Why, text))
	}
	return strings.Join(lines, "\n")
}

// whole fails unless the stretches are the body, in order and without a gap.
func whole(t *testing.T, b []byte, list []body.Stretch) {
	t.Helper()
	at := 0
	for i, s := range list {
		if s.Start != at || s.End <= s.Start || s.JSON && s.Binary && i < body.Most || s.Why == "" {
			t.Fatalf("stretch %+v at %d of %d bytes", s, at, len(b))
		}
		at = s.End
	}
	if at != len(b) || len(list) > body.Most+1 {
		t.Fatalf("%d stretches end at %d of %d", len(list), at, len(b))
	}
}

func TestOneBody(t *testing.T) {
	png := "\x89PNG\r\n\x1a\n" + strings.Repeat("\x00\x01\xff\xfe", 50)
	for _, tt := range []struct{ kind, body, want string }{
		{"application/json", `{"input":["a","b"]}`, `JSON (JSON) "{\"input\":[\"a\",\"b\"]}"`},
		{"text/plain", ` [1]`, `JSON (JSON) " [1]"`},
		{"", `"a string"`, `JSON (JSON) "\"a string\""`},
		{"application/json", `{"a":1`, `JSON (not strict JSON) "{\"a\":1"`},
		{"application/json", "\xef\xbb\xbf{\"a\":1}", `JSON (not strict JSON) "\ufeff{\"a\":1}"`},
		{"application/json", `hello "x" {`, `text (text) "hello \"x\" {"`},
		{"application/x-www-form-urlencoded", `a=%41&b=2`, `text (text) "a=%41&b=2"`},
		{"image/png", "only called so", `text (text) "only called so"`},
		{"text/plain", png, ""},
		{"", "%PDF-1.7 text", `binary (application/pdf) "%PDF-1.7 text"`},
		{"", "ID3 is a letter and two more", `text (text) "ID3 is a letter and two more"`},
		{"", "   ", `text (text) "   "`},
		{"multipart/form-data", "--x\r\n\r\ny", `text (text) "--x\r\n\r\ny"`},
		{"application/json", `{"model":"m","input":[1,22,333,4444,55555]}`, "JSON (JSON) \"{\\\"model\\\":\\\"m\\\",\\\"input\\\":[\"\nbinary (token numbers) \"1,22,333,4444,55555\"\nJSON (JSON) \"]}\""},
		{"application/json", `{"input" : [ [11111,22222,33333] , [44444,55555,66666] ], "other":[11111,22222,33333], "t":["\u0041"]}`,
			"JSON (JSON) \"{\\\"input\\\" : [ [\"\nbinary (token numbers) \"11111,22222,33333\"\nJSON (JSON) \"] , [\"\nbinary (token numbers) \"44444,55555,66666\"\nJSON (JSON) \"] ], \\\"other\\\":[11111,22222,33333], \\\"t\\\":[\\\"\\\\u0041\\\"]}\""},
		{"application/json", `{"points":[[11111,22222,33333],[44444,55555,66666]]}`, `JSON (JSON) "{\"points\":[[11111,22222,33333],[44444,55555,66666]]}"`},
		{"application/jsonl", "{\"a\":1}\n\n{\"b\":2}\r\nno JSON\n{\"c\":\n{\"d\":4}", "JSON (JSON lines) \"{\\\"a\\\":1}\\n\\n{\\\"b\\\":2}\\r\\n\"\ntext (text) \"no JSON\\n\"\nJSON (not strict JSON) \"{\\\"c\\\":\\n\"\nJSON (JSON lines) \"{\\\"d\\\":4}\""},
	} {
		got := body.Cut(tt.kind, "", []byte(tt.body))
		whole(t, []byte(tt.body), got)
		if text := render([]byte(tt.body), got); tt.want != "" && text != tt.want {
			t.Errorf("%s %q\n got %s\nwant %s", tt.kind, tt.body, text, tt.want)
		}
	}
	if got := body.Cut("text/plain", "", []byte(png)); len(got) != 1 || !got[0].Binary || got[0].Why != "image/png" {
		t.Errorf("a picture: %+v", got)
	}
	if got := body.Cut("", "", nil); got != nil {
		t.Errorf("no body: %+v", got)
	}
}

func TestUTF16IsText(t *testing.T) {
	for _, mark := range []string{"\ufeff", ""} {
		var b []byte
		for _, u := range utf16.Encode([]rune(mark + "password = hunter2, and more of it")) {
			b = append(b, byte(u), byte(u>>8))
		}
		if got := body.Cut("", "", b); len(got) != 1 || got[0].Binary {
			t.Errorf("%+v", got)
		}
	}
}

// What mime/multipart writes: headers, names of files and texts are each a
// stretch of what they are.
func TestMultipart(t *testing.T) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part := func(header, content string) {
		h := textproto.MIMEHeader{}
		for line := range strings.SplitSeq(header, "|") {
			name, value, _ := strings.Cut(line, ": ")
			h.Set(name, value)
		}
		p, err := w.CreatePart(h)
		if err != nil {
			t.Fatal(err)
		}
		p.Write([]byte(content))
	}
	part(`Content-Disposition: form-data; name="purpose"`, "batch")
	part(`Content-Disposition: form-data; name="file"; filename="secret.jsonl"|Content-Type: application/octet-stream`, "{\"a\":1}\n{\"b\":2}\n")
	part(`Content-Disposition: form-data; name="meta"|Content-Type: application/json`, `{"k":"v"}`)
	part(`Content-Disposition: form-data; name="pic"|Content-Type: text/plain`, "\xff\xd8\xff\xe0"+strings.Repeat("\x00\x10", 40))
	part(`Content-Type: multipart/mixed; boundary="in ner"`, "--in ner\nContent-Type: text/plain\n\ninner text\n--in ner--\n")
	w.Close()
	got := body.Cut(w.FormDataContentType(), "", b.Bytes())
	whole(t, b.Bytes(), got)
	var lines []string
	for _, s := range got {
		if s.Why != "boundary" {
			text := strings.ReplaceAll(string(b.Bytes()[s.Start:s.End]), w.Boundary(), "B")
			lines = append(lines, fmt.Sprintf("%s: %.40q", s.Why, text))
		}
	}
	want := []string{
		`part header: "--B\r\nContent-Disposition: form-data; n`, `text: "batch"`,
		`part header: "--B\r\nContent-Disposition: form-data; n`, `JSON lines: "{\"a\":1}\n{\"b\":2}\n"`,
		`part header: "--B\r\nContent-Disposition: form-data; n`, `JSON: "{\"k\":\"v\"}"`,
		`part header: "--B\r\nContent-Disposition: form-data; n`, `image/jpeg: "`,
		`part header: "--B\r\nContent-Type: multipart/mixed; b`, `part header: "--in ner\nContent-Type: text/plain\n\n"`, `text: "inner text"`,
		`behind the parts: "--in ner--\n"`, `behind the parts: "--B--\r\n"`,
	}
	if len(lines) != len(want) {
		t.Fatalf("got\n%s", strings.Join(lines, "\n"))
	}
	for i := range want {
		if !strings.HasPrefix(lines[i], want[i]) {
			t.Errorf("got %s, want %s", lines[i], want[i])
		}
	}
}

// Servers read broken forms in different ways; nothing of them is left out.
func TestBrokenMultipart(t *testing.T) {
	for _, b := range []string{
		"no boundary at all", "--b", "--b\r\n", "--b--", "--b\r\nno end of header", "preamble\r\n--b\r\n\r\nx", "--b\n\nx\n--b--\nafter\n--b\n\n{\"a\":1}\n--b--",
		"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx", "x--b\r\n\r\ny", "--bc\r\n\r\nx\r\n--b--", "\r\n--b\r\n\r\n\r\n--b\r\n\r\n\r\n--b--\r\n",
	} {
		whole(t, []byte(b), body.Cut("multipart/form-data; boundary=b", "", []byte(b)))
	}
	b := []byte("--b\n\nx\n--b--\nafter\n--b\n\n{\"a\":1}\n--b--")
	if got := render(b, body.Cut("multipart/form-data; boundary=b", "", b)); !strings.Contains(got, `JSON (JSON) "{\"a\":1}"`) {
		t.Errorf("a part behind the end is not read:\n%s", got)
	}
}

// Work and memory stay in proportion, whatever a body is made of.
func TestBounds(t *testing.T) {
	form := "multipart/form-data; boundary=b"
	for name, tt := range map[string]struct{ kind, body string }{
		"many parts":        {form, strings.Repeat("--b\r\n\r\nx\r\n", 100_000)},
		"many odd lines":    {"", `{"a":1}` + strings.Repeat("\nx\n{}", 100_000)},
		"many token lists":  {"", `{"input":[` + strings.Repeat("[11111,22222,33333],", 100_000) + `[1]]}`},
		"many lists":        {"", `{"x":[` + strings.Repeat("[11111,22222,33333],", 100_000) + `[1]]}`},
		"open brackets":     {"", strings.Repeat("[", 1_000_000)},
		"one long list":     {"", `{"input":[1` + strings.Repeat(",1", 1_000_000) + `]}`},
		"nested forms":      {form, strings.Repeat("--b\nContent-Type: multipart/mixed; boundary=b\n\n", 50_000)},
		"almost a boundary": {form, strings.Repeat("-", 1_000_000)},
	} {
		t.Run(name, func(t *testing.T) {
			whole(t, []byte(tt.body), body.Cut(tt.kind, "", []byte(tt.body)))
		})
	}
}

// A message of Protocol Buffers is cut at its texts, those of the messages in it too;
// in a stream each message by itself.
func TestMessages(t *testing.T) {
	message := "\x08\x96\x01" + "\x12\x07testing" + "\x1a\x10" + "\x08\x01\x0a\x0cin a message" + "\x22\x06\xff\x00\x00\x01\x02\x03" + "\x2d\x01\x02\x03\x04"
	got := body.Cut("application/proto", "", []byte(message))
	whole(t, []byte(message), got)
	var texts, unread []string
	for _, s := range got {
		switch {
		case s.Why == "text of a message" && s.Fixed:
			texts = append(texts, message[s.Start:s.End])
		case s.Binary:
			unread = append(unread, message[s.Start:s.End])
		}
	}
	if want := []string{"testing", "in a message"}; !slices.Equal(texts, want) || len(unread) != 1 {
		t.Errorf("texts %q, unread %q:\n%s", texts, unread, render([]byte(message), got))
	}
	for kind, want := range map[string]int{"application/grpc": 2, "application/grpc+proto": 2, "application/connect+proto": 2} {
		stream := "\x00\x00\x00\x00\x09\x12\x07testing" + "\x00\x00\x00\x00\x09\x12\x07testing" + "\x01\x00\x00\x00\x03abc" + "\x02\x00\x00\x00\x02{}"
		got := body.Cut(kind, "gzip", []byte(stream))
		whole(t, []byte(stream), got)
		n, packed := 0, 0
		for _, s := range got {
			if s.Why == "text of a message" {
				n++
			}
			if s.Coding == "gzip" && s.Binary && stream[s.Start:s.End] == "abc" {
				packed++
			}
			if !s.Fixed {
				t.Errorf("%s: %+v could be replaced", kind, s)
			}
		}
		if n != want || packed != 1 {
			t.Errorf("%s: %d texts, %d compressed:\n%s", kind, n, packed, render([]byte(stream), got))
		}
	}
	for _, bad := range []string{"\x00\x00\x00", "\x00\x00\x00\x00\x05abc", "\x00\xff\xff\xff\xffabc"} {
		got := body.Cut("application/grpc", "", []byte(bad))
		whole(t, []byte(bad), got)
		if len(got) != 1 || !got[0].Binary {
			t.Errorf("%q: %+v", bad, got)
		}
	}
	if got := body.Cut("application/proto", "", []byte("plain words, and no message")); len(got) != 1 || got[0].Binary {
		t.Errorf("words: %+v", got)
	}
}

func FuzzCut(f *testing.F) {
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Type: application/json\r\n\r\n{\"input\":[[11111,22222,33333]]}\r\n--b--\r\n"))
	f.Add("application/jsonl", []byte("{\"a\":1}\nx\n{\"b\":[1,2]}"))
	f.Add("multipart/mixed; boundary=\"a b\"", []byte("--a b\nContent-Type: multipart/x; boundary=c\n\n--c\n\n%PDF-\n--c--\n--a b--"))
	f.Add("", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x00\xff\xff"))
	f.Add("application/proto", []byte("\x0a\x05hello\x12\x09\x0a\x07message\x18\x01\x25abcd\x29abcdefgh"))
	f.Add("application/grpc", []byte("\x00\x00\x00\x00\x07\x0a\x05hello\x01\x00\x00\x00\x02\x1f\x8b"))
	f.Add("application/connect+json", []byte("\x00\x00\x00\x00\x02{}\x02\x00\x00\x00\x02{}\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, kind string, b []byte) {
		whole(t, b, body.Cut(kind, "gzip", b))
	})
}

func BenchmarkCut(b *testing.B) {
	lines := []byte(strings.Repeat(`{"custom_id":"1","method":"POST","url":"/v1/responses","body":{"model":"m","input":"some words that are said to the model"}}`+"\n", 8000))
	b.SetBytes(int64(len(lines)))
	for b.Loop() {
		body.Cut("application/jsonl", "", lines)
	}
}
