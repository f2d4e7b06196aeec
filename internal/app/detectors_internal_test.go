package app

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
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
