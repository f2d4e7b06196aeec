// Package rulebook is the operator's own rules: the files that they stand in,
// and the two that the gateway writes itself, of registered values and of
// canaries. It reads and compiles them beside the built-in ones. It never scans
// anything, and never keeps a value: of those that it is given it makes keyed
// hashes.
package rulebook

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/injection"
	"github.com/workingagents/gatehouse/internal/inspect/secret"
)

// Folder is the name of the rules' folder in the data folder.
const Folder = "rules"

// maxFile bounds what is read of a file; its rules may have 1 MiB.
const maxFile = 1<<20 + 1

// Book says where the operator's rules are. Each file DIR/*.yaml is a set.
type Book struct {
	Own  string // the folder that we write into, too; it need not be there
	More string // another one, which must be there; empty: none
}

// Draft is a file as it is about to be written.
type Draft struct {
	File string
	Text []byte
}

// Files lists the rules files, each folder's in order.
func (b Book) Files() ([]string, error) {
	files, err := list(b.Own)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil || b.More == "" || filepath.Clean(b.More) == filepath.Clean(b.Own) {
		return files, err
	}
	more, err := list(b.More)
	return append(files, more...), err
}

// list gives the rules files of a folder.
func list(dir string) (files []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("looking for rules: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		switch path := filepath.Join(dir, name); {
		case strings.HasPrefix(name, ".") || e.IsDir(): // an editor's, or one that is being written
		case filepath.Ext(name) == ".yaml":
			files = append(files, path)
		case filepath.Ext(name) == ".yml":
			return nil, fmt.Errorf("%s would not be read: the names of rules files end in .yaml", path)
		}
	}
	return files, nil
}

// Sets reads all files; the drafts stand for theirs. The error tells all
// problems, a line for each: FILE:LINE:COLUMN: PROBLEM.
func (b Book) Sets(drafts ...Draft) ([]*inspect.Set, error) {
	files, err := b.Files()
	if err != nil {
		return nil, err
	}
	for _, d := range drafts {
		if !slices.Contains(files, d.File) {
			files = append(files, d.File)
		}
	}
	return Read(files, drafts...)
}

// Read reads rules files. The drafts stand for theirs.
func Read(files []string, drafts ...Draft) (sets []*inspect.Set, err error) {
	var errs []error
	for _, file := range files {
		var text []byte
		if i := slices.IndexFunc(drafts, func(d Draft) bool { return d.File == file }); i >= 0 {
			text = drafts[i].Text
		} else if text, err = read(file); err != nil {
			errs = append(errs, fmt.Errorf("reading rules: %w", err))
			continue
		}
		set, err := inspect.Parse(file, text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		sets = append(sets, set)
	}
	return sets, errors.Join(errs...)
}

func read(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", file)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has more than %d bytes", file, maxFile-1)
	}
	return os.ReadFile(file)
}

// families are the families of rules in the binary.
var families = []struct {
	set     func() (*inspect.Set, error)
	library func() inspect.Library
}{
	{secret.Set, secret.Library},
	{injection.Set, injection.Library},
}

// builtIn are the rules in the binary, which nobody changes: reading them takes
// longer than all else.
var builtIn = sync.OnceValues(func() (sets []*inspect.Set, err error) {
	for _, f := range families {
		set, problem := f.set()
		sets, err = append(sets, set), errors.Join(err, problem)
	}
	return sets, err
})

// Library gives the detectors and checks of all families. Their names are
// unique.
func Library() inspect.Library {
	lib := inspect.Library{Detectors: map[string]inspect.Detector{}, Checks: map[string]inspect.Check{}}
	for _, f := range families {
		own := f.library()
		maps.Copy(lib.Detectors, own.Detectors)
		maps.Copy(lib.Checks, own.Checks)
	}
	return lib
}

// Compile makes the engine of the built-in rules and the sets. The key is that
// of the hashes of registered values.
func Compile(key []byte, sets []*inspect.Set) (*inspect.Engine, error) {
	own, err := builtIn()
	if err != nil {
		return nil, err
	}
	lib := Library()
	lib.Key = key
	return inspect.Compile(lib, slices.Concat(own, sets)...)
}

// BuiltIn reports whether a rule's file is in the binary.
func BuiltIn(file string) bool { return strings.HasPrefix(file, "built-in/") }

// Check compiles sets with the built-in ones and runs their examples. It needs
// no key, and so can't tell whether the hashes of registered values were made
// with the right one.
func Check(sets []*inspect.Set) (*inspect.Engine, error) {
	keyless := make([]*inspect.Set, len(sets))
	for i, s := range sets {
		same := *s
		same.Key = ""
		keyless[i] = &same
	}
	e, err := Compile(make([]byte, 32), keyless)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, s := range sets {
		errs = append(errs, s.Test(e))
	}
	return e, errors.Join(errs...)
}

// Names are the rules' names, the built-in ones too, without compiling them.
func Names(sets []*inspect.Set) ([]string, error) {
	own, err := builtIn()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range slices.Concat(own, sets) {
		for i := range s.Rules {
			names = append(names, s.Rules[i].Name())
		}
		for i := range s.Registered {
			names = append(names, s.Registered[i].Rule.Name())
		}
	}
	return names, nil
}
