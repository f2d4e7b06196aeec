// Command score measures how well the detectors find what they are for, on
// labelled texts that are not part of this repository (docs/score.md tells
// where they come from): recall, precision, false alarms on the ordinary
// traffic of agents, speed. It prints tables in Markdown, and no text and no
// value. It never changes a rule.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/workingagents/gatehouse/internal/rulebook"
)

type options struct {
	data   string // folder of *.jsonl.gz
	agents string // folder of recorded requests
	clean  string // another folder of files that hold no secrets
	train  string // write the model of the family injection to this file instead
	only   string // one family, or all
	ids    string // list ids instead: "missed", "false", "alarms"
}

func main() {
	var o options
	flag.StringVar(&o.data, "data", "", "`folder` of the labelled texts, *.jsonl.gz")
	flag.StringVar(&o.agents, "agents", "test/fixtures/agents", "`folder` of recorded requests of agents")
	flag.StringVar(&o.clean, "clean", "", "also count alarms on the files below this `folder`, which hold no secrets")
	flag.StringVar(&o.ids, "ids", "", "instead of tables, list the ids of texts that were `missed`, or found to be false, or alarms")
	flag.StringVar(&o.train, "train", "", "instead of measuring, train the model of the family injection and write it to this `file`")
	flag.StringVar(&o.only, "only", "", "measure this `family` only: secret, injection, action, pii, traffic, block")
	flag.Parse()
	out := bufio.NewWriter(os.Stdout)
	if err := errors.Join(run(o, out), out.Flush()); err != nil {
		fmt.Fprintln(os.Stderr, "score:", err)
		os.Exit(1)
	}
}

func run(o options, out io.Writer) error {
	if o.data == "" {
		return errors.New("where are the labelled texts? make score DATA=FOLDER")
	}
	if o.train != "" {
		return train(o.data, o.train)
	}
	engine, err := rulebook.Compile(nil, nil)
	if err != nil {
		return err
	}
	s := &score{engine: engine, family: "secret", ids: o.ids, out: out}
	known := false
	for _, part := range []struct {
		name    string
		measure func() error
	}{
		{"secret", func() error { return s.secrets(o.data) }},
		{"injection", func() error { return s.injections(o.data) }},
		{"action", func() error { return s.shell(o.data) }},
		{"pii", func() error { return s.personal(o) }},
		{"traffic", func() error { return s.traffic(o) }},
		{"block", func() error { return s.calls(o) }},
	} {
		if o.only == "" || o.only == part.name {
			known = true
			err = errors.Join(err, part.measure())
		}
	}
	if !known {
		return fmt.Errorf("there is no family %q", o.only)
	}
	if o.ids == "" && err == nil {
		fmt.Fprintf(out, "\n%d rules, version %s\n", len(engine.Rules()), engine.Version())
	}
	return err
}
