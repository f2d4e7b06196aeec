package simulate

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// event is one event of a stream, without its transport.
type event struct {
	name  string // SSE's event field; "": none
	data  string
	delta bool // carries a piece of the answer: faults count these
}

// errBroken ends an answer as its script wants it: not at all.
var errBroken = errors.New("broken by the script")

// carrier takes the events of one answer to the client.
type carrier interface {
	carry(event) error
}

// play sends events at the script's pace and strikes with its fault. oops is
// the provider's error event. Nothing waits after the last event: a client
// may leave as soon as it has that.
func play(ctx context.Context, c carrier, s script, events iter.Seq[event], oops event) error {
	sent, deltas := 0, 0
	for e := range events {
		if err := rest(ctx, s.pace, sent); err != nil {
			return err
		}
		if err := c.carry(e); err != nil {
			return err
		}
		sent++
		if e.delta {
			deltas++
		}
		if s.fault != "" && deltas >= s.after {
			return strike(ctx, c, s, oops)
		}
	}
	return nil
}

func strike(ctx context.Context, c carrier, s script, oops event) error {
	switch s.fault {
	case failing:
		return c.carry(oops)
	case stalling:
		<-ctx.Done()
	}
	return errBroken
}

// rest pauses before every event but the first.
func rest(ctx context.Context, d time.Duration, sent int) error {
	if d <= 0 || sent == 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// outlet carries an answer over HTTP.
type outlet struct {
	w     http.ResponseWriter
	flush func() error
	rec   *record
	s     script
	eol   string
	begun bool
	code  coder // nil: identity
}

// coder is a content coding that can be flushed between events.
type coder interface {
	io.WriteCloser
	Flush() error
}

func newOutlet(w http.ResponseWriter, rec *record, s script) *outlet {
	o := &outlet{w: w, flush: http.NewResponseController(w).Flush, rec: rec, s: s, eol: "\n"}
	if s.crlf {
		o.eol = "\r\n"
	}
	return o
}

// start sends the head of the answer.
func (o *outlet) start(status int, contentType string) error {
	h := o.w.Header()
	if o.s.bare {
		h["Content-Type"] = nil
	} else {
		h.Set("Content-Type", contentType)
	}
	if o.s.encode != "" && o.s.encode != "identity" {
		code, err := encoder(o.s.encode, (*raw)(o))
		if err != nil {
			return err
		}
		o.code = code
		h.Set("Content-Encoding", o.s.encode)
	}
	o.begun = true
	o.rec.sent.Status, o.rec.sent.Header = status, lines(h)
	o.w.WriteHeader(status)
	return o.flush()
}

func encoder(name string, w io.Writer) (coder, error) {
	switch name {
	case "gzip":
		return gzip.NewWriter(w), nil
	case "deflate":
		return zlib.NewWriter(w), nil
	case "raw-deflate":
		return flate.NewWriter(w, flate.DefaultCompression)
	case "br":
		return brotli.NewWriter(w), nil
	case "zstd":
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	}
	return nil, fmt.Errorf("the script names an unknown coding %q", clip(name, 20))
}

// carry sends one SSE event.
func (o *outlet) carry(e event) error {
	var b strings.Builder
	if e.name != "" {
		b.WriteString("event: " + e.name + o.eol)
	}
	b.WriteString("data: " + e.data + o.eol + o.eol)
	return o.send(b.String())
}

// send writes a piece of the body and flushes it.
func (o *outlet) send(text string) error {
	if o.code == nil {
		_, err := (*raw)(o).Write([]byte(text))
		return err
	}
	if _, err := io.WriteString(o.code, text); err != nil {
		return err
	}
	return o.code.Flush()
}

// close ends the body: the last bytes of a content coding.
func (o *outlet) close() error {
	if o.code == nil {
		return nil
	}
	return o.code.Close()
}

// raw is an outlet behind its content coding: it cuts, records, and flushes.
type raw outlet

func (o *raw) Write(p []byte) (int, error) {
	n := len(p)
	if _, err := o.rec.Write(p); err != nil {
		return 0, fmt.Errorf("recording an answer: %w", err)
	}
	for len(p) > 0 {
		cut := len(p)
		if o.s.chunk > 0 {
			cut = min(cut, o.s.chunk)
		}
		if _, err := o.w.Write(p[:cut]); err != nil {
			return 0, err
		}
		if err := o.flush(); err != nil {
			return 0, err
		}
		p = p[cut:]
	}
	return n, nil
}
