package meta

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

// coder writes fields and takes them out of their record, or reads them: one
// list of fields serves both. A field is its number times two, plus one when
// bytes follow with their length, as varints; else a varint follows. A field
// that has its zero value is left out. One that can't be written in its form
// stays in the record, and so gets into the JSON.
type coder struct {
	dst     []byte // when writing
	reading bool
	err     error
	slots   [maxFields]slot // when reading
}

const maxFields = 64

// slot is a field that was read.
type slot struct {
	there  bool
	number uint64
	text   []byte // nil: a number
}

// split finds the fields of b. Numbers that are not known are passed over: a
// later version's.
func (c *coder) split(b []byte) error {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return ErrMalformed
		}
		b = b[n:]
		value, n := binary.Uvarint(b)
		if n <= 0 {
			return ErrMalformed
		}
		b = b[n:]
		s := slot{there: true, number: value}
		if tag&1 != 0 {
			if value > uint64(len(b)) {
				return ErrMalformed
			}
			s.text, b = b[:value:value], b[value:]
		}
		if tag>>1 < maxFields {
			c.slots[tag>>1] = s
		}
	}
	return nil
}

// put writes a field of bytes.
func (c *coder) put(n uint64, b []byte) {
	c.head(n, len(b))
	c.dst = append(c.dst, b...)
}

func (c *coder) head(n uint64, size int) {
	c.dst = binary.AppendUvarint(c.dst, n<<1|1)
	c.dst = binary.AppendUvarint(c.dst, uint64(size))
}

func (c *coder) count(n, v uint64) {
	c.dst = binary.AppendUvarint(c.dst, n<<1)
	c.dst = binary.AppendUvarint(c.dst, v)
}

func text[T ~string](c *coder, n uint64, p *T) {
	if c.reading {
		if s := &c.slots[n]; s.text != nil {
			*p = T(s.text)
		}
		return
	}
	if *p != "" {
		c.head(n, len(*p))
		c.dst = append(c.dst, *p...)
		*p = ""
	}
}

// word is text that is mostly one of a few: then it is its place among them,
// from 1.
func word[T ~string](c *coder, n uint64, words []string, p *T) {
	if c.reading {
		if s := &c.slots[n]; s.there && s.text == nil {
			if s.number < 1 || s.number > uint64(len(words)) {
				c.err = ErrMalformed
				return
			}
			*p = T(words[s.number-1])
			return
		}
	} else if i := slices.Index(words, string(*p)); i >= 0 {
		c.count(n, uint64(i+1))
		*p = ""
		return
	}
	text(c, n, p)
}

// number is a whole number. A negative one is rare, and long.
func number[T ~int | ~int64](c *coder, n uint64, p *T) {
	if c.reading {
		if s := &c.slots[n]; s.there && s.text == nil {
			*p = T(int64(s.number))
		}
		return
	}
	if *p != 0 {
		c.count(n, uint64(int64(*p)))
		*p = 0
	}
}

func (c *coder) flag(n uint64, p *bool) {
	v := 0
	if *p {
		v = 1
	}
	number(c, n, &v)
	*p = v != 0
}

func (c *coder) float(n uint64, p **float64) {
	if c.reading {
		if s := &c.slots[n]; len(s.text) == 8 {
			v := math.Float64frombits(binary.LittleEndian.Uint64(s.text))
			*p = &v
		}
		return
	}
	if *p != nil {
		c.head(n, 8)
		c.dst = binary.LittleEndian.AppendUint64(c.dst, math.Float64bits(**p))
		*p = nil
	}
}

// time is kept to the nanosecond, without its zone.
func (c *coder) time(n uint64, p *time.Time) {
	if c.reading {
		if s := &c.slots[n]; s.there && s.text == nil {
			*p = time.Unix(0, int64(s.number)).UTC()
		}
		return
	}
	if nano := p.UnixNano(); !p.IsZero() && time.Unix(0, nano).Equal(*p) {
		c.count(n, uint64(nano))
		*p = time.Time{}
	}
}

// hashes are two SHA-256 in hex, most often the same: then the second is the
// number 1.
func (c *coder) hashes(n uint64, first *string, m uint64, second *string) {
	if c.reading {
		c.hash(n, first)
		c.hash(m, second)
		if s := &c.slots[m]; s.there && s.text == nil {
			*second = *first
		}
		return
	}
	if *second == *first && isHash(*first) {
		c.count(m, 1)
		*second = ""
	}
	c.hash(n, first)
	c.hash(m, second)
}

func (c *coder) hash(n uint64, p *string) {
	if c.reading {
		if s := &c.slots[n]; len(s.text) == 32 {
			*p = hex.EncodeToString(s.text)
		} else if s.text != nil {
			c.err = ErrMalformed
		}
		return
	}
	if isHash(*p) {
		c.head(n, len(*p)/2)
		c.dst, _ = hex.AppendDecode(c.dst, []byte(*p)) // isHash says that it can't fail
		*p = ""
	}
}

// isHash reports whether s is 32 bytes in lower-case hex: what its bytes give
// again.
func isHash(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// leg is four fields, from n on. The record that is written shares it with its
// owner, so that the fields are taken out of a copy.
func (c *coder) leg(n uint64, p **flow.Leg) {
	if !c.reading && *p == nil {
		return
	}
	var l flow.Leg
	if *p != nil {
		l = **p
	}
	word(c, n, versions, &l.Version)
	word(c, n+1, ciphers, &l.Cipher)
	word(c, n+2, alpns, &l.ALPN)
	c.hash(n+3, &l.Chain)
	if *p = &l; l == (flow.Leg{}) {
		*p = nil
	}
}

// list is a list of strings, each with its length.
func (c *coder) list(n uint64, p *[]string) {
	if c.reading {
		if s := &c.slots[n]; s.text != nil {
			*p = c.strings(string(s.text))
		}
		return
	}
	if len(*p) == 0 {
		*p = nil // an empty list is none: JSON need not say it
		return
	}
	size := 0
	for _, s := range *p {
		size += sizeOf(s)
	}
	c.head(n, size)
	for _, s := range *p {
		c.string(s)
	}
	*p = nil
}

// header is a list of names and values.
func (c *coder) header(n uint64, p *[]flow.Header) {
	if c.reading {
		if s := &c.slots[n]; s.text != nil {
			*p = c.lines(string(s.text))
		}
		return
	}
	if len(*p) == 0 {
		*p = nil // an empty list is none: JSON need not say it
		return
	}
	size := 0
	for i := range *p {
		size += sizeOf((*p)[i].Name) + sizeOf((*p)[i].Value)
	}
	c.head(n, size)
	for i := range *p {
		c.string((*p)[i].Name)
		c.string((*p)[i].Value)
	}
	*p = nil
}

func (c *coder) string(s string) {
	c.dst = binary.AppendUvarint(c.dst, uint64(len(s)))
	c.dst = append(c.dst, s...)
}

// sizeOf is how many bytes string writes.
func sizeOf(s string) int {
	n := len(s) + 1
	for v := len(s); v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

// strings reads what string wrote, again and again. They share s.
func (c *coder) strings(s string) (all []string) {
	for len(s) > 0 {
		size, n := uvarint(s)
		if n <= 0 || size > uint64(len(s)-n) {
			c.err = ErrMalformed
			return nil
		}
		all = append(all, s[n:uint64(n)+size])
		s = s[uint64(n)+size:]
	}
	return all
}

func (c *coder) lines(s string) []flow.Header {
	words := c.strings(s)
	if len(words)%2 != 0 {
		c.err = ErrMalformed
		return nil
	}
	lines := make([]flow.Header, len(words)/2)
	for i := range lines {
		lines[i] = flow.Header{Name: words[2*i], Value: words[2*i+1]}
	}
	return lines
}

func uvarint(s string) (uint64, int) {
	return binary.Uvarint([]byte(s[:min(len(s), binary.MaxVarintLen64)]))
}
