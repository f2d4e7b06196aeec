package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// record is one labelled text. Start and End are nil where the value's place
// is not known.
type record struct {
	ID      string          `json:"id"`
	Text    string          `json:"text"`
	Command string          `json:"command"`
	Rule    string          `json:"rule_hint"`
	Label   json.RawMessage `json:"label"`
	Start   *int            `json:"start"`
	End     *int            `json:"end"`
	Kind    string          `json:"kind"`
	Spans   []span          `json:"spans"` // of personal data
	Source  string          `json:"source"`
}

// span is a labelled value, by the source's own name for its type.
type span struct {
	Type  string `json:"type"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

func (r record) isTrue() bool { return string(r.Label) == "true" }

// provider names where a rule or a line comes from: what two records share
// when one could help to write a rule for the other.
func (r record) provider() string {
	parts := strings.Split(r.Source, "/")
	if len(parts) < 2 {
		return r.Source
	}
	if parts[0] == "creddata" && len(parts) > 2 {
		name, _, _ := strings.Cut(parts[2], "@")
		return parts[1] + "/" + name
	}
	name := parts[1]
	if i := strings.IndexAny(name, ":"); i >= 0 {
		name = name[:i]
	}
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".yml"), ".go")
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// half splits the providers in two by a hash: A was tuned on, B was looked at
// later, or never.
func (r record) half() string {
	sum := sha1.Sum([]byte(r.provider()))
	return string("AB"[sum[0]%2])
}

// read gives each record of a file.
func read(path string, each func(record)) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	for dec := json.NewDecoder(z); ; {
		var r record
		if err := dec.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		each(r)
	}
}

// bodies gives each recorded request body below a folder.
func bodies(dir string, each func(name string, body []byte)) error {
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.request.gz"))
	if err != nil {
		return err
	}
	for _, name := range files {
		body, err := unzipped(name)
		if err != nil {
			return err
		}
		each(filepath.Base(filepath.Dir(name))+"/"+filepath.Base(name), body)
	}
	return nil
}

func unzipped(path string) (body []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return io.ReadAll(z)
}

// files gives the text files below a folder, as an agent would read them: in
// parts of at most 64 KB.
func files(dir string, each func(name string, text []byte)) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || len(text) > 1<<20 || bytes.IndexByte(text, 0) >= 0 {
			return err
		}
		for i := 0; i < len(text); i += 64 << 10 {
			each(fmt.Sprintf("%s+%d", path, i), text[i:min(len(text), i+64<<10)])
		}
		return nil
	})
}
