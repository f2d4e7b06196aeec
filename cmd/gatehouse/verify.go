package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/workingagents/gatehouse/internal/ledger"
)

func runVerify(ctx context.Context, args []string, std streams) error {
	fs := newFlags("verify", "[--data DIR] [--json]\nexit code: 0 sound, 1 tampered, 2 incomplete", std)
	data := dataFlag(fs)
	asJSON := fs.Bool("json", false, "print the report as JSON")
	if err := parse(fs, args); err != nil {
		return err
	}
	b, err := openRecord(ctx, *data)
	if err != nil {
		return exitError{2, err.Error()}
	}
	defer b.Close()
	report, err := verifyReport(ctx, b, std)
	if err != nil {
		return exitError{2, err.Error()}
	}
	if *asJSON {
		err = json.NewEncoder(std.out).Encode(report)
	} else {
		err = printReport(std, report)
	}
	if err != nil || report.Code == 0 {
		return err
	}
	return exitError{report.Code, ""}
}

// verifyReport runs a verification and shows its progress, on a terminal only.
func verifyReport(ctx context.Context, b *backend, std streams) (report ledger.Report, err error) {
	found := false
	show := isTerminal(std.err)
	err = b.lines(ctx, "POST", "/verify", func(line []byte) error {
		var step struct {
			Done, Total int64
			Report      *ledger.Report
		}
		if err := json.Unmarshal(line, &step); err != nil {
			return fmt.Errorf("reading the report: %w", err)
		}
		if step.Report != nil {
			report, found = *step.Report, true
		} else if show {
			fmt.Fprintf(std.err, "\rverifying %d of %d MB", step.Done>>20, step.Total>>20)
		}
		return nil
	})
	if show {
		fmt.Fprint(std.err, "\r\x1b[K")
	}
	if err == nil && !found {
		err = fmt.Errorf("the verification ended without a report")
	}
	return report, err
}

var verdictOf = [...]string{"sound", "TAMPERED", "incomplete"}

func printReport(std streams, r ledger.Report) error {
	word := "unknown"
	if r.Code >= 0 && r.Code < len(verdictOf) {
		word = verdictOf[r.Code]
	}
	for _, p := range r.Problems {
		fmt.Fprintf(std.out, "%s: %s%s\n", problemOf(p.Code), plain(p.Text), where(p))
	}
	if r.More > 0 {
		fmt.Fprintf(std.out, "… and %d more\n", r.More)
	}
	fmt.Fprintf(std.out, "ledger is %s: %d segments, %d entries, %d flows, %d bodies rebuilt and compared\n",
		word, r.Segments, r.Entries, r.Flows, r.Bodies)
	for _, note := range []struct {
		n    int
		text string
	}{
		{r.Open, "flows go on"}, {r.Unknown, "flows were cut short by a crash"},
		{r.Expired, "requests lost a part to retention"}, {r.Cut, "torn tails were cut off and kept aside"},
	} {
		if note.n > 0 {
			fmt.Fprintf(std.out, "  %d %s\n", note.n, note.text)
		}
	}
	return nil
}

func problemOf(code int) string {
	if code == 1 {
		return "tampered"
	}
	return "incomplete"
}

// where says which flow or place a problem is about.
func where(p ledger.Problem) string {
	switch {
	case p.Flow != "":
		return fmt.Sprintf(" (flow %s)", plain(string(p.Flow)))
	case p.Segment != 0:
		return fmt.Sprintf(" (segment %d at %d)", p.Segment, p.Offset)
	}
	return ""
}
