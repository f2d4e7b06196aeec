package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/workingagents/gatehouse/internal/inspect"
)

// kindOf is a kind of ordinary traffic: what agents send when nothing is wrong.
type kindOf struct {
	name         string
	texts, bytes int
	flagged      int // texts with a finding
	blocked      int // texts with a finding of at least blocking percent
	findings     int
	samples      [][]byte
	json         bool
}

// traffic measures false alarms and speed on texts without secrets.
func (s *score) traffic(o options) error {
	var kinds []*kindOf
	for _, file := range []struct{ name, kind, label string }{
		{"injection_agent_instructions", "agent_instructions", "instructions of agents"},
		{"injection_bipia_train", "tool_result", "tool results (mail, code)"},
		{"injection_agentdojo", "tool_result", "tool results (bank, chat)"},
		{"injection_asb", "tool_result", "tool results (short)"},
		{"injection_compass", "user_query", "questions of users"},
		{"shell_nl2bash", "", "shell commands"},
	} {
		k := &kindOf{name: file.label}
		err := read(filepath.Join(o.data, file.name+".jsonl.gz"), func(r record) {
			if string(r.Label) != `"benign"` || file.kind != "" && r.Kind != file.kind {
				return
			}
			s.alarm(k, r.ID, []byte(r.Text+r.Command))
		})
		if err != nil {
			return err
		}
		kinds = append(kinds, k)
	}
	k := &kindOf{name: "recorded requests of agents", json: true}
	if err := bodies(o.agents, func(name string, body []byte) { s.alarm(k, name, body) }); err != nil {
		return err
	}
	kinds = append(kinds, k)
	if o.clean != "" {
		k := &kindOf{name: "files of " + filepath.Base(o.clean)}
		if err := files(o.clean, func(name string, text []byte) { s.alarm(k, name, text) }); err != nil {
			return err
		}
		kinds = append(kinds, k)
	}
	if s.ids == "" {
		s.printTraffic(kinds)
	}
	return nil
}

// alarm scans one text. Anything found is a false alarm, or one of the few
// credentials that such texts hold as examples: a person has to look.
func (s *score) alarm(k *kindOf, id string, text []byte) {
	result := s.own(s.engine.Scan(text, inspect.Options{JSON: k.json}))
	k.texts++
	k.bytes += len(text)
	k.findings += len(result.Matches)
	k.samples = append(k.samples, text)
	sure := false
	for _, m := range result.Matches {
		sure = sure || m.Rule.Confidence >= blocking
	}
	if len(result.Matches) > 0 {
		k.flagged++
	}
	if sure {
		k.blocked++
	}
	if s.ids == "alarms" && len(result.Matches) > 0 {
		fmt.Fprintf(s.out, "%s sure=%v %s\n", id, sure, rulesOf(result))
	}
}

func trafficName(family string) string {
	if family == "" {
		return "ordinary traffic"
	}
	return "ordinary traffic, " + family
}

func (s *score) printTraffic(kinds []*kindOf) {
	fmt.Fprintf(s.out, "\n| %s | texts | KB | with a finding | with one of ≥ 90 %% | MB/s |\n", trafficName(s.family))
	fmt.Fprintln(s.out, "|---|---|---|---|---|---|")
	total := &kindOf{name: "all"}
	for _, k := range kinds {
		fmt.Fprintf(s.out, "| %s | %d | %d | %d: %s | %d: %s | %.0f |\n", k.name, k.texts, k.bytes>>10, k.flagged, share(k.flagged, k.texts), k.blocked, share(k.blocked, k.texts), s.speed(k))
		total.texts += k.texts
		total.bytes += k.bytes
		total.flagged += k.flagged
		total.blocked += k.blocked
	}
	fmt.Fprintf(s.out, "| %s | %d | %d | %d: %s | %d: %s | |\n", total.name, total.texts, total.bytes>>10, total.flagged, share(total.flagged, total.texts), total.blocked, share(total.blocked, total.texts))
}

// speed scans a kind's texts again and again for a while, each from cold, and
// gives megabytes a second of the fastest round: others may be using the
// machine.
func (s *score) speed(k *kindOf) float64 {
	if k.bytes == 0 {
		return 0
	}
	best := time.Hour
	for start := time.Now(); time.Since(start) < time.Second; {
		round := time.Now()
		for _, text := range k.samples {
			s.engine.Scan(text, inspect.Options{JSON: k.json})
		}
		best = min(best, time.Since(round))
	}
	return float64(k.bytes) / 1e6 / best.Seconds()
}
