package text_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/workingagents/gatehouse/internal/ledger/text"
)

// file gives the name of the first of an index's files.
func file(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files: %v, %v", files, err)
	}
	return files[0]
}

// TestWhatCanNotBeOpenedIsKept: a file that can't be opened now is an error, and not a
// reason to throw the index away.
func TestWhatCanNotBeOpenedIsKept(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	say(t, s, 1, 2)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	name := file(t, dir)
	if err := errors.Join(os.Rename(name, name+".aside"), os.Mkdir(name, 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := text.Open(dir, secret, "boot"); err == nil || errors.Is(err, text.ErrCorrupt) {
		t.Fatalf("got %v, want an error that is not ErrCorrupt", err)
	}
	if err := errors.Join(os.Remove(name), os.Rename(name+".aside", name)); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if got := find(t, s, text.Query{}, "common"); got != "f2 f1" || s.Mark().Entry != 2 {
		t.Errorf("opened again: %q, %+v", got, s.Mark())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestAQuestionDamagesNothing: what SQLite can't be asked says nothing about the file.
func TestAQuestionDamagesNothing(t *testing.T) {
	s := open(t, t.TempDir())
	say(t, s, 1, 2)
	term, err := text.Parse("common", false)
	if err != nil {
		t.Fatal(err)
	}
	want := text.Want{Term: &term}
	for range 2000 {
		want = text.Want{All: []text.Want{want, {Term: &term}}}
	}
	for _, err = range s.Find(text.Query{Want: want}) {
		break
	}
	if err == nil || errors.Is(err, text.ErrCorrupt) {
		t.Errorf("got %v, want an error that is not ErrCorrupt", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestALostTableIsDamage: a file that has not all of the schema is of no use.
func TestALostTableIsDamage(t *testing.T) {
	for _, table := range []string{"mark", "docs", "flows", "words"} {
		dir := t.TempDir()
		s := open(t, dir)
		say(t, s, 1, 2)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite", file(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("DROP TABLE " + table); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		s, err = text.Open(dir, secret, "boot")
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		if s.Mark().Entry != 0 { // nobody looked at the table yet
			term, err := text.Parse("common", false)
			if err != nil {
				t.Fatal(err)
			}
			for _, err = range s.Find(text.Query{Want: text.Want{Term: &term}}) {
				break
			}
			if !errors.Is(err, text.ErrCorrupt) {
				t.Errorf("%s: got %v, want ErrCorrupt", table, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
