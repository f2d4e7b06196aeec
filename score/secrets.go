package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/inspect"
)

// blocking is the confidence in percent from which the recommended policy
// blocks.
const blocking = 90

type score struct {
	engine *inspect.Engine
	family string // whose findings count on ordinary traffic; empty: of all rules of the engine
	ids    string
	out    io.Writer
	strata []string // in the order of the table
	tally  map[string]*tally
	steps  map[string][len(levels)]tally // by set, for each of levels
}

// levels are the confidences in percent at which the sets are counted again.
var levels = [...]int{1, 50, 70, blocking}

// secrets measures the sets of labelled secrets.
func (s *score) secrets(dir string) error {
	s.tally = map[string]*tally{}
	s.steps = map[string][len(levels)]tally{}
	u, err := newUnlisted()
	if err != nil {
		return err
	}
	var cred []record
	for _, name := range []string{"kingfisher", "gitleaks", "betterleaks", "creddata"} {
		var all []record
		err := read(filepath.Join(dir, "secrets_"+name+".jsonl.gz"), func(r record) { all = append(all, r) })
		if err != nil {
			return err
		}
		if name == "creddata" {
			cred = all
			continue
		}
		s.set(name, all, func(r record) []string { return s.tokenStrata(name, r) })
		for _, r := range all {
			u.count(s, r)
		}
	}
	s.set("creddata", cred, credStrata)
	if s.ids == "" {
		s.print()
		s.printSteps()
	}
	return nil
}

// tokenStrata names the strata of a record of the sets of token rules. Helper
// values (ids, host names), which their source doesn't report itself, stand
// apart.
func (s *score) tokenStrata(name string, r record) []string {
	if strings.HasSuffix(r.Source, "/invisible") {
		return []string{name + ", helper values"}
	}
	return []string{name, allTokens, allTokens + ", half " + r.half()}
}

// allTokens is the stratum of the three sets of token rules together.
const allTokens = "all token rules"

// apart are the classes of CredData that name something rather than protect
// it.
var apart = []string{"UUID", "Nonce", "Salt", "AWS S3 Bucket", "AWS Client ID"}

func credStrata(r record) []string {
	class, _, _ := strings.Cut(r.Rule, ":")
	list := []string{"creddata, everything"}
	for _, part := range strings.Split(r.Rule, ":") {
		if slices.Contains(apart, part) {
			return append(list, "creddata: "+part)
		}
	}
	return append(list, "creddata", "creddata, half "+r.half(), "creddata: "+class)
}

// own leaves the findings of the score's own family.
func (s *score) own(r inspect.Result) inspect.Result {
	if s.family != "" {
		r.Matches = slices.DeleteFunc(r.Matches, func(m inspect.Match) bool { return m.Rule.Family() != s.family })
	}
	return r
}

// set scans the records of one set. A text with several secrets stands there
// several times; what is found in it is no false alarm when it overlaps any
// of them.
func (s *score) set(name string, all []record, strata func(record) []string) {
	labelled := map[string][][2]int{}
	for _, r := range all {
		if r.isTrue() && r.Start != nil {
			labelled[r.Text] = append(labelled[r.Text], [2]int{*r.Start, *r.End})
		}
	}
	for _, r := range all {
		if strings.HasSuffix(r.Source, "/other_rule_matches") {
			continue
		}
		result := s.own(s.engine.Scan([]byte(r.Text), inspect.Options{}))
		t, what := judge(r, result, labelled[r.Text], 1)
		list := strata(r)
		for _, stratum := range list {
			s.count(stratum, t)
		}
		s.step(list, func(least int) tally {
			t, _ := judge(r, result, labelled[r.Text], least)
			return t
		})
		if s.ids == what && what != "" {
			fmt.Fprintf(s.out, "%s %s %s %s\n", r.ID, r.half(), r.Rule, rulesOf(result))
		}
	}
}

// step counts a record of the headline sets at each level of confidence.
func (s *score) step(strata []string, judged func(least int) tally) {
	for _, set := range []string{allTokens, "creddata"} {
		if !slices.Contains(strata, set) {
			continue
		}
		t := s.steps[set]
		for i, least := range levels {
			t[i].add(judged(least))
		}
		s.steps[set] = t
	}
}

// judge compares a text's matches of at least a confidence with its label.
func judge(r record, result inspect.Result, labelled [][2]int, least int) (t tally, what string) {
	var hit, alarm bool
	for _, m := range result.Matches {
		if m.Rule.Confidence < least {
			continue
		}
		overlaps := r.Start == nil || m.Start < *r.End && *r.Start < m.End
		other := slices.ContainsFunc(labelled, func(x [2]int) bool { return m.Start < x[1] && x[0] < m.End })
		hit = hit || overlaps
		alarm = alarm || overlaps && !other
	}
	switch {
	case r.isTrue() && hit:
		return tally{found: 1, true: 1}, ""
	case r.isTrue():
		return tally{true: 1}, "missed"
	case alarm:
		return tally{alarms: 1, hard: 1}, "false"
	}
	return tally{hard: 1}, ""
}

func rulesOf(result inspect.Result) string {
	var names []string
	for _, m := range result.Matches {
		names = append(names, fmt.Sprintf("%s[%d:%d]", m.Rule.ID, m.Start, m.End))
	}
	return strings.Join(names, " ")
}

func (s *score) count(stratum string, t tally) {
	if s.tally[stratum] == nil {
		s.tally[stratum] = &tally{}
		s.strata = append(s.strata, stratum)
	}
	s.tally[stratum].add(t)
}

func (s *score) print() {
	fmt.Fprintln(s.out, "| set | values | recall | hard negatives | false alarms | precision |")
	fmt.Fprintln(s.out, "|---|---|---|---|---|---|")
	slices.SortStableFunc(s.strata, func(a, b string) int { return strings.Count(a, ":") - strings.Count(b, ":") })
	for _, name := range s.strata {
		t := s.tally[name]
		fmt.Fprintf(s.out, "| %s | %d | %s | %d | %d | %s |\n", name, t.true, share(t.found, t.true), t.hard, t.alarms, t.precision())
	}
}

// printSteps shows what each level of confidence is worth.
func (s *score) printSteps() {
	fmt.Fprintln(s.out, "\n| set | confidence | recall | false alarms | precision |")
	fmt.Fprintln(s.out, "|---|---|---|---|---|")
	for _, set := range []string{allTokens, "creddata"} {
		for i, least := range levels {
			t := s.steps[set][i]
			fmt.Fprintf(s.out, "| %s | ≥ %d %% | %s | %d of %d | %s |\n", set, least, share(t.found, t.true), t.alarms, t.hard, t.precision())
		}
	}
}
