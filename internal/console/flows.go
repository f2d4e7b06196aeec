package console

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/workingagents/gatehouse/internal/filter"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

func (c *Console) flows(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r)
	if err != nil {
		return err
	}
	chosen, err := c.o.Flows.Choose(q)
	if err != nil {
		return err
	}
	return streamed(c, w, r, chosen.Views)
}

func (c *Console) sessions(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r)
	if err != nil {
		return err
	}
	return streamed(c, w, r, c.o.Flows.Sessions(q))
}

// streamed writes a list of any length while it is read. An error before its first
// line is returned; one after that is the last line, and the answer breaks off:
// nobody takes it for the whole.
func streamed[T any](c *Console, w http.ResponseWriter, r *http.Request, list iter.Seq2[T, error]) error {
	n, err := writeLines(w, list)
	if err != nil && n > 0 {
		c.breakOff(w, r, err)
	}
	return err
}

// writeLines tells how many lines it wrote.
func writeLines[T any](w http.ResponseWriter, list iter.Seq2[T, error]) (n int, err error) {
	out := newLines(w)
	for v, err := range list {
		if err != nil {
			return n, err
		}
		if err := out.add(&v); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// moreHeader tells that there are rows before the first of a list.
const moreHeader = "X-More"

// The rows of one answer.
const (
	someRows = 200
	maxRows  = 5000
)

// rows lists flows as the page shows them.
func (c *Console) rows(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r)
	if err != nil {
		return err
	}
	if q.Limit > maxRows {
		return refuse(http.StatusBadRequest, "limit", fmt.Sprintf("limit may be %d at most: ask for those before the first of these", maxRows))
	}
	if q.Limit == 0 {
		q.Limit = someRows
	}
	limit := q.Limit
	q.Limit++ // one more says that there are more
	rows, err := c.o.Flows.Rows(q)
	if err != nil {
		return err
	}
	if len(rows) > limit {
		rows = rows[len(rows)-limit:]
		w.Header().Set(moreHeader, "1")
	}
	return writeJSON(w, http.StatusOK, append([]flow.Row{}, rows...))
}

// RowCount is how many flows a filter chooses.
type RowCount struct {
	Count int `json:"count"`
}

func (c *Console) countRows(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r)
	if err != nil {
		return err
	}
	n, err := c.o.Flows.Count(q)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, RowCount{n})
}

// FilterCheck is what a filter that can be read asks for.
type FilterCheck struct {
	Filter string `json:"filter"` // as the program writes it
	Texts  bool   `json:"texts"`  // it looks for texts: whoever applies it is put on record
}

// checkFilter reads a filter and applies it to nothing, so that it can be asked
// for while it is typed.
func (c *Console) checkFilter(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, FilterCheck{q.Filter.String(), len(q.Filter.Texts()) > 0})
}

// query reads q (a filter), session, since (RFC 3339), before (a flow's id) and
// limit. offset is what the reader's clock is ahead of UTC, in minutes: times in
// a filter that name no zone are read so; without it they are local here. A
// parameter that can't be read is an error, never ignored.
func query(r *http.Request) (ledger.Query, error) {
	v := r.URL.Query()
	by := ledger.Access{Who: who(r), Why: cmp.Or(v.Get("why"), choosing)}
	q := ledger.Query{Session: v.Get("session"), Before: flow.ID(v.Get("before")), By: by}
	if err := reason(by.Why); err != nil {
		return q, err
	}
	zone, err := offset(v)
	if err != nil {
		return q, err
	}
	if q.Filter, err = filter.Parse(v.Get("q"), time.Now().In(zone)); err != nil {
		return q, err
	}
	if text := v.Get("since"); text != "" {
		since, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return q, refuse(http.StatusBadRequest, "since", "since must be a time such as 2026-01-02T15:04:05Z")
		}
		q.Since = since
	}
	q.Limit, err = whole(v, "limit", 0)
	return q, err
}

// understood lets through what a route knows all parameters of: a misspelt one would
// be ignored, and a list that it was to narrow be whole.
func understood(pattern string, next handler) handler {
	var names []string
	for _, p := range docs[pattern].params {
		names = append(names, p.name)
	}
	has := "it has none"
	if len(names) > 0 {
		has = "it has " + strings.Join(names, ", ")
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		asked, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return refuse(http.StatusBadRequest, "parameter", "the query of the address can't be read")
		}
		for _, name := range slices.Sorted(maps.Keys(asked)) {
			if !slices.Contains(names, name) {
				return refuse(http.StatusBadRequest, "parameter", fmt.Sprintf("this route has no parameter %.40q: %s", name, has))
			}
		}
		return next(w, r)
	}
}

// offset gives the reader's zone.
func offset(v url.Values) (*time.Location, error) {
	text := v.Get("offset")
	if text == "" {
		return time.Local, nil
	}
	minutes, err := strconv.Atoi(text)
	if err != nil || minutes < -24*60 || minutes > 24*60 {
		return nil, refuse(http.StatusBadRequest, "offset", "offset is how many minutes the clock is ahead of UTC")
	}
	return time.FixedZone("", minutes*60), nil
}

// choosing is why texts are looked for in flows, where no other reason is given.
const choosing = "flows are chosen by a text in them"

// matcher is what a reader of what happens wants to see.
func (c *Console) matcher(r *http.Request) (func(*flow.View) bool, error) {
	q, err := query(r)
	if err != nil {
		return nil, err
	}
	match, err := c.o.Flows.Follow(q.Filter, q.By)
	if err != nil {
		return nil, err
	}
	return func(v *flow.View) bool { return (q.Session == "" || v.Session == q.Session) && match(v) }, nil
}

// whole reads a parameter that is a number, 0 or more.
func whole(v url.Values, name string, otherwise int) (int, error) {
	text := v.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, refuse(http.StatusBadRequest, name, name+" must be a whole number, 0 or more")
	}
	return n, nil
}

// flowDetail is one flow, all of its metadata. Outcome is null while it is open.
type flowDetail struct {
	Intent  *flow.Intent  `json:"intent"`
	Outcome *flow.Outcome `json:"outcome"`
}

func (c *Console) flow(w http.ResponseWriter, r *http.Request) error {
	in, out, err := c.o.Flows.Flow(flow.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, flowDetail{in, out})
}

var whats = []ledger.What{ledger.Request, ledger.Forwarded, ledger.Response, ledger.Delivered}

// content gives exact bytes. The ledger records the reader and the why before
// it gives out any.
func (c *Console) content(w http.ResponseWriter, r *http.Request) error {
	what := ledger.What(r.PathValue("what"))
	if !slices.Contains(whats, what) {
		return refuse(http.StatusNotFound, "not_found", "a flow has request, forwarded, response, delivered")
	}
	why := r.URL.Query().Get("why")
	if err := reason(why); err != nil {
		return err
	}
	chunks, err := c.o.Flows.Read(flow.ID(r.PathValue("id")), what, ledger.Access{Who: who(r), Why: why})
	if err != nil {
		return err
	}
	if r.URL.Query().Get("chunks") == "1" {
		return writeChunks(w, chunks)
	}
	var size int
	for _, chunk := range chunks {
		size += len(chunk.Data)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", "attachment")
	w.Header().Set("Content-Length", strconv.Itoa(size))
	for _, chunk := range chunks {
		if _, err := w.Write(chunk.Data); err != nil {
			return fmt.Errorf("sending content: %w", err)
		}
	}
	return nil
}

// reason says whether a why can stand in the ledger.
func reason(why string) error {
	if why == "" {
		return refuse(http.StatusBadRequest, "why", "reading content needs ?why=REASON: the reason is recorded")
	}
	if len(why) > 500 {
		return refuse(http.StatusBadRequest, "why", "the reason may have 500 bytes at most")
	}
	for _, r := range why {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return refuse(http.StatusBadRequest, "why", "the reason must be one line of UTF-8 text")
		}
	}
	return nil
}

// chunkLine is one chunk as it came, at_ms after the flow began.
type chunkLine struct {
	At   float64 `json:"at_ms"`
	Len  int     `json:"len"`
	Data []byte  `json:"data"` // base64
}

func writeChunks(w http.ResponseWriter, chunks []ledger.Chunk) error {
	out := newLines(w)
	for _, chunk := range chunks {
		line := chunkLine{float64(chunk.At.Microseconds()) / 1000, len(chunk.Data), chunk.Data}
		if err := out.add(line); err != nil {
			return fmt.Errorf("sending chunks: %w", err)
		}
	}
	return nil
}

// gapLine stands where the reader was too slow and views were left out.
type gapLine struct {
	Gap bool `json:"gap"`
}

// tail sends each flow when it begins and when it ends, until the client
// leaves or the server ends.
func (c *Console) tail(w http.ResponseWriter, r *http.Request) error {
	match, err := c.matcher(r)
	if err != nil {
		return err
	}
	at := c.feed.join()
	defer c.feed.leave()
	t := &tailing{newLines(w), match}
	w.WriteHeader(http.StatusOK)
	return c.stream(r, at, t)
}

// tailing writes flows as lines.
type tailing struct {
	out   lines
	match func(*flow.View) bool
}

func (t *tailing) tell(views []flow.View, _ position, missed bool) error {
	if missed {
		if err := t.out.add(gapLine{true}); err != nil {
			return fmt.Errorf("sending flows: %w", err)
		}
	}
	for i := range views {
		if !t.match(&views[i]) {
			continue
		}
		if err := t.out.add(&views[i]); err != nil {
			return fmt.Errorf("sending flows: %w", err)
		}
	}
	if err := t.out.flush(); err != nil {
		return fmt.Errorf("sending flows: %w", err)
	}
	return nil
}

func (t *tailing) alive(position) error { return nil }
