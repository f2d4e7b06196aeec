package ledger

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/workingagents/gatehouse/internal/ledger/dict"
)

// maxPlain bounds what a frame unpacks to.
const maxPlain = 96 << 20

// codec packs what goes into frames. Encoders are few and small: each keeps
// tables of its own, and a compression is over in microseconds.
type codec struct {
	enc *zstd.Encoder

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
	return &codec{enc: enc, dec: map[uint16]*zstd.Decoder{}}, nil
}

func (c *codec) close() {
	c.enc.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.dec {
		d.Close()
	}
}

// pack appends the compressed form of plain to dst.
func (c *codec) pack(dst, plain []byte) []byte { return c.enc.EncodeAll(plain, dst) }

func (c *codec) unpack(id uint16, packed []byte) ([]byte, error) {
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
			return nil, fmt.Errorf("there is no dictionary %d: the entry is a newer version's", id)
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
