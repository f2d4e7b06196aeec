package console_test

import (
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// epic tells a session of three windows, a flow each.
type epic struct {
	talker
	text  string
	parts []string
}

var after = map[flow.ID]flow.ID{"": "f2", "f2": "f3", "f3": ""}

func (s *epic) Tell(w ledger.Window, by ledger.Access, visit func(*ledger.Told) error) (*ledger.Telling, error) {
	s.asked = append(s.asked, w.Session+" "+w.Principal+" "+string(w.From)+" "+by.Why)
	s.parts = append(s.parts, w.For)
	if s.fault != nil && w.From == "f3" {
		return nil, s.fault
	}
	t := s.told()
	t.Intent.Flow = max(w.From, "f1")
	if s.text != "" {
		t.Blocks[0].Raw = []byte(`{"type":"text","text":"` + s.text + `"}`)
	}
	next := after[w.From]
	if err := visit(t); errors.Is(err, ledger.ErrEnough) && next == "" {
		next = "f4"
	}
	return &ledger.Telling{Session: w.Session, From: t.Intent.Flow, Next: next}, nil
}

// filed serves a console that has a page for files, or none.
func filed(s *epic, has bool) func(path string) *httptest.ResponseRecorder {
	c := console.New(console.Options{Flows: &book{}, Ledger: &book{}, Talk: s, Token: token, Offline: func() ([]byte, []byte, bool) { return []byte("1"), []byte("a{}"), has }})
	return func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "http://127.0.0.1:4040/api/v1/sessions/a%2Fb/export.html?"+path, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		c.Handler().ServeHTTP(w, r)
		return w
	}
}

func TestAFileHoldsAllWindows(t *testing.T) {
	s := &epic{}
	w := filed(s, true)("principal=p&why=audit")
	for _, flow := range []string{"f1", "f2", "f3"} {
		if w.Code != 200 || !strings.Contains(w.Body.String(), `"flow":"`+flow+`"`) {
			t.Errorf("%d without %s: %s", w.Code, flow, w.Body)
		}
	}
	if want := []string{"a/b p  audit", "a/b p f2 audit", "a/b p f3 audit"}; !slices.Equal(s.asked, want) || !slices.Equal(s.parts, []string{"file", "file", "file"}) {
		t.Errorf("asked %q for %q, want %q", s.asked, s.parts, want)
	}
	if w.Header().Get("Gatehouse-Next") != "" || strings.Contains(w.Body.String(), `"next"`) {
		t.Errorf("it goes on: %v", w.Header())
	}
	if w := filed(s, true)("why=audit&redact=none&from=f3"); w.Code != 200 || s.parts[3] != "file with values" || !strings.Contains(w.Body.String(), `"redact":"none"`) {
		t.Errorf("%d, for %q: %s", w.Code, s.parts, w.Body)
	}
}

// TestAFileIsWholeOrNone: an error in a later window leaves no page that looks
// whole.
func TestAFileIsWholeOrNone(t *testing.T) {
	for _, fault := range []error{errors.New("inner"), &flow.Refusal{Status: 503, Kind: "ledger_full", Text: "the ledger is full"}} {
		w := filed(&epic{talker: talker{fault: fault}}, true)("why=audit")
		if w.Code < 500 || !strings.HasPrefix(w.Body.String(), `{"error":`) || strings.Contains(w.Body.String(), "<html") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

// TestAFileThatIsTooLong says where the next one begins.
func TestAFileThatIsTooLong(t *testing.T) {
	w := filed(&epic{text: strings.Repeat("x", 33<<20)}, true)("why=audit")
	if w.Code != 200 || w.Header().Get("Gatehouse-Next") != "f3" || !strings.Contains(w.Body.String(), `"next":"f3"`) {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestFilesThatAreNotGiven(t *testing.T) {
	for _, tc := range []struct {
		query string
		has   bool
		want  int
		kind  string
	}{
		{"", true, 400, "why"}, {"why=audit&redact=some", true, 400, "redact"}, {"why=audit", false, 501, "noui"},
	} {
		s := &epic{}
		if w := filed(s, tc.has)(tc.query); w.Code != tc.want || !strings.Contains(w.Body.String(), `"kind":"`+tc.kind+`"`) || len(s.asked) > 0 {
			t.Errorf("%s: %d %s, read %q", tc.query, w.Code, w.Body, s.asked)
		}
	}
}
