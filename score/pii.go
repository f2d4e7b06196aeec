package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/rulebook"
)

// kinds are the source's types that have a form which can be checked, with the
// rules that look for them. The rest of its labels are names, places, dates and
// the like, which no rule looks for.
var kinds = []struct {
	label string
	rules []string // beginnings of ids
}{
	{"CREDIT_CARD", []string{"card"}},
	{"EMAIL_ADDRESS", []string{"email"}},
	{"IBAN_CODE", []string{"iban"}},
	{"IP_ADDRESS", []string{"ipv4", "ipv6"}},
	{"PHONE_NUMBER", []string{"phone"}},
	{"US_DRIVER_LICENSE", []string{"us-driving-licence", "driving-licence"}},
	{"US_SSN", []string{"us-ssn"}},
}

// hits counts values and findings of one type. A value is found when a finding of
// the family overlaps it, whatever the rule; a finding is right when it overlaps a
// value of its own type.
type hits struct{ values, found, findings, right int }

func (h *hits) add(o hits) {
	h.values += o.values
	h.found += o.found
	h.findings += o.findings
	h.right += o.right
}

// f2 weighs recall twice as much as precision.
func (h hits) f2() float64 {
	if h.values == 0 || h.findings == 0 {
		return 0
	}
	p, r := float64(h.right)/float64(h.findings), float64(h.found)/float64(h.values)
	if p+r == 0 {
		return 0
	}
	return 5 * p * r / (4*p + r)
}

// personal measures the family pii with the rules as they are in force: beside
// all others.
func (s *score) personal(o options) error {
	engine, err := rulebook.Compile(make([]byte, 32), nil)
	if err != nil {
		return err
	}
	own := &score{engine: engine, ids: s.ids, out: s.out, family: "pii"}
	var all hits
	byType := make([]hits, len(kinds))
	err = read(filepath.Join(o.data, "pii_presidio_large.jsonl.gz"), func(r record) {
		result := engine.Scan([]byte(r.Text), inspect.Options{})
		for i, k := range kinds {
			h := hitsOf(k.label, k.rules, r, result)
			byType[i].add(h)
			all.add(h)
			own.list(k.label, r, result, h)
		}
		other := hitsOf("", nil, r, result)
		all.findings += other.findings
		own.list("", r, result, other)
	})
	if err != nil {
		return err
	}
	if s.ids == "" {
		own.printPersonal(byType, all)
	}
	if err := own.traffic(o); err != nil || s.ids != "" {
		return err
	}
	_, err = fmt.Fprintf(s.out, "\n%d rules of all families, version %s\n", len(engine.Rules()), engine.Version())
	return err
}

// hitsOf compares what was found with the labels of one type. Without a label it
// counts the findings of all other types.
func hitsOf(label string, rules []string, r record, result inspect.Result) (h hits) {
	for _, x := range r.Spans {
		if x.Type != label {
			continue
		}
		h.values++
		if slices.ContainsFunc(result.Matches, func(m inspect.Match) bool {
			return m.Rule.Family() == "pii" && m.Start < x.End && x.Start < m.End
		}) {
			h.found++
		}
	}
	for _, m := range result.Matches {
		if m.Rule.Family() != "pii" || kindOfRule(m.Rule.ID) != label {
			continue
		}
		h.findings++
		if slices.ContainsFunc(r.Spans, func(x span) bool { return x.Type == label && m.Start < x.End && x.Start < m.End }) {
			h.right++
		}
	}
	return h
}

// kindOfRule is the type that a rule looks for; "" for one that the source has
// no label for.
func kindOfRule(id string) string {
	for _, k := range kinds {
		if slices.ContainsFunc(k.rules, func(begin string) bool { return strings.HasPrefix(id, begin) }) {
			return k.label
		}
	}
	return ""
}

// list prints the ids of what was missed or found to be false.
func (s *score) list(label string, r record, result inspect.Result, h hits) {
	if s.ids == "missed" && h.found < h.values || s.ids == "false" && h.right < h.findings {
		fmt.Fprintf(s.out, "%s %s %s\n", r.ID, label, rulesOf(result))
	}
}

func (s *score) printPersonal(byType []hits, all hits) {
	fmt.Fprintln(s.out, "\n| personal data (presidio) | values | recall | findings | precision | F2 |")
	fmt.Fprintln(s.out, "|---|---|---|---|---|---|")
	for i, k := range kinds {
		s.printHits(k.label, byType[i])
	}
	s.printHits("all of these, and findings of other rules", all)
}

func (s *score) printHits(name string, h hits) {
	fmt.Fprintf(s.out, "| %s | %d | %s | %d | %s | %.3f |\n", name, h.values, share(h.found, h.values), h.findings, share(h.right, h.findings), h.f2())
}
