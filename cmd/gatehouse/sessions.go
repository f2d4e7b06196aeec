package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/workingagents/gatehouse/internal/ledger"
)

func runSessions(ctx context.Context, args []string, std streams) error {
	fs := newFlags("sessions", "[--data DIR] [--json] [--since T] [--limit N] [FILTER…]", std)
	data := dataFlag(fs)
	asJSON := fs.Bool("json", false, "one JSON object a line")
	since := fs.String("since", "", "only sessions since `T`: 2026-01-02, 2026-01-02T15:04:05Z, or 90m, 12h, 7d ago")
	limit := fs.Int("limit", 0, "only the newest `N`; 0: all")
	chosen, err := parseFilter(fs, args)
	if err != nil {
		return err
	}
	query, err := flowQuery(chosen, "", *since, *limit)
	if err != nil {
		return err
	}
	b, err := openRecord(ctx, *data)
	if err != nil {
		return err
	}
	defer b.Close()
	rows := 0
	return b.lines(ctx, "GET", "/sessions?"+query, func(line []byte) error {
		if *asJSON {
			_, err := fmt.Fprintf(std.out, "%s\n", line)
			return err
		}
		var v ledger.SessionView
		if err := json.Unmarshal(line, &v); err != nil {
			return fmt.Errorf("reading a session: %w", err)
		}
		if rows == 0 {
			fmt.Fprintf(std.out, sessionRow, "SESSION", "LAST", "FLOWS", "TURNS", "BLOCKED", "REDACTED", "IN", "OUT", "COST", "PRINCIPAL", "MODELS")
		}
		rows++
		return printSession(std, v)
	})
}

const sessionRow = "%-38s %-16s %6s %6s %8s %8s %9s %8s %11s  %-20s %s\n"

func printSession(std streams, v ledger.SessionView) error {
	cost := costText(v.Cost)
	if v.Partial && v.Cost != nil {
		cost = "≥ " + cost // some of its calls have no known price
	}
	_, err := fmt.Fprintf(std.out, sessionRow, clip(plain(v.Session), 38), v.Last.Local().Format("2006-01-02 15:04"),
		strconv.Itoa(v.Flows), strconv.Itoa(v.Turns), strconv.Itoa(v.Blocked), strconv.Itoa(v.Redacted),
		strconv.FormatInt(v.Usage.Input+v.Usage.CacheRead+v.Usage.CacheWrite, 10), strconv.FormatInt(v.Usage.Output, 10),
		cost, plain(v.Principal), plain(strings.Join(v.Models, " ")))
	return err
}
