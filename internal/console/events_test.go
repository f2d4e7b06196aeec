package console_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

// listener reads a live stream.
type listener struct {
	t      *testing.T
	body   *bufio.Reader
	cancel func()
}

// listen opens the live stream of a server.
func listen(t *testing.T, url, last string) *listener {
	t.Helper()
	req, _ := http.NewRequest("GET", url, nil)
	req.Header.Set("Authorization", "Bearer "+token)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("status %d, %s", resp.StatusCode, got)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return &listener{t, bufio.NewReader(resp.Body), func() { resp.Body.Close() }}
}

// next gives the next event.
func (l *listener) next() (id, event, data string) {
	l.t.Helper()
	for {
		line, err := l.body.ReadString('\n')
		if err != nil {
			l.t.Fatal(err)
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "id":
			id = value
		case "event":
			event = value
		case "data":
			data = value
		case "":
			return id, event, data
		}
	}
}

// want reads events until all these flows came in these states, and gives the
// last id.
func (l *listener) want(states map[flow.ID]flow.State) (id string) {
	l.t.Helper()
	for len(states) > 0 {
		var event, data string
		id, event, data = l.next()
		var rows []flow.Row
		if err := json.Unmarshal([]byte(data), &rows); err != nil || event != "flow" {
			l.t.Fatalf("event %q: %s", event, data)
		}
		for _, r := range rows {
			want, ok := states[r.ID]
			if !ok {
				l.t.Errorf("flow %s came, which nobody wants", r.ID)
			}
			if r.State == want {
				delete(states, r.ID)
			}
		}
	}
	return id
}

// What a list shows that was read when the stream began, or before it broke off, is
// taken out of it like what came over the stream.
func TestEventsTellOfFlowsThatBeganBefore(t *testing.T) {
	d := newDesk(t)
	server := httptest.NewServer(d.Handler())
	t.Cleanup(server.Close)
	url := server.URL + "/api/v1/events?q=is:open"
	begun := func(id flow.ID) *flow.Intent { return &flow.Intent{Flow: id, Started: time.Now()} }
	end := func(in *flow.Intent) { d.book.live(in, &flow.Outcome{Flow: in.Flow, State: flow.Done}) }
	gone := func(l *listener, want string) (id string) {
		t.Helper()
		id, event, data := l.next()
		if event != "gone" || data != want {
			t.Fatalf("event %q: %s, want gone: %s", event, data, want)
		}
		return id
	}
	listed := begun("listed") // while nobody is there
	l := listen(t, url, "")
	if _, event, _ := l.next(); event != "ready" {
		t.Fatalf("the first event is %q, want ready", event)
	}
	end(listed)
	gone(l, `["listed"]`)
	told := begun("told")
	d.book.live(told, nil)
	id := l.want(map[flow.ID]flow.State{"told": flow.Open})
	l.cancel()
	end(told)
	l = listen(t, url, id)
	if _, event, _ := l.next(); event != "resumed" {
		t.Fatalf("with Last-Event-ID the first event is %q, want resumed", event)
	}
	id = gone(l, `["told"]`)
	l.cancel()

	// Who loses the stream between the two events of one moment gets both again.
	old, next := begun("old"), begun("next")
	d.book.live(old, nil)
	l = listen(t, url, id)
	l.next()
	id = l.want(map[flow.ID]flow.State{"old": flow.Open})
	l.cancel()
	end(old)
	d.book.live(next, nil)
	l = listen(t, url, id)
	l.next()
	if at := l.want(map[flow.ID]flow.State{"next": flow.Open}); at != "" {
		t.Errorf("the event before gone has the id %s", at)
	}
	if at := gone(l, `["old"]`); at == "" {
		t.Error("gone has no id")
	}
}

func TestEventsAreLiveAndFilteredAndResume(t *testing.T) {
	d := newDesk(t)
	server := httptest.NewServer(d.Handler())
	t.Cleanup(server.Close)
	l := listen(t, server.URL+"/api/v1/events?session=s", "")
	if _, event, _ := l.next(); event != "ready" {
		t.Fatalf("the first event is %q, want ready", event)
	}
	d.book.live(&flow.Intent{Flow: "other", Session: flow.Session{ID: "t"}}, nil)
	d.book.live(&flow.Intent{Flow: "a", Session: flow.Session{ID: "s"}}, nil)
	d.book.live(&flow.Intent{Flow: "a", Session: flow.Session{ID: "s"}}, &flow.Outcome{Flow: "a", State: flow.Done})
	d.book.live(&flow.Intent{Flow: "b", Session: flow.Session{ID: "s"}}, nil)
	id := l.want(map[flow.ID]flow.State{"a": flow.Done, "b": flow.Open})
	l.cancel()
	d.book.live(&flow.Intent{Flow: "b", Session: flow.Session{ID: "s"}}, &flow.Outcome{Flow: "b", State: flow.Done}) // while nobody is there
	l = listen(t, server.URL+"/api/v1/events?session=s", id)
	if _, event, _ := l.next(); event != "resumed" {
		t.Fatalf("with Last-Event-ID the first event is %q, want resumed", event)
	}
	l.want(map[flow.ID]flow.State{"b": flow.Done})
	for _, last := range []string{"nonsense", "1.1", id + "z"} {
		if _, event, _ := listen(t, server.URL+"/api/v1/events", last).next(); event != "reset" {
			t.Errorf("after Last-Event-ID %q: %q, want reset", last, event)
		}
	}
}

func TestEventsSayWhatWasMissed(t *testing.T) {
	d := newDesk(t)
	server := httptest.NewServer(d.Handler())
	t.Cleanup(server.Close)
	l := listen(t, server.URL+"/api/v1/events", "")
	id, _, _ := l.next()
	stop := d.flood()
	for event := ""; event != "reset"; {
		_, event, _ = l.next()
	}
	stop()
	if _, event, _ := listen(t, server.URL+"/api/v1/events", id).next(); event != "reset" {
		t.Errorf("after more than is kept: %q, want reset", event)
	}
}
