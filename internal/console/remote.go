package console

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/workingagents/gatehouse/internal/remote"
)

// RemoteDetector is how often a detector elsewhere was asked since the gateway
// started, by what came of it.
type RemoteDetector struct {
	Name     string `json:"name"`
	Open     bool   `json:"open"` // it failed too often and is left alone for some seconds
	Answered int    `json:"answered"`
	Failed   int    `json:"failed"`
	Cached   int    `json:"cached"` // nothing had to be asked
	Passed   int    `json:"passed"` // it was not asked, because it was left alone
}

// remote reads the counters, so that page and scraper are told the same.
func (m *Metrics) remote() ([]RemoteDetector, error) {
	byName := map[string]*RemoteDetector{}
	of := func(name string) *RemoteDetector {
		if byName[name] == nil {
			byName[name] = &RemoteDetector{Name: name}
		}
		return byName[name]
	}
	if m.circuits != nil {
		for name, open := range m.circuits() {
			of(name).Open = open
		}
	}
	families, err := m.registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("reading the metrics: %w", err)
	}
	for _, family := range families {
		if family.GetName() != "gatehouse_remote_calls_total" {
			continue
		}
		for _, metric := range family.GetMetric() {
			label := map[string]string{}
			for _, l := range metric.GetLabel() {
				label[l.GetName()] = l.GetValue()
			}
			of(label["detector"]).count(remote.Outcome(label["outcome"]), int(metric.GetCounter().GetValue()))
		}
	}
	list := make([]RemoteDetector, 0, len(byName))
	for _, d := range byName {
		list = append(list, *d)
	}
	slices.SortFunc(list, func(a, b RemoteDetector) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

func (d *RemoteDetector) count(o remote.Outcome, n int) {
	switch o {
	case remote.Answered:
		d.Answered += n
	case remote.Failed:
		d.Failed += n
	case remote.Cached:
		d.Cached += n
	case remote.Refused:
		d.Passed += n
	}
}
