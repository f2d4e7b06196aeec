package ledger_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// TestListsSayWhyThereIsNone: an index that can't take in what was recorded
// last (here another process holds it; a full disk does the same) is a refusal
// that names the reason, not an error of SQLite's.
func TestListsSayWhyThereIsNone(t *testing.T) {
	dir := t.TempDir()
	l := start(t, ledger.Options{Dir: dir})
	other, err := sql.Open("sqlite", filepath.Join(dir, "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	body := conversation(1)
	if _, err := l.Begin(intent("f1", "one", body), ledger.Content{Doc: split.Split(body, nil)}); err != nil {
		t.Fatal(err)
	}
	var refused *flow.Refusal
	if _, err := listed(l, ledger.Query{}); !errors.As(err, &refused) || refused.Status != 503 || !strings.Contains(refused.Text, "index can't be written") {
		t.Errorf("flows: %v", err)
	}
	if _, err := other.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if views, err := listed(l, ledger.Query{}); err != nil || len(views) != 1 {
		t.Errorf("flows after that: %v, %v", views, err)
	}
}
