package text_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/ledger/text"
)

var secret = []byte("0123456789abcdef0123456789abcdef")

func TestWords(t *testing.T) {
	for in, want := range map[string]string{
		"Hello, World!":            "hello world",
		"snake_case src/main.go":   "snake +case src +main +go",
		"a@b.example x::y":         "a +b +example x y",
		"don't stop":               "don t stop",
		"東京 tower都":                "東 +京 tower +都",
		"ÄRGER é":                  "ärger é",
		"x\xffy":                   "x y",
		"  ":                       "",
		"v1.2 0x1F":                "v1 +2 0x1f",
		"\x1b[31mFAILED\x1b[39m x": "failed x",
		"a\x1b[01;31m\x1b[Kb c[0m": "a b c 0m",
		"\x1b[3\nm \x1b[":          "3 m",
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

func open(t *testing.T, dir string) *text.Store {
	t.Helper()
	s, err := text.Open(dir, secret, "boot")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func find(t *testing.T, s *text.Store, q text.Query, words ...string) string {
	t.Helper()
	for _, w := range words {
		term, err := text.Parse(strings.TrimSuffix(w, "*"), strings.HasSuffix(w, "*"))
		if err != nil {
			t.Fatal(err)
		}
		q.Want.All = append(q.Want.All, text.Want{Term: &term})
	}
	var ids []string
	for h, err := range s.Find(q) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, h.ID)
	}
	return strings.Join(ids, " ")
}

// say gives the store n flows of different sessions and months from a number on,
// one text each.
func say(t *testing.T, s *text.Store, from, n int) {
	t.Helper()
	b := s.NewBatch()
	for i := from; i < from+n; i++ {
		e := uint64(i)
		b.AddFlow(&text.Flow{N: e, Key: e % 3, ID: fmt.Sprint("f", i), Started: int64(e%2) * 40 * 24 * 3600e3, Segment: e})
		said := fmt.Sprintf("common word%d of src/main%d.go", i, i%2)
		b.AddText(text.Text{Key: e % 3, Flow: e, Entry: e, Role: "user", Kind: "text", At: text.Place{Segment: e, Ref: e}}, said, said)
	}
	if err := s.Apply(b, text.Mark{Entry: uint64(from + n - 1), Segment: 1}, func() {}); err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	say(t, s, 1, 6)
	for _, c := range []struct {
		q     text.Query
		words []string
		ids   string
	}{
		{text.Query{}, []string{"common"}, "f6 f5 f4 f3 f2 f1"},
		{text.Query{}, []string{"common", "word3"}, "f3"},
		{text.Query{}, []string{"main1.go"}, "f5 f3 f1"},
		{text.Query{}, []string{"main1 go"}, "f5 f3 f1"},
		{text.Query{}, []string{"wor*"}, "f6 f5 f4 f3 f2 f1"},
		{text.Query{}, []string{"comm*", "word2"}, "f2"},
		{text.Query{Keys: []uint64{1}}, []string{"common"}, "f4 f1"},
		{text.Query{Keys: []uint64{}}, []string{"common"}, ""},
		{text.Query{Before: 4}, []string{"common"}, "f3 f2 f1"},
		{text.Query{Since: 1e9}, []string{"common"}, "f5 f3 f1"},
		{text.Query{Until: 1e9}, []string{"common"}, "f6 f4 f2"},
		{text.Query{}, []string{"absent"}, ""},
	} {
		if got := find(t, s, c.q, c.words...); got != c.ids {
			t.Errorf("%+v %v: got %q, want %q", c.q, c.words, got, c.ids)
		}
	}
	say(t, s, 1, 6) // again
	say(t, s, 4, 5) // some again
	if got := find(t, s, text.Query{}, "common"); got != "f8 f7 f6 f5 f4 f3 f2 f1" {
		t.Errorf("given twice: %s", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if got := find(t, s, text.Query{}, "word7"); got != "f7" || s.Mark().Entry != 8 {
		t.Errorf("opened again: %q, %+v", got, s.Mark())
	}
	if err := s.Erase(1); err != nil {
		t.Fatal(err)
	}
	if got := find(t, s, text.Query{}, "common"); got != "f8 f6 f5 f3 f2" {
		t.Errorf("without session 1: %s", got)
	}
	if err := s.Drop(4); err != nil {
		t.Fatal(err)
	}
	if got := find(t, s, text.Query{}, "common"); got != "f8 f6 f5" {
		t.Errorf("without segments up to 4: %s", got)
	}
	if err := s.Drop(9); err != nil {
		t.Fatal(err)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "*.db*")); err != nil || len(files) != 0 {
		t.Errorf("files without a text: %v, %v", files, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestErasedTokensAreGone: no token of an erased session is left in the file.
func TestErasedTokensAreGone(t *testing.T) {
	dir := t.TempDir()
	holds := func(erase bool) bool {
		s := open(t, dir)
		say(t, s, 1, 6)
		if erase {
			if err := s.Erase(1); err != nil {
				t.Fatal(err)
			}
		}
		term, err := text.Parse("word4", false)
		if err != nil {
			t.Fatal(err)
		}
		token := s.Tokens(term)[0]
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.db"))
		if err != nil || len(files) == 0 {
			t.Fatalf("files: %v, %v", files, err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			// Terms that share their beginning with the one before are cut: its end is enough.
			if strings.Contains(string(data), token[2:]) {
				return true
			}
		}
		return false
	}
	if !holds(false) {
		t.Fatal("the token is not found where it must be")
	}
	if holds(true) {
		t.Error("the token is still there")
	}
}

// TestAnotherBoot: what was in use when the machine went down is not trusted.
func TestAnotherBoot(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	say(t, s, 1, 2)
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for boot, mark := range map[string]uint64{"boot": 2, "another": 0, "": 0} {
		again := filepath.Join(t.TempDir(), "again")
		if err := os.CopyFS(again, os.DirFS(copied)); err != nil {
			t.Fatal(err)
		}
		s, err := text.Open(again, secret, boot)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Mark().Entry; got != mark {
			t.Errorf("boot %q: mark %d, want %d", boot, got, mark)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTermsInTexts(t *testing.T) {
	for _, c := range []struct {
		term, text string
		prefix     bool
		want       string
	}{
		{"needle", "a Needle, needles", false, "Needle"},
		{"needle", "a Needle, needles", true, "Needle|needles"},
		{"a b", "a b a  b a.b ab", false, "a b|a  b|a.b"},
		{"a.b", "a b a.b a/b a. b", false, "a.b|a/b"},
		{"x x", "x x x", false, "x x|x x"},
		{"日本", "日本 日 本", false, "日本"},
	} {
		term, err := text.Parse(c.term, c.prefix)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range term.In(c.text, 10) {
			got = append(got, c.text[s.Start:s.End])
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s in %s: got %q, want %s", c.term, c.text, got, c.want)
		}
	}
}

func FuzzWords(f *testing.F) {
	f.Add("Hello, 世界 a_b", "a b", true)
	f.Fuzz(func(t *testing.T, in, words string, prefix bool) {
		end := 0
		text.Words(in, func(w text.Word) bool {
			if w.Start < end || w.End <= w.Start || w.End > len(in) || len(w.Text) == 0 || len(w.Text) > 80 {
				t.Fatalf("%q: a word from %d to %d: %q", in, w.Start, w.End, w.Text)
			}
			end = w.End
			return true
		})
		if term, err := text.Parse(words, prefix); err == nil {
			for _, s := range term.In(in, 100) {
				if s.Start < 0 || s.End > len(in) || s.Start >= s.End {
					t.Fatalf("%q in %q: %+v", words, in, s)
				}
			}
		}
	})
}
