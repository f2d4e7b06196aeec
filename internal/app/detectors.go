package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workingagents/gatehouse/internal/atomicfile"
	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/rulebook"
)

// detectors are the rules in force by which bodies are inspected: the ones in
// the binary and the operator's. They are swapped whole, after the ledger has
// their version; a file that can't be compiled changes nothing.
type detectors struct {
	book   rulebook.Book
	key    []byte // of the hashes of registered values
	record func(kind, why string, attrs map[string]string) error
	log    *slog.Logger

	mu      sync.Mutex // held while files are read or written
	current atomic.Pointer[inspect.Engine]
	status  atomic.Pointer[console.RulesStatus]
}

func newDetectors(c *config.Config, key []byte, record func(string, string, map[string]string) error, log *slog.Logger) *detectors {
	d := &detectors{book: rulebook.Book{Own: filepath.Join(c.Data, rulebook.Folder), More: c.Rules.Dir}, key: key, record: record, log: log}
	d.status.Store(&console.RulesStatus{})
	return d
}

// Engine gives the rules in force. There are some once Begin has succeeded.
func (d *detectors) Engine() *inspect.Engine { return d.current.Load() }

// Status tells which rules are in force, and what is wrong with their files.
func (d *detectors) Status() console.RulesStatus { return *d.status.Load() }

// Begin reads the rules at the start, which the entry of the start names.
func (d *detectors) Begin() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.begin()
}

// begin is Begin. d.mu is held.
func (d *detectors) begin() error {
	e, files, err := d.compile()
	if err != nil {
		d.fail(err)
		return err
	}
	d.put(e, files)
	return nil
}

// Reload reads all rules again. What is wrong with a file is a *flow.Refusal
// that names it; after any error the old rules are still in force, and log and
// status say why.
func (d *detectors) Reload(why string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, files, err := d.compile()
	if err != nil {
		err = &flow.Refusal{Status: http.StatusBadRequest, Kind: "rules", Text: err.Error()}
	} else if err = d.record("rules.load", why, attrsOf(e, files)); err != nil {
		err = fmt.Errorf("recording the rules: %w", err)
	}
	if err != nil {
		d.fail(err)
		d.complain(err)
		return err
	}
	d.put(e, files)
	d.log.Info("rules", "version", e.Version(), "rules", len(e.Rules()), "files", len(files), "why", why)
	return nil
}

func attrsOf(e *inspect.Engine, files []string) map[string]string {
	return map[string]string{"version": e.Version(), "rules": strconv.Itoa(len(e.Rules())), "files": strings.Join(files, ", ")}
}

// put puts rules in force. d.mu is held.
func (d *detectors) put(e *inspect.Engine, files []string) {
	d.current.Store(e)
	d.status.Store(&console.RulesStatus{Version: e.Version(), Number: len(e.Rules()), Files: files, Loaded: time.Now()})
}

// fail keeps for the status why the files as they stand are not in force.
// d.mu is held.
func (d *detectors) fail(err error) {
	status := d.Status()
	status.Error = err.Error()
	d.status.Store(&status)
}

// complain logs what is wrong with the files, one line for each problem.
func (d *detectors) complain(err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		d.log.Error("the rules files are not in force; the old rules are", "version", d.Status().Version, "err", line)
	}
}

func (d *detectors) compile(drafts ...rulebook.Draft) (*inspect.Engine, []string, error) {
	sets, err := d.book.Sets(drafts...)
	if err != nil {
		return nil, nil, err
	}
	files := make([]string, len(sets))
	for i, s := range sets {
		files[i] = s.File
	}
	defer debug.FreeOSMemory() // ten times what is kept was needed to compile it
	e, err := rulebook.Compile(d.key, sets)
	return e, files, err
}

// List gives the rules in force; of a folder that no gateway runs on, those
// that one would have.
func (d *detectors) List() ([]console.Rule, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.current.Load() == nil {
		if err := d.begin(); err != nil {
			return nil, &flow.Refusal{Status: http.StatusConflict, Kind: "rules", Text: err.Error()}
		}
	}
	var list []console.Rule
	for _, r := range d.Engine().Rules() {
		one := console.Rule{Rule: r.Name(), Family: r.Family(), ID: r.ID, Title: r.Title, Severity: r.Severity, Confidence: r.Confidence, File: r.File()}
		if rulebook.BuiltIn(one.File) {
			one.File = ""
		}
		list = append(list, one)
	}
	return list, nil
}

// AddSecret registers a value: from now on it is found wherever it stands.
func (d *detectors) AddSecret(n console.NewSecret) (console.Registered, error) {
	e := rulebook.Entry{Name: n.Name, Title: n.Title, Severity: n.Severity}
	made := console.Registered{Rule: inspect.RegisteredFamily + "." + n.Name}
	var err error
	made.Version, err = d.add(made.Rule, n.Owner, func() (rulebook.Draft, error) { return d.book.Secret(d.key, e, []byte(n.Value)) })
	return made, err
}

// AddCanary makes and registers a canary.
func (d *detectors) AddCanary(n console.NewCanary) (console.Canary, error) {
	bait, err := rulebook.NewBait(n.Form)
	if err != nil {
		return console.Canary{}, err
	}
	e := rulebook.Entry{Name: n.Name, Title: n.Title}
	made := console.Canary{Registered: console.Registered{Rule: inspect.CanaryFamily + "." + n.Name}, Value: bait.Value, Plant: bait.Plant, Where: bait.Where}
	made.Version, err = d.add(made.Rule, n.Owner, func() (rulebook.Draft, error) { return d.book.Canary(d.key, e, []byte(bait.Value)) })
	if err != nil {
		return console.Canary{}, err
	}
	return made, nil
}

// add writes a draft and puts it in force with all other files. Nothing is
// registered that isn't on record, nor beside rules that can't be compiled.
func (d *detectors) add(id, owner string, draft func() (rulebook.Draft, error)) (version string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	file, err := draft()
	if err != nil {
		return "", err
	}
	e, files, err := d.compile(file)
	if err != nil {
		return "", &flow.Refusal{Status: http.StatusConflict, Kind: "rules", Text: "nothing was registered: the rules as they stand can't be compiled\n" + err.Error()}
	}
	attrs := attrsOf(e, files)
	attrs["id"], attrs["owner"] = id, owner
	if err := d.record("rules.add", "asked by "+owner, attrs); err != nil {
		return "", fmt.Errorf("recording what is registered: %w", err)
	}
	if err := write(file); err != nil {
		return "", errors.Join(err, d.record("rules.forget", "it could not be kept", attrs))
	}
	d.put(e, files)
	d.log.Info("rules", "version", e.Version(), "rules", len(e.Rules()), "files", len(files), "why", id+" was added")
	return e.Version(), nil
}

func write(d rulebook.Draft) error {
	if err := os.MkdirAll(filepath.Dir(d.File), 0o700); err != nil {
		return fmt.Errorf("writing rules: %w", err)
	}
	if err := atomicfile.Write(d.File, d.Text); err != nil {
		return fmt.Errorf("writing rules: %w", err)
	}
	return nil
}
