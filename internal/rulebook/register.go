package rulebook

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
)

// The files that we write, in Book.Own.
const (
	registeredFile = "registered.yaml"
	canariesFile   = "canaries.yaml"
)

// Entry is what is said about a value that is to be found from now on.
type Entry struct {
	Name     string        // the id of its rule: lower case letters, digits, "-"
	Title    string        // for people; empty: the usual one
	Severity flow.Severity // 0: critical
}

// The length of a registered value, in bytes. A shorter one could be guessed
// from its hash and would stand in any text.
const (
	minValue = 8
	maxValue = 512
	maxTitle = 200
)

// Secret gives the file of registered values with one more. The error is a
// refusal; it doesn't hold the value.
func (b Book) Secret(key []byte, e Entry, value []byte) (Draft, error) {
	e.Title = orUsual(e.Title, "a registered value")
	return b.add(registeredFile, inspect.RegisteredFamily, key, e, value)
}

// Canary gives the file of canaries with one more.
func (b Book) Canary(key []byte, e Entry, value []byte) (Draft, error) {
	e.Title, e.Severity = orUsual(e.Title, "a canary"), flow.Critical
	return b.add(canariesFile, inspect.CanaryFamily, key, e, value)
}

func orUsual(title, usual string) string {
	if title == "" {
		return usual
	}
	return title
}

func refuse(status int, kind, format string, args ...any) error {
	return &flow.Refusal{Status: status, Kind: kind, Text: fmt.Sprintf(format, args...)}
}

func (b Book) add(name, family string, key []byte, e Entry, value []byte) (Draft, error) {
	if err := e.check(value); err != nil {
		return Draft{}, err
	}
	d := Draft{File: filepath.Join(b.Own, name)}
	set, err := kept(d.File, family)
	if err != nil {
		return d, err
	}
	if set.Key != "" && set.Key != inspect.KeyID(key) {
		return d, refuse(http.StatusConflict, "key", "the hashes in %s were made with the key of another data folder: take the file away, and register its values here", d.File)
	}
	v := inspect.Register(key, value)
	v.Rule = inspect.Rule{ID: e.Name, Title: e.Title, Severity: e.Severity, Confidence: 100}
	for i := range set.Registered {
		switch had := &set.Registered[i]; {
		case had.Rule.ID == v.Rule.ID:
			return d, refuse(http.StatusConflict, "name_taken", "there is a %s.%s already; take its line out of %s first, or choose another name", family, e.Name, d.File)
		case had.Hash == v.Hash:
			return d, refuse(http.StatusConflict, "value_taken", "this value is registered already, as %s.%s", family, had.Rule.ID)
		}
	}
	if set.Key == "" {
		set.Key = inspect.KeyID(key)
	}
	set.Registered = append(set.Registered, v)
	d.Text = render(set)
	return d, nil
}

// check refuses what would not be found, or everywhere.
func (e *Entry) check(value []byte) error {
	if e.Severity == 0 {
		e.Severity = flow.Critical
	}
	bad := func(format string, args ...any) error {
		return refuse(http.StatusBadRequest, "value", format, args...)
	}
	distinct := map[byte]bool{}
	for _, c := range value {
		distinct[c] = true
	}
	switch {
	case len(e.Title) > maxTitle || strings.ContainsFunc(e.Title, unicode.IsControl):
		return refuse(http.StatusBadRequest, "title", "the title must be one line of at most %d bytes", maxTitle)
	case !inspect.IsID(e.Name):
		return refuse(http.StatusBadRequest, "name", "the name must be at most 64 lower case letters, digits and -")
	case len(value) < minValue || len(value) > maxValue:
		return bad("a value has %d to %d bytes; this one has %d", minValue, maxValue, len(value))
	case slices.ContainsFunc(value, func(c byte) bool { return c <= ' ' || c == 0x7f }):
		return bad("a value holds no white space and no control characters: register the part that has none")
	case len(distinct) < 4:
		return bad("this value is of %d different characters and would be found in ordinary text", len(distinct))
	}
	return nil
}

// kept reads a file that we write. One that isn't there is empty.
func kept(file, family string) (*inspect.Set, error) {
	text, err := read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return &inspect.Set{Family: family}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading registered values: %w", err)
	}
	set, err := inspect.Parse(file, text)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "rules", "%v", err)
	}
	if len(set.Rules) > 0 || set.Family != family {
		return nil, refuse(http.StatusConflict, "rules", "%s is written by gatehouse and holds registered values of the family %s only: put other rules into a file of their own", file, family)
	}
	return set, nil
}

// render writes the whole file: who has it without the key learns how long the
// values are.
func render(set *inspect.Set) []byte {
	var b strings.Builder
	b.WriteString("# Written by gatehouse rules add-secret and add-canary: keyed hashes, not the\n# values. To forget one, remove its line, then: gatehouse rules reload.\n")
	fmt.Fprintf(&b, "family: %s\nkey: %s\nregistered:\n", set.Family, strconv.Quote(set.Key))
	for _, v := range set.Registered {
		fmt.Fprintf(&b, "  - {id: %s, title: %s, severity: %s, confidence: %d, length: %d, tag: \"%s\", hash: \"%s\"}\n",
			strconv.Quote(v.Rule.ID), strconv.Quote(v.Rule.Title), v.Rule.Severity, v.Rule.Confidence, v.Length, hex.EncodeToString(v.Tag[:]), hex.EncodeToString(v.Hash[:]))
	}
	return []byte(b.String())
}
