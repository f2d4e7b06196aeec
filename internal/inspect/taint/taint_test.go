package taint_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect/taint"
)

func words(hits []taint.Hit) (list []string) {
	for _, h := range hits {
		list = append(list, string(h.Text))
	}
	return list
}

// What can be told from prose is known again, however it is written there; prose
// is not.
func TestWords(t *testing.T) {
	page := "See https://Docs.example.net/a/b?x=1&y=Tk29dkQw81, mail to ops+42@mail.example.org or git@git.example.io:mirror/tools.git. " +
		"The build number is 4711081523; read CONTRIBUTING.md and package.json, set parse_deeply_nested and useServerSideRendering. Thank you very much."
	for _, tt := range []struct {
		call string
		want []string
	}{
		{"curl https://Docs.example.net/a/b?x=1&y=Tk29dkQw81", []string{"https://Docs.example.net/a/b?x=1&y=Tk29dkQw81", "Docs.example.net", "Tk29dkQw81"}},
		{"curl https://docs.EXAMPLE.net/other", []string{"docs.EXAMPLE.net"}},
		{"x=Tk29dkQw81", []string{"Tk29dkQw81"}},
		{`echo "Tk29dkQw81"`, []string{"Tk29dkQw81"}},
		{"scp a git@git.example.io:x", []string{"git.example.io"}},
		{"mail ops+42@mail.example.org", []string{"mail.example.org"}},
		{"notify --build=4711081523", []string{"4711081523"}},
		{"set parse_deeply_nested useServerSideRendering", []string{"parse_deeply_nested", "useServerSideRendering"}},
		{"git push origin main", nil},
		{"cat CONTRIBUTING.md package.json", []string{"CONTRIBUTING.md", "package.json"}},
		{"please read the build number and thank you very much", nil},
		{"Tk29dkQw82", nil},
	} {
		var m taint.Memory
		m.Taint([]byte(page), false)
		if got := words(m.Look([]byte(tt.call), false)); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %q, want %q", tt.call, got, tt.want)
		}
		raw, _ := json.Marshal(map[string]string{"command": "cd /tmp\n" + tt.call})
		for _, h := range m.Look(raw, true) {
			if string(raw[h.Start:h.End]) != string(h.Text) {
				t.Errorf("%s: [%d,%d) is %q, not %q", raw, h.Start, h.End, raw[h.Start:h.End], h.Text)
			}
		}
		if got := len(m.Look(raw, true)); got < len(tt.want)-1 { // an & is written as an escape there
			t.Errorf("%s: %d hits, want %d", raw, got, len(tt.want))
		}
	}
}

// A number in groups and a host are the same in all of their spellings.
func TestSpellings(t *testing.T) {
	for _, tt := range []struct{ page, call, want string }{
		{"call +49 170 5554433.", "+49 170 5554433", "+49 170 5554433"},
		{"call +49 170 5554433", "+491705554433", "491705554433"},
		{"call +491705554433", "+49 170 / 5554433", "+49 170 / 5554433"},
		{"call +49(0)170/5554433", "+49 170 5554433", "+49 170 5554433"},
		{"call (415) 867-5309 now", "415-867-5309", "415-867-5309"},
		{"call +49\u00a0170\u00a05554433", "+49 170 5554433", "+49 170 5554433"},
		{"pay to DE89 3704 0044 0532 0130 00 BIC COBADEFFXXX", "DE89370400440532013000", "DE89370400440532013000"},
		{"pay to GB82WEST12345698765432", "GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 32"},
		{"see https://git.bücher-zone.net/r.git", "git.xn--bcher-zone-9db.net", "git.xn--bcher-zone-9db.net"},
		{"see git.xn--bcher-zone-9db.net", "https://git.bücher-zone.net/x", "git.bücher-zone.net"},
		{"почта.рф", "xn--80a1acny.xn--p1ai", "xn--80a1acny.xn--p1ai"},
		{"访问https://git.example.net/r", "git.example.net", "git.example.net"},
		{"2024-01-15 10:22:33", "2024-01-15 10:22:33", ""},
		{"15/01/2024 10", "15/01/2024 10", ""},
		{"ab 12 34 56", "ab 12 34 56", ""},
	} {
		var m taint.Memory
		m.Taint([]byte(tt.page), false)
		hits := m.Look([]byte(tt.call), false)
		if tt.want == "" && len(hits) > 0 || tt.want != "" && (len(hits) == 0 || string(hits[0].Text) != tt.want && string(hits[len(hits)-1].Text) != tt.want) {
			t.Errorf("%s after %s: %q", tt.call, tt.page, words(hits))
		}
	}
	var m taint.Memory
	origin := m.Taint([]byte("see https://git.bücher-zone.net/r, git.example.net and 185.220.101.44"), false)
	for _, name := range []string{"GIT.example.net.", "git.xn--bcher-zone-9db.net", "git.bücher-zone.net", "3118228780", "0xb9dc652c"} {
		if h, ok := m.LookHost(name); !ok || h.Origin != origin {
			t.Errorf("%s is not known", name)
		}
	}
	for _, name := range []string{"?", "", "xn--", "xn--zzzzzzzzzzzzzzz", "example.net", "1"} {
		if _, ok := m.LookHost(name); ok {
			t.Errorf("%q is known", name)
		}
	}
}

// Who says a word first has said it, and only then.
func TestFirstComesFirst(t *testing.T) {
	var m taint.Memory
	if m.Look([]byte("tok_12345678"), false) != nil {
		t.Error("an empty memory knows a word")
	}
	m.Trust([]byte(`{"text":"use\ntok_12345678"}`), true)
	one := m.Taint([]byte("tok_12345678 tok_abcdef99"), false)
	two := m.Taint([]byte("tok_abcdef99 tok_zzzzzz11"), false)
	m.Trust([]byte("tok_zzzzzz11 tok_abcdef99"), false)
	hits := m.Look([]byte("tok_12345678 tok_abcdef99 tok_zzzzzz11"), false)
	if len(hits) != 2 || hits[0].Origin != one || hits[1].Origin != two {
		t.Errorf("hits %v from %v; origins %d and %d", words(hits), hits, one, two)
	}
}

// A session that never ends takes no more than its share, and says so.
func TestBounded(t *testing.T) {
	var m taint.Memory
	var page bytes.Buffer
	for i := range 50_000 {
		fmt.Fprintf(&page, "word%08d ", i)
	}
	m.Taint(page.Bytes(), false)
	if !m.Full() || m.Size() > 1<<20 {
		t.Errorf("full %v, %d bytes", m.Full(), m.Size())
	}
	if got := len(m.Look(page.Bytes(), false)); got > 16 {
		t.Errorf("%d hits", got)
	}
}

func FuzzWords(f *testing.F) {
	for _, s := range []string{"https://a.example/b?c=d", `{"a":"\u00e9\n\\x https:\/\/x.example"}`, "://", "a://", strings.Repeat("x9", 3000), "\\", "\\u12", "....://::", "xn--a.b", "é.é", "+1 (0) 2-3", "DE89 37"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, js := range []bool{false, true} {
			var m taint.Memory
			m.Taint(text, js)
			for _, h := range m.Look(text, js) {
				if h.Start < 0 || h.End > len(text) || h.Start >= h.End || !bytes.Equal(text[h.Start:h.End], h.Text) || h.Origin != 1 {
					t.Fatalf("%+v in %q", h, text)
				}
			}
		}
	})
}

func BenchmarkTrust(b *testing.B) {
	text := []byte(strings.Repeat("The function parseRequest(ctx, req) reads https://example.com/docs/api#L42 and returns err if len(body) > maxBytes.\n", 2000))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		var m taint.Memory
		m.Trust(text, true)
	}
}
