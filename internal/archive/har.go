package archive

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// harEntry is an entry of a log in HTTP Archive 1.2 (W3C Web Performance Working
// Group, "HTTP Archive (HAR) format", 2012), with the WebSocket messages that
// browsers built on Chromium add.
type harEntry struct {
	Started harTime `json:"startedDateTime"`
	Time    float64 `json:"time"` // milliseconds
	Request struct {
		Method   string    `json:"method"`
		URL      string    `json:"url"`
		Headers  []harPair `json:"headers"`
		PostData *struct {
			Text     string `json:"text"`
			Encoding string `json:"encoding"` // mitmproxy's and Chromium's: "base64"
		} `json:"postData"`
	} `json:"request"`
	Response struct {
		Status  float64   `json:"status"`
		Headers []harPair `json:"headers"`
		Content struct {
			Text     string `json:"text"`
			Encoding string `json:"encoding"`
		} `json:"content"`
	} `json:"response"`
	Timings struct { // milliseconds; -1: does not apply
		Blocked float64 `json:"blocked"`
		DNS     float64 `json:"dns"`
		Connect float64 `json:"connect"`
		Send    float64 `json:"send"`
		Wait    float64 `json:"wait"`
	} `json:"timings"`
	Sockets []harMessage `json:"_webSocketMessages"`
}

type harPair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type harMessage struct {
	Type   string  `json:"type"`   // send, receive
	Time   float64 `json:"time"`   // seconds since 1970
	Opcode int     `json:"opcode"` // 1 text, 2 binary: in base64
	Data   string  `json:"data"`
}

// harTime is a time as tools write it; zero: it can't be read.
type harTime struct{ time.Time }

// UnmarshalJSON never fails: an exchange without a time is one.
func (t *harTime) UnmarshalJSON(text []byte) error {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
		if at, err := time.Parse(`"`+layout+`"`, string(text)); err == nil {
			t.Time = at
		}
	}
	return nil
}

// errNoLog says what a HAR file has to have.
var errNoLog = fmt.Errorf("%w: a JSON object without log.entries", ErrFormat)

// readHAR goes down to log.entries and reads one entry after the other.
func readHAR(r io.Reader, each func(*Exchange) error) error {
	in := &measured{Reader: r, left: maxBytes}
	d := json.NewDecoder(in)
	for _, name := range []string{"log", "entries"} {
		if err := member(d, name); err != nil {
			return err
		}
	}
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errNoLog
	}
	for n := 1; ; n++ {
		if in.left = maxBytes; !d.More() {
			break
		}
		var e harEntry
		err := d.Decode(&e)
		var odd *json.UnmarshalTypeError // the rest of the entry is read
		if err != nil && !errors.As(err, &odd) {
			return fmt.Errorf("entry %d of the HAR file: %w", n, err)
		}
		x := e.exchange()
		if odd != nil {
			x.Err = oddType(odd)
		}
		if x.Err != nil {
			x.Err = fmt.Errorf("entry %d of the HAR file: %w", n, x.Err)
		}
		if err := each(x); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("the HAR file ends early: %w", err)
	}
	return nil
}

// oddType says which member is of another type than the format has.
func oddType(err *json.UnmarshalTypeError) error {
	kind, _, _ := strings.Cut(err.Value, " ") // "number 1e99"
	return fmt.Errorf("%s is of the type %s", cmp.Or(err.Field, "the entry"), kind)
}

// measured reads so many bytes: a decoder of JSON holds a value whole, however long
// it is.
type measured struct {
	io.Reader
	left int
}

func (m *measured) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errLong()
	}
	n, err := m.Reader.Read(p[:min(len(p), m.left)])
	m.left -= n
	return n, err
}

// member goes into an object up to the value of a member.
func member(d *json.Decoder, name string) error {
	t, err := d.Token()
	if err != nil || t != json.Delim('{') {
		return errNoLog
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return fmt.Errorf("reading the HAR file: %w", err)
		}
		if t == name {
			return nil
		}
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return fmt.Errorf("reading the HAR file: %w", err)
		}
	}
	return errNoLog
}

func (e *harEntry) exchange() *Exchange {
	x := &Exchange{Started: e.Started.Time, Method: e.Request.Method, URL: e.Request.URL, Header: harHeader(e.Request.Headers)}
	x.Err = e.bodies(x)
	return x
}

// bodies reads what can be wrong in an entry.
func (e *harEntry) bodies(x *Exchange) (err error) {
	if x.Method == "" || x.URL == "" {
		return errors.New("a request without method or address")
	}
	if p := e.Request.PostData; p != nil {
		if x.Body, err = harText(p.Text, p.Encoding); err != nil {
			return fmt.Errorf("the request's body: %w", err)
		}
	}
	for _, m := range e.Sockets {
		data, err := m.data()
		if err != nil {
			return fmt.Errorf("a WebSocket message: %w", err)
		}
		x.Messages = append(x.Messages, Message{FromClient: m.Type == "send", Text: m.Opcode != 2, Data: data, At: seconds(m.Time)})
	}
	status, err := statusOf(e.Response.Status)
	if status == 0 { // what browsers write for a call that failed
		return err
	}
	body, err := harText(e.Response.Content.Text, e.Response.Content.Encoding)
	if err != nil {
		return fmt.Errorf("the answer's body: %w", err)
	}
	x.Response = &Response{Status: status, Header: harHeader(e.Response.Headers), Body: body, Decoded: true, Duration: millis(e.Time), FirstByte: e.firstByte()}
	return nil
}

func (m *harMessage) data() ([]byte, error) {
	if m.Opcode == 2 {
		return harText(m.Data, "base64")
	}
	return []byte(m.Data), nil
}

func (e *harEntry) firstByte() time.Duration {
	sum := 0.0
	for _, t := range []float64{e.Timings.Blocked, e.Timings.DNS, e.Timings.Connect, e.Timings.Send, e.Timings.Wait} {
		sum += max(t, 0)
	}
	return millis(sum)
}

// harHeader reads header lines. Those of HTTP/2 that are no headers, :path and
// the like, are left out.
func harHeader(list []harPair) http.Header {
	h := http.Header{}
	for _, p := range list {
		if !strings.HasPrefix(p.Name, ":") {
			h.Add(p.Name, p.Value)
		}
	}
	return h
}

func harText(text, encoding string) ([]byte, error) {
	if encoding != "base64" {
		return []byte(text), nil
	}
	body, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("it is said to be base64, and is not")
	}
	return body, nil
}

func millis(ms float64) time.Duration { return seconds(ms / 1000).Sub(time.Unix(0, 0)) }

// seconds gives the time of so many seconds since 1970; what can't be one is the
// beginning.
func seconds(s float64) time.Time {
	if !(s >= 0 && s < 1e11) {
		return time.Unix(0, 0)
	}
	whole := int64(s)
	return time.Unix(whole, int64((s-float64(whole))*1e9))
}
