package ledger

import (
	"fmt"
	"slices"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/workingagents/gatehouse/internal/ledger/dict"
	"github.com/workingagents/gatehouse/internal/ledger/segment"
)

// maxPlain bounds what a frame unpacks to.
const maxPlain = 96 << 20

// codec packs what goes into frames: zstd with the shipped dictionary, S2 for
// long entries, and S2 with the dictionary for short ones, where zstd's tables take longer than
// everything else on the way to disk (2.7 KB: 22 µs against 4; 700 B, which most
// entries have: 9 µs against 1, 199 bytes against 253). Encoders are few and
// small: each keeps tables of its own, and a compression is over in
// microseconds.
type codec struct {
	enc   *zstd.Encoder
	quick *s2.Dict // of the current dictionary

	mu  sync.Mutex
	dec map[uint16]*zstd.Decoder // by dictionary; 0: none
}

// encoders that may work at one time.
const encoders = 2

func newCodec() (*codec, error) {
	data, ok := dict.Get(dict.Current)
	if !ok {
		return nil, fmt.Errorf("there is no dictionary %d", dict.Current)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderDict(data), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(encoders), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderCRC(false), zstd.WithSingleSegment(false))
	if err != nil {
		return nil, fmt.Errorf("making encoder: %w", err)
	}
	quick := s2.MakeDict(data, nil)
	if quick == nil {
		return nil, fmt.Errorf("dictionary %d does not fit S2", dict.Current)
	}
	return &codec{enc: enc, quick: quick, dec: map[uint16]*zstd.Decoder{}}, nil
}

func (c *codec) close() {
	c.enc.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.dec {
		d.Close()
	}
}

const (
	// worthPacking is the length from which compressing an entry pays: below,
	// it saves less than a frame's header.
	worthPacking = 192
	// worthTime is the length from which zstd is worth its time.
	worthTime = 4 << 10
	// worthHaste is the length from which it no longer is: a caller waits for the
	// entry, and zstd takes three to five times as long as S2, which leaves half
	// as much again.
	worthHaste = 8 << 10
)

// packing says how an entry was compressed: the frame's flag, and the
// dictionary, 0 for none. The zero packing left it as it was.
type packing struct {
	flag uint8
	dict uint16
}

// pack compresses plain into dst, whose content is lost.
func (c *codec) pack(dst, plain []byte) ([]byte, packing) {
	var how packing
	switch n := len(plain); {
	case n < worthPacking:
		return dst, packing{}
	case n < worthTime:
		how = packing{segment.Quick, dict.Current}
		dst = c.quick.Encode(room(dst, s2.MaxEncodedLen(n)), plain)
	case n < worthHaste:
		how = packing{segment.Packed, dict.Current}
		dst = c.enc.EncodeAll(plain, dst[:0])
	default:
		how = packing{segment.Quick, 0}
		dst = s2.Encode(room(dst, s2.MaxEncodedLen(n)), plain)
	}
	if len(dst) >= len(plain) {
		return dst, packing{}
	}
	return dst, how
}

// room gives a buffer of n bytes; n is negative for what S2 can't encode.
func room(buf []byte, n int) []byte { return slices.Grow(buf[:0], max(n, 0))[:max(n, 0)] }

// unpack undoes pack.
func (c *codec) unpack(flags uint8, id uint16, data []byte) ([]byte, error) {
	switch {
	case flags&segment.Packed != 0:
		return c.unzstd(id, data)
	case flags&segment.Quick != 0:
		return c.unquick(id, data)
	}
	return data, nil
}

func (c *codec) unquick(id uint16, packed []byte) ([]byte, error) {
	quick := c.quick
	if id != dict.Current && id != 0 {
		data, ok := dict.Get(id)
		if !ok {
			return nil, errDictionary(id)
		}
		quick = s2.MakeDict(data, nil)
	}
	if n, err := s2.DecodedLen(packed); err != nil || n > maxPlain {
		return nil, errMalformed
	}
	decode := quick.Decode
	if id == 0 {
		decode = s2.Decode
	}
	plain, err := decode(nil, packed)
	if err != nil {
		return nil, fmt.Errorf("unpacking entry: %w", err)
	}
	return plain, nil
}

func errDictionary(id uint16) error {
	return fmt.Errorf("there is no dictionary %d: the entry is a newer version's", id)
}

func (c *codec) unzstd(id uint16, packed []byte) ([]byte, error) {
	d, err := c.decoder(id)
	if err != nil {
		return nil, err
	}
	plain, err := d.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("unpacking entry: %w", err)
	}
	return plain, nil
}

func (c *codec) decoder(id uint16) (*zstd.Decoder, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.dec[id]; d != nil {
		return d, nil
	}
	options := []zstd.DOption{zstd.WithDecoderConcurrency(encoders), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxPlain)}
	if id != 0 {
		data, ok := dict.Get(id)
		if !ok {
			return nil, errDictionary(id)
		}
		options = append(options, zstd.WithDecoderDicts(data))
	}
	d, err := zstd.NewReader(nil, options...)
	if err != nil {
		return nil, fmt.Errorf("making decoder: %w", err)
	}
	c.dec[id] = d
	return d, nil
}
