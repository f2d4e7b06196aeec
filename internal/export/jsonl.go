package export

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/workingagents/gatehouse/internal/flow"
)

// JSONL writes a JSON object a line for each flow.
type JSONL struct{ enc *json.Encoder }

// NewJSONL makes the writer of a file. Nothing is written before the first Add.
func NewJSONL(w io.Writer) *JSONL {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &JSONL{enc}
}

// line is a flow as JSON. Bodies are there when they were asked for.
type line struct {
	View      flow.View     `json:"view"`
	Intent    *flow.Intent  `json:"intent"`
	Outcome   *flow.Outcome `json:"outcome"`
	Request   *content      `json:"request,omitempty"`
	Forwarded *content      `json:"forwarded,omitempty"`
	Response  *content      `json:"response,omitempty"`
	Delivered *content      `json:"delivered,omitempty"`
}

// content is a body: one of its first four members is there.
type content struct {
	Text     *string   `json:"text,omitempty"`     // exact, when it is UTF-8
	Base64   []byte    `json:"base64,omitempty"`   // exact, when it is not
	Messages []message `json:"messages,omitempty"` // of a WebSocket, as they came
	LeftOut  string    `json:"left_out,omitempty"` // why the body is not here
	Decoded  bool      `json:"decoded,omitempty"`  // its content coding was taken off, for masking
	Masked   int       `json:"masked,omitempty"`   // stretches that were masked
}

type message struct {
	At     float64 `json:"at_ms"` // since the flow began
	Text   *string `json:"text,omitempty"`
	Base64 []byte  `json:"base64,omitempty"`
}

// Add writes one flow.
func (j *JSONL) Add(f *Flow) error {
	l := line{
		View: flow.NewView(f.Intent, f.Outcome), Intent: f.Intent, Outcome: f.Outcome,
		Request: f.content(Request), Forwarded: f.content(Forwarded), Response: f.content(Response), Delivered: f.content(Delivered),
	}
	if err := j.enc.Encode(&l); err != nil {
		return fmt.Errorf("writing flow %s: %w", f.Intent.Flow, err)
	}
	return nil
}

// Close ends the file: there is nothing to write.
func (j *JSONL) Close() error { return nil }

func (f *Flow) content(what What) *content {
	b := f.Body(what)
	if b == nil {
		return nil
	}
	c := &content{LeftOut: b.Left, Decoded: b.Plain, Masked: b.Masks}
	if b.Left != "" {
		return c
	}
	if f.message() && (what == Response || what == Delivered) && len(b.Chunks) > 0 {
		for _, chunk := range b.Chunks {
			m := message{At: float64(chunk.At.Microseconds()) / 1000}
			m.Text, m.Base64 = exact(chunk.Data)
			c.Messages = append(c.Messages, m)
		}
		return c
	}
	c.Text, c.Base64 = exact(b.whole())
	return c
}

// exact gives bytes as JSON can hold them without loss.
func exact(b []byte) (*string, []byte) {
	if !utf8.Valid(b) {
		return nil, b
	}
	text := string(b)
	return &text, nil
}
