package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/workingagents/gatehouse"

// root is the project's folder, from here.
const root = "../.."

// file is one Go file of the main module, for whatever system it is.
type file struct {
	path string // from root, with slashes
	dir  string // the package's folder
	test bool
	ast  *ast.File
	fset *token.FileSet
}

// imports gives the paths that the file imports.
func (f file) imports() []string {
	var paths []string
	for _, spec := range f.ast.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		paths = append(paths, p)
	}
	return paths
}

// files parses every Go file of the main module. Folders that are modules of
// their own, testdata and what is not ours are left out.
func files(t *testing.T) []file {
	t.Helper()
	var all []file
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return enter(name, d)
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		slash := filepath.ToSlash(strings.TrimPrefix(name, filepath.FromSlash(root+"/")))
		all = append(all, file{path: slash, dir: path.Dir(slash), test: strings.HasSuffix(name, "_test.go"), ast: parsed, fset: fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// enter says whether a folder belongs to the main module.
func enter(name string, d fs.DirEntry) error {
	if name == filepath.FromSlash(root) {
		return nil
	}
	if base := d.Name(); strings.HasPrefix(base, ".") || slices.Contains([]string{"testdata", "node_modules", "bin", "data"}, base) {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	comments := map[string][]string{}
	seen := map[string]bool{}
	for _, f := range files(t) {
		if f.test {
			continue
		}
		seen[f.dir] = true
		if f.ast.Doc != nil {
			comments[f.dir] = append(comments[f.dir], f.ast.Doc.Text())
		}
	}
	for dir := range seen {
		docs := comments[dir]
		switch {
		case len(docs) == 0:
			t.Errorf("%s has no package comment: say what it is for, and what it never does", dir)
		case len(docs) > 1:
			t.Errorf("%s has %d package comments: one is enough", dir, len(docs))
		case !strings.HasPrefix(docs[0], "Package ") && !strings.HasPrefix(docs[0], "Command "):
			t.Errorf("%s: the package comment begins %.20q, want Package or Command", dir, docs[0])
		}
	}
}

// unfinished are the words of work that was left. They are put together so
// that this file does not hold them.
var unfinished = regexp.MustCompile(`\b(` + strings.Join([]string{
	"TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK", "not " + "implemented", "for " + "now",
}, "|") + `)\b`)

func TestNothingIsLeftUnfinished(t *testing.T) {
	for _, f := range files(t) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(f.path)))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if word := unfinished.FindString(line); word != "" {
				t.Errorf("%s:%d says %q: finish it, or write a BUG(area) note", f.path, i+1, word)
			}
		}
	}
}
