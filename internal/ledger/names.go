package ledger

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// sealer closes what the index keeps of names.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) (sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, fmt.Errorf("making cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	return sealer{aead}, err
}

func (s sealer) seal(plain []byte) []byte {
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(plain)+s.aead.Overhead())
	rand.Read(nonce)
	return s.aead.Seal(nonce, nonce, plain, nil)
}

func (s sealer) open(sealed []byte) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("sealed name is too short")
	}
	return s.aead.Open(nil, sealed[:n], sealed[n:], nil)
}

// tag is a keyed id of 8 bytes: whoever has no key can't tell what it is of.
func (l *Ledger) tag(words ...string) []byte {
	mac := hmac.New(sha256.New, l.tags)
	for _, w := range words {
		fmt.Fprintf(mac, "%d %s", len(w), w)
	}
	return mac.Sum(nil)[:8]
}
