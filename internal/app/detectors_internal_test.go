package app

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/console"
)

// What is registered is on record first, with its id and owner; what could not
// be kept is taken back.
func TestRegisteringIsRecordedFirst(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	file := filepath.Join(c.Data, "rules", "registered.yaml")
	var entries []string
	var fault error
	d := newDetectors(c, []byte("key"), func(kind, _ string, attrs map[string]string) error {
		if _, err := os.Stat(file); err == nil {
			t.Error("the file was written before the entry")
		}
		if fault == nil {
			entries = append(entries, kind+" "+attrs["id"]+" "+attrs["owner"])
			for _, v := range attrs {
				if strings.Contains(v, "Tr0ub") {
					t.Errorf("the entry has the value: %v", attrs)
				}
			}
		}
		return fault
	}, slog.New(slog.DiscardHandler))
	if err := d.Begin(); err != nil {
		t.Fatal(err)
	}
	begun := d.Status()
	asked := console.NewSecret{Name: "db", Value: "Tr0ub4dor-3-horse", Owner: "ann"}

	fault = errors.New("the disk is full")
	if _, err := d.AddSecret(asked); !errors.Is(err, fault) || d.Status().Version != begun.Version {
		t.Errorf("without the ledger: %v", err)
	}
	fault = nil
	if err := os.WriteFile(filepath.Dir(file), nil, 0o600); err != nil { // a file where the folder should be
		t.Fatal(err)
	}
	if _, err := d.AddSecret(asked); err == nil || len(entries) > 0 {
		t.Errorf("where no file can be read: %v, %q", err, entries)
	}
	os.Remove(filepath.Dir(file))
	if err := os.Symlink("none", filepath.Dir(file)); err != nil { // nothing is there, and nothing can be made
		t.Skip(err)
	}
	if _, err := d.AddSecret(asked); err == nil || !slices.Equal(entries, []string{"rules.add registered.db ann", "rules.forget registered.db ann"}) || d.Status().Version != begun.Version {
		t.Errorf("where no file can be written: %v, %q", err, entries)
	}
	os.Remove(filepath.Dir(file))
	entries = nil
	made, err := d.AddSecret(asked)
	if err != nil || made.Rule != "registered.db" || made.Version == begun.Version || !slices.Equal(entries, []string{"rules.add registered.db ann"}) {
		t.Errorf("%+v, %v, %q", made, err, entries)
	}
}

// The entry of the start names the rules, as it names the policy.
func TestStartNamesTheRules(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	file := filepath.Join(c.Data, "rules", "acme.yaml")
	os.Mkdir(filepath.Dir(file), 0o700)
	if err := os.WriteFile(file, []byte("family: acme\ndictionaries: [{id: a, severity: low, confidence: 50, words: [abracadabra]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	agents, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer agents.Close()
	g := &gateway{o: Options{Log: log}, c: c, agents: agents, store: &store{rules: newRules(c, nil, nil, log), detect: newDetectors(c, []byte("key"), nil, log)}}
	if err := g.store.detect.Begin(); err != nil {
		t.Fatal(err)
	}
	got, s := g.started(), g.store.detect.Status()
	if s.Version == "" || got["rules"] != s.Version || got["rules_number"] != strconv.Itoa(s.Number) || got["rules_files"] != file {
		t.Errorf("the entry says %v, the rules are %+v", got, s)
	}
}
