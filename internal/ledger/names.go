package ledger

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"sync"

	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/keys"
)

// sessionName is what a session's sealed name says.
type sessionName struct {
	Principal string `json:"p"`
	Session   string `json:"s"`
}

// nameLabel tells names from frames, which the same key seals.
var nameLabel = []byte("gatehouse session name")

func (l *Ledger) sessionRow(key *keys.Key, principal, session string) (*index.Session, error) {
	text, err := json.Marshal(sessionName{principal, session})
	if err != nil {
		return nil, fmt.Errorf("encoding session name: %w", err)
	}
	nonce := make([]byte, key.AEAD.NonceSize(), key.AEAD.NonceSize()+len(text)+key.AEAD.Overhead())
	rand.Read(nonce)
	return &index.Session{Key: key.ID, Tag: l.tag("session", session), Name: key.AEAD.Seal(nonce, nonce, text, nameLabel)}, nil
}

// openName reads a session's sealed name.
func (l *Ledger) openName(row *index.Session) (name sessionName, err error) {
	key, err := l.readers.key(row.Key)
	if err != nil {
		return name, err
	}
	n := key.AEAD.NonceSize()
	if len(row.Name) < n {
		return name, errors.New("sealed session name is too short")
	}
	text, err := key.AEAD.Open(nil, row.Name[:n], row.Name[n:], nameLabel)
	if err != nil {
		return name, fmt.Errorf("opening session name: %w", err)
	}
	if err := json.Unmarshal(text, &name); err != nil {
		return name, fmt.Errorf("decoding session name: %w", err)
	}
	return name, nil
}

// keyed gives hashes that are keyed with a secret, to be used again: to key one
// takes longer than to use it.
func keyed(secret []byte) *sync.Pool {
	return &sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }}
}

// tag is a keyed id of 8 bytes: whoever has no key can't tell what it is of.
func (l *Ledger) tag(words ...string) []byte {
	mac := l.tags.Get().(hash.Hash)
	defer l.tags.Put(mac)
	mac.Reset()
	for _, w := range words {
		fmt.Fprintf(mac, "%d %s", len(w), w)
	}
	return mac.Sum(nil)[:8]
}

// names remembers the sealed names of sessions that were opened.
type names struct {
	l *Ledger

	mu     sync.Mutex
	opened map[uint64]*sessionName
}

// Above maxNames they are let go, to be opened again.
const maxNames = 1 << 17

func newNames(l *Ledger) *names { return &names{l: l, opened: map[uint64]*sessionName{}} }

func (n *names) known(key uint64) *sessionName {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.opened[key]
}

// get gives the name of one session; nil when the index does not have it.
func (n *names) get(key uint64) (*sessionName, error) {
	if name := n.known(key); name != nil {
		return name, nil
	}
	row, _, err := n.l.index.Session(key)
	if err != nil || len(row.Name) == 0 {
		return nil, err
	}
	return n.open(&row)
}

func (n *names) open(row *index.Session) (*sessionName, error) {
	name, err := n.l.openName(row)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.opened) >= maxNames {
		clear(n.opened)
	}
	n.opened[row.Key] = &name
	return &name, nil
}

// all gives the names of all sessions. One that can't be opened is nil.
func (n *names) all() (map[uint64]*sessionName, error) {
	keys, err := n.l.index.SessionKeys()
	if err != nil {
		return nil, err
	}
	all := make(map[uint64]*sessionName, len(keys))
	missing := false
	n.mu.Lock()
	for _, key := range keys {
		all[key] = n.opened[key]
		missing = missing || all[key] == nil
	}
	n.mu.Unlock()
	if !missing {
		return all, nil
	}
	err = n.l.index.Sessions(func(row index.Session) error {
		if all[row.Key] == nil && len(row.Name) > 0 {
			all[row.Key], _ = n.open(&row) // whoever asks for one that stays nil reads its entry
		}
		return nil
	})
	return all, err
}

// FindingID names a finding: a keyed fingerprint of its rule and value. Who has no
// key can't try guesses against it.
func (l *Ledger) FindingID(rule string, value []byte) string {
	mac := l.findings.Get().(hash.Hash)
	defer l.findings.Put(mac)
	mac.Reset()
	mac.Write([]byte(rule))
	mac.Write([]byte{0})
	mac.Write(value)
	return "f_" + hex.EncodeToString(mac.Sum(nil)[:8])
}
