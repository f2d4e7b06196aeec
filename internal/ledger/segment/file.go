package segment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"
)

// FileHead is the length of what stands before a file's first frame: magic,
// version, the file's number, and a CRC-32C.
const FileHead = 32

const (
	fileMagic   = "GHSEGMNT"
	fileVersion = 1
)

// Name is the file name of a segment.
func Name(number uint64) string { return fmt.Sprintf("%08d.seg", number) }

// Number reads a segment's number out of its file name.
func Number(name string) (uint64, bool) {
	base, ok := strings.CutSuffix(name, ".seg")
	if !ok || len(base) < 8 {
		return 0, false
	}
	n, err := strconv.ParseUint(base, 10, 64)
	return n, err == nil && n > 0 && Name(n) == name
}

// Head makes the head of a segment's file.
func Head(number uint64) []byte {
	b := make([]byte, 0, FileHead)
	b = append(b, fileMagic...)
	b = binary.LittleEndian.AppendUint32(b, fileVersion)
	b = binary.LittleEndian.AppendUint64(b, number)
	b = append(b, make([]byte, FileHead-4-len(b))...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, table))
}

// CheckHead tells whether b is the head of that segment's file. ErrEnd: the
// file was made but its head never written.
func CheckHead(b []byte, number uint64) error {
	if len(b) < FileHead || zero(b[:FileHead]) {
		if zero(b) {
			return ErrEnd
		}
		return ErrDamaged
	}
	if string(b[:FileHead]) != string(Head(number)) {
		return ErrDamaged
	}
	return nil
}

// usual is how much is read in the hope that the frame is not longer.
const usual = 8 << 10

// ReadAt reads the frame that stands at an offset.
func ReadAt(src io.ReaderAt, off int64) (*Frame, error) {
	b := make([]byte, usual)
	n, err := src.ReadAt(b, off)
	if err != nil && err != io.EOF {
		return nil, err
	}
	size, err := Len(b[:n])
	if err != nil {
		return nil, err
	}
	if size > n {
		more := make([]byte, size)
		copy(more, b[:n])
		if _, err := src.ReadAt(more[n:], off+int64(n)); err == io.EOF {
			return nil, ErrDamaged
		} else if err != nil {
			return nil, err
		}
		b = more
	}
	return Parse(b)
}

// Reader goes through the frames of a file.
type Reader struct {
	src io.ReaderAt
	off int64 // of buf[0]
	end int64 // frames at or behind it are not read
	buf []byte
	pos int
}

// readAhead is how much is read at once.
const readAhead = 256 << 10

// NewReader reads frames of src from offset off up to end.
func NewReader(src io.ReaderAt, off, end int64) *Reader {
	return &Reader{src: src, off: off, end: end}
}

// Offset is where the next frame stands.
func (r *Reader) Offset() int64 { return r.off + int64(r.pos) }

// Rewind goes to an offset.
func (r *Reader) Rewind(off int64) { r.off, r.pos, r.buf = off, 0, r.buf[:0] }

// Zeros reports whether all from here to the end is zeros. The reader is at
// the end then.
func (r *Reader) Zeros() (bool, error) {
	for {
		b, err := r.peek(readAhead)
		if err != nil || len(b) == 0 {
			return err == nil, err
		}
		if !zero(b) {
			return false, nil
		}
		r.pos += len(b)
	}
}

// Next gives the next frame, good until the call after it. ErrEnd and
// ErrDamaged leave the reader where it is; other errors are the file's.
func (r *Reader) Next() (*Frame, error) {
	head, err := r.peek(HeaderSize)
	if err != nil {
		return nil, err
	}
	n, err := Len(head)
	if err != nil {
		return nil, err
	}
	whole, err := r.peek(n)
	if err != nil {
		return nil, err
	}
	f, err := Parse(whole)
	if err != nil {
		return nil, err
	}
	r.pos += f.Size
	return f, nil
}

// Resync looks for the next intact frame behind damage and reports whether
// there is one.
func (r *Reader) Resync() (bool, error) {
	for r.Offset() < r.end {
		r.pos++
		b, err := r.peek(readAhead)
		if err != nil {
			return false, err
		}
		if len(b) < HeaderSize {
			return false, nil
		}
		i := bytes.Index(b, []byte(magic))
		if i < 0 {
			r.pos += len(b) - len(magic)
			continue
		}
		r.pos += i
		found, err := r.intact()
		if found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// intact reports whether a whole frame stands here, and stays here.
func (r *Reader) intact() (bool, error) {
	at := r.Offset()
	_, err := r.Next()
	r.Rewind(at)
	if errors.Is(err, ErrDamaged) || errors.Is(err, ErrEnd) {
		return false, nil
	}
	return err == nil, err
}

// peek gives up to n bytes from here; fewer only at the end.
func (r *Reader) peek(n int) ([]byte, error) {
	if left := r.end - r.Offset(); int64(n) > left {
		n = int(max(0, left))
	}
	if len(r.buf)-r.pos < n {
		if err := r.fill(n); err != nil {
			return nil, err
		}
	}
	return r.buf[r.pos:min(len(r.buf), r.pos+n)], nil
}

func (r *Reader) fill(n int) error {
	r.off, r.pos = r.Offset(), 0
	size := int(min(int64(max(n, readAhead)), r.end-r.off))
	if cap(r.buf) < size {
		r.buf = make([]byte, size)
	}
	got, err := r.src.ReadAt(r.buf[:size], r.off)
	r.buf = r.buf[:got]
	if err != nil && err != io.EOF {
		return err
	}
	return nil
}
