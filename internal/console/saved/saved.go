// Package saved keeps the views of the console that people gave a name: a page
// and a filter. It never looks at what they choose.
package saved

import (
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
	"unicode"

	"github.com/workingagents/gatehouse/internal/atomicfile"
	"github.com/workingagents/gatehouse/internal/flow"
)

// File is the name of the file in the data folder.
const File = "views.json"

const formVersion = 1

// Bounds of what is kept, in bytes but for the first.
const (
	maxViews = 200
	maxName  = 100
	maxText  = 4096
)

// View is a page of the console as somebody wants to see it again.
type View struct {
	Name  string `json:"name"`
	Page  string `json:"page"`  // its path: "/live"
	Query string `json:"q"`     // in the filter language
	Owner string `json:"owner"` // who saved it
}

// Store is the views of one data folder. It is safe for concurrent use; who
// opens it holds the folder's lock.
type Store struct {
	path string

	mu   sync.Mutex
	list []View // by name
}

type content struct {
	Version int    `json:"version"`
	Views   []View `json:"views"`
}

// Open reads the views of the data folder dir; a missing file holds none.
func Open(dir string) (*Store, error) {
	s := &Store{path: filepath.Join(dir, File)}
	text, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	var c content
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return nil, fmt.Errorf("reading saved views: %w", err)
	}
	if c.Version != formVersion {
		return nil, fmt.Errorf("reading saved views: %s has version %d, not %d", s.path, c.Version, formVersion)
	}
	s.list = c.Views
	return s, nil
}

// List gives the views by name.
func (s *Store) List() []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list)
}

// Save keeps a view, in the place of one with the same name. What is wrong with
// it is a *flow.Refusal.
func (s *Store) Save(v View) error {
	if err := check(v); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, there := s.find(v.Name)
	next := slices.Clone(s.list)
	switch {
	case there:
		next[i] = v
	case len(next) >= maxViews:
		return &flow.Refusal{Status: http.StatusConflict, Kind: "full", Text: fmt.Sprintf("there are %d saved views; delete some first", maxViews)}
	default:
		next = slices.Insert(next, i, v)
	}
	return s.keep(next)
}

// Delete forgets a view.
func (s *Store) Delete(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, there := s.find(name)
	if !there {
		return &flow.Refusal{Status: http.StatusNotFound, Kind: "not_found", Text: "there is no saved view of that name"}
	}
	return s.keep(slices.Delete(slices.Clone(s.list), i, i+1))
}

func (s *Store) find(name string) (int, bool) {
	return slices.BinarySearchFunc(s.list, name, func(v View, name string) int { return strings.Compare(v.Name, name) })
}

// keep writes a list, and takes it when it is written.
func (s *Store) keep(list []View) error {
	text, err := json.Marshal(content{formVersion, list})
	if err != nil {
		return fmt.Errorf("encoding saved views: %w", err)
	}
	if err := atomicfile.Write(s.path, text); err != nil {
		return fmt.Errorf("writing saved views: %w", err)
	}
	s.list = list
	return nil
}

func check(v View) error {
	switch {
	case strings.TrimSpace(v.Name) == "" || len(v.Name) > maxName || strings.ContainsFunc(v.Name, unseen):
		return wrong("name", "a view's name has 1 to %d bytes, in one line, and nothing in it that is not seen", maxName)
	case !strings.HasPrefix(v.Page, "/") || strings.HasPrefix(v.Page, "//") || len(v.Page) > maxName:
		return wrong("page", "a view's page is the path of a page, such as /live")
	case len(v.Query) > maxText:
		return wrong("q", "a view's filter has %d bytes at most", maxText)
	}
	return nil
}

// unseen: control characters, and those that turn or hide the text around them.
func unseen(r rune) bool { return !unicode.IsGraphic(r) }

func wrong(kind, text string, args ...any) error {
	return &flow.Refusal{Status: http.StatusBadRequest, Kind: kind, Text: fmt.Sprintf(text, args...)}
}
