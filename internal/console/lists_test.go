package console_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// roll is a book whose lists are given.
type roll struct {
	book
	views    iter.Seq2[flow.View, error]
	sessions iter.Seq2[ledger.SessionView, error]
}

func (r *roll) Choose(ledger.Query) (ledger.Chosen, error) {
	return ledger.Chosen{Views: r.views}, nil
}

func (r *roll) Sessions(ledger.Query) iter.Seq2[ledger.SessionView, error] { return r.sessions }

// unroll asks a console for a list.
func unroll(ctx context.Context, t *testing.T, r *roll, path string) *http.Response {
	t.Helper()
	server := httptest.NewServer(console.New(console.Options{Flows: r, Ledger: r, Token: token}).Handler())
	t.Cleanup(server.Close)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// long gives one value a thousand times, waits until the client has left, and goes on
// for longer than any buffer. It tells whether somebody wanted all of it.
func long[T any](v T, left <-chan struct{}, all chan<- bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for i := range 200_000 {
			if i == 1000 {
				<-left
			}
			if !yield(v, nil) {
				all <- false
				return
			}
		}
		all <- true
	}
}

// TestListsAreWrittenWhileTheyAreRead: a client has the first line long before the
// list's end is read, and when it leaves no more is.
func TestListsAreWrittenWhileTheyAreRead(t *testing.T) {
	for path, has := range map[string]string{"/api/v1/flows": `"id":"f1"`, "/api/v1/sessions": `"session":"s1"`} {
		// Where a list is gathered first, nothing comes until then.
		ctx, leave := context.WithTimeout(t.Context(), 20*time.Second)
		all := make(chan bool, 1)
		resp := unroll(ctx, t, &roll{views: long(flow.View{ID: "f1"}, ctx.Done(), all), sessions: long(ledger.SessionView{Session: "s1"}, ctx.Done(), all)}, path)
		line, err := bufio.NewReader(resp.Body).ReadString('\n')
		if err != nil || !strings.Contains(line, has) {
			t.Errorf("%s: %q, %v", path, line, err)
		}
		leave()
		if <-all {
			t.Errorf("%s was read to its end for nobody", path)
		}
	}
}

// TestAListThatBreaksOff can't be taken for a whole one: its last line says why, and
// the answer has no end. Before there is a line, the status says it.
func TestAListThatBreaksOff(t *testing.T) {
	fault := fmt.Errorf("reading segment 7: %w", io.ErrNoProgress)
	for _, path := range []string{"/api/v1/flows", "/api/v1/sessions"} {
		for n := range 3 {
			r := &roll{views: walk(make([]flow.View, n), fault), sessions: walk(make([]ledger.SessionView, n), fault)}
			resp := unroll(t.Context(), t, r, path)
			text, err := io.ReadAll(resp.Body)
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")
			last := lines[len(lines)-1]
			status, end := http.StatusOK, io.ErrUnexpectedEOF
			if n == 0 {
				status, end = http.StatusInternalServerError, nil
			}
			if resp.StatusCode != status || !errors.Is(err, end) || !strings.HasPrefix(last, `{"error":{"kind":"internal"`) || strings.Contains(last, "segment 7") || strings.Count(string(text), `"principal"`) != n {
				t.Errorf("%s after %d lines: %s, %v, %s", path, n, resp.Status, err, text)
			}
		}
	}
}

// TestAnExportOfABrokenListBreaksOff, too.
func TestAnExportOfABrokenListBreaksOff(t *testing.T) {
	_, text, err := shelves(t, &stack{flows: 3, broken: io.ErrNoProgress})("/api/v1/export")
	if !errors.Is(err, io.ErrUnexpectedEOF) || strings.Count(text, `{"view"`) != 3 || !strings.Contains(text, `{"error":`) {
		t.Errorf("%v %s", err, text)
	}
}
