package main

import (
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/inspect/injection"
	"github.com/workingagents/gatehouse/internal/inspect/injection/linear"
)

// text is a labelled text of the injection sets, as it is learned from.
type text struct {
	record
	yes     bool
	fold    string // what is held out together: a source, or a part of one
	windows [][]byte
}

// injectionSets are the files that hold texts for and against a model.
var injectionSets = []string{"inthewild", "garak", "compass", "asb", "agentdojo", "bipia_train", "cyberseceval", "agent_instructions"}

// ordinary are files of other families whose texts instruct no model; one text in
// so many is learned from.
var ordinary = []struct {
	name  string
	every uint32
}{{"pii_presidio_large", 4}, {"shell_nl2bash", 8}, {"secrets_creddata", 8}}

// folds is how many parts the sources are cut in that have many authors.
const folds = 5

// corpus reads all texts to learn from, in the order of their files.
func corpus(dir string) (all []*text, err error) {
	for _, name := range injectionSets {
		err := read(filepath.Join(dir, "injection_"+name+".jsonl.gz"), func(r record) {
			all = append(all, &text{record: r, yes: string(r.Label) == `"injection"`, fold: fold(name, r)})
		})
		if err != nil {
			return nil, err
		}
	}
	separate(all)
	for _, o := range ordinary {
		err := read(filepath.Join(dir, o.name+".jsonl.gz"), func(r record) {
			if hash(r.ID)%o.every == 0 {
				r.Text += r.Command
				all = append(all, &text{record: r, fold: o.name})
			}
		})
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return all, nil
}

func hash(s string) uint32 {
	sum := sha1.Sum([]byte(s))
	return binary.BigEndian.Uint32(sum[:])
}

// fold names what a text is held out with. Sources of attacks that one author
// wrote from a few patterns are held out whole.
func fold(name string, r record) string {
	switch name {
	case "agent_instructions":
		return fmt.Sprintf("part %d", hash(r.provider())%folds)
	case "inthewild", "garak":
		return fmt.Sprintf("part %d", hash(r.ID)%folds)
	}
	return name
}

// separate puts prompts in the wild that share words into the same part: most
// are versions of a few.
func separate(all []*text) {
	first := map[uint32]*text{}
	root := map[*text]*text{}
	var find func(t *text) *text
	find = func(t *text) *text {
		if up := root[t]; up != nil {
			return find(up)
		}
		return t
	}
	for _, t := range all {
		if t.Kind != "jailbreak" {
			continue
		}
		for _, h := range sketch(t.Text) {
			if first[h] == nil {
				first[h] = t
			} else if a, b := find(first[h]), find(t); a != b {
				root[b] = a
			}
		}
	}
	for _, t := range all {
		if t.Kind == "jailbreak" {
			t.fold = find(t).fold
		}
	}
}

// sketch gives the smallest hashes of the runs of six words of a text.
func sketch(s string) []uint32 {
	words := strings.Fields(strings.ToLower(s))
	var list []uint32
	for i := 0; i+6 <= len(words); i++ {
		list = append(list, hash(strings.Join(words[i:i+6], " ")))
	}
	slices.Sort(list)
	return list[:min(len(list), 4)]
}

// untaught are attacks that no text shows by itself: to learn from them is to
// learn the words of mails.
var untaught = map[string]bool{"indirect_untriggered": true, "indirect_code": true}

const (
	mostWindows = 8
	windowBytes = 640
)

// cutOut takes the windows that the model would read, with an engine that asks no
// model; of a harmless text others, too.
func (t *text) cutOut(e *inspect.Engine) {
	b := []byte(t.Text)
	for _, m := range e.Scan(b, inspect.Options{}).Matches {
		if len(m.Via) == 0 && len(t.windows) < mostWindows {
			t.windows = append(t.windows, injection.Window(b, m.Start, m.End))
		}
	}
	if t.yes && len(t.windows) > 0 {
		return
	}
	for at := 0; at < len(b) && at < 4*windowBytes; at += windowBytes {
		t.windows = append(t.windows, b[at:min(len(b), at+windowBytes)])
	}
}

// samples are the windows of all texts outside of a fold, and the rules' own
// examples.
func samples(all []*text, set *inspect.Set, but string) (list []linear.Sample) {
	for _, t := range all {
		if t.fold == but || untaught[t.Kind] {
			continue
		}
		for _, w := range t.windows {
			list = append(list, linear.Sample{Text: w, Yes: t.yes, Weight: 1})
		}
	}
	for i := range set.Rules {
		for _, x := range set.Rules[i].Examples {
			list = append(list, linear.Sample{Text: []byte(x), Yes: true, Weight: 1})
		}
		for _, x := range set.Rules[i].Misses {
			list = append(list, linear.Sample{Text: []byte(x), Weight: 1})
		}
	}
	return list
}

// injectionEngine compiles the family alone with a model.
func injectionEngine(m *linear.Model) (*inspect.Engine, *inspect.Set, error) {
	set, err := injection.Set()
	if err != nil {
		return nil, nil, err
	}
	e, err := inspect.Compile(injection.LibraryWith(m), set)
	return e, set, err
}

// taught is the corpus with its windows cut out.
func taught(dir string) ([]*text, *inspect.Set, error) {
	e, set, err := injectionEngine(nil)
	if err != nil {
		return nil, nil, err
	}
	all, err := corpus(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range all {
		t.cutOut(e)
	}
	return all, set, nil
}

// train fits the model of the family injection to all texts and writes it.
func train(dir, file string) error {
	all, set, err := taught(dir)
	if err != nil {
		return err
	}
	return os.WriteFile(file, linear.Train(samples(all, set, "")).Bytes(), 0o644)
}
