package app

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/secret"
)

// detectorsName is the folder of the operator's own rules in the data folder:
// every .yaml file in it is a set.
const detectorsName = "rules"

// detectors are the rules in force by which bodies are inspected: the ones in
// the binary and the operator's. They are swapped whole, after the ledger has
// their version; a file that can't be compiled changes nothing.
type detectors struct {
	dir    string
	key    []byte // of the hashes of registered values
	record func(kind, why string, attrs map[string]string) error
	log    *slog.Logger

	mu      sync.Mutex // held while files are loaded
	current atomic.Pointer[inspect.Engine]
}

func newDetectors(dir string, key []byte, record func(string, string, map[string]string) error, log *slog.Logger) *detectors {
	return &detectors{dir: filepath.Join(dir, detectorsName), key: key, record: record, log: log}
}

// Engine gives the rules in force. There are some once Reload has succeeded.
func (d *detectors) Engine() *inspect.Engine { return d.current.Load() }

// Begin reads the rules at the start, which the entry of the start names.
func (d *detectors) Begin() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, _, err := d.compile()
	if err != nil {
		return err
	}
	d.current.Store(e)
	return nil
}

// Reload reads all rules again. What is wrong with a file is a *flow.Refusal
// that names it; after any error the old rules are still in force.
func (d *detectors) Reload(why string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, files, err := d.compile()
	if err != nil {
		d.log.Error("the rules are not in force; the old ones are", "version", d.Engine().Version(), "err", err)
		return &flow.Refusal{Status: http.StatusBadRequest, Kind: "rules", Text: err.Error()}
	}
	attrs := map[string]string{"version": e.Version(), "files": strings.Join(files, ", ")}
	if err := d.record("rules.load", why, attrs); err != nil {
		return fmt.Errorf("recording the rules: %w", err)
	}
	d.current.Store(e)
	d.log.Info("rules", "version", e.Version(), "rules", len(e.Rules()), "files", len(files), "why", why)
	return nil
}

func (d *detectors) compile() (*inspect.Engine, []string, error) {
	own, err := secret.Set()
	if err != nil {
		return nil, nil, err
	}
	sets := []*inspect.Set{own}
	files, err := filepath.Glob(filepath.Join(d.dir, "*.yaml"))
	if err != nil {
		return nil, nil, fmt.Errorf("looking for rules: %w", err)
	}
	slices.Sort(files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, fmt.Errorf("reading rules: %w", err)
		}
		set, err := inspect.Parse(file, text)
		if err != nil {
			return nil, nil, err
		}
		sets = append(sets, set)
	}
	lib := secret.Library()
	lib.Key = d.key
	defer debug.FreeOSMemory() // ten times what is kept was needed to compile it
	e, err := inspect.Compile(lib, sets...)
	return e, files, err
}
