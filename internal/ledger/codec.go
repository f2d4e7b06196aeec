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

// codec packs what goes into frames: S2, with the shipped dictionary for short
// entries. zstd stores a third less and takes six times as long, while a
// caller waits; it is still read. Without a dictionary S2 is written in
// assembly and touches little memory: with one a short entry takes as long as
// a long one without, for the dictionary is no longer in the processor's cache
// when the next entry comes.
type codec struct {
	quick *s2.Dict // of the current dictionary

	mu  sync.Mutex
	dec map[uint16]*zstd.Decoder // by dictionary; 0: none
}

// decoders that may work at one time.
const decoders = 2

func newCodec() (*codec, error) {
	data, ok := dict.Get(dict.Current)
	if !ok {
		return nil, fmt.Errorf("there is no dictionary %d", dict.Current)
	}
	quick := s2.MakeDict(data, nil)
	if quick == nil {
		return nil, fmt.Errorf("dictionary %d does not fit S2", dict.Current)
	}
	return &codec{quick: quick, dec: map[uint16]*zstd.Decoder{}}, nil
}

func (c *codec) close() {
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
	// worthDictionary is the length up to which a dictionary is worth its time: it
	// holds words and headers that a longer entry repeats by itself.
	worthDictionary = 1 << 10
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
	case n < worthDictionary:
		how = packing{segment.Quick, dict.Current}
		dst = c.quick.Encode(room(dst, s2.MaxEncodedLen(n)), plain)
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
	options := []zstd.DOption{zstd.WithDecoderConcurrency(decoders), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxPlain)}
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
