package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/workingagents/gatehouse/internal/selftest"
)

// runIntercept tries the forward proxy out.
func runIntercept(ctx context.Context, args []string, std streams) error {
	fs := newFlags("intercept", "selftest [--json]\nexit code: 0 all is as it must be, 1 a line failed", std)
	asJSON := fs.Bool("json", false, "print one JSON object a line")
	words, err := parseWords(fs, args)
	if err != nil {
		return err
	}
	if len(words) != 1 || words[0] != "selftest" {
		fs.Usage()
		return exitError{2, ""}
	}
	lines, err := selftest.Run(ctx)
	if err != nil {
		return fmt.Errorf("the self-test could not be run: %w", err)
	}
	return printSelftest(std.out, lines, *asJSON)
}

// printSelftest prints the table; a line that failed is exit code 1.
func printSelftest(w io.Writer, lines []selftest.Line, asJSON bool) error {
	table, failed := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0), 0
	if !asJSON {
		fmt.Fprintln(table, "\tCASE\tFORWARDED\tREFUSED WITH, OR SEEN")
	}
	for _, l := range lines {
		if !l.OK {
			failed++
		}
		if asJSON {
			if err := json.NewEncoder(w).Encode(l); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\n", map[bool]string{true: "ok", false: "FAIL"}[l.OK], l.Case, l.Forwarded, told(l))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if failed > 0 {
		return exitError{1, fmt.Sprintf("%d of %d lines failed", failed, len(lines))}
	}
	return nil
}

// told is what a line has to say. An error of crypto/x509 may be long.
func told(l selftest.Line) string {
	text := strings.TrimPrefix(l.Refused, "x509: ")
	if text == "" {
		text = "it went through"
	}
	if l.Fault != "" {
		text = l.Fault + " (" + text + ")"
	}
	return clip(plain(text), 120)
}
