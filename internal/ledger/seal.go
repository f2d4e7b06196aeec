package ledger

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"
	"github.com/workingagents/gatehouse/internal/ledger/keys"
	"github.com/workingagents/gatehouse/internal/ledger/object"
)

// What is sealed under a vault's key begins with the id of that key. The
// labels tell values from what edits put in.
var (
	valueLabel = []byte("gatehouse vault value")
	editLabel  = []byte("gatehouse vault edit")
	chunkLabel = []byte("gatehouse vault chunks")
)

func seal(key *keys.Key, text []byte, label ...[]byte) []byte {
	nonce := make([]byte, key.AEAD.NonceSize())
	rand.Read(nonce)
	b := make([]byte, 0, binary.MaxVarintLen64+len(nonce)+len(text)+key.AEAD.Overhead())
	b = append(binary.AppendUvarint(b, key.ID), nonce...)
	return key.AEAD.Seal(b, nonce, text, slices.Concat(label...))
}

// sealedBy gives the id of the key that sealed something; 0 when it is none.
func sealedBy(sealed []byte) uint64 {
	id, n := binary.Uvarint(sealed)
	if n <= 0 {
		return 0
	}
	return id
}

var errSealed = errors.New("sealed value is malformed")

func (l *Ledger) unseal(sealed []byte, label ...[]byte) ([]byte, error) {
	id, n := binary.Uvarint(sealed)
	if n <= 0 {
		return nil, errSealed
	}
	key, err := l.ring.GetVault(id)
	if err != nil {
		return nil, fmt.Errorf("getting vault key: %w", err)
	}
	sealed = sealed[n:]
	if n = key.AEAD.NonceSize(); len(sealed) < n {
		return nil, errSealed
	}
	text, err := key.AEAD.Open(nil, sealed[:n], sealed[n:], slices.Concat(label...))
	if err != nil {
		return nil, fmt.Errorf("opening value: %w", err)
	}
	return text, nil
}

// sealEdits seals what secret edits put in, each value once.
func sealEdits(key *keys.Key, edits []Edit) []Edit {
	var out []Edit
	sealed := map[string][]byte{}
	for i, e := range edits {
		if !e.Secret {
			continue
		}
		if out == nil {
			out = slices.Clone(edits)
		}
		if sealed[string(e.Put)] == nil {
			sealed[string(e.Put)] = seal(key, e.Put, editLabel)
		}
		out[i].Put = sealed[string(e.Put)]
	}
	if out == nil {
		return edits
	}
	return out
}

// openEdits undoes sealEdits; the result is for reading only.
func (l *Ledger) openEdits(edits []Edit) ([]Edit, error) {
	out := slices.Clone(edits)
	for i, e := range edits {
		if !e.Secret {
			continue
		}
		text, err := l.unseal(e.Put, editLabel)
		if err != nil {
			return nil, err
		}
		out[i].Put, out[i].Secret = text, false
	}
	return out, nil
}

// sealChunks seals a piece of an answer, compressed: afterwards it can't be.
func sealChunks(key *keys.Key, chunks []Chunk) []byte {
	return seal(key, s2.Encode(nil, object.AppendChunks(nil, chunks)), chunkLabel)
}

// openChunks reads the chunks that an entry's body begins with.
func (l *Ledger) openChunks(chunks []Chunk, hidden []byte) ([]Chunk, error) {
	if hidden == nil {
		return chunks, nil
	}
	packed, err := l.unseal(hidden, chunkLabel)
	if err != nil {
		return nil, err
	}
	if n, err := s2.DecodedLen(packed); err != nil || n > maxPlain {
		return nil, errMalformed
	}
	plain, err := s2.Decode(nil, packed)
	if err != nil {
		return nil, fmt.Errorf("unpacking answer: %w", err)
	}
	chunks, rest, err := object.DecodeChunks(plain)
	if err != nil || len(rest) != 0 {
		return nil, errMalformed
	}
	return chunks, nil
}

// checkpointChunks reads the body of a checkpoint.
func (l *Ledger) checkpointChunks(body []byte) ([]Chunk, error) {
	chunks, hidden, rest, err := decodeChunks(body)
	if err != nil || len(rest) != 0 {
		return nil, errMalformed
	}
	return l.openChunks(chunks, hidden)
}

// kept is what an object of the vault says, sealed.
type kept struct {
	Secret
	session string
	form    []byte // the bytes that stand in the body, when they differ from the value
}

const numberFlag = 1

func (k *kept) append(dst []byte) []byte {
	flags := byte(0)
	if k.Number {
		flags = numberFlag
	}
	dst = append(dst, flags, byte(k.Origin))
	for _, b := range [][]byte{[]byte(k.Rule), []byte(k.Pseudonym), []byte(k.session), k.Value, k.form} {
		dst = binary.AppendUvarint(dst, uint64(len(b)))
		dst = append(dst, b...)
	}
	return dst
}

func decodeKept(b []byte) (*kept, error) {
	if len(b) < 2 || b[0] > numberFlag {
		return nil, errSealed
	}
	k := &kept{}
	k.Number, k.Origin = b[0] == numberFlag, Origin(b[1])
	b = b[2:]
	var parts [5][]byte
	for i := range parts {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, errSealed
		}
		parts[i], b = b[n:n+int(size):n+int(size)], b[n+int(size):]
	}
	k.Rule, k.Pseudonym, k.session = string(parts[0]), string(parts[1]), string(parts[2])
	k.Value, k.form = parts[3], parts[4]
	return k, nil
}

// bytes are what stands in the body.
func (k *kept) bytes() []byte {
	if len(k.form) > 0 {
		return k.form
	}
	return k.Value
}

// safe seals the values of one session. Its scope is locked while it works.
type safe struct {
	key     *keys.Key // of the principal's vault
	scope   uint64    // id of the session's key
	session string
}

// address finds a value again within its session; nobody can tell without the
// vault's key whether a guess is right, nor whether two sessions have the same.
func (s *safe) address(text []byte, part bool) object.Address {
	mac := hmac.New(sha256.New, s.key.Address)
	var head [9]byte
	binary.LittleEndian.PutUint64(head[:], s.scope)
	if part {
		head[8] = 1
	}
	mac.Write(head[:])
	mac.Write(text)
	return object.Address(mac.Sum(nil)[:len(object.Address{})])
}

func (s *safe) put(text []byte, a object.Address, part bool) *object.Secret {
	return &object.Secret{Part: part, Address: a, Data: seal(s.key, text, valueLabel, a[:])}
}

func (l *Ledger) take(s *object.Secret) (*kept, error) {
	text, err := l.unseal(s.Data, valueLabel, s.Address[:])
	if err != nil {
		return nil, err
	}
	k, err := decodeKept(text)
	if err != nil {
		return nil, err
	}
	k.Part = s.Part
	return k, nil
}
