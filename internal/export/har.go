package export

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/flow"
)

// HAR writes a file in HTTP Archive 1.2 (http://www.softwareishard.com/blog/har-12-spec/).
// Until Close it does not look complete: it is no JSON.
type HAR struct {
	w     io.Writer
	head  harHead
	base  func(*flow.Intent) string
	count int
}

// NewHAR makes the writer of a file. base gives the address
// that a flow's path is appended to, where it came by a base URL of ours.
func NewHAR(w io.Writer, version string, base func(*flow.Intent) string) *HAR {
	return &HAR{w: w, head: harHead{Name: "Gatehouse", Version: version}, base: base}
}

type harHead struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type harEntry struct {
	Started  time.Time   `json:"startedDateTime"`
	Time     float64     `json:"time"` // milliseconds
	Request  harRequest  `json:"request"`
	Response harResponse `json:"response"`
	Cache    struct{}    `json:"cache"`
	Timings  harTimings  `json:"timings"`
	Comment  string      `json:"comment,omitempty"`

	Type     string       `json:"_resourceType,omitempty"`      // as Chromium: "websocket"
	Messages []harMessage `json:"_webSocketMessages,omitempty"` // likewise
	Own      harOwn       `json:"_gatehouse"`
}

type harRequest struct {
	Method      string    `json:"method"`
	URL         string    `json:"url"`
	HTTPVersion string    `json:"httpVersion"`
	Cookies     []harPair `json:"cookies"`
	Headers     []harPair `json:"headers"`
	Query       []harPair `json:"queryString"`
	Post        *harPost  `json:"postData,omitempty"`
	HeadersSize int       `json:"headersSize"`
	BodySize    int64     `json:"bodySize"`
}

// harPost is a request's body. The specification has no encoding here; mitmproxy,
// Chromium and Gatehouse do.
type harPost struct {
	Type     string `json:"mimeType"`
	Text     string `json:"text"`
	Encoding string `json:"encoding,omitempty"` // base64
	Comment  string `json:"comment,omitempty"`
}

type harResponse struct {
	Status      int        `json:"status"`
	StatusText  string     `json:"statusText"`
	HTTPVersion string     `json:"httpVersion"`
	Cookies     []harPair  `json:"cookies"`
	Headers     []harPair  `json:"headers"`
	Content     harContent `json:"content"`
	RedirectURL string     `json:"redirectURL"`
	HeadersSize int        `json:"headersSize"`
	BodySize    int64      `json:"bodySize"`
}

type harContent struct {
	Size        int64  `json:"size"` // without content coding
	Compression int64  `json:"compression,omitempty"`
	Type        string `json:"mimeType"`
	Text        string `json:"text,omitempty"`
	Encoding    string `json:"encoding,omitempty"` // base64
	Comment     string `json:"comment,omitempty"`
}

type harTimings struct {
	Send    float64 `json:"send"`
	Wait    float64 `json:"wait"`
	Receive float64 `json:"receive"`
}

type harPair struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Comment string `json:"comment,omitempty"`
}

type harMessage struct {
	Type   string  `json:"type"`   // send, receive
	Time   float64 `json:"time"`   // seconds since 1970
	Opcode int     `json:"opcode"` // 1 text, 2 binary: in base64
	Data   string  `json:"data"`
}

// harOwn is what HAR has no place for.
type harOwn struct {
	flow.View
	Sent What `json:"request_body,omitempty"` // which body the entry has
	Got  What `json:"response_body,omitempty"`
}

// Add writes one flow.
func (h *HAR) Add(f *Flow) error {
	text, err := json.Marshal(h.entry(f))
	if err != nil {
		return fmt.Errorf("writing flow %s: %w", f.Intent.Flow, err)
	}
	if err := h.begin(); err != nil {
		return err
	}
	if h.count > 0 {
		text = append([]byte(",\n"), text...)
	}
	h.count++
	return h.write(text)
}

// Close ends the file.
func (h *HAR) Close() error {
	if err := h.begin(); err != nil {
		return err
	}
	return h.write([]byte("\n]}}\n"))
}

// begin writes the head, once.
func (h *HAR) begin() error {
	if h.head.Name == "" {
		return nil
	}
	creator, err := json.Marshal(h.head)
	if err != nil {
		return fmt.Errorf("writing the HAR file: %w", err)
	}
	h.head.Name = ""
	return h.write([]byte(`{"log":{"version":"1.2","creator":` + string(creator) + `,"entries":[` + "\n"))
}

func (h *HAR) write(b []byte) error {
	if _, err := h.w.Write(b); err != nil {
		return fmt.Errorf("writing the HAR file: %w", err)
	}
	return nil
}

func (h *HAR) entry(f *Flow) *harEntry {
	e := &harEntry{Started: f.Intent.Started, Own: harOwn{View: flow.NewView(f.Intent, f.Outcome)}}
	e.Request, e.Response = h.request(f, &e.Own), f.response(&e.Own)
	e.times(f.Outcome)
	if f.Outcome != nil && f.Outcome.State != flow.Done {
		e.Comment = string(f.Outcome.State) + ": " + e.Own.Why
	}
	if f.message() {
		e.Type, e.Messages = "websocket", f.messages(&e.Own)
		e.Response.Status, e.Response.StatusText = http.StatusSwitchingProtocols, http.StatusText(http.StatusSwitchingProtocols)
	}
	return e
}

// times gives the first byte as the end of waiting. What came before a flow was
// admitted is not known.
func (e *harEntry) times(out *flow.Outcome) {
	if out == nil {
		return
	}
	e.Timings.Wait = ms(out.FirstByte)
	if out.FirstByte == 0 {
		e.Timings.Wait = ms(out.Duration)
	}
	e.Timings.Receive = max(0, ms(out.Duration)-e.Timings.Wait)
	e.Time = e.Timings.Wait + e.Timings.Receive
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (h *HAR) request(f *Flow, own *harOwn) harRequest {
	in := f.Intent
	r := harRequest{
		Method: in.Method, URL: Address(in, h.base(in)), HTTPVersion: version(in.TLS), Cookies: []harPair{},
		Headers: pairs(in.Header), Query: query(in.Path), HeadersSize: -1, BodySize: in.RequestBytes,
	}
	if f.message() {
		r.Method, r.BodySize = http.MethodGet, 0
		return r
	}
	if b := f.sent(); b != nil {
		own.Sent = b.What
		r.Post = f.post(b)
		if b.Plain { // or a reader would take the coding off again
			r.Headers = without(r.Headers, "Content-Encoding")
		}
	}
	return r
}

func (f *Flow) post(b *Body) *harPost {
	body := b.whole()
	if len(body) == 0 && b.Left == "" {
		return nil
	}
	p := &harPost{Type: flow.HeaderValue(f.Intent.Header, "Content-Type"), Comment: left(b)}
	p.Text, p.Encoding = harText(body)
	if c := f.coding(b.What); c != "" && !b.Plain {
		p.Comment = "as it was sent: " + c
	}
	return p
}

// response is what came back. Content is free of its coding, as HAR has it.
func (f *Flow) response(own *harOwn) harResponse {
	r := harResponse{Cookies: []harPair{}, Headers: []harPair{}, HeadersSize: -1, BodySize: -1}
	out := f.Outcome
	if out == nil {
		return r
	}
	r.Status, r.StatusText, r.HTTPVersion = out.Status, http.StatusText(out.Status), version(out.TLS)
	r.Headers, r.BodySize, r.RedirectURL = pairs(out.Header), out.ResponseBytes, flow.HeaderValue(out.Header, "Location")
	r.Content = harContent{Size: out.ResponseBytes, Type: flow.HeaderValue(out.Header, "Content-Type")}
	b := f.got()
	if b == nil || f.message() {
		return r
	}
	own.Got = b.What
	body := b.whole()
	text, ok := body, true
	if !b.Plain {
		text, ok = plain(body, f.coding(b.What))
	}
	r.Content.Size, r.Content.Comment = int64(len(text)), left(b)
	if r.Content.Size != r.BodySize && b.Left == "" && b.Masks == 0 && b.What == Response {
		r.Content.Compression = r.Content.Size - r.BodySize
	}
	if !ok {
		r.Content.Comment = "the body could not be decoded: it is as it came"
	}
	r.Content.Text, r.Content.Encoding = harText(text)
	return r
}

func left(b *Body) string {
	switch {
	case b.Left != "":
		return "left out: " + b.Left
	case b.Masks > 0:
		return fmt.Sprintf("%d masked", b.Masks)
	}
	return ""
}

// messages are those of one flow of a WebSocket: the client's, and what came back.
func (f *Flow) messages(own *harOwn) []harMessage {
	list := []harMessage{}
	add := func(kind string, b *Body, which *What) {
		if b == nil {
			return
		}
		*which = b.What
		for _, c := range b.Chunks {
			m := harMessage{Type: kind, Time: float64(f.Intent.Started.Add(c.At).UnixMicro()) / 1e6, Opcode: 1, Data: string(c.Data)}
			if !utf8.Valid(c.Data) {
				m.Opcode, m.Data = 2, base64.StdEncoding.EncodeToString(c.Data)
			}
			list = append(list, m)
		}
	}
	add("send", f.sent(), &own.Sent)
	add("receive", f.got(), &own.Got)
	return list
}

// version of HTTP, where the connection tells it.
func version(leg *flow.Leg) string {
	if leg != nil && leg.ALPN == "h2" {
		return "HTTP/2.0"
	}
	return "HTTP/1.1"
}

func pairs(header []flow.Header) []harPair {
	list := make([]harPair, 0, len(header))
	for _, h := range header {
		p := harPair{Name: h.Name, Value: h.Value}
		if isFingerprint(h.Value) {
			p.Comment = "a keyed fingerprint of the credential that stood here"
		}
		list = append(list, p)
	}
	return list
}

func without(list []harPair, name string) (rest []harPair) {
	rest = []harPair{}
	for _, p := range list {
		if !strings.EqualFold(p.Name, name) {
			rest = append(rest, p)
		}
	}
	return rest
}

func query(path string) []harPair {
	list := []harPair{}
	_, raw, _ := strings.Cut(path, "?")
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, text, _ := strings.Cut(pair, "=")
		list = append(list, harPair{Name: unescape(name), Value: unescape(text)})
	}
	return list
}

func unescape(s string) string {
	if text, err := url.QueryUnescape(s); err == nil {
		return text
	}
	return s
}

func harText(b []byte) (text, encoding string) {
	if utf8.Valid(b) {
		return string(b), ""
	}
	return base64.StdEncoding.EncodeToString(b), "base64"
}
