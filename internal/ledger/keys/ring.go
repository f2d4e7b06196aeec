package keys

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"sync"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger/disk"
)

// ErrKEK says that the key-encryption key is not the one the ring was made with.
var ErrKEK = errors.New("the key-encryption key does not open this ledger")

// ErrMissing says that the ring has no key with an id: it was never made, or the file was
// cut or put back from before it was.
var ErrMissing = errors.New("there is no such key")

// growth is how far the file is filled with zeros ahead of its last slot, so
// that a new key is written into room that is there.
const growth = 16 << 10

// Ring holds the wrapped keys of a ledger in one file. A new key is in memory
// only until Flush, and nothing that it seals may count as durable before.
type Ring struct {
	file   disk.File
	tenant []byte
	names  []byte    // secret of the names' hashes
	macs   sync.Pool // of hash.Hash, keyed with names: that takes longer than a hash
	now    func() time.Time

	mu     sync.Mutex // for all below
	next   uint64     // id of the next key
	byName map[[16]byte]uint64
	users  map[uint64][]byte // opened user keys
	vaults map[uint64]*Key   // opened vault keys
	dirty  map[uint64]*slot  // made and not yet durable
	sought int               // of them, keys that something may be sealed with
	extent int64             // length of the file

	stocks  map[uint64]*stock // by user
	low     []uint64          // users whose stock is to be filled up
	unnamed map[uint64]uint64 // spares that had no name at Open, and whose they are

	flush  sync.Mutex // one Flush at a time
	failed error      // of an earlier Flush
}

// Open reads the ring's file, or makes it with a new tenant key.
func Open(d disk.FS, name string, kek []byte, now func() time.Time) (*Ring, error) {
	if len(kek) != Size {
		return nil, fmt.Errorf("key-encryption key has %d bytes, not %d", len(kek), Size)
	}
	f, err := d.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(d, name, kek, now()); err != nil {
			return nil, err
		}
		f, err = d.Open(name)
	}
	if err != nil {
		return nil, fmt.Errorf("opening keys: %w", err)
	}
	r := &Ring{file: f, now: now, byName: map[[16]byte]uint64{}, users: map[uint64][]byte{}, dirty: map[uint64]*slot{}, stocks: map[uint64]*stock{}, unnamed: map[uint64]uint64{}}
	r.macs.New = func() any { return hmac.New(sha256.New, r.names) }
	if err := r.load(kek); err != nil {
		f.Close()
		return nil, fmt.Errorf("reading keys: %w", err)
	}
	return r, nil
}

func create(d disk.FS, name string, kek []byte, now time.Time) error {
	head := make([]byte, slotSize)
	copy(head, headMagic)
	s := slot{kind: tenant, made: uint64(now.Unix())}
	if err := s.wrap(1, kek, fresh()); err != nil {
		return err
	}
	data := append(head, s.encode()...)
	return disk.Put(d, name, append(data, make([]byte, growth)...))
}

func (r *Ring) load(kek []byte) error {
	size, err := r.file.Size()
	if err != nil {
		return err
	}
	if size%slotSize != 0 {
		return fmt.Errorf("the file was cut: it has %d bytes", size)
	}
	r.extent, r.next = size, 1
	buf := make([]byte, 512*slotSize)
	for off := int64(0); off < size; off += int64(len(buf)) {
		n := min(int64(len(buf)), size-off) / slotSize * slotSize
		if _, err := r.file.ReadAt(buf[:n], off); err != nil {
			return err
		}
		if err := r.take(uint64(off/slotSize), buf[:n], kek); err != nil {
			return err
		}
	}
	if r.tenant == nil {
		return errors.New("there is no tenant key")
	}
	return nil
}

// take registers the slots in buf. A damaged slot is passed over: a frame that
// needs it will say so.
func (r *Ring) take(first uint64, buf, kek []byte) error {
	for i := 0; i < len(buf); i += slotSize {
		id := first + uint64(i/slotSize)
		if id == 0 {
			if string(buf[:len(headMagic)]) != headMagic {
				return errors.New("this is no key file of this version")
			}
			continue
		}
		s, ok := decode(buf[i : i+slotSize])
		if !ok {
			continue
		}
		if s.kind == tenant {
			key, err := s.unwrap(id, kek)
			if err != nil {
				return ErrKEK
			}
			r.tenant, r.names = key, derive(key, "gatehouse names")
		}
		switch s.kind {
		case spare:
			r.unnamed[id] = s.parent
		case naming:
			delete(r.unnamed, s.parent)
			fallthrough
		default:
			r.byName[[16]byte(s.name[:16])] = id
		}
		r.next = id + 1
	}
	return nil
}

// Close closes the file. What was not flushed is forgotten.
func (r *Ring) Close() error { return r.file.Close() }

// Subkey derives a secret of Size bytes from the tenant key.
func (r *Ring) Subkey(label string) []byte { return derive(r.tenant, "gatehouse sub "+label) }

// Session gives the key of a principal's session, made when it is new. The
// empty principal is the house itself.
func (r *Ring) Session(principal, name string) (*Key, error) {
	hash := r.hash(session, principal, name)
	r.mu.Lock()
	defer r.mu.Unlock()
	if id, ok := r.byName[[16]byte(hash[:16])]; ok {
		if id, err := r.called(id); err != nil {
			return nil, err
		} else {
			return r.open(id)
		}
	}
	parent, key, err := r.user(principal)
	if err != nil {
		return nil, err
	}
	r.count(parent)
	if id, ok := r.spare(parent); ok {
		if err := r.name(id, key, hash); err != nil {
			return nil, err
		}
		return r.open(id)
	}
	id, raw, err := r.add(session, parent, key, hash)
	if err != nil {
		return nil, err
	}
	return open(id, raw)
}

// Known gives the id of a principal's session's key, if it has one.
func (r *Ring) Known(principal, name string) (id uint64, ok bool) {
	hash := r.hash(session, principal, name)
	r.mu.Lock()
	defer r.mu.Unlock()
	if id, ok = r.byName[[16]byte(hash[:16])]; !ok {
		return 0, false
	}
	id, err := r.called(id)
	return id, err == nil
}

// Get opens the key with an id.
func (r *Ring) Get(id uint64) (*Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open(id)
}

// Dirty reports whether something may be sealed with a key that Flush has not made durable.
func (r *Ring) Dirty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sought > 0
}

func (r *Ring) user(principal string) (uint64, []byte, error) {
	hash := r.hash(user, principal, "")
	if id, ok := r.byName[[16]byte(hash[:16])]; ok {
		key, err := r.userKey(id)
		return id, key, err
	}
	id, raw, err := r.add(user, 1, r.tenant, hash)
	if err != nil {
		return 0, nil, err
	}
	r.users[id] = raw
	return id, raw, nil
}

func (r *Ring) add(kind uint8, parent uint64, by []byte, hash [32]byte) (uint64, []byte, error) {
	id, raw := r.next, fresh()
	if err := r.room(int64(id+1) * slotSize); err != nil {
		return 0, nil, fmt.Errorf("making room for key: %w", err)
	}
	s := &slot{kind: kind, parent: parent, name: hash, made: uint64(r.now().Unix())}
	if err := s.wrap(id, by, raw); err != nil {
		return 0, nil, fmt.Errorf("wrapping key: %w", err)
	}
	r.next++
	r.dirty[id] = s
	if kind != spare {
		r.byName[[16]byte(hash[:16])] = id
	}
	if s.sought() {
		r.sought++
	}
	return id, raw, nil
}

func (r *Ring) open(id uint64) (*Key, error) {
	s, err := r.slot(id)
	if err != nil {
		return nil, err
	}
	if s.kind != session && s.kind != spare {
		return nil, fmt.Errorf("key %d is no session key", id)
	}
	raw, err := r.unwrap(id, s)
	if err != nil {
		return nil, err
	}
	return open(id, raw)
}

// unwrap opens what a user's key wraps.
func (r *Ring) unwrap(id uint64, s *slot) ([]byte, error) {
	by, err := r.userKey(s.parent)
	if err != nil {
		return nil, err
	}
	raw, err := s.unwrap(id, by)
	if err != nil {
		return nil, fmt.Errorf("opening key %d: %w", id, err)
	}
	return raw, nil
}

func (r *Ring) userKey(id uint64) ([]byte, error) {
	if key, ok := r.users[id]; ok {
		return key, nil
	}
	s, err := r.slot(id)
	if err != nil {
		return nil, err
	}
	if s.kind != user {
		return nil, fmt.Errorf("key %d is no user key", id)
	}
	key, err := s.unwrap(id, r.tenant)
	if err != nil {
		return nil, fmt.Errorf("opening key %d: %w", id, err)
	}
	r.users[id] = key
	return key, nil
}

func (r *Ring) slot(id uint64) (*slot, error) {
	if s, ok := r.dirty[id]; ok {
		return s, nil
	}
	if id == 0 || id >= r.next {
		return nil, fmt.Errorf("key %d: %w", id, ErrMissing)
	}
	var b [slotSize]byte
	if _, err := r.file.ReadAt(b[:], int64(id)*slotSize); err != nil {
		return nil, fmt.Errorf("reading key %d: %w", id, err)
	}
	s, ok := decode(b[:])
	if !ok {
		return nil, fmt.Errorf("key %d is damaged", id)
	}
	return &s, nil
}

// hash keys the names, so that the file tells nobody who talked to whom.
func (r *Ring) hash(kind uint8, principal, name string) [32]byte {
	mac := r.macs.Get().(hash.Hash)
	defer r.macs.Put(mac)
	mac.Reset()
	fmt.Fprintf(mac, "%d %d %s%s", kind, len(principal), principal, name)
	var sum [32]byte
	mac.Sum(sum[:0])
	return sum
}

// Flush makes all new keys durable. After an error nobody knows what is on
// disk; the caller must not use the ring for writing again, and gets the same error if it does.
func (r *Ring) Flush() error {
	r.flush.Lock()
	defer r.flush.Unlock()
	if r.failed == nil {
		r.failed = r.write()
	}
	return r.failed
}

func (r *Ring) write() error {
	first, data := r.pending()
	if len(data) == 0 {
		return nil
	}
	if _, err := r.file.WriteAt(data, int64(first)*slotSize); err != nil {
		return fmt.Errorf("writing keys: %w", err)
	}
	if err := r.file.Sync(); err != nil {
		return fmt.Errorf("syncing keys: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := first; id < first+uint64(len(data)/slotSize); id++ {
		s := r.dirty[id]
		delete(r.dirty, id)
		if s.sought() {
			r.sought--
		} else if s.kind == spare {
			r.stock(s.parent).coming--
			r.stocked(id, s.parent)
		}
	}
	return nil
}

// pending encodes the dirty slots, which always are the last ones.
func (r *Ring) pending() (first uint64, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first = r.next - uint64(len(r.dirty))
	for id := first; id < r.next; id++ {
		data = append(data, r.dirty[id].encode()...)
	}
	return first, data
}

// room fills the file with zeros up to end and some way further, before a key
// is handed out, so that Flush never runs out of disk.
func (r *Ring) room(end int64) error {
	if end <= r.extent {
		return nil
	}
	extent := end + growth
	if _, err := r.file.WriteAt(make([]byte, extent-r.extent), r.extent); err != nil {
		return err
	}
	r.extent = extent
	return nil
}
