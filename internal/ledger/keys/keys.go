// Package keys is the ledger's key tree: a key-encryption key wraps the tenant
// key, that wraps one key for each user, that one for each session and one for
// the user's vault. Only wrapped keys touch the disk. It never sees what the
// keys seal.
package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
)

// Size is the length of every key in bytes.
const Size = 32

// Key is a session's key, opened: what seals its frames, and the secrets that
// address its blocks and seal what the index holds of it. A vault's key is the
// same for the values of one principal.
type Key struct {
	ID      uint64
	AEAD    cipher.AEAD // AES-256-GCM; safe for use by many
	Address []byte      // HMAC key of block and node addresses
	raw     []byte
}

// Derive gives a secret of Size bytes for one purpose.
func (k *Key) Derive(label string) []byte { return derive(k.raw, label) }

func open(id uint64, raw []byte) (*Key, error) {
	return expand(id, raw, "gatehouse frame", "gatehouse address")
}

func openVault(id uint64, raw []byte) (*Key, error) {
	return expand(id, raw, "gatehouse vault value", "gatehouse vault address")
}

func expand(id uint64, raw []byte, seal, address string) (*Key, error) {
	aead, err := gcm(derive(raw, seal))
	if err != nil {
		return nil, err
	}
	return &Key{ID: id, AEAD: aead, Address: derive(raw, address), raw: raw}, nil
}

// derive expands a key that is already uniform (RFC 5869, section 3.3: the
// extract step may be left out then).
func derive(raw []byte, label string) []byte {
	out, err := hkdf.Expand(sha256.New, raw, label, Size)
	if err != nil {
		panic(err) // only for lengths over 255 blocks
	}
	return out
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("making cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

func fresh() []byte {
	key := make([]byte, Size)
	rand.Read(key)
	return key
}
