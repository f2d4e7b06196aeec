package object

import (
	"encoding/binary"
	"fmt"
)

// Secret is a value that a block must not hold, sealed. This package can't
// open it.
type Secret struct {
	Part    bool    // stands for some bytes only: no value to look for elsewhere
	Address Address // of what is sealed, under the vault's key
	Data    []byte  // sealed
}

// AppendSecret encodes a value of the vault.
func AppendSecret(dst []byte, s *Secret) []byte {
	flags := byte(0)
	if s.Part {
		flags = 1
	}
	dst = append(dst, tagSecret, flags)
	dst = append(dst, s.Address[:]...)
	return appendBytes(dst, s.Data)
}

func (r *reader) secret() *Secret {
	flags := r.byte()
	if flags > 1 || len(r.b) < len(Address{}) {
		r.fail()
		return nil
	}
	s := &Secret{Part: flags == 1}
	r.b = r.b[copy(s.Address[:], r.b):]
	s.Data = r.bytes()
	return s
}

// Vault gives the value behind a reference in a mixed block.
type Vault interface {
	Value(ref uint64) ([]byte, error)
}

// AppendMixed encodes the data of a mixed block piece by piece: a literal, or
// a reference when literal is nil.
func AppendMixed(dst, literal []byte, ref uint64) []byte {
	if literal != nil {
		return appendBytes(append(dst, 0), literal)
	}
	return binary.AppendUvarint(append(dst, 1), ref)
}

// Content gives what a block stands for, with vault references resolved. It
// aliases the block's data when it can.
func (b Block) Content(v Vault) ([]byte, error) {
	if b.Form == Literal {
		return b.Data, nil
	}
	var out []byte
	err := b.Each(func(literal []byte, ref uint64) error {
		if ref == 0 {
			out = append(out, literal...)
			return nil
		}
		value, err := resolve(v, ref)
		out = append(out, value...)
		return err
	})
	return out, err
}

// Each gives the pieces of a mixed block in their order: literals, or vault
// references. It ends with the first error.
func (b Block) Each(visit func(literal []byte, ref uint64) error) error {
	r := reader{b: b.Data}
	for len(r.b) > 0 && r.err == nil {
		var literal []byte
		var ref uint64
		switch r.byte() {
		case 0:
			literal = r.bytes()
		case 1:
			if ref = r.uvarint(); ref == 0 {
				r.fail()
			}
		default:
			r.fail()
		}
		if r.err != nil {
			break
		}
		if err := visit(literal, ref); err != nil {
			return err
		}
	}
	return r.err
}

func resolve(v Vault, ref uint64) ([]byte, error) {
	if v == nil {
		return nil, fmt.Errorf("there is no vault for reference %d", ref)
	}
	value, err := v.Value(ref)
	if err != nil {
		return nil, fmt.Errorf("resolving vault reference %d: %w", ref, err)
	}
	return value, nil
}
