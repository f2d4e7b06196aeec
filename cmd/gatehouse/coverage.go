package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/workingagents/gatehouse/internal/coverage"
	"github.com/workingagents/gatehouse/internal/flow"
)

func runCoverage(ctx context.Context, args []string, std streams) error {
	fs := newFlags("coverage", "[--data DIR] [--json] [--session S] [--since T]", std)
	data := dataFlag(fs)
	asJSON := fs.Bool("json", false, "the report as one JSON object")
	session := fs.String("session", "", "only this `session`")
	since := fs.String("since", "", "only flows since `T`: 2026-01-02, 2026-01-02T15:04:05Z, or 90m, 12h, 7d ago")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return exitError{2, "coverage takes no arguments, only flags"}
	}
	query, err := flowQuery(nil, *session, *since, 0)
	if err != nil {
		return err
	}
	b, err := openRecord(ctx, *data)
	if err != nil {
		return err
	}
	defer b.Close()
	var r coverage.Report
	if err := b.get(ctx, "/coverage?"+query, &r); err != nil {
		return err
	}
	if *asJSON {
		return json.NewEncoder(std.out).Encode(r)
	}
	printCoverage(std.out, &r, *session != "")
	return nil
}

const coverageRow = "%-38s %-20s %-16s %8s %8s %8s %6s %7s %7s %7s %6s\n"

// printCoverage prints a row for each session, and then what they add up to: of
// one session, itself.
func printCoverage(w io.Writer, r *coverage.Report, one bool) {
	fmt.Fprintf(w, coverageRow, "SESSION", "PRINCIPAL", "LAST", "REDIRECT", "INTERC.", "IMPORT", "OTHER", "LOG-IN", "TUNNEL", "REFUSED", "UNREAD")
	for i := range r.Sessions {
		printCovered(w, &r.Sessions[i])
	}
	for i := range r.Beside {
		printCovered(w, &r.Beside[i])
	}
	fmt.Fprintln(w)
	printCounts(w, &r.Total)
	if r.Nearby > 0 {
		fmt.Fprintf(w, "by time       %d of these name no session: same principal, same time%s\n", r.Nearby, sharedText(r.Shared))
	}
	if len(r.Sessions)+len(r.Beside) == 0 && !one {
		fmt.Fprintln(w, "no flows      nothing came yet, or not since then")
	}
	fmt.Fprintf(w, "can't be seen %s\n", r.Unseen)
}

func sharedText(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %d of them stand in several rows", n)
}

func printCovered(w io.Writer, row *coverage.Row) {
	session := row.Session
	if session == "" {
		session = "(beside sessions)"
	}
	tunnels, refused := 0, 0
	for _, t := range row.Tunnels {
		tunnels += t.Flows
	}
	for _, t := range row.Refused {
		refused += t.Flows
	}
	fmt.Fprintf(w, coverageRow, clip(plain(session), 38), clip(plain(row.Principal), 20), row.Last.Local().Format("2006-01-02 15:04"),
		dash(row.Model[flow.Redirect]), dash(row.Model[flow.Intercept]), dash(row.Model[flow.Import]), dash(row.Other.Calls()),
		dash(row.Logins), dash(tunnels), dash(refused), dash(row.Unreadable.Flows))
}

// dash keeps what did not happen from looking like a figure.
func dash(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

func printCounts(w io.Writer, c *coverage.Counts) {
	fmt.Fprintf(w, "model calls   %s\n", waysText(c.Model))
	fmt.Fprintf(w, "other calls   %s\n", waysText(c.Other))
	if c.Logins > 0 {
		fmt.Fprintf(w, "log-ins       %d, recorded by fingerprint only\n", c.Logins)
	}
	for i, t := range few(c.Tunnels) {
		fmt.Fprintf(w, "%-13s %d to %s: %d bytes sent, %d received\n", once(i, "unread"), t.Flows, plain(t.Host), t.Sent, t.Received)
	}
	more(w, len(c.Tunnels), "hosts")
	for i, t := range few(c.Refused) {
		fmt.Fprintf(w, "%-13s %d%s: %s\n", once(i, "refused"), t.Flows, toText(t.Host), plain(t.Why))
	}
	more(w, len(c.Refused), "reasons")
	if c.Stopped > 0 {
		fmt.Fprintf(w, "stopped       %d answers, by policy\n", c.Stopped)
	}
	if c.Unreadable.Flows > 0 {
		fmt.Fprintf(w, "unreadable    something in %d calls, %d bytes of their requests\n", c.Unreadable.Flows, c.Unreadable.Bytes)
	}
	for i, t := range few(c.Findings) {
		fmt.Fprintf(w, "%-13s %s %s (%s), last in %s\n", once(i, "found"), plain(t.Rule), plain(strings.Join(t.Facts, " ")), plain(t.Note), plain(string(t.Last)))
	}
	more(w, len(c.Findings), "findings")
}

func toText(host string) string {
	if host == "" {
		return ""
	}
	return " to " + plain(host)
}

// fewest is how many of a list a person is shown.
const fewest = 12

func few[T any](list []T) []T { return list[:min(len(list), fewest)] }

func more(w io.Writer, n int, noun string) {
	if n > fewest {
		fmt.Fprintf(w, "%-13s and %d more %s (--json has them)\n", "", n-fewest, noun)
	}
}

// once gives a list's title before its first line.
func once(i int, title string) string {
	if i > 0 {
		return ""
	}
	return title
}

// waysText says how calls came, in words.
func waysText(w coverage.Ways) string {
	var parts []string
	for _, e := range []struct {
		flow.Entrance
		text string
	}{{flow.Redirect, "by redirect"}, {flow.Intercept, "by interception"}, {flow.Import, "imported"}, {flow.Guardrail, "asked about by other gateways"}} {
		if w[e.Entrance] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", w[e.Entrance], e.text))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
