package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger"
)

func runSearch(ctx context.Context, args []string, std streams) error {
	fs := newFlags("search", "[--data DIR] [--json] [--why REASON] [--limit N] [--before NEXT] QUERY…", std)
	data := dataFlag(fs)
	asJSON := fs.Bool("json", false, "one JSON object a line: the hits, then where to go on")
	why := fs.String("why", "gatehouse search", "the `reason` that is recorded for reading content")
	limit := fs.Int("limit", 20, "about the newest `N` hits, 200 at most")
	before := fs.String("before", "", "go on behind the hits of an earlier search, which named this `NEXT`")
	f, err := parseFilter(fs, args)
	if err != nil {
		return err
	}
	if len(f.Texts()) == 0 {
		return exitError{2, `search needs a word or a "phrase" to look for; gatehouse search -h tells more`}
	}
	if *limit < 1 {
		return exitError{2, "--limit is 1 or more"}
	}
	b, err := openRecord(ctx, *data)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := awaitText(ctx, b, std); err != nil {
		return err
	}
	q := url.Values{"q": {f.String()}, "why": {*why}, "limit": {strconv.Itoa(*limit)}}
	if *before != "" {
		q.Set("before", *before)
	}
	var found ledger.Found
	if err := b.get(ctx, "/search?"+q.Encode(), &found); err != nil {
		return err
	}
	if *asJSON {
		return hitLines(std, &found)
	}
	return printFound(std, &found)
}

// awaitText waits until the full text has what was recorded when the search
// began, and says how far it is.
func awaitText(ctx context.Context, b *backend, std streams) error {
	goal, shown := uint64(0), ""
	for {
		var status struct {
			Ledger struct {
				Text ledger.Progress `json:"text"`
			} `json:"ledger"`
		}
		if err := b.get(ctx, "/status", &status); err != nil {
			return err
		}
		p := status.Ledger.Text
		if goal == 0 {
			goal = p.Total
		}
		// What came last is taken in by the search itself.
		if p.Done+nearText >= goal {
			if shown != "" && isTerminal(std.err) {
				fmt.Fprint(std.err, "\r\x1b[K")
			}
			return nil
		}
		text := fmt.Sprintf("full text is being built: %d %%", p.Done*100/goal)
		if text != shown {
			end := "\n"
			if isTerminal(std.err) {
				end = "\r"
			}
			fmt.Fprint(std.err, text+end)
			shown = text
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(textPoll):
		}
	}
}

const (
	nearText = 1000 // entries
	textPoll = 200 * time.Millisecond
)

// hitLines prints hits as JSON, the newest last, and behind them where to go on.
func hitLines(std streams, found *ledger.Found) error {
	enc := json.NewEncoder(std.out)
	enc.SetEscapeHTML(false)
	for i := len(found.Hits) - 1; i >= 0; i-- {
		if err := enc.Encode(&found.Hits[i]); err != nil {
			return fmt.Errorf("writing hits: %w", err)
		}
	}
	return enc.Encode(struct {
		More    bool            `json:"more"`
		Next    string          `json:"next,omitempty"`
		Indexed ledger.Progress `json:"indexed"`
	}{found.More, found.Next, found.Indexed})
}

// printFound prints hits for people, the newest last.
func printFound(std streams, found *ledger.Found) error {
	bold := isTerminal(std.out)
	for i := len(found.Hits) - 1; i >= 0; i-- {
		if err := printHit(std, &found.Hits[i], bold); err != nil {
			return err
		}
	}
	switch {
	case found.More:
		fmt.Fprintf(std.err, "older ones: --before %s\n", plain(found.Next))
	case len(found.Hits) == 0:
		fmt.Fprintln(std.err, "nothing found")
	}
	return nil
}

func printHit(std streams, h *ledger.Hit, bold bool) error {
	turn := "-"
	if h.Turn > 0 {
		turn = strconv.Itoa(h.Turn)
	}
	whose := plain(h.Kind)
	if h.Role != "" && h.Role != h.Kind {
		whose = strings.TrimSpace(plain(h.Role) + " " + strings.TrimPrefix(whose, "text"))
	}
	_, err := fmt.Fprintf(std.out, "%s  %s  session %s  turn %s  %s  %s%s\n    %s\n", plain(string(h.Flow)),
		h.Started.Local().Format("2006-01-02 15:04:05"), plain(h.Session), turn, plain(h.Principal), whose, resentText(h), snippetText(h.Snippet, bold))
	if err != nil {
		return fmt.Errorf("writing hits: %w", err)
	}
	return nil
}

func resentText(h *ledger.Hit) string {
	if h.Resent == 0 {
		return ""
	}
	return fmt.Sprintf("  resent %d×, last in %s", h.Resent, plain(string(h.Last)))
}

// snippetText is safe for a terminal: only our own marks are not shown as such.
func snippetText(list []ledger.Fragment, bold bool) string {
	var b strings.Builder
	for _, f := range list {
		if f.Match && bold {
			b.WriteString("\x1b[1m" + plain(f.Text) + "\x1b[0m")
			continue
		}
		b.WriteString(plain(f.Text))
	}
	return b.String()
}
