// Package coding takes the content coding off a body (RFC 9110 section 8.4), for
// reading: what is forwarded stays as it came. It takes bytes as they come,
// gives what they decode to as far as that is known, and stops at a bound: a
// small body can't make a large one without being found out. It starts no
// goroutine that outlives Close.
package coding

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
)

// ErrUnknown means a content coding that is not known here.
var ErrUnknown = errors.New("unknown content coding")

// ErrBomb means a body that decodes to more than its Limit.
var ErrBomb = errors.New("decodes to more than the limit")

// The errors of a body that is not what its coding says.
var (
	errTrailing = errors.New("data after the end")
	errClosed   = errors.New("decoder is closed")
)

const (
	maxBytes   = 64 << 20
	maxRatio   = 500
	freeBytes  = 1 << 20 // any body may decode to so much
	maxStacked = 4
	maxKeep    = 1 << 20 // largest buffer that is kept for the next Push
	maxWindow  = 8 << 20 // RFC 9659: of zstd as a content coding
)

// Limit bounds what a body may decode to; every layer of a stack of codings by
// itself.
type Limit struct {
	Bytes int64 // in all; 0: 64 MiB
	Ratio int64 // decoded bytes for each coded one, beyond the first MiB; 0: 500
}

func (l Limit) orDefault() Limit {
	if l.Bytes <= 0 {
		l.Bytes = maxBytes
	}
	if l.Ratio <= 0 {
		l.Ratio = maxRatio
	}
	return l
}

// Decoder takes the codings off one body. It is not for use by several
// goroutines at once. Close must be called unless End was.
type Decoder struct {
	names []string // as they were applied; empty: identity
	limit Limit
	src   source
	next  func() (struct{}, bool) // runs the decompressors until they need more; nil: not started
	stop  func()
	out   []byte
	err   error // the decompressors' end; io.EOF: a good one
	done  bool  // End or Close was called
}

// New makes a Decoder for the value of a Content-Encoding header: a coding, or a
// list in the order in which they were applied. The empty one is identity.
func New(encoding string, limit Limit) (*Decoder, error) {
	names, err := parse(encoding)
	if err != nil {
		return nil, err
	}
	return &Decoder{names: names, limit: limit.orDefault()}, nil
}

// Decode takes the codings off a whole body. On an error it gives what was
// decoded before it.
func Decode(encoding string, body []byte, limit Limit) ([]byte, error) {
	d, err := New(encoding, limit)
	if err != nil {
		return nil, err
	}
	if len(d.names) == 0 || len(body) == 0 {
		return body, nil
	}
	d.src = source{buf: body, eof: true}
	d.run()
	return d.out, d.failure()
}

// Push takes the next bytes and gives what they add to the decoded body, which
// is valid until the next call. After an error, which comes with what was
// decoded before it, nothing more is decoded.
func (d *Decoder) Push(p []byte) ([]byte, error) {
	switch {
	case d.done:
		return nil, errClosed
	case len(d.names) == 0 || len(p) == 0:
		return p, nil
	case d.err == io.EOF:
		d.err = errTrailing
		return nil, d.failure()
	case d.err != nil:
		return nil, d.failure()
	}
	d.src.buf = p
	d.resume()
	d.src.buf = nil
	return d.out, d.failure()
}

// End says that no more bytes come, gives the rest, and closes the Decoder. A
// body that is not complete is an error; none at all is not.
func (d *Decoder) End() ([]byte, error) {
	if d.done || d.next == nil {
		d.Close()
		return nil, nil
	}
	d.out = d.out[:0]
	if d.err == nil {
		d.src.eof = true
		d.resume()
	}
	d.Close()
	return d.out, d.failure()
}

// Close lets go of everything. It may be called again.
func (d *Decoder) Close() {
	d.done = true
	if d.stop != nil {
		d.stop()
		d.stop = nil
	}
}

// resume lets the decompressors, which pull, work as far as the bytes reach.
// They run as a coroutine, not beside us.
func (d *Decoder) resume() {
	if d.next == nil {
		d.next, d.stop = iter.Pull(func(yield func(struct{}) bool) {
			d.src.wait = func() bool { return yield(struct{}{}) }
			d.run()
		})
	}
	if d.out = d.out[:0]; cap(d.out) > maxKeep {
		d.out = nil
	}
	d.next()
}

// run decodes up to the end, or up to the first error, and sets err.
func (d *Decoder) run() {
	// A defect of a decompressor must not end the flow, which needs it for
	// reading only.
	defer func() {
		if r := recover(); r != nil {
			d.err = errors.New("the decompressor failed")
		}
	}()
	var s stack
	defer s.close()
	if d.err = s.build(&d.src, d.names, d.limit); d.err == nil {
		d.err = d.drain(s.top)
	}
	if d.err == io.EOF && s.left()+len(d.src.buf) > 0 {
		d.err = errTrailing
	}
}

// drain reads into memory of its own: a Read may begin in one Push and end in
// the next, which has another out.
func (d *Decoder) drain(r io.Reader) error {
	var room [8 << 10]byte
	for {
		n, err := r.Read(room[:])
		if len(d.out)+n > cap(d.out) {
			d.out = slices.Grow(d.out, max(n, len(d.out)))
		}
		d.out = append(d.out, room[:n]...)
		if err != nil {
			return err
		}
	}
}

// failure gives the error for the caller: nothing while all is well.
func (d *Decoder) failure() error {
	if d.err == nil || d.err == io.EOF {
		return nil
	}
	return fmt.Errorf("decoding %s: %w", strings.Join(d.names, ", "), d.err)
}

// source gives the decompressors the bytes that were pushed.
type source struct {
	buf  []byte
	eof  bool
	wait func() bool // returns when there is more; false: never
	read int64
}

func (s *source) Read(p []byte) (int, error) {
	for len(s.buf) == 0 {
		if s.eof {
			return 0, io.EOF
		}
		if !s.wait() {
			return 0, errClosed
		}
	}
	n := copy(p, s.buf)
	s.buf = s.buf[n:]
	s.read += int64(n)
	return n, nil
}

// stack is one decompressor behind the other, each with its bound.
type stack struct {
	top    io.Reader
	in     *bufio.Reader // of the outermost coding
	closes []func()
}

func (s *stack) build(src *source, names []string, limit Limit) error {
	read := &src.read
	s.top = src
	for i := len(names) - 1; i >= 0; i-- {
		in := bufio.NewReaderSize(s.top, 4096)
		if s.in == nil {
			s.in = in
		}
		r, shut, err := codings[names[i]](in)
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		if shut != nil {
			s.closes = append(s.closes, shut)
		}
		b := &bounded{r: r, in: read, limit: limit}
		s.top, read = b, &b.out
	}
	return nil
}

// left counts the bytes that were read ahead and belong to no coding.
func (s *stack) left() int { return s.in.Buffered() }

func (s *stack) close() {
	for _, shut := range s.closes {
		shut()
	}
}

// bounded holds one decompressor to the limit.
type bounded struct {
	r     io.Reader
	in    *int64 // bytes that went into it
	out   int64
	limit Limit
	idle  int // reads in a row that gave nothing
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.out += int64(n)
	if over := b.out - min(b.limit.Bytes, freeBytes+b.limit.Ratio**b.in); over > 0 {
		return max(0, n-int(over)), ErrBomb
	}
	if n > 0 || err != nil {
		b.idle = 0
		return n, err
	}
	if b.idle++; b.idle > 100 {
		return 0, io.ErrNoProgress
	}
	return 0, nil
}
