package app

import (
	"fmt"
	"time"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/remote"
)

// detectorsElsewhere makes the set of other people's detectors; nil without any.
func detectorsElsewhere(list []config.Detector, m *console.Metrics) (*remote.Set, error) {
	if len(list) == 0 {
		return nil, nil
	}
	options := make([]remote.Options, len(list))
	for i := range list {
		d := &list[i]
		key, err := d.Secret()
		if err != nil {
			return nil, fmt.Errorf("reading the key of the detector %s: %w", d.Name, err)
		}
		options[i] = remote.Options{
			Name: d.Name, Kind: remote.Kind(d.Kind), URL: d.URL, Key: key,
			Channels: words[flow.Channel](d.Channels), Directions: words[remote.Direction](d.Direction),
			Timeout: time.Duration(d.Timeout), MinScore: float64(d.Confidence) / 100, Entities: d.Entities, Language: d.Language, Model: d.Model,
			TextBytes: int(d.MaxText), Concurrency: d.Concurrency,
		}
	}
	watch := func(e remote.Event) { m.Asked(e.Detector, string(e.Outcome), e.Took) }
	set, err := remote.New(options, watch, nil)
	if err == nil {
		m.Circuits(set.Open)
	}
	return set, err
}

// names lists detectors for the entry of a start.
func names(list []config.Detector) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = list[i].Name + " (" + list[i].Kind + ")"
	}
	return out
}

func words[T ~string](list []string) []T {
	out := make([]T, len(list))
	for i, w := range list {
		out[i] = T(w)
	}
	return out
}
