// Package allow keeps the allowances of a data folder in a file of their own:
// who switched which finding off, why, for whom and until when. It never
// decides anything: policy does.
package allow

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/workingagents/gatehouse/internal/atomicfile"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/policy"
)

// File is the name of the file in the data folder.
const File = "allow.json"

const formVersion = 1

// Bounds of what is kept.
const (
	maxAllowances = 10_000
	maxReason     = 500
	maxName       = 200
	longest       = 366 * 24 * time.Hour // an allowance ends
	keepEnded     = 90 * 24 * time.Hour  // the list says for so long that it was; the ledger for ever
)

// Errors of New and Revoke. They are refusals: their texts are for whoever
// asked.
var (
	ErrFull     error = &flow.Refusal{Status: http.StatusConflict, Kind: "full", Text: fmt.Sprintf("there are %d allowances; revoke some first", maxAllowances)}
	ErrNoSuchID error = &flow.Refusal{Status: http.StatusNotFound, Kind: "not_found", Text: "there is no allowance of that id that still holds; gatehouse allow --list tells them"}
)

// Store is the allowances of one data folder, in a file (0600) that is
// replaced whole. It is safe for concurrent use; who opens it holds the
// folder's lock.
type Store struct {
	path string
	now  func() time.Time

	mu    sync.Mutex
	list  []policy.Allowance // oldest first; a changed one is a new slice
	index atomic.Pointer[policy.Allowances]
}

type content struct {
	Version    int                `json:"version"`
	Allowances []policy.Allowance `json:"allowances"`
}

// Open reads the allowances of the data folder dir; a missing file holds none.
// A nil now is time.Now.
func Open(dir string, now func() time.Time) (*Store, error) {
	if now == nil {
		now = time.Now
	}
	s := &Store{path: filepath.Join(dir, File), now: now}
	list, err := read(s.path)
	if err != nil {
		return nil, fmt.Errorf("reading allowances: %w", err)
	}
	s.take(list)
	return s, nil
}

func read(path string) ([]policy.Allowance, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var c content
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("parsing %s: %w", path, err)
	}
	if c.Version != formVersion {
		return nil, fmt.Errorf("%s is of version %d, this program reads %d", path, c.Version, formVersion)
	}
	return c.Allowances, nil
}

// take puts a list in force. s.mu is held, or nobody else has s yet.
func (s *Store) take(list []policy.Allowance) {
	s.list = list
	index := policy.Index(list)
	s.index.Store(&index)
}

// Index gives what is allowed, as policy looks it up.
func (s *Store) Index() policy.Allowances { return *s.index.Load() }

// List gives all allowances, oldest first; those that have ended, too, for a
// while.
func (s *Store) List() []policy.Allowance {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list)
}

// New makes an allowance of what was asked: it checks it and gives it its id
// and time. Nothing is allowed before it is added.
func (s *Store) New(a policy.Allowance) (policy.Allowance, error) {
	now := s.now().UTC().Truncate(time.Second)
	if a.Scope == "" {
		a.Scope = "*"
	}
	a.Reason = strings.TrimSpace(a.Reason)
	switch {
	case !isName(a.Finding):
		return a, wrong("an allowance needs the id of a finding, as the refusal and gatehouse show tell it")
	case !isName(a.Scope):
		return a, wrong("the scope must be a principal's name, or * for all")
	case a.Reason == "" || len(a.Reason) > maxReason || strings.ContainsFunc(a.Reason, unicode.IsControl):
		return a, wrong("an allowance needs a reason: one line of at most %d bytes", maxReason)
	case !a.Until.After(now):
		return a, wrong("until must be in the future")
	case a.Until.Sub(now) > longest:
		return a, wrong("an allowance ends after %d days at the latest: say it again then", longest/(24*time.Hour))
	}
	if len(s.List()) >= maxAllowances {
		return a, ErrFull
	}
	a.ID, a.Made, a.Until, a.Revoked = newID(), now, a.Until.UTC().Truncate(time.Second), time.Time{}
	return a, nil
}

func wrong(format string, args ...any) error {
	return &flow.Refusal{Status: http.StatusBadRequest, Kind: "allowance", Text: fmt.Sprintf(format, args...)}
}

// isName reports whether s can be a finding's id or a principal's name.
func isName(s string) bool {
	return s != "" && len(s) <= maxName && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || !unicode.IsPrint(c) })
}

// newID gives "a_" and 40 random bits: short enough to type.
func newID() string {
	random := make([]byte, 5)
	rand.Read(random) // never fails: crypto/rand ends the program instead
	return "a_" + strings.ToLower(base32.StdEncoding.EncodeToString(random))
}

// Add keeps an allowance that New made, and puts it in force. After an error
// nothing has changed.
func (s *Store) Add(a policy.Allowance) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replace(append(s.kept(), a))
}

// Revoke ends an allowance that still holds. After an error nothing has changed.
func (s *Store) Revoke(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, now := s.kept(), s.now().UTC().Truncate(time.Second)
	i := slices.IndexFunc(list, func(a policy.Allowance) bool { return a.ID == id && a.Current(now) })
	if i < 0 {
		return ErrNoSuchID
	}
	list[i].Revoked = now
	return s.replace(list)
}

// kept copies the list without those that ended long ago. s.mu is held.
func (s *Store) kept() []policy.Allowance {
	before := s.now().Add(-keepEnded)
	return slices.DeleteFunc(slices.Clone(s.list), func(a policy.Allowance) bool { return a.Until.Before(before) })
}

// replace writes the file and puts the list in force. s.mu is held.
func (s *Store) replace(list []policy.Allowance) error {
	text, err := json.MarshalIndent(content{formVersion, list}, "", "  ")
	if err != nil {
		return fmt.Errorf("writing allowances: %w", err)
	}
	if err := atomicfile.Write(s.path, append(text, '\n')); err != nil {
		return fmt.Errorf("writing allowances: %w", err)
	}
	s.take(list)
	return nil
}
