package carry

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/wire/codec"
)

// The requests of gRPC and of Connect's streams are rows of messages, and need not
// end before the answer does. One that is over soon is a request like any other.
// Of one that goes on, the opening is a flow, with the whole answer, and so is each
// message, which is admitted by itself before it is forwarded.

// wholeWait is how long a row is waited for to end: the client of a single call
// sends its end with the message.
const wholeWait = 30 * time.Millisecond

// envelopes reads a request's messages, each with its head.
type envelopes struct {
	call    *call
	control *http.ResponseController
	next    chan envelope
	stop    chan struct{}
}

type envelope struct {
	data []byte
	held int64 // of the memory for bodies
	err  error // io.EOF: there are no more
}

// isStream reports whether a request's body is a row of messages whose end is not
// known.
func isStream(r *http.Request) bool {
	return r.ContentLength < 0 && codec.Enveloped(r.Header.Get("Content-Type"))
}

// read hands on one message after the other, until an error, or until it is
// stopped.
func (e *envelopes) read() {
	defer close(e.next)
	for {
		m := e.one()
		select {
		case e.next <- m:
		case <-e.stop:
			e.call.s.budget.Release(m.held)
			return
		}
		if m.err != nil {
			return
		}
	}
}

// one reads a message. A client may be silent between two, and not in the middle
// of one.
func (e *envelopes) one() (m envelope) {
	e.control.SetReadDeadline(time.Time{})
	head := make([]byte, codec.EnvelopeHead)
	if _, err := io.ReadFull(e.call.r.Body, head[:1]); err != nil {
		return envelope{err: atEnd(err)}
	}
	e.control.SetReadDeadline(time.Now().Add(e.call.s.o.ReadTimeout))
	if n, err := io.ReadFull(e.call.r.Body, head[1:]); err != nil {
		return envelope{data: head[:1+n], err: inside(err)}
	}
	size := codec.EnvelopeSize(head)
	switch limit := e.call.s.o.MaxBody; {
	case size > limit:
		return envelope{err: tooLarge(limit)}
	case !e.call.s.budget.TryAcquire(size):
		return envelope{err: errBusy}
	}
	m = envelope{data: make([]byte, len(head)+int(size)), held: size}
	copy(m.data, head)
	for at := len(head); at < len(m.data); {
		n, err := e.call.r.Body.Read(m.data[at:])
		if at += n; err != nil && at < len(m.data) {
			m.data, m.err = m.data[:at], inside(err)
			return m
		}
		e.control.SetReadDeadline(time.Now().Add(e.call.s.o.ReadTimeout))
	}
	return m
}

// inside is an error in the middle of a message, where no row ends.
func inside(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return slowOrGone(err)
}

// atEnd tells a row's end from a connection's.
func atEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return slowOrGone(err)
}

// serveStream takes a request whose body is a row of messages.
func (c *call) serveStream() {
	control := http.NewResponseController(c.w)
	control.EnableFullDuplex() // over HTTP/1.1 the answer may begin before the row has ended, too
	defer control.SetReadDeadline(time.Time{})
	in := &envelopes{call: c, control: control, next: make(chan envelope), stop: make(chan struct{})}
	var reading sync.WaitGroup
	reading.Go(in.read)
	defer func() { // the body is the handler's as long as it runs
		close(in.stop)
		control.SetReadDeadline(time.Now())
		reading.Wait()
	}()
	first, whole, err := in.soon()
	release := sync.OnceFunc(func() { c.s.budget.Release(held(first)) })
	defer release()
	var body []byte
	for _, m := range first {
		body = append(body, m.data...)
	}
	switch {
	case err != nil:
		c.deny(body, err)
	case whole:
		c.message.Body = body
		c.admitted(release)
	default:
		c.flow(in, first, release)
	}
}

// soon gives what comes at once: all of the row, or its beginning.
func (e *envelopes) soon() (list []envelope, whole bool, err error) {
	timer := time.NewTimer(wholeWait)
	defer timer.Stop()
	for {
		select {
		case m := <-e.next:
			if errors.Is(m.err, io.EOF) {
				return list, true, nil
			}
			if list = append(list, m); m.err != nil {
				return list, false, m.err
			}
		case <-timer.C:
			return list, false, nil
		}
	}
}

func held(list []envelope) (n int64) {
	for _, m := range list {
		n += m.held
	}
	return n
}

// flow admits the opening, forwards it, and then each message.
func (c *call) flow(in *envelopes, first []envelope, release func()) {
	if c.r.ProtoMajor == 1 { // an answer may leave some of the body on the connection, which net/http would take for a request
		c.w.Header().Set("Connection", "close")
	}
	template := *c.message
	p, err := c.s.o.Gate.Admit(c.message)
	if err != nil {
		c.writeError(err)
		return
	}
	template.Method, template.Encoding = flow.MethodMessage, ""
	r, w := io.Pipe()
	row := &row{call: c, template: template, to: w, over: make(chan struct{})}
	var pumping sync.WaitGroup
	defer pumping.Wait()
	defer close(row.over)
	defer r.CloseWithError(errClient)
	c.forward(p, c.header(p, false), func(ctx context.Context, header http.Header) (*http.Response, error) {
		ctx, row.cancel = context.WithCancelCause(ctx)
		pumping.Go(func() { row.pump(in, first, release) })
		resp, err := c.up.Stream(ctx, c.r.Method, c.upQuery, header, r)
		if err != nil {
			return nil, errors.Join(context.Cause(ctx), err)
		}
		resp.Body = &caused{resp.Body, ctx}
		return resp, nil
	}, func() {})
	row.cancel(nil)
}

// caused is an answer that ends with the cause of its context's end.
type caused struct {
	io.ReadCloser
	ctx context.Context
}

func (b *caused) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if cause := context.Cause(b.ctx); err != nil && !errors.Is(err, io.EOF) && cause != nil {
		err = cause
	}
	return n, err
}

// row forwards the messages of a request.
type row struct {
	call     *call
	template gate.Message
	to       *io.PipeWriter
	cancel   context.CancelCauseFunc
	over     chan struct{} // closed: the answer has ended, and nobody takes messages
}

// pump takes messages to the provider until the row ends, or one is refused: then
// the whole call ends.
func (r *row) pump(in *envelopes, first []envelope, release func()) {
	defer release()
	for _, m := range first {
		if err := r.send(m); err != nil {
			r.end(err)
			return
		}
	}
	release()
	for {
		select {
		case <-r.over:
			return
		case m, ok := <-in.next:
			if !ok {
				return
			}
			err := r.send(m)
			r.call.s.budget.Release(m.held)
			if err != nil {
				r.end(err)
				return
			}
		}
	}
}

// end ends the row for the provider: as the client did, or with the call.
func (r *row) end(err error) {
	if errors.Is(err, io.EOF) {
		r.to.Close()
		return
	}
	r.cancel(err)
	r.to.CloseWithError(err)
}

func (r *row) send(m envelope) error {
	one := r.template
	var refusal *flow.Refusal
	switch {
	case errors.As(m.err, &refusal):
		return r.call.s.o.Gate.Refuse(&one, int64(len(m.data)), refusal)
	case m.err != nil:
		return m.err
	}
	one.Body = m.data
	p, err := r.call.s.o.Gate.Admit(&one)
	if err != nil {
		return err
	}
	defer p.End(flow.Aborted, "the provider did not take the message")
	r.call.idle.Reset(r.call.s.o.IdleTimeout)
	body, _ := p.Body()
	if _, err := r.to.Write(body); err != nil {
		return errProvider
	}
	if err := answering(p); err != nil {
		return err
	}
	p.End(flow.Done, "")
	return nil
}

// rpcRefusal writes a refusal as gRPC's and Connect's clients read one: others show
// their users a status, and not why. It is false when the call is neither's.
func (c *call) rpcRefusal(refusal *flow.Refusal) bool {
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	h := c.w.Header()
	switch {
	case isGRPC(kind): // "Trailers-Only"
		h.Set("Content-Type", kind)
		h.Set("Grpc-Status", strconv.Itoa(grpcCode(refusal)))
		h.Set("Grpc-Message", grpcText(refusal.Text))
		c.w.WriteHeader(http.StatusOK)
	case codec.Enveloped(kind):
		h.Set("Content-Type", kind)
		c.w.WriteHeader(http.StatusOK)
		c.w.Write(codec.AppendEnvelope(nil, codec.EndStream, connectError(refusal, true)))
	case c.r.Header.Get("Connect-Protocol-Version") != "":
		h.Set("Content-Type", "application/json")
		c.w.WriteHeader(refusal.Status)
		c.w.Write(connectError(refusal, false))
	default:
		return false
	}
	return true
}

// rpcEnd ends an answer that has begun with a refusal, in the call's own form. It
// is false when the form has no place for one.
func (c *call) rpcEnd(refusal *flow.Refusal) bool {
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	switch {
	case isGRPC(kind):
		c.w.Header().Set(http.TrailerPrefix+"Grpc-Status", strconv.Itoa(grpcCode(refusal)))
		c.w.Header().Set(http.TrailerPrefix+"Grpc-Message", grpcText(refusal.Text))
	case codec.Enveloped(kind):
		c.w.Write(codec.AppendEnvelope(nil, codec.EndStream, connectError(refusal, true)))
	default:
		return false
	}
	return true
}

func isGRPC(kind string) bool {
	return kind == "application/grpc" || strings.HasPrefix(kind, "application/grpc+")
}

// Codes of gRPC (grpc.io, "Status codes").
const (
	grpcResourceExhausted = 8
	grpcPermissionDenied  = 7
	grpcUnavailable       = 14
)

func grpcCode(r *flow.Refusal) int {
	switch {
	case r.Kind == "too_large":
		return grpcResourceExhausted
	case r.Status >= http.StatusInternalServerError:
		return grpcUnavailable
	}
	return grpcPermissionDenied
}

// grpcText escapes a message as gRPC asks (PROTOCOL-HTTP2, Status-Message).
func grpcText(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// connectError is an error in Connect's JSON, of a call or at the end of a stream.
func connectError(r *flow.Refusal, inStream bool) []byte {
	code := map[int]string{grpcResourceExhausted: "resource_exhausted", grpcPermissionDenied: "permission_denied", grpcUnavailable: "unavailable"}[grpcCode(r)]
	said := map[string]any{"code": code, "message": r.Text}
	if inStream {
		said = map[string]any{"error": said}
	}
	text, err := json.Marshal(said)
	if err != nil {
		panic(err) // strings can't fail
	}
	return text
}
