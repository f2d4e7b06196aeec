// Package text finds texts by the words in them without holding a word: an
// index of keyed tokens, in SQLite files of a month each, that says in which
// texts of which sessions a token stands, where those are, and which flows send
// them again. It never sees a key of a session, never opens a segment, and can't
// tell what a text says: whoever shows it reads it from the ledger.
//
// All of it is made from the segments and can be made anew.
package text

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	suffix    = ".db"
	stateName = "state.json"
)

// Mark says how far the index has come: every entry up to and with Entry is in.
type Mark struct {
	Entry   uint64 `json:"entry"`
	Segment uint64 `json:"segment"`
	Offset  int64  `json:"offset"` // just behind the entry
}

// Store is an open index. Apply, Drop, Erase and Reset are called by one
// goroutine at a time; the reading methods may run beside them.
type Store struct {
	dir   string
	boot  string
	keyer *keyer

	mu     sync.RWMutex // held for writing while files come or go, for reading by Find
	months []*month     // the oldest first

	where  map[uint64]*month // of sessions; not all
	orders orders

	marks sync.Mutex // for what follows
	mark  Mark
}

// state is what state.json says. Dirty means that the files are in use: nothing
// of them is synced then.
type state struct {
	Version int      `json:"version"`
	Dirty   bool     `json:"dirty"`
	Boot    string   `json:"boot"`
	Mark    Mark     `json:"mark"`
	Files   []string `json:"files"`
}

// Open opens the index in a folder, made when it is missing. Secret keys the
// tokens; boot tells one start of the machine from the next. An index that is
// damaged, of another version, not complete, or that was in use when the machine went
// down is thrown away: then its Mark is zero, and the caller gives it all again.
func Open(dir string, secret []byte, boot string) (*Store, error) {
	s := &Store{dir: dir, boot: boot, keyer: newKeyer(secret), where: map[uint64]*month{}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making folder of full text: %w", err)
	}
	err := s.load()
	if errors.Is(err, ErrCorrupt) {
		err = s.clear()
	}
	if err == nil {
		err = s.save(true, true)
	}
	if err != nil {
		s.closeMonths()
		return nil, fmt.Errorf("opening full text: %w", err)
	}
	return s, nil
}

func (s *Store) load() error {
	data, err := os.ReadFile(filepath.Join(s.dir, stateName))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrCorrupt
	}
	if err != nil {
		return err
	}
	var st state
	if json.Unmarshal(data, &st) != nil || st.Version != version || st.Dirty && (s.boot == "" || s.boot != st.Boot) {
		return ErrCorrupt
	}
	for _, name := range st.Files {
		m, err := openMonth(s.dir, name, false)
		if err != nil {
			return err
		}
		s.months = append(s.months, m)
	}
	s.setMark(st.Mark)
	return nil
}

// save writes the state. Only at the beginning and at the end it must be on
// the disk: in between a start of the machine throws all away anyway.
func (s *Store) save(dirty, sync bool) error {
	st := state{Version: version, Dirty: dirty, Boot: s.boot, Mark: s.Mark()}
	for _, m := range s.months {
		st.Files = append(st.Files, m.name)
	}
	data, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("encoding the state of full text: %w", err)
	}
	name := filepath.Join(s.dir, stateName)
	if err := write(name+".part", data, sync); err != nil {
		return fmt.Errorf("writing the state of full text: %w", err)
	}
	if err := os.Rename(name+".part", name); err != nil {
		return fmt.Errorf("writing the state of full text: %w", err)
	}
	return nil
}

func write(name string, data []byte, sync bool) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// clear throws away what the folder holds of the index.
func (s *Store) clear() error {
	s.closeMonths()
	s.setMark(Mark{})
	s.orders = orders{}
	clear(s.where)
	names, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range names {
		if name := e.Name(); strings.Contains(name, suffix) || strings.HasPrefix(name, stateName) {
			if err := os.Remove(filepath.Join(s.dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) closeMonths() (err error) {
	for _, m := range s.months {
		err = errors.Join(err, m.close())
	}
	s.months = nil
	return err
}

// Close closes the index so that the next Open trusts it.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, m := range s.months {
		_, werr := m.write.Exec("PRAGMA synchronous = full; PRAGMA wal_checkpoint(truncate)")
		err = errors.Join(err, werr, m.close())
	}
	if err == nil {
		err = s.save(false, true)
	}
	if err != nil {
		return fmt.Errorf("closing full text: %w", err)
	}
	return nil
}

// Reset throws the index away and begins anew.
func (s *Store) Reset() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(s.clear(), s.save(true, true)); err != nil {
		return fmt.Errorf("making full text anew: %w", err)
	}
	return nil
}

// Mark tells how far the index has come.
func (s *Store) Mark() Mark {
	s.marks.Lock()
	defer s.marks.Unlock()
	return s.mark
}

// Place says where a text stands: in the entry there, in the object Ref when it
// is not 0. Part is the caller's.
type Place struct {
	Segment uint64
	Offset  int64
	Ref     uint64
	Part    int64
}

func (s *Store) setMark(m Mark) {
	s.marks.Lock()
	defer s.marks.Unlock()
	s.mark = m
}

// Flow is a flow and what its request sends.
type Flow struct {
	N       uint64 // number of its intent
	Key     uint64 // of its session
	ID      string
	Started int64 // Unix ms
	Segment uint64
	Offset  int64
	Nodes   []Node   // that are new with it, in ascending order
	Tips    []uint64 // the last nodes of its chains

	loose, order []int64
	orders       *orders
}

// How a text stands in a request.
const (
	Block = iota // in a block, or in an answer
	Loose        // outside of blocks
	Order        // in a request that is stored as one piece; such texts come in their order
)

// Text is a text as it came.
type Text struct {
	Key   uint64 // of its session
	Flow  uint64 // number of the intent of the flow that brought it
	Entry uint64 // that it came with: the intent, or the outcome
	Role  string
	Kind  string
	At    Place
	In    int

	Veiled int64 // bytes of it that are not among its words
}

type doc struct {
	Text
	hash  int64
	words string
	known bool // words is not there
}

// Batch is what Apply takes in at once. Add in the order of the entries, a
// flow before its texts.
type Batch struct {
	s     *Store
	flows []*Flow
	texts []*doc
	size  int
}

// NewBatch makes an empty batch.
func (s *Store) NewBatch() *Batch { return &Batch{s: s} }

// AddFlow adds a flow.
func (b *Batch) AddFlow(f *Flow) {
	b.flows = append(b.flows, f)
	b.size += 64 + 4*len(f.Nodes)
}

// AddText adds what a text says, which itself is not kept: it is known by all of it,
// and found by what is shown of it. It gives the hash by which AddKnown knows it; 0: it
// has no word, and is left out.
func (b *Batch) AddText(t Text, text, shown string) (hash int64) {
	tokens, hash, ok := b.s.keyer.tokens(t.Key, text)
	if !ok {
		return 0
	}
	if shown != text {
		tokens, _, _ = b.s.keyer.tokens(t.Key, shown)
	}
	words := make([]byte, 0, len(tokens)*(len(token{})+1))
	for i := range tokens {
		words = append(append(words, tokens[i][:]...), ' ')
	}
	b.texts = append(b.texts, &doc{Text: t, hash: hash, words: string(words)})
	b.size += len(words) + 160
	return hash
}

// AddKnown adds a text that AddText took before.
func (b *Batch) AddKnown(t Text, hash int64) {
	b.texts = append(b.texts, &doc{Text: t, hash: hash, known: true})
	b.size += 160
}

// Size is about how many bytes of memory the batch takes.
func (b *Batch) Size() int { return b.size }

// Apply takes in a batch: every entry up to mark is in then. What is in already
// is passed over, so that after a crash the same may be given again. pause is called
// between texts, which all together may take a while.
func (s *Store) Apply(b *Batch, mark Mark, pause func()) error {
	if err := s.apply(b, mark, pause); err != nil {
		return fmt.Errorf("writing full text: %w", err)
	}
	return nil
}

func (s *Store) apply(b *Batch, mark Mark, pause func()) error {
	parts, err := s.divide(b)
	if err != nil {
		return err
	}
	for m, p := range parts {
		if err := m.apply(p.flows, p.texts, mark.Entry, pause); err != nil {
			return err
		}
	}
	s.setMark(mark)
	return s.save(true, false)
}

// divide says which file takes what.
func (s *Store) divide(b *Batch) (map[*month]*Batch, error) {
	parts := map[*month]*Batch{}
	part := func(m *month) *Batch {
		if parts[m] == nil {
			parts[m] = &Batch{}
		}
		return parts[m]
	}
	for _, f := range b.flows {
		m, err := s.monthOf(f.Key, &f.Started)
		if err != nil {
			return nil, err
		}
		f.orders = &s.orders
		part(m).flows = append(part(m).flows, f)
	}
	for _, d := range b.texts {
		m, err := s.monthOf(d.Key, nil)
		if err != nil {
			return nil, err
		}
		if m != nil { // else its session is gone
			part(m).texts = append(part(m).texts, d)
		}
	}
	return parts, nil
}

// maxWhere bounds the sessions whose file is remembered.
const maxWhere = 1 << 14

// monthOf gives the file of a session: that of the month in which its first
// flow started; nil when it has none and started is not told.
func (s *Store) monthOf(key uint64, started *int64) (*month, error) {
	if m := s.where[key]; m != nil {
		return m, nil
	}
	for _, m := range slices.Backward(s.months) {
		ok, err := m.has(key)
		if err != nil {
			return nil, err
		}
		if ok {
			return s.remember(key, m), nil
		}
	}
	if started == nil {
		return nil, nil
	}
	name := time.UnixMilli(*started).UTC().Format("2006-01")
	for _, m := range s.months {
		if m.name == name {
			return s.remember(key, m), nil
		}
	}
	m, err := s.addMonth(name)
	if err != nil {
		return nil, err
	}
	return s.remember(key, m), nil
}

func (s *Store) remember(key uint64, m *month) *month {
	if len(s.where) >= maxWhere {
		clear(s.where)
	}
	s.where[key] = m
	return m
}

// addMonth makes a file. The state names it before anything is in it: a file
// that is missing is then known to be.
func (s *Store) addMonth(name string) (*month, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.remove(name); err != nil {
		return nil, err
	}
	m, err := openMonth(s.dir, name, true)
	if err != nil {
		return nil, err
	}
	s.months = append(s.months, m)
	slices.SortFunc(s.months, func(a, b *month) int { return strings.Compare(a.name, b.name) })
	return m, s.save(true, false)
}

// remove takes the files of a month away.
func (s *Store) remove(name string) error {
	for _, end := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(filepath.Join(s.dir, name+suffix+end)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Drop forgets what stood in segments up to a number, whose files are gone.
func (s *Store) Drop(segment uint64) error {
	for _, m := range slices.Clone(s.months) {
		empty, err := m.drop(segment)
		if err != nil {
			return fmt.Errorf("dropping segments from full text: %w", err)
		}
		if empty {
			if err := s.removeMonth(m); err != nil {
				return fmt.Errorf("removing full text of %s: %w", m.name, err)
			}
		}
	}
	clear(s.where)
	return nil
}

func (s *Store) removeMonth(m *month) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.months = slices.DeleteFunc(s.months, func(other *month) bool { return other == m })
	return errors.Join(s.save(true, false), m.close(), s.remove(m.name))
}

// Erase forgets a session, by the id of its key.
func (s *Store) Erase(key uint64) error {
	m, err := s.monthOf(key, nil)
	if err == nil && m != nil {
		err = m.erase(key)
	}
	delete(s.where, key)
	if err != nil {
		return fmt.Errorf("erasing a session from full text: %w", err)
	}
	return nil
}
