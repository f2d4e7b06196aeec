package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/workingagents/gatehouse/internal/policy"
)

const (
	allowUsage     = "[flags] FINDING --reason TEXT --until T [--scope PRINCIPAL] | --list | --revoke ID"
	allowancesPath = "/allowances" // of the admin API
)

// runAllow makes, lists and revokes allowances, through the server that has
// the data folder or on the folder itself.
func runAllow(ctx context.Context, args []string, std streams) error {
	fs := newFlags("allow", allowUsage, std)
	data := dataFlag(fs)
	asJSON := fs.Bool("json", false, "list as JSON, one object a line")
	list := fs.Bool("list", false, "list allowances, those that have ended too")
	revoke := fs.String("revoke", "", "end the allowance `ID`")
	reason := fs.String("reason", "", "why it is a false alarm, or a risk that you take: `TEXT`")
	until := fs.String("until", "", "when it ends, `T`: 7d, 12h, 2026-01-02, 2026-01-02T15:04:05Z")
	scope := fs.String("scope", "*", "for this `PRINCIPAL` alone")
	words, err := parseWords(fs, args)
	if err != nil {
		return err
	}
	if modes := len(words) + count(*list) + count(*revoke != ""); modes != 1 {
		fs.Usage()
		return exitError{2, ""}
	}
	asked := map[string]any{"scope": *scope, "reason": *reason}
	if len(words) == 1 {
		if *reason == "" || *until == "" {
			return exitError{2, "an allowance needs --reason and --until: who reads the list later wants to know"}
		}
		if !strings.HasPrefix(words[0], "f_") {
			return exitError{2, fmt.Sprintf("%q is not the id of a finding: f_…, as the refusal and gatehouse show tell it", words[0])}
		}
		end, err := parseUntil(*until, time.Now())
		if err != nil {
			return exitError{2, err.Error()}
		}
		asked["finding"], asked["until"] = words[0], end
	}
	dir, err := dataDir(*data)
	if err != nil {
		return err
	}
	b, err := openBackend(ctx, dir)
	if err != nil {
		return err
	}
	defer b.Close()
	switch {
	case *list:
		return listAllowances(ctx, b, *asJSON, std)
	case *revoke != "":
		return revokeAllowance(ctx, b, *revoke, std)
	}
	return addAllowance(ctx, b, asked, std)
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// parseUntil reads a time, or a span from now.
func parseUntil(s string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n > 0 && n < 1e5 {
			return now.Add(time.Duration(n * 24 * float64(time.Hour))), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(d), nil
	}
	t, ok := parseTime(s)
	if !ok {
		return t, fmt.Errorf("%q is no time: write 7d, 12h, 2026-01-02 or 2026-01-02T15:04:05Z", s)
	}
	if !t.After(now) {
		return t, fmt.Errorf("%s has passed", s)
	}
	return t, nil
}

func addAllowance(ctx context.Context, b *backend, asked map[string]any, std streams) error {
	resp, err := b.do(ctx, http.MethodPost, allowancesPath, asked)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var a policy.Allowance
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		return fmt.Errorf("reading the new allowance: %w", err)
	}
	fmt.Fprintln(std.out, a.ID)
	whose := "everybody"
	if a.Scope != "*" {
		whose = plain(a.Scope)
	}
	fmt.Fprintf(std.err, "gatehouse: %s is allowed for %s until %s; gatehouse allow --revoke %s ends it\n", plain(a.Finding), whose, day(a.Until), a.ID)
	switch seen, err := onRecord(ctx, b, a.Finding); {
	case err != nil:
		fmt.Fprintf(std.err, "warning: the flows can't be read, so that the finding was not looked for: %v\n", err)
	case !seen:
		fmt.Fprintf(std.err, "warning: no flow on record has the finding %s: is it spelt right?\n", plain(a.Finding))
	}
	return nil
}

// errSeen ends a list in which what was looked for stands.
var errSeen = errors.New("seen")

// onRecord reports whether a flow on record has a finding.
func onRecord(ctx context.Context, b *backend, finding string) (bool, error) {
	id := []byte(strconv.Quote(finding))
	err := b.lines(ctx, http.MethodGet, "/flows?q=is:finding", func(line []byte) error {
		if bytes.Contains(line, id) {
			return errSeen
		}
		return nil
	})
	if errors.Is(err, errSeen) {
		return true, nil
	}
	return false, err
}

func revokeAllowance(ctx context.Context, b *backend, id string, std streams) error {
	resp, err := b.do(ctx, http.MethodDelete, allowancesPath+"/"+url.PathEscape(id), nil)
	if err != nil {
		return err
	}
	resp.Body.Close()
	fmt.Fprintf(std.err, "gatehouse: the allowance %s has ended\n", plain(id))
	return nil
}

func listAllowances(ctx context.Context, b *backend, asJSON bool, std streams) error {
	if asJSON {
		return b.lines(ctx, http.MethodGet, allowancesPath, func(line []byte) error {
			_, err := fmt.Fprintf(std.out, "%s\n", line)
			return err
		})
	}
	table, rows := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0), 0
	fmt.Fprintln(table, "ID\tSTATE\tFINDING\tSCOPE\tUNTIL\tOWNER\tREASON")
	err := b.lines(ctx, http.MethodGet, allowancesPath, func(line []byte) error {
		rows++
		return allowanceRow(table, line)
	})
	if err == nil && rows == 0 {
		fmt.Fprintln(std.err, "nothing is allowed")
		return nil
	}
	return errors.Join(err, table.Flush())
}

func allowanceRow(w io.Writer, line []byte) error {
	var a policy.Allowance
	if err := json.Unmarshal(line, &a); err != nil {
		return fmt.Errorf("reading the list of allowances: %w", err)
	}
	state := "holds"
	switch {
	case !a.Revoked.IsZero():
		state = "revoked"
	case !a.Current(time.Now()):
		state = "ended"
	}
	_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", plain(a.ID), state, plain(a.Finding), plain(a.Scope), day(a.Until), plain(a.Owner), plain(a.Reason))
	return err
}
