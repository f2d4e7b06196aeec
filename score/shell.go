package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect/action"
)

// commands counts the commands of a stratum. A remark (severity low) is no
// flag: what pushes or copies to another machine is noted, and is everyday.
type commands struct {
	name                   string
	all                    int
	flagged, sure, remarks int // with a finding of at least medium; of high and 90 %; with any
	unparsed               int
	bytes                  int
	took                   time.Duration
}

// shell measures the judging of proposed shell commands.
func (s *score) shell(dir string) error {
	strata := map[string]*commands{}
	add := func(name string, r record, dangerous bool) {
		c := strata[name]
		if c == nil {
			c = &commands{name: name}
			strata[name] = c
		}
		s.command(c, r, dangerous)
	}
	err := read(filepath.Join(dir, "shell_atomic.jsonl.gz"), func(r record) {
		if r.Kind == "discovery" {
			add("discovery (apart)", r, false)
			return
		}
		add("dangerous", r, true)
		add("dangerous: "+r.Kind, r, false)
		add("dangerous, by "+shellOf(r), r, false)
	})
	if err != nil {
		return err
	}
	err = read(filepath.Join(dir, "shell_nl2bash.jsonl.gz"), func(r record) {
		name := "everyday"
		if r.Kind != "benign" {
			name = "everyday that delete (apart)"
		}
		add(name, r, false)
	})
	if err != nil || s.ids != "" {
		return err
	}
	s.printShell(strata)
	return nil
}

// shellOf names who runs a command: Windows' shells and the others.
func shellOf(r record) string {
	for _, part := range strings.Split(r.Source, "/") {
		switch part {
		case "powershell", "command_prompt", "sh", "bash":
			return part
		}
	}
	return "bash"
}

func (s *score) command(c *commands, r record, dangerous bool) {
	start := time.Now()
	found := action.Classify(shellOf(r), []byte(r.Command))
	c.took += time.Since(start)
	c.all++
	c.bytes += len(r.Command)
	flagged, sure, unparsed := false, false, false
	var rules []string
	for _, f := range found {
		flagged = flagged || f.Severity >= flow.Medium
		sure = sure || f.Severity >= flow.High && f.Confidence >= blocking
		unparsed = unparsed || f.Rule == action.Unparsed
		rules = append(rules, fmt.Sprintf("%s/%s/%d", f.Rule, f.Severity, f.Confidence))
	}
	tick(&c.flagged, flagged)
	tick(&c.sure, sure)
	tick(&c.remarks, len(found) > 0)
	tick(&c.unparsed, unparsed)
	if s.ids == "missed" && dangerous && !flagged || s.ids == "alarms" && c.name == "everyday" && flagged {
		fmt.Fprintf(s.out, "%s %s %s\n", r.ID, r.Kind, strings.Join(rules, " "))
	}
}

func tick(n *int, is bool) {
	if is {
		*n++
	}
}

func (s *score) printShell(strata map[string]*commands) {
	fmt.Fprintln(s.out, "\n| proposed commands | commands | flagged | would block | any remark | not parsed | µs each |")
	fmt.Fprintln(s.out, "|---|---|---|---|---|---|---|")
	list := make([]*commands, 0, len(strata))
	for _, c := range strata {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *commands) int { return cmp.Compare(a.name, b.name) })
	for _, c := range list {
		fmt.Fprintf(s.out, "| %s | %d | %s | %s | %s | %d | %.0f |\n", c.name, c.all, share(c.flagged, c.all), share(c.sure, c.all),
			share(c.remarks, c.all), c.unparsed, float64(c.took.Microseconds())/float64(c.all))
	}
}
