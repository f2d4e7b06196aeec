package ledger

import (
	"errors"
	"fmt"

	"github.com/workingagents/gatehouse/internal/ledger/index"
	"github.com/workingagents/gatehouse/internal/ledger/keys"
	"github.com/workingagents/gatehouse/internal/ledger/object"
)

// How many values VaultOf and VaultIn give, the newest.
const (
	maxVault     = 4096
	maxSessionly = 1 << 14
)

// VaultEntry is a value that was found in a request and is kept in the vault.
type VaultEntry struct {
	Session   string // in which, as claimed
	Value     []byte
	Rule      string // that found it
	Origin    Origin
	Number    bool   // it stood there as a bare JSON number
	Pseudonym string // what was forwarded in its place; empty: the value itself was
}

// VaultSecret derives a secret of 32 bytes for a purpose from the key of a
// principal's vault. It lives as long as that key: what was derived from it
// can't be derived again after the key is gone.
func (l *Ledger) VaultSecret(principal, purpose string) ([]byte, error) {
	key, err := l.ring.Vault(principal)
	if err != nil {
		return nil, fmt.Errorf("getting vault key: %w", err)
	}
	return key.Derive("gatehouse vault sub " + purpose), nil
}

// VaultOf gives the newest values that were found in a principal's requests,
// the newest last; the same one again for each session, and for each way in
// which it stood there. That it gives any is recorded first.
func (l *Ledger) VaultOf(principal string) ([]VaultEntry, error) {
	return l.vaultOf(principal, nil, maxVault)
}

// VaultIn gives those that were found in one session.
func (l *Ledger) VaultIn(principal, session string) ([]VaultEntry, error) {
	if _, ok := l.ring.Known(principal, session); !ok {
		return nil, nil
	}
	key, err := l.ring.Session(principal, session)
	if err != nil {
		return nil, fmt.Errorf("getting session key: %w", err)
	}
	return l.vaultOf(principal, key, maxSessionly)
}

// vaultOf reads the vault of a principal, of one session when key is not nil.
func (l *Ledger) vaultOf(principal string, key *keys.Key, limit int) ([]VaultEntry, error) {
	owner, ok := l.ring.VaultID(principal)
	if !ok {
		return nil, nil
	}
	if err := l.catchUp(); err != nil {
		return nil, err
	}
	session := uint64(0)
	if key != nil {
		session = key.ID
	}
	rows, err := l.index.Secrets(owner, session, limit)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	if err := l.recordReveal(principal, key); err != nil {
		return nil, err
	}
	return l.reveal(rows)
}

// What an access to the vault reads.
const (
	allValues     What = "vault"
	sessionValues What = "vault of session"
)

func (l *Ledger) recordReveal(principal string, key *keys.Key) error {
	a := access{What: sessionValues, Principal: principal, Who: "gatehouse", Why: "what is known is looked for in what comes, and restored"}
	if key == nil {
		key, a.What = l.house, allValues
	}
	return l.recordReading(key, a)
}

// reveal opens values, those that came with one entry together.
func (l *Ledger) reveal(rows []index.Secret) ([]VaultEntry, error) {
	var all []VaultEntry
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].At == rows[0].At {
			n++
		}
		some, err := l.revealEntry(rows[:n])
		if err != nil && !errors.Is(err, ErrRemoved) { // since the index was asked
			return nil, fmt.Errorf("reading the vault: %w", err)
		}
		all, rows = append(all, some...), rows[n:]
	}
	return all, nil
}

func (l *Ledger) revealEntry(rows []index.Secret) (list []VaultEntry, err error) {
	e, err := l.entryAt(rows[0].At)
	if err != nil {
		return nil, err
	}
	s, err := e.span()
	if err != nil {
		return nil, err
	}
	err = s.each(func(ref object.Ref, o object.Object) error {
		if len(rows) == 0 || ref != rows[0].Ref || o.Secret == nil {
			return nil
		}
		rows = rows[1:]
		k, err := l.take(o.Secret)
		if err != nil {
			return err
		}
		list = append(list, VaultEntry{Session: k.session, Value: k.Value, Rule: k.Rule, Origin: k.Origin, Number: k.Number, Pseudonym: k.Pseudonym})
		return nil
	})
	return list, err
}
