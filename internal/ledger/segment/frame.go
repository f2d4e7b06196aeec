// Package segment is the format of the ledger's files: frames, one after the
// other, each sealed and tied to the one before it. It turns bytes into frames
// and back; it never writes, and never looks into what a frame holds.
package segment

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A frame is, integers little-endian:
//
//	 0  magic "GHF1"
//	 4  CRC-32C of all that follows
//	 8  length of the ciphertext, u32
//	12  entry number, u64           ┐
//	20  leaf version, u8            │
//	21  flags, u8                   │
//	22  dictionary id, u16          │ header; with the length it is the
//	24  session key id, u64         │ ciphertext's associated data
//	32  salt, 16 bytes              │
//	48  nonce, 12 bytes             │
//	60  tag of the frame before it  ┘
//	76  ciphertext, its last 16 bytes the tag
const (
	HeaderSize = 76
	TagSize    = 16
	MaxSize    = 80 << 20 // of a frame; a longer one is damage

	magic = "GHF1"
)

// LeafVersion is the version of what the later tree's leaf commits to.
const LeafVersion = 1

// The flags.
const (
	Packed = 1 << iota // the plaintext is compressed: zstd with the dictionary
	Synced             // all before this frame was durable before it was written
	Quick              // the plaintext is compressed: an S2 block, with the dictionary if one is named
)

var table = crc32.MakeTable(crc32.Castagnoli)

// What parsing says of bytes that are no frame.
var (
	ErrEnd     = errors.New("end of frames") // zeros, or nothing
	ErrDamaged = errors.New("damaged frame")
)

// Tag is the authentication tag of a frame.
type Tag = [TagSize]byte

// Header is what stands before the ciphertext.
type Header struct {
	Entry uint64
	Leaf  uint8
	Flags uint8
	Dict  uint16
	Key   uint64
	Salt  [16]byte
	Nonce [12]byte
	Prev  Tag
}

// Frame is a frame as it stands in a file.
type Frame struct {
	Header
	Size int // whole length in bytes

	bytes []byte // all of it
}

// Append seals plain into a frame behind dst. Salt, nonce and leaf version of
// h are set by Append. Random nonces are safe: a session key seals far fewer
// than 2^32 frames.
func Append(dst []byte, h *Header, aead cipher.AEAD, plain []byte) ([]byte, Tag) {
	h.Leaf = LeafVersion
	var random [28]byte
	rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	copy(h.Salt[:], random[:16])
	copy(h.Nonce[:], random[16:])
	start := len(dst)
	dst = append(dst, magic...)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(plain)+TagSize))
	dst = binary.LittleEndian.AppendUint64(dst, h.Entry)
	dst = append(dst, h.Leaf, h.Flags)
	dst = binary.LittleEndian.AppendUint16(dst, h.Dict)
	dst = binary.LittleEndian.AppendUint64(dst, h.Key)
	dst = append(dst, h.Salt[:]...)
	dst = append(dst, h.Nonce[:]...)
	dst = append(dst, h.Prev[:]...)
	dst = grow(dst, len(plain)+TagSize)
	head := dst[start : start+HeaderSize]
	dst = aead.Seal(dst, h.Nonce[:], plain, head[8:])
	frame := dst[start:]
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(frame[8:], table))
	return dst, Tag(frame[len(frame)-TagSize:])
}

// grow makes room so that sealing does not move what its associated data is.
func grow(dst []byte, n int) []byte {
	if cap(dst)-len(dst) >= n {
		return dst
	}
	bigger := make([]byte, len(dst), 2*cap(dst)+n)
	copy(bigger, dst)
	return bigger
}

// Len tells from a frame's first HeaderSize bytes how long it is. ErrEnd:
// there is none; ErrDamaged: the bytes are no header.
func Len(b []byte) (int, error) {
	if len(b) < HeaderSize {
		if zero(b) {
			return 0, ErrEnd
		}
		return 0, ErrDamaged
	}
	if string(b[:4]) != magic {
		if zero(b[:HeaderSize]) {
			return 0, ErrEnd
		}
		return 0, ErrDamaged
	}
	n := uint64(HeaderSize) + uint64(binary.LittleEndian.Uint32(b[8:]))
	if n < HeaderSize+TagSize || n > MaxSize {
		return 0, ErrDamaged
	}
	return int(n), nil
}

// Parse reads the frame that b begins with. The frame aliases b.
func Parse(b []byte) (*Frame, error) {
	n, err := Len(b)
	if err != nil {
		return nil, err
	}
	if len(b) < n {
		return nil, ErrDamaged
	}
	b = b[:n]
	if crc32.Checksum(b[8:], table) != binary.LittleEndian.Uint32(b[4:]) {
		return nil, ErrDamaged
	}
	f := &Frame{Size: n, bytes: b}
	f.Entry = binary.LittleEndian.Uint64(b[12:])
	f.Leaf, f.Flags = b[20], b[21]
	f.Dict = binary.LittleEndian.Uint16(b[22:])
	f.Key = binary.LittleEndian.Uint64(b[24:])
	copy(f.Salt[:], b[32:])
	copy(f.Nonce[:], b[48:])
	copy(f.Prev[:], b[60:])
	return f, nil
}

// Tag is the tag that the next frame names.
func (f *Frame) Tag() Tag { return Tag(f.bytes[len(f.bytes)-TagSize:]) }

// Open gives the plaintext, appended to dst. An error means that a bit of the
// frame is not as it was sealed, or that the key is another.
func (f *Frame) Open(dst []byte, aead cipher.AEAD) ([]byte, error) {
	plain, err := aead.Open(dst, f.Nonce[:], f.bytes[HeaderSize:], f.bytes[8:HeaderSize])
	if err != nil {
		return nil, fmt.Errorf("opening entry %d: %w", f.Entry, err)
	}
	return plain, nil
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
