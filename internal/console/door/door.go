// Package door lets browsers in: a link that opens once becomes a visit, which
// a cookie and a word of the page's own prove together. It keeps hashes only,
// serves nothing, and never decides what a visitor may see.
//
// A cookie alone proves nothing here: it is sent to every port of a host, so
// that whoever runs a server on another port, an agent's development server
// say, gets it as soon as somebody looks there. The page's word stands in the
// storage of the page's origin, which is the port's.
package door

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/workingagents/gatehouse/internal/atomicfile"
	"github.com/workingagents/gatehouse/internal/flow"
)

// File is the name of the file of the visits in the data folder.
const File = "visits.json"

const (
	formVersion = 1

	linkLife  = 10 * time.Minute
	visitLife = 12 * time.Hour

	// The oldest goes when there are more.
	maxLinks  = 16
	maxVisits = 64
)

// ErrLink is the refusal of a link that was used, is too old, or never was.
var ErrLink error = &flow.Refusal{
	Status: http.StatusUnauthorized, Kind: "link",
	Text: "this link was used before or is older than ten minutes: `gatehouse open` prints a new one",
}

// Pass is what a browser proves its visit with. Both parts are secrets.
type Pass struct {
	Cookie string // of the host: the browser sends it by itself
	Page   string // of the page: it says it with every call
}

// Door knows the links that are open and the visits that go on. It is safe for
// concurrent use; who opens it holds the folder's lock.
type Door struct {
	path string
	now  func() time.Time

	mu     sync.Mutex
	links  []secret // oldest first; a restart forgets them
	visits []secret
}

// secret is the hash of one, and whose it is.
type secret struct {
	Hash []byte    `json:"hash"` // SHA-256, of cookie and page's word one behind the other
	Who  string    `json:"who"`
	Ends time.Time `json:"ends"`
}

type content struct {
	Version int      `json:"version"`
	Visits  []secret `json:"visits"`
}

// Open reads the visits of the data folder dir; a missing file holds none.
func Open(dir string, now func() time.Time) (*Door, error) {
	d := &Door{path: filepath.Join(dir, File), now: now}
	text, err := os.ReadFile(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	var c content
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the console's visits: %w", err)
	}
	if c.Version != formVersion {
		return nil, fmt.Errorf("reading the console's visits: %s has version %d, not %d", d.path, c.Version, formVersion)
	}
	d.visits = c.Visits
	return d, nil
}

// Link makes a token that lets one browser in, as who, within ten minutes.
func (d *Door) Link(who string) (token string, ends time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	token = "ghl_" + random()
	s := secret{hash(token), who, d.now().Add(linkLife)}
	d.links = d.add(d.links, s, maxLinks)
	return token, s.Ends
}

// Enter makes a visit of a link, which is used up then.
func (d *Door) Enter(token string) (Pass, string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.find(d.links, token)
	if i < 0 {
		return Pass{}, "", ErrLink
	}
	who := d.links[i].Who
	d.links = slices.Delete(d.links, i, i+1)
	p := Pass{random(), random()}
	before := d.visits
	d.visits = d.add(slices.Clone(before), secret{hash(p.Cookie + p.Page), who, d.now().Add(visitLife)}, maxVisits)
	if err := d.keep(); err != nil {
		d.visits = before
		return Pass{}, "", err
	}
	return p, who, nil
}

// Who tells whose visit a pass proves.
func (d *Door) Who(p Pass) (who string, ok bool) {
	if p.Cookie == "" || p.Page == "" {
		return "", false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.find(d.visits, p.Cookie+p.Page)
	if i < 0 {
		return "", false
	}
	return d.visits[i].Who, true
}

// Leave ends the visit of a pass. It is over also when the error says that the
// file still has it: until the next start.
func (d *Door) Leave(p Pass) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := d.find(d.visits, p.Cookie+p.Page)
	if i < 0 {
		return nil
	}
	d.visits = slices.Delete(slices.Clone(d.visits), i, i+1)
	return d.keep()
}

// keep writes the visits. d.mu is held.
func (d *Door) keep() error {
	text, err := json.Marshal(content{formVersion, d.visits})
	if err != nil {
		return fmt.Errorf("encoding the console's visits: %w", err)
	}
	if err := atomicfile.Write(d.path, text); err != nil {
		return fmt.Errorf("writing the console's visits: %w", err)
	}
	return nil
}

// add drops what has ended, and the oldest when there are too many.
func (d *Door) add(list []secret, s secret, limit int) []secret {
	list = slices.DeleteFunc(list, func(s secret) bool { return !d.now().Before(s.Ends) })
	if len(list) >= limit {
		list = list[1:]
	}
	return append(list, s)
}

func (d *Door) find(list []secret, text string) int {
	h := hash(text)
	return slices.IndexFunc(list, func(s secret) bool {
		return d.now().Before(s.Ends) && subtle.ConstantTimeCompare(s.Hash, h) == 1
	})
}

func hash(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

func random() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}
