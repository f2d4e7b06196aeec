package keys

import (
	"crypto/rand"
	"encoding/binary"
	"hash/crc32"
)

// The file is an array of slots. Slot 0 is its head; slot n holds the wrapped
// key with id n, so that a key is found by its id alone.
//
//	 0  CRC-32C of the rest
//	 4  kind, u8; 3 bytes 0
//	 8  id of the key that wraps this one, u64 (0: the key-encryption key)
//	16  name, 32 bytes: keyed hash of principal and session; 0 in a spare
//	48  made, Unix seconds, u64
//	56  nonce, 12 bytes
//	68  wrapped key, 48 bytes
//	116 12 bytes 0
//
// A spare is a session's key whose name stands in a slot of its own, behind it. That names
// the spare in place of a key that wraps it, and what it wraps is no key of anything.
const slotSize = 128

const (
	headMagic = "GHKEYS\x00\x01"

	tenant  = 1
	user    = 2
	session = 3
	vault   = 4
	spare   = 5
	naming  = 6
)

var table = crc32.MakeTable(crc32.Castagnoli)

type slot struct {
	kind    uint8
	parent  uint64
	name    [32]byte
	made    uint64
	nonce   [12]byte
	wrapped [Size + 16]byte
}

// sought reports whether something may be sealed with the key that stands here, by now.
func (s *slot) sought() bool { return s.kind != spare && s.kind != naming }

func (s *slot) encode() []byte {
	b := make([]byte, slotSize)
	b[4] = s.kind
	binary.LittleEndian.PutUint64(b[8:], s.parent)
	copy(b[16:], s.name[:])
	binary.LittleEndian.PutUint64(b[48:], s.made)
	copy(b[56:], s.nonce[:])
	copy(b[68:], s.wrapped[:])
	binary.LittleEndian.PutUint32(b, crc32.Checksum(b[4:], table))
	return b
}

// decode reads a slot; ok is false for an empty or a damaged one.
func decode(b []byte) (s slot, ok bool) {
	if b[4] == 0 || crc32.Checksum(b[4:slotSize], table) != binary.LittleEndian.Uint32(b) {
		return slot{}, false
	}
	s.kind = b[4]
	s.parent = binary.LittleEndian.Uint64(b[8:])
	copy(s.name[:], b[16:])
	s.made = binary.LittleEndian.Uint64(b[48:])
	copy(s.nonce[:], b[56:])
	copy(s.wrapped[:], b[68:])
	return s, true
}

// bound is what the wrapping binds a key to: its place and its name.
func (s *slot) bound(id uint64) []byte {
	b := make([]byte, 0, 64)
	b = binary.LittleEndian.AppendUint64(b, id)
	b = append(b, s.kind)
	b = binary.LittleEndian.AppendUint64(b, s.parent)
	return append(b, s.name[:]...)
}

func (s *slot) wrap(id uint64, by, key []byte) error {
	aead, err := gcm(by)
	if err != nil {
		return err
	}
	rand.Read(s.nonce[:])
	aead.Seal(s.wrapped[:0], s.nonce[:], key, s.bound(id))
	return nil
}

func (s *slot) unwrap(id uint64, by []byte) ([]byte, error) {
	aead, err := gcm(by)
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, s.nonce[:], s.wrapped[:], s.bound(id))
}
