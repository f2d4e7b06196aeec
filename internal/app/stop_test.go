package app_test

import (
	"crypto/rand"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
)

// stalled answers calls with the beginning of a stream, sockets with the
// first event of an answer, and nothing more.
func stalled(t *testing.T) http.Handler {
	socket := socketUpstream(t, func(string) []string { return responseEvents("resp_1", "x")[:1] })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			socket.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.Write([]byte("event: ping\ndata: {}\n\n"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
}

func TestCallsCutAtTheStopAreOnRecord(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir, stalled(t), func(c *config.Config) { c.Limits.DrainTimeout = config.Duration(100 * time.Millisecond) })
	resp, err := http.DefaultClient.Do(h.request("/anthropic/v1/messages", `{"model":"m","stream":true,"messages":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	c := dial(t, h, "/openai/v1/responses", nil)
	say(t, c, `{"type":"response.create","model":"m","input":[]}`, 1)
	h.close()
	h = open(t, dir, stalled(t), nil)
	for _, v := range h.ended(3) {
		if v.Method != "GET" && (v.State != flow.Aborted || v.Why != "the gateway stopped") {
			t.Errorf("%s %s is %s (%s); want to know that it was cut", v.Method, v.Path, v.State, v.Why)
		}
	}
}

// TestCallsWithoutAnAnswerAreToldOfTheStop: a connection that just ends would be taken for
// the network's.
func TestCallsWithoutAnAnswerAreToldOfTheStop(t *testing.T) {
	began := make(chan bool)
	up := answering(func(w http.ResponseWriter, r *http.Request) {
		began <- true
		<-r.Context().Done()
	})
	h := open(t, t.TempDir(), up, func(c *config.Config) { c.Limits.DrainTimeout = config.Duration(time.Millisecond) })
	statuses := make(chan int, 8)
	for range cap(statuses) {
		go func() {
			resp, err := http.DefaultClient.Do(h.request("/anthropic/v1/messages", `{"model":"m","messages":[]}`))
			if err != nil {
				t.Error(err)
				statuses <- 0
				return
			}
			resp.Body.Close()
			statuses <- resp.StatusCode
		}()
		<-began
	}
	h.close()
	for range cap(statuses) {
		if got := <-statuses; got != http.StatusServiceUnavailable {
			t.Errorf("a call that waited for its answer got %d", got)
		}
	}
}

func TestDrainDoesNotWaitForAClientThatDoesNotRead(t *testing.T) {
	wrote := make(chan bool)
	up := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		chunk := make([]byte, 1<<20) // that doesn't compress
		rand.Read(chunk)
		for c.Write(r.Context(), websocket.MessageBinary, chunk) == nil {
			select {
			case wrote <- true:
			case <-r.Context().Done():
			}
		}
	})
	h := open(t, t.TempDir(), up, func(c *config.Config) { c.Limits.DrainTimeout = config.Duration(100 * time.Millisecond) })
	dial(t, h, "/openai/v1/realtime", nil) // never reads
	for full := false; !full; {
		select {
		case <-wrote:
		case <-time.After(300 * time.Millisecond):
			full = true
		}
	}
	h.admin.CloseIdleConnections()
	h.stop()
	h.stop = nil
	select {
	case err := <-h.done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(15 * time.Second):
		t.Fatal("the gateway does not stop")
	}
}
