package simulate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Received is NNNNNN.json in a record folder: one request as it came, written
// before anything is answered. NNNNNN.request beside it holds the body,
// NNNNNN.response what was sent back.
type Received struct {
	Number int         `json:"number"` // 1-based, in the order of arrival
	At     time.Time   `json:"at"`
	Method string      `json:"method"` // MESSAGE: one WebSocket message
	Path   string      `json:"path"`   // with query
	Proto  string      `json:"proto"`
	Header [][2]string `json:"header"` // credentials as "sha256:" + hex
	Bytes  int         `json:"bytes"`  // of the body, without transfer coding
	SHA256 string      `json:"sha256"` // hex, of the body
}

// Sent is NNNNNN.end.json: how the answer ended. The bytes of a WebSocket
// answer are the payloads of its messages, one after the other.
type Sent struct {
	Status   int         `json:"status"`
	Header   [][2]string `json:"header,omitempty"`
	Bytes    int         `json:"bytes"`              // without transfer coding
	SHA256   string      `json:"sha256"`             // hex
	Complete bool        `json:"complete"`           // false: the script or the client broke it
	Messages []int       `json:"messages,omitempty"` // WebSocket: the bytes of each message
}

// keeper writes records.
type keeper struct {
	dir  string
	now  func() time.Time
	mu   sync.Mutex
	last int
}

// record is one request's. Its owner is the handler's goroutine.
type record struct {
	base string // path without extension; "": nothing is kept
	file *os.File
	sum  hash.Hash
	sent Sent
}

func (k *keeper) open(method string, r *http.Request, body []byte) (*record, error) {
	rec := &record{sum: sha256.New()}
	if k.dir == "" {
		return rec, nil
	}
	k.mu.Lock()
	k.last++
	n := k.last
	k.mu.Unlock()
	sum := sha256.Sum256(body)
	in := Received{Number: n, At: k.now(), Method: method, Path: scrub(r.URL), Proto: r.Proto, Header: lines(r.Header),
		Bytes: len(body), SHA256: hex.EncodeToString(sum[:])}
	rec.base = filepath.Join(k.dir, fmt.Sprintf("%06d", n))
	if err := rec.begin(in, body); err != nil {
		return nil, fmt.Errorf("recording request %d: %w", n, err)
	}
	return rec, nil
}

func (rec *record) begin(in Received, body []byte) (err error) {
	if err := os.WriteFile(rec.base+".request", body, 0o600); err != nil {
		return err
	}
	if err := save(rec.base+".json", in); err != nil {
		return err
	}
	rec.file, err = os.OpenFile(rec.base+".response", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	return err
}

// Write takes bytes that are about to be sent.
func (rec *record) Write(p []byte) (int, error) {
	rec.sum.Write(p)
	rec.sent.Bytes += len(p)
	if rec.file == nil {
		return len(p), nil
	}
	return rec.file.Write(p)
}

// end closes the record, once.
func (rec *record) end(complete bool) error {
	if rec.file == nil {
		return nil
	}
	rec.sent.Complete, rec.sent.SHA256 = complete, hex.EncodeToString(rec.sum.Sum(nil))
	if err := rec.file.Close(); err != nil {
		return err
	}
	return save(rec.base+".end.json", rec.sent)
}

// save writes a file that is whole as soon as it is there under its name.
func save(name string, v any) error {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(name+".part", append(data, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(name+".part", name)
}

var secret = regexp.MustCompile(`(?i)^(authorization|proxy-authorization|cookie|x-gatehouse-key|.*api-key|.*-(token|secret))$`)

func lines(h http.Header) [][2]string {
	var list [][2]string
	for name, values := range h {
		for _, v := range values {
			if secret.MatchString(name) {
				v = fingerprint(v)
			}
			list = append(list, [2]string{name, v})
		}
	}
	slices.SortFunc(list, func(a, b [2]string) int { return strings.Compare(a[0]+"\x00"+a[1], b[0]+"\x00"+b[1]) })
	return list
}

// scrub gives path and query as the client wrote them, without its key.
func scrub(u *url.URL) string {
	path := u.EscapedPath()
	if u.RawQuery == "" {
		return path
	}
	params := strings.Split(u.RawQuery, "&")
	for i, p := range params {
		if value, ok := strings.CutPrefix(p, "key="); ok {
			params[i] = "key=" + fingerprint(value)
		}
	}
	return path + "?" + strings.Join(params, "&")
}

// fingerprint stands for a credential in a record: a test that knows the
// credential can tell that it arrived whole.
func fingerprint(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return "sha256:" + hex.EncodeToString(sum[:])
}
