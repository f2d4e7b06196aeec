package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// importReport is what became of a recording, as the admin API tells it.
type importReport struct {
	Exchanges int            `json:"exchanges"`
	Flows     int            `json:"flows"`
	Skipped   map[string]int `json:"skipped,omitempty"` // exchanges with hosts that are no provider's
	Error     string         `json:"error,omitempty"`

	Unreadable int      `json:"unreadable,omitempty"` // exchanges that are broken
	Reasons    []string `json:"reasons,omitempty"`    // of the first of them
	Undated    int      `json:"undated,omitempty"`    // exchanges without a time that can be theirs
}

// runImport sends recordings past the gate: the running gateway's, or one of its
// own.
func runImport(ctx context.Context, args []string, std streams) error {
	fs := newFlags("import", "FILE… [--data DIR] [--json]\nFILE is a HAR file, or a flow file of mitmproxy; - is the standard input", std)
	data := dataFlag(fs)
	asJSON := fs.Bool("json", false, "print a report for each file as JSON")
	files, err := parseWords(fs, args)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		fs.Usage()
		return exitError{2, "which file is to be imported?"}
	}
	dir, err := dataDir(*data)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making data folder: %w", err)
	}
	b, err := openBackend(ctx, dir)
	if err != nil {
		return err
	}
	defer b.Close()
	unreadable := 0
	for _, file := range files {
		report, err := importOne(ctx, b, file, std)
		if err != nil {
			return fmt.Errorf("importing %s: %w", file, err)
		}
		if *asJSON {
			err = json.NewEncoder(std.out).Encode(struct {
				File string `json:"file"`
				importReport
			}{file, report})
		} else {
			printImport(std.out, file, report)
		}
		if err != nil {
			return err
		}
		if report.Error != "" {
			return exitError{1, fmt.Sprintf("%s was not read to its end: %s", file, plain(report.Error))}
		}
		unreadable += report.Unreadable
	}
	if unreadable > 0 {
		return exitError{1, fmt.Sprintf("could not be read: %d exchanges; all others are on record", unreadable)}
	}
	return nil
}

func importOne(ctx context.Context, b *backend, file string, std streams) (report importReport, err error) {
	in, name := std.in, "standard input"
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return report, err
		}
		defer f.Close()
		in, name = f, filepath.Base(file)
	}
	found, show := false, isTerminal(std.err)
	err = b.upload(ctx, "/import?name="+url.QueryEscape(name), in, func(line []byte) error {
		var step struct {
			Done   int
			Report *importReport
		}
		if err := json.Unmarshal(line, &step); err != nil {
			return fmt.Errorf("reading the report: %w", err)
		}
		if step.Report != nil {
			report, found = *step.Report, true
		} else if show {
			fmt.Fprintf(std.err, "\r%d exchanges", step.Done)
		}
		return nil
	})
	if show {
		fmt.Fprint(std.err, "\r\x1b[K")
	}
	if err == nil && !found {
		err = errors.New("it ended without a report")
	}
	return report, err
}

func printImport(w io.Writer, file string, r importReport) {
	fmt.Fprintf(w, "%s: %d exchanges, %d flows recorded; to look: gatehouse flows\n", file, r.Exchanges, r.Flows)
	skipped := 0
	hosts := slices.SortedFunc(maps.Keys(r.Skipped), func(a, b string) int { return r.Skipped[b] - r.Skipped[a] })
	var named []string
	for i, host := range hosts {
		if skipped += r.Skipped[host]; i < 5 {
			named = append(named, fmt.Sprintf("%s %d", plain(host), r.Skipped[host]))
		}
	}
	if len(hosts) > 5 {
		named = append(named, fmt.Sprintf("and %d more hosts", len(hosts)-5))
	}
	if skipped > 0 {
		fmt.Fprintf(w, "  %d with hosts that are no model provider's were passed over: %s\n", skipped, strings.Join(named, ", "))
	}
	if r.Undated > 0 {
		fmt.Fprintf(w, "  %d have no time that can be theirs, and are on record as of now\n", r.Undated)
	}
	for _, why := range r.Reasons {
		fmt.Fprintf(w, "  not read: %s\n", plain(why))
	}
	if more := r.Unreadable - len(r.Reasons); more > 0 {
		fmt.Fprintf(w, "  not read: %d more\n", more)
	}
}
