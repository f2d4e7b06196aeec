package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

const (
	// eventsEvery bounds how often a reader is sent something: what comes in
	// between goes together.
	eventsEvery = 100 * time.Millisecond

	// aliveEvery is how often a silent stream shows that it lives.
	aliveEvery = 15 * time.Second
)

// events sends rows of flows that match, when they begin and when they end, as
// server-sent events (HTML Living Standard section 9.2). The first is ready:
// what a list has that is read after it, and the events, miss nothing between
// them. Last-Event-ID resumes; reset says that too much was missed.
func (c *Console) events(w http.ResponseWriter, r *http.Request) error {
	match, err := c.matcher(r)
	if err != nil {
		return err
	}
	at := c.feed.join()
	defer c.feed.leave()
	s := &eventStream{w: w, match: match, began: time.Now(), open: map[flow.ID]bool{}}
	first := "ready"
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		first = "reset"
		if p, ok := parsePosition(last); ok && c.feed.has(p) {
			at, first = p, "resumed"
		}
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if err := s.send(first, at); err != nil {
		return err
	}
	return c.stream(r, at, s)
}

// reader is told of flows as they come.
type reader interface {
	// tell takes the views up to a position. missed says that there were others.
	tell(views []flow.View, next position, missed bool) error
	// alive shows that the stream lives, while nothing comes.
	alive(at position) error
}

// stream tells a reader of what comes from a position on, until the client leaves or
// the server ends.
func (c *Console) stream(r *http.Request, at position, to reader) error {
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	pace := time.NewTicker(eventsEvery)
	defer pace.Stop()
	var views []flow.View
	for ended := false; ; {
		var next position
		var missed bool
		var more <-chan struct{}
		views, next, missed, more = c.feed.since(at, views[:0])
		if err := to.tell(views, next, missed); err != nil {
			return err
		}
		if ended {
			return nil
		}
		at = next
		wait := pace.C
		if more != nil {
			wait = nil
		}
		select {
		case <-r.Context().Done():
			ended = true // what came until now is told yet
		case <-more:
			<-pace.C
		case <-wait:
		case <-alive.C:
			if err := to.alive(at); err != nil {
				return err
			}
		}
	}
}

// eventStream writes one reader's events.
type eventStream struct {
	w     http.ResponseWriter
	match func(*flow.View) bool
	began time.Time        // flows from before may be in the list that the reader has
	open  map[flow.ID]bool // flows since then that were sent while open
	buf   bytes.Buffer
}

// maxOpen bounds the open flows that a reader is told about when they end and
// match no longer.
const maxOpen = 16 << 10

// tell sends the rows of the flows that match, each as it is now. gone are those that
// matched while they were open, or may have before the stream began, and do no longer.
func (s *eventStream) tell(views []flow.View, next position, missed bool) error {
	if missed {
		s.began = time.Now() // the reader reads its list after this
		clear(s.open)
		return s.send("reset", next)
	}
	last := make(map[flow.ID]int, len(views))
	for i := range views {
		last[views[i].ID] = i
	}
	var rows []flow.Row
	var gone []flow.ID
	for i := range views {
		v := &views[i]
		switch {
		case last[v.ID] != i: // it went on
		case s.keep(v):
			rows = append(rows, flow.NewRow(v))
		case s.open[v.ID], v.State != flow.Open && v.Started.Before(s.began):
			gone = append(gone, v.ID)
			delete(s.open, v.ID)
		}
	}
	id := fmt.Sprintf("id: %s\n", next)
	if len(rows) > 0 {
		before := id
		if len(gone) > 0 {
			before = "" // a stream that breaks off between the two is resumed in front of both
		}
		if err := s.sendJSON(before, "flow", rows); err != nil {
			return err
		}
	}
	if len(gone) > 0 {
		return s.sendJSON(id, "gone", gone)
	}
	return nil
}

func (s *eventStream) alive(at position) error { return s.send("", at) }

// keep reports whether a view matches, and remembers it while it is open.
func (s *eventStream) keep(v *flow.View) bool {
	if !s.match(v) {
		return false
	}
	if v.State != flow.Open {
		delete(s.open, v.ID)
	} else if len(s.open) < maxOpen {
		s.open[v.ID] = true
	}
	return true
}

// sendJSON writes an event with data, which has no line ends in it as JSON. id is the
// line with its position, or empty.
func (s *eventStream) sendJSON(id, event string, v any) error {
	s.buf.Reset()
	fmt.Fprintf(&s.buf, "%sevent: %s\ndata: ", id, event)
	if err := json.NewEncoder(&s.buf).Encode(v); err != nil {
		return fmt.Errorf("encoding events: %w", err)
	}
	return s.flush()
}

// send writes an event without data; one without a name, too, only tells the position.
func (s *eventStream) send(event string, at position) error {
	s.buf.Reset()
	fmt.Fprintf(&s.buf, "id: %s\n", at)
	if event != "" {
		fmt.Fprintf(&s.buf, "event: %s\ndata: {}\n", event)
	}
	return s.flush()
}

func (s *eventStream) flush() error {
	s.buf.WriteByte('\n')
	if _, err := s.w.Write(s.buf.Bytes()); err != nil {
		return fmt.Errorf("sending events: %w", err)
	}
	if err := http.NewResponseController(s.w).Flush(); err != nil {
		return fmt.Errorf("sending events: %w", err)
	}
	return nil
}
