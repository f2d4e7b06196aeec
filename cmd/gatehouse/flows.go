package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/filter"
	"github.com/workingagents/gatehouse/internal/flow"
)

func runFlows(ctx context.Context, args []string, std streams) error {
	fs := newFlags("flows", "[--data DIR] [--json] [--session S] [--since T] [--limit N] [FILTER…]", std)
	data := dataFlag(fs)
	asJSON := fs.Bool("json", false, "one JSON object a line")
	session := fs.String("session", "", "only this `session`")
	since := fs.String("since", "", "only flows since `T`: 2026-01-02, 2026-01-02T15:04:05Z, or 90m, 12h, 7d ago")
	limit := fs.Int("limit", 0, "only the newest `N`; 0: all")
	chosen, err := parseFilter(fs, args)
	if err != nil {
		return err
	}
	query, err := flowQuery(chosen, *session, *since, *limit)
	if err != nil {
		return err
	}
	b, err := openRecord(ctx, *data)
	if err != nil {
		return err
	}
	defer b.Close()
	if *asJSON {
		return b.lines(ctx, "GET", "/flows?"+query, func(line []byte) error {
			_, err := fmt.Fprintf(std.out, "%s\n", line)
			return err
		})
	}
	table := newFlowTable(std.out)
	err = b.lines(ctx, "GET", "/flows?"+query, table.line)
	if err == nil && table.rows == 0 {
		fmt.Fprintln(std.err, none("flows", query))
	}
	return err
}

// none says that a list is empty.
func none(what, query string) string {
	if query == "" {
		return "no " + what + " yet"
	}
	return "no " + what + " that match"
}

func flowQuery(f *filter.Filter, session, since string, limit int) (string, error) {
	q := url.Values{}
	if f != nil {
		q.Set("q", f.String()) // times are as this process reads them
	}
	if session != "" {
		q.Set("session", session)
	}
	if limit < 0 {
		return "", exitError{2, "--limit is 0 or more"}
	}
	if limit != 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	if since != "" {
		t, err := parseSince(since, time.Now())
		if err != nil {
			return "", exitError{2, err.Error()}
		}
		q.Set("since", t.UTC().Format(time.RFC3339))
	}
	return q.Encode(), nil
}

// parseSince reads a moment: a date, a time, or how long ago.
func parseSince(s string, now time.Time) (time.Time, error) {
	if t, ok := parseTime(s); ok {
		return t, nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n >= 0 {
			return now.Add(-time.Duration(n * 24 * float64(time.Hour))), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time: write 2026-01-02, 2026-01-02T15:04:05Z, 90m, 12h or 7d", s)
}

// parseTime reads a point in time, a local one when it names no zone.
func parseTime(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// flowTable prints flows as rows of fixed columns, so that they can also be
// printed as they happen.
type flowTable struct {
	w    io.Writer
	rows int
}

func newFlowTable(w io.Writer) *flowTable { return &flowTable{w: w} }

const flowRow = "%-24s %-8s %5s %-9s %-24s %-12s %-24s %6s %8s %8s %9s %8s  %s\n"

func (t *flowTable) line(text []byte) error {
	var v flow.View
	if err := json.Unmarshal(text, &v); err != nil {
		return fmt.Errorf("reading a flow: %w", err)
	}
	if v.ID == "" {
		_, err := fmt.Fprintln(t.w, "… some flows were not shown: they came faster than they could be printed")
		return err
	}
	if t.rows == 0 {
		fmt.Fprintf(t.w, flowRow, "FLOW", "TIME", "TURN", "PROVIDER", "MODEL", "VERDICT", "ENDED", "STATUS", "IN", "OUT", "COST", "MS", "PRINCIPAL")
	}
	t.rows++
	_, err := fmt.Fprintf(t.w, flowRow, v.ID, v.Started.Local().Format("15:04:05"), turnText(v), v.Provider,
		clip(modelText(v), 24), verdictText(v.Verdict, v.Would), clip(plain(v.End().String()), 24), statusText(v.Status), tokens(v.Usage.Input+v.Usage.CacheRead+v.Usage.CacheWrite, v),
		tokens(v.Usage.Output, v), costText(v.Cost), millisText(v.DurationMS), plain(v.Principal))
	return err
}

// modelText is what a row shows of a call: its model, else its path.
func modelText(v flow.View) string {
	if v.Model != "" {
		return plain(v.Model)
	}
	return plain(v.Method + " " + v.Path)
}

// verdictText says of a flow that passed what enforcing would have done.
func verdictText(v flow.Verdict, would string) string {
	if would != "" && would != v.String() {
		return "would " + plain(would)
	}
	return v.String()
}

func turnText(v flow.View) string {
	switch {
	case v.Turn == nil:
		return "-"
	case v.RetryOf != nil:
		return strconv.Itoa(*v.Turn) + "r"
	}
	return strconv.Itoa(*v.Turn)
}

func statusText(status int) string {
	if status == 0 {
		return "-"
	}
	return strconv.Itoa(status)
}

func tokens(n int64, v flow.View) string {
	if v.Turn == nil && n == 0 {
		return "-"
	}
	if v.Usage.Estimated {
		return "~" + strconv.FormatInt(n, 10)
	}
	return strconv.FormatInt(n, 10)
}

func costText(cost *float64) string {
	if cost == nil {
		return "unknown"
	}
	return fmt.Sprintf("$%.4f", *cost)
}

func millisText(ms *float64) string {
	if ms == nil {
		return "-"
	}
	return strconv.FormatFloat(*ms, 'f', 0, 64)
}
