package inspect

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// Bounds of a registered value's length: a shorter one would be guessed from
// its hash, a longer one is no token.
const (
	minRegistered = 8
	maxRegistered = 512
)

// Registered is a secret value of which only keyed hashes are known. Who has
// them without the key learns its length and no more.
type Registered struct {
	Rule   Rule // id, title, severity and confidence of its findings
	Length int  // bytes of the value
	Hash   [sha256.Size]byte
	Tag    [2]byte // of a fast keyed hash: decides which candidates are worth an HMAC
}

// Register makes the hashes of a value. The value is what stands between white
// space, quotes or punctuation, from 8 to 512 bytes without white space.
func Register(key, value []byte) Registered {
	return Registered{Length: len(value), Hash: sum(key, value), Tag: tag(seed(key), value)}
}

func sum(key, value []byte) (out [sha256.Size]byte) {
	mac := hmac.New(sha256.New, key)
	mac.Write(value)
	mac.Sum(out[:0])
	return out
}

// KeyID names a key without telling it. A set whose Key is another one was made
// elsewhere: none of its values would be found.
func KeyID(key []byte) string {
	s := sum(key, []byte("gatehouse registered key"))
	return hex.EncodeToString(s[:8])
}

// seed is the key of the tags: not the key itself, since a fast hash hides it
// badly.
func seed(key []byte) uint64 {
	s := sum(key, []byte("gatehouse registered tag"))
	return binary.LittleEndian.Uint64(s[:])
}

func tag(seed uint64, value []byte) [2]byte {
	var d xxhash.Digest
	d.ResetWithSeed(seed)
	d.Write(value)
	h := d.Sum64()
	return [2]byte{byte(h), byte(h >> 8)}
}

// registry is all registered values of an engine.
type registry struct {
	key     []byte
	seed    uint64
	lengths []int // distinct, from the shortest
	tags    map[int]*[1 << 16 / 64]uint64
	rules   map[[sha256.Size]byte]*Rule
	list    []*Rule // in the order of the sets
}

// register enters a set's registered values.
func (e *Engine) register(key []byte, set *Set) error {
	if len(set.Registered) == 0 {
		return nil
	}
	if len(key) == 0 {
		return place{file: set.File}.errorf("registered values need the key of their hashes")
	}
	if set.Key != "" && set.Key != KeyID(key) {
		return set.keyPlace.errorf("these hashes were made with the key of another data folder, so that no value would be found: register the values here")
	}
	if e.registered == nil {
		e.registered = &registry{key: key, seed: seed(key), tags: map[int]*[1 << 16 / 64]uint64{}, rules: map[[sha256.Size]byte]*Rule{}}
	}
	var errs []error
	for i := range set.Registered {
		errs = append(errs, e.enter(set.Registered[i], set.Family))
	}
	return errors.Join(errs...)
}

func (e *Engine) enter(v Registered, family string) error {
	r := v.Rule
	r.family = cmp.Or(r.family, family)
	if v.Length < minRegistered || v.Length > maxRegistered {
		return r.errorf("the length must be %d to %d bytes", minRegistered, maxRegistered)
	}
	if !ruleID.MatchString(r.ID) || r.Severity.String() == "unknown" {
		return r.errorf("a registered value needs an id of lower case letters, digits and -, and a severity")
	}
	if err := e.name(&r); err != nil {
		return err
	}
	g := e.registered
	if other := g.rules[v.Hash]; other != nil {
		return r.errorf("the value is registered as %s already, at %s", other.Name(), other.place)
	}
	if g.tags[v.Length] == nil {
		g.tags[v.Length] = new([1 << 16 / 64]uint64)
		g.lengths = append(g.lengths, v.Length)
		slices.Sort(g.lengths)
	}
	t := binary.LittleEndian.Uint16(v.Tag[:])
	g.tags[v.Length][t/64] |= 1 << (t % 64)
	g.rules[v.Hash] = &r
	g.list = append(g.list, &r)
	return nil
}

// find tries every stretch that begins and ends where words do, holds no white
// space and has a registered length.
func (g *registry) find(s *scanner) {
	text := s.level.text
	for i := 0; i < len(text); {
		if space(text[i]) {
			i++
			continue
		}
		end := i
		for end < len(text) && !space(text[end]) {
			end++
		}
		if end-i >= g.lengths[0] && !g.within(s, text[i:end], i) {
			return
		}
		i = end
	}
}

func space(c byte) bool { return c <= ' ' }

// within tries the stretches of one run without white space.
func (g *registry) within(s *scanner, run []byte, base int) bool {
	for i := range run {
		if !border(run, i) {
			continue
		}
		for _, n := range g.lengths {
			if i+n > len(run) {
				break
			}
			if border(run, i+n) && !g.try(s, run[i:i+n], base+i) {
				return false
			}
		}
	}
	return true
}

// border reports whether a value may begin or end before run[i]: not within a
// word.
func border(run []byte, i int) bool {
	return i == 0 || i == len(run) || !wordy(run[i-1]) || !wordy(run[i])
}

func (g *registry) try(s *scanner, value []byte, at int) bool {
	t := tag(g.seed, value)
	n := binary.LittleEndian.Uint16(t[:])
	if g.tags[len(value)][n/64]>>(n%64)&1 == 0 {
		return s.spend(len(value)/8, at)
	}
	if !s.spend(hashWork, at) {
		return false
	}
	if r := g.rules[sum(g.key, value)]; r != nil {
		return s.add(candidate{rule: r, start: at, end: at + len(value), hull: at})
	}
	return true
}
