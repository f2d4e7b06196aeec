package identity

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/workingagents/gatehouse/internal/atomicfile"
	"github.com/workingagents/gatehouse/internal/flow"
)

// Errors of Lookup.
var (
	ErrUnknownKey = errors.New("unknown access key")
	ErrRevoked    = errors.New("access key was revoked")
)

// Errors of Add and Revoke. They are refusals: their texts are for whoever asked.
var (
	ErrName       error = &flow.Refusal{Status: http.StatusBadRequest, Kind: "name", Text: "a key's name has 1 to 64 letters, digits, and . _ @ - after the first"}
	ErrNameTaken  error = &flow.Refusal{Status: http.StatusConflict, Kind: "name_taken", Text: "there is a valid key of that name; revoke it first"}
	ErrNoSuchName error = &flow.Refusal{Status: http.StatusNotFound, Kind: "not_found", Text: "there is no valid key of that name"}
)

// KeysFile is the name of the file in the data folder.
const KeysFile = "access-keys.json"

const keysVersion = 1

// Key is an access key as it is stored: no secret, only a keyed hash of it.
type Key struct {
	Name    string    `json:"name"`
	Hash    string    `json:"hash"` // hex HMAC-SHA256 of the secret
	Created time.Time `json:"created"`
	Revoked time.Time `json:"revoked,omitzero"` // zero: valid
}

// Keys are the access keys of one data folder, kept in a file (0600) that is
// read again whenever it has changed. It is safe for concurrent use; two
// processes must not change the file at the same time (the folder's lock sees
// to that).
type Keys struct {
	path string
	hmac []byte
	now  func() time.Time

	mu   sync.Mutex
	seen stamp // of the file that keys were read from
	keys []Key
}

// stamp tells one version of the file from the next: each is a new file,
// renamed into place.
type stamp struct {
	info os.FileInfo
}

func (s stamp) same(info os.FileInfo) bool {
	if s.info == nil || info == nil {
		return s.info == nil && info == nil
	}
	return os.SameFile(s.info, info) && s.info.Size() == info.Size() && s.info.ModTime().Equal(info.ModTime())
}

type keysFile struct {
	Version int   `json:"version"`
	Keys    []Key `json:"keys"`
}

// OpenKeys reads the keys of the data folder dir; a missing file holds none.
// secret keys the hashes (ledger.Subkey). A nil now is time.Now.
func OpenKeys(dir string, secret []byte, now func() time.Time) (*Keys, error) {
	if now == nil {
		now = time.Now
	}
	k := &Keys{path: filepath.Join(dir, KeysFile), hmac: slices.Clone(secret), now: now}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k, k.refresh()
}

// Add makes a key and gives its secret, which is shown once and kept nowhere.
func (k *Keys) Add(name string) (secret string, err error) {
	if !validName(name) {
		return "", ErrName
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.refresh(); err != nil {
		return "", err
	}
	if k.valid(name) >= 0 {
		return "", ErrNameTaken
	}
	secret, err = newSecret()
	if err != nil {
		return "", err
	}
	added := Key{Name: name, Hash: k.hash(secret), Created: k.now().UTC().Truncate(time.Second)}
	if err := k.write(append(slices.Clone(k.keys), added)); err != nil {
		return "", err
	}
	return secret, nil
}

// Revoke ends the key of this name. Its line stays, so that the record still
// says who it was.
func (k *Keys) Revoke(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.refresh(); err != nil {
		return err
	}
	i := k.valid(name)
	if i < 0 {
		return ErrNoSuchName
	}
	keys := slices.Clone(k.keys)
	keys[i].Revoked = k.now().UTC().Truncate(time.Second)
	return k.write(keys)
}

// List gives all keys, oldest first, revoked ones too.
func (k *Keys) List() ([]Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.refresh(); err != nil {
		return nil, err
	}
	return slices.Clone(k.keys), nil
}

// Lookup finds the key of a secret: ErrUnknownKey, ErrRevoked, or the error of
// reading the file (then no key is valid).
func (k *Keys) Lookup(secret string) (Key, error) {
	if !wellFormed(secret) {
		return Key{}, ErrUnknownKey
	}
	want := []byte(k.hash(secret))
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.refresh(); err != nil {
		return Key{}, err
	}
	found := -1
	for i := range k.keys { // all of them, in constant time each
		if subtle.ConstantTimeCompare(want, []byte(k.keys[i].Hash)) == 1 {
			found = i
		}
	}
	switch {
	case found < 0:
		return Key{}, ErrUnknownKey
	case !k.keys[found].Revoked.IsZero():
		return Key{}, ErrRevoked
	}
	return k.keys[found], nil
}

// valid finds the key of a name that is not revoked, -1 if there is none.
func (k *Keys) valid(name string) int {
	return slices.IndexFunc(k.keys, func(key Key) bool { return key.Name == name && key.Revoked.IsZero() })
}

func (k *Keys) hash(secret string) string {
	mac := hmac.New(sha256.New, k.hmac)
	io.WriteString(mac, secret)
	return hex.EncodeToString(mac.Sum(nil))
}

// refresh reads the file again when it has changed. After an error there are
// no keys: what can't be read admits nobody.
func (k *Keys) refresh() error {
	info, err := os.Stat(k.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.keys, k.seen = nil, stamp{}
		return nil
	case err != nil:
		k.keys, k.seen = nil, stamp{}
		return fmt.Errorf("reading access keys: %w", err)
	case k.seen.info != nil && k.seen.same(info):
		return nil
	}
	k.keys, k.seen = nil, stamp{}
	keys, err := readKeys(k.path)
	if err != nil {
		return fmt.Errorf("reading access keys: %w", err)
	}
	// The stamp is older than the content at worst, so a change in between is
	// seen at the next call.
	k.keys, k.seen = keys, stamp{info}
	return nil
}

func readKeys(path string) ([]Key, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var f keysFile
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("parsing %s: %w", path, err)
	}
	if f.Version != keysVersion {
		return nil, fmt.Errorf("%s is of version %d, this program reads %d", path, f.Version, keysVersion)
	}
	return f.Keys, nil
}

// write replaces the file. After an error the old one is still in place.
func (k *Keys) write(keys []Key) error {
	raw, err := json.MarshalIndent(keysFile{keysVersion, keys}, "", "  ")
	if err != nil {
		return fmt.Errorf("writing access keys: %w", err)
	}
	if err := atomicfile.Write(k.path, append(raw, '\n')); err != nil {
		return fmt.Errorf("writing access keys: %w", err)
	}
	return k.refresh()
}

func validName(name string) bool {
	if len(name) == 0 || len(name) > 64 || strings.ContainsAny(name[:1], "._-@") {
		return false
	}
	for _, c := range []byte(name) {
		if !isAlnum(c) && !strings.ContainsRune("._-@", rune(c)) {
			return false
		}
	}
	return true
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// A secret is "ghk_", 32 base62 digits (190 bits), and 6 more that are the
// CRC-32 of those: a key that was copied badly is known at once, and scanners
// can tell a real one from a look-alike.
const (
	keyPrefix  = "ghk_"
	keyDigits  = 32
	sumDigits  = 6
	base62     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	keyTextLen = len(keyPrefix) + keyDigits + sumDigits
)

func newSecret() (string, error) {
	var b strings.Builder
	b.WriteString(keyPrefix)
	for range keyDigits {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(base62))))
		if err != nil {
			return "", fmt.Errorf("making an access key: %w", err)
		}
		b.WriteByte(base62[n.Int64()])
	}
	return b.String() + checksum(b.String()), nil
}

func checksum(s string) string {
	sum, digits := crc32.ChecksumIEEE([]byte(s)), [sumDigits]byte{}
	for i := range digits {
		digits[sumDigits-1-i] = base62[sum%62]
		sum /= 62
	}
	return string(digits[:])
}

func wellFormed(secret string) bool {
	if len(secret) != keyTextLen || !strings.HasPrefix(secret, keyPrefix) {
		return false
	}
	body := secret[:len(keyPrefix)+keyDigits]
	return checksum(body) == secret[len(body):]
}

// CutKey takes the path prefix /k/KEY off an escaped path. ok tells whether it
// was there; the key is not judged.
func CutKey(path string) (key, rest string, ok bool) {
	after, ok := strings.CutPrefix(path, "/k/")
	if !ok {
		return "", path, false
	}
	key, rest, _ = strings.Cut(after, "/")
	return key, "/" + rest, true
}

// Misplaced refuses a request that carries an access key where a provider would
// get it: further on in the path, in the query, or in place of the provider's
// own credential. The path is that without the prefix /k/KEY, escaped.
func Misplaced(path, query string, h http.Header) error {
	found := strings.Contains(path, "/"+keyPrefix) || strings.Contains(query, "="+keyPrefix)
	for _, name := range credentialHeaders {
		for _, v := range h[name] {
			found = found || strings.HasPrefix(bare(v), keyPrefix)
		}
	}
	if !found {
		return nil
	}
	return refuse("access_key_misplaced", "this gateway's access key stands where the provider would get it: put it at the start of the path (…/k/ghk_…/anthropic) or send it as "+KeyHeader, nil)
}
