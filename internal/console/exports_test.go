package console_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// stack is an archive of flows f000, f001 …, the content of which can be read so
// many times.
type stack struct {
	flows int
	reads int   // left; below 0: any number
	fault error // of a Read when there are none left
	gone  flow.ID
	said  string

	broken error // at the end of a list
	chosen int   // how often flows were chosen
}

func (s *stack) id(i int) flow.ID { return flow.ID(fmt.Sprintf("f%04d", i)) }

func (s *stack) Choose(q ledger.Query) (ledger.Chosen, error) {
	s.chosen++
	var rows []flow.Row
	for i := range s.flows {
		if q.Before == "" || s.id(i) < q.Before {
			rows = append(rows, flow.Row{ID: s.id(i)})
		}
	}
	if q.Limit > 0 {
		rows = rows[max(0, len(rows)-q.Limit):]
	}
	return ledger.Chosen{Count: func() (int, error) { return len(rows), nil }, Rows: walk(rows, s.broken)}, nil
}

func (s *stack) Flow(id flow.ID) (*flow.Intent, *flow.Outcome, error) {
	if id == s.gone {
		return nil, nil, ledger.ErrRemoved
	}
	return &flow.Intent{Flow: id, Method: "POST", Path: "/v1/messages", RequestBytes: 5, Session: flow.Session{ID: "s"}}, &flow.Outcome{Flow: id, State: flow.Done, ResponseBytes: 5}, nil
}

func (s *stack) Read(flow.ID, ledger.What, ledger.Access) ([]ledger.Chunk, error) {
	if s.reads == 0 {
		return nil, s.fault
	}
	s.reads--
	return []ledger.Chunk{{Data: []byte(s.said)}}, nil
}

func (s *stack) VaultIn(string, string) ([]ledger.VaultEntry, error) { return nil, nil }

func (s *stack) FindingID(string, []byte) string { return "" }

// shelves serves a console over an archive.
func shelves(t *testing.T, s *stack) (get func(path string) (*http.Response, string, error)) {
	t.Helper()
	server := httptest.NewServer(console.New(console.Options{Flows: &book{}, Ledger: &book{}, Archive: s, Token: token}).Handler())
	t.Cleanup(server.Close)
	return func(path string) (*http.Response, string, error) {
		r, err := http.NewRequest(http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return resp, string(text), err
	}
}

// TestExportThatBreaksOff: that a reading can't be recorded ends the export, and
// every client sees it: the answer has no end, its last line says why, and a HAR
// file is no JSON.
func TestExportThatBreaksOff(t *testing.T) {
	full := &flow.Refusal{Status: 503, Kind: "ledger_full", Text: "the ledger is full"}
	for _, format := range []string{"jsonl", "har"} {
		for name, fault := range map[string]error{"unrecorded": fmt.Errorf("%w: disk", ledger.ErrUnrecorded), "full": full} {
			get := shelves(t, &stack{flows: 5, reads: 5, fault: fault, said: "hello"})
			resp, text, err := get("/api/v1/export?content=1&why=test&format=" + format)
			last := text[strings.LastIndexByte(strings.TrimSpace(text), '\n')+1:]
			if resp.StatusCode != http.StatusOK || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(last, `{"error":`) || strings.Count(text, "hello") != 4 {
				t.Errorf("%s, %s: %s %v %s", format, name, resp.Status, err, text)
			}
			if format == "har" && json.Valid([]byte(text)) {
				t.Errorf("half a file looks whole: %s", text)
			}
		}
	}
}

// TestExportGoesOn where only one flow can't be read, and says so there.
func TestExportGoesOn(t *testing.T) {
	get := shelves(t, &stack{flows: 3, reads: -1, gone: "f0001", said: "hello"})
	resp, text, err := get("/api/v1/export?content=1&why=test")
	if err != nil || resp.StatusCode != http.StatusOK || strings.Count(text, "\n") != 3 || !strings.Contains(text, "retention removed it") || resp.Header.Get("Gatehouse-Flows") != "3" {
		t.Errorf("%s %v %s", resp.Status, err, text)
	}
	get = shelves(t, &stack{flows: 2, reads: 1, fault: errors.New("input/output error in segment 7"), said: "hello"})
	resp, text, err = get("/api/v1/export?content=1&why=test")
	if err != nil || strings.Count(text, "hello") != 1 || strings.Count(text, "can't be read") != 3 || strings.Contains(text, "segment 7") {
		t.Errorf("%s %v %s", resp.Status, err, text)
	}
}

// TestExportOfManyFlows: each flow once, in order, and chosen once: a search for the
// filter's texts is an entry of the ledger.
func TestExportOfManyFlows(t *testing.T) {
	for query, first := range map[string]int{"": 0, "?limit=1500": 1000, "?limit=1000": 1500, "?before=f1200": -1} {
		s := &stack{flows: 2500}
		_, text, err := shelves(t, s)("/api/v1/export" + query)
		if err != nil || s.chosen != 1 {
			t.Fatal(err, s.chosen)
		}
		n, end := max(first, 0), 2500
		if first < 0 {
			end = 1200
		}
		for line := range strings.Lines(text) {
			if want := fmt.Sprintf(`"id":"f%04d"`, n); !strings.Contains(line, want) {
				t.Fatalf("%s: want %s: %s", query, want, line)
			}
			n++
		}
		if n != end {
			t.Errorf("%s: ends before flow %d, want %d", query, n, end)
		}
	}
}
