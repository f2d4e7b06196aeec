package carry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/upstream"
	"github.com/workingagents/gatehouse/internal/wire/codec"
)

// Reasons for which an upstream call is ended.
var (
	errSilent   = errors.New("the provider sent nothing for too long")
	errClient   = errors.New("the client went away")
	errProvider = errors.New("the provider closed the socket")
	errStopped  = errors.New("the gateway stopped")
	errQuiet    = errors.New("neither side of the socket said anything for too long")
	errStuck    = errors.New("the provider did not take the message in time")
	errHalf     = errors.New("the client did not send the rest of its message in time")
	errUnread   = errors.New("the client did not read the answer in time")
)

// An answer is read into small chunks, as events come, and into large ones once
// a small one was full: a thousand quiet streams need not hold large ones. A
// small one fits net/http's buffer of 4 KB with the lines of its transfer
// coding, and so leaves in one write.
const (
	smallChunk = 4<<10 - 64
	largeChunk = 32 << 10
)

var (
	smallChunks = sync.Pool{New: func() any { return new([smallChunk]byte) }}
	largeChunks = sync.Pool{New: func() any { return new([largeChunk]byte) }}
)

// serve takes one HTTP request all the way: read, admit, forward, watch.
func (c *call) serve() {
	body, release, err := c.readBody()
	if err != nil {
		c.deny(body, err)
		return
	}
	defer release()
	c.message.Body = body
	c.admitted(release)
}

// admitted has the gate admit the message, forwards it and brings the answer back.
func (c *call) admitted(release func()) {
	passage, err := c.admit()
	if err != nil {
		c.writeError(err)
		return
	}
	c.message = nil // the body is the transport's now, and the conversation's tip's
	body, decoded := passage.Body()
	c.forward(passage, c.header(passage, decoded), func(ctx context.Context, header http.Header) (*http.Response, error) {
		return c.up.Send(ctx, c.r.Method, c.upQuery, header, body, func() { c.idle.Reset(c.s.o.IdleTimeout) })
	}, release)
}

// maxLogin is the size up to which a log-in is believed to be one.
const maxLogin = 64 << 10

// admit has the gate admit the message. A log-in's credentials may be neither
// kept nor replaced; what is too long for one is a message like any other.
func (c *call) admit() (*gate.Passage, error) {
	if c.route.Login && len(c.message.Body) <= maxLogin {
		return c.s.o.Gate.AdmitBlind(c.message, gate.Login, "a log-in: recorded by fingerprint only")
	}
	return c.s.o.Gate.Admit(c.message)
}

// header gives the headers to forward. They are the client's, unless the body
// was decoded to change it, or the answer must come as it can be read.
func (c *call) header(p *gate.Passage, decoded bool) http.Header {
	h := c.r.Header
	if !decoded && !p.Rewrites() {
		return h
	}
	h = h.Clone()
	if decoded {
		h.Del("Content-Encoding")
	}
	if p.Rewrites() {
		h.Set("Accept-Encoding", "identity")
	}
	return h
}

// readBody reads the request's body up to the limit. What it holds counts
// against the memory for bodies until release.
func (c *call) readBody() (body []byte, release func(), err error) {
	r, limit := c.r, c.s.o.MaxBody
	if r.ContentLength > limit {
		return nil, nil, tooLarge(limit)
	}
	if r.ContentLength == 0 {
		return nil, func() {}, nil
	}
	in := &bodyReader{call: c, control: http.NewResponseController(c.w)}
	defer in.control.SetReadDeadline(time.Time{})
	body, err = in.read(limit)
	if err != nil {
		c.s.budget.Release(in.held)
		return body, nil, err
	}
	return body, sync.OnceFunc(func() { c.s.budget.Release(in.held) }), nil
}

var errBusy = refuse(http.StatusServiceUnavailable, "busy", "the gateway holds as many request bodies as it may (limits.memory)")

func tooLarge(limit int64) *flow.Refusal {
	return refuse(http.StatusBadRequest, "too_large", fmt.Sprintf("the request's body is over the limit of %d bytes (limits.body)", limit))
}

// bodyReader reads a body in steps: each takes memory from the budget and
// gives the client a new deadline.
type bodyReader struct {
	call    *call
	control *http.ResponseController
	held    int64
}

const bodyStep = 256 << 10

func (b *bodyReader) read(limit int64) ([]byte, error) {
	size := b.call.r.ContentLength
	first := size
	if size < 0 {
		first = bodyStep
	}
	if err := b.take(first); err != nil {
		return nil, err
	}
	buf := make([]byte, 0, first)
	for {
		if len(buf) == cap(buf) && int64(len(buf)) != size {
			if err := b.take(int64(cap(buf))); err != nil {
				return buf, err
			}
			buf = append(make([]byte, 0, 2*cap(buf)), buf...)
		}
		if int64(len(buf)) == size {
			return buf, nil
		}
		b.control.SetReadDeadline(time.Now().Add(b.call.s.o.ReadTimeout))
		n, err := b.call.r.Body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if int64(len(buf)) > limit {
			return buf, tooLarge(limit)
		}
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return buf, slowOrGone(err)
		}
	}
}

func (b *bodyReader) take(n int64) error {
	if !b.call.s.budget.TryAcquire(n) {
		return errBusy
	}
	b.held += n
	return nil
}

func slowOrGone(err error) *flow.Refusal {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return &flow.Refusal{Status: http.StatusRequestTimeout, Kind: "slow_client", Text: "the request's body did not come in time (limits.read_timeout)", Err: err}
	}
	return cutShort("request's body", err)
}

func cutShort(what string, err error) *flow.Refusal {
	return &flow.Refusal{Status: http.StatusBadRequest, Kind: "cut_short", Text: "the " + what + " ended early", Err: err}
}

// deny records and answers a request whose body was not read whole.
func (c *call) deny(body []byte, err error) {
	var refusal *flow.Refusal
	if !errors.As(err, &refusal) {
		refusal = slowOrGone(err)
	}
	c.w.Header().Set("Connection", "close")
	over := refusal.Kind == "slow_client" || refusal.Kind == "cut_short"
	size := int64(len(body))
	if !over {
		size = max(size, c.r.ContentLength) // the rest would have come
	}
	err = c.s.o.Gate.Refuse(c.message, size, refusal)
	if over {
		http.NewResponseController(c.w).SetReadDeadline(time.Now()) // it has had its time
	} else {
		c.s.discard(c.w, c.r)
	}
	c.writeError(err)
}

// discard takes the rest of a refused request's body off the wire: many clients
// write all of it before they look for an answer, and a connection that is
// closed with bytes unread loses the answer. The deadline stays, so that
// net/http, which reads on, can't be held by a body that never comes; before
// the next request it sets its own.
func (s *Carrier) discard(w http.ResponseWriter, r *http.Request) {
	if r.Body == http.NoBody {
		return
	}
	control := http.NewResponseController(w)
	if r.Header.Get("Expect") != "" { // reading would ask for the body
		control.SetReadDeadline(time.Now())
		return
	}
	control.SetReadDeadline(time.Now().Add(s.o.ReadTimeout))
	io.CopyN(io.Discard, r.Body, 2*s.o.MaxBody)
}

// AsRefusal is what a caller is told of an error: itself, if it is a refusal.
func AsRefusal(err error) *flow.Refusal {
	var refusal *flow.Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	return &flow.Refusal{Status: http.StatusInternalServerError, Kind: "internal", Text: "the gateway failed", Err: err}
}

func (c *call) writeError(err error) {
	refusal := AsRefusal(err)
	if refusal.Err != nil {
		c.s.o.Log.Warn("call refused", "kind", refusal.Kind, "err", refusal.Err)
	}
	if !c.rpcRefusal(refusal) {
		WriteRefusal(c.w, c.route.Provider, c.r.Method, refusal)
	}
}

// forward sends an admitted request and brings the answer back.
func (c *call) forward(p *gate.Passage, header http.Header, send func(context.Context, http.Header) (*http.Response, error), release func()) {
	ctx, cancel := context.WithCancelCause(c.r.Context())
	defer cancel(nil)
	defer p.End(flow.Aborted, "the gateway failed") // counts when we panic only
	defer context.AfterFunc(c.s.life, func() { cancel(errStopped) })()
	idle := time.AfterFunc(c.s.o.IdleTimeout, func() { cancel(errSilent) })
	defer idle.Stop()
	c.idle = idle
	resp, err := send(ctx, header)
	release() // an answer has begun: nobody holds the body for the stream's length
	if err != nil {
		c.failed(p, ctx, err)
		return
	}
	defer resp.Body.Close()
	defer c.early.stop()
	if resp.StatusCode < http.StatusOK {
		c.failed(p, ctx, errStatus)
		return
	}
	resp.Request = nil
	p.TLS(c.up.Leg(resp.TLS))
	idle.Reset(c.s.o.IdleTimeout)
	if err := c.head(p, resp); err != nil {
		c.withhold(p, err)
		return
	}
	err = c.stream(p, resp, idle)
	c.finish(p, ctx, resp, err)
}

// withhold answers in place of a provider whose answer may not be delivered.
func (c *call) withhold(p *gate.Passage, err error) {
	refusal := AsRefusal(err)
	p.Fail(refusal)
	c.writeError(refusal)
}

// errStatus: net/http can't pass such a status on. 101 is the answer to an
// upgrade that nobody asked for.
var errStatus = errors.New("the answer has no final status")

// failed answers for a provider that gave no answer at all. A client that is gone gets none:
// one that only has nothing more to say would take an empty 200 for the provider's.
func (c *call) failed(p *gate.Passage, ctx context.Context, err error) {
	sent := upstream.Sent(err) || errors.Is(err, errStatus) || errors.Is(err, errAnswer)
	kept := upstream.Refused(err)
	if of := (*flow.Refusal)(nil); !sent && (kept != nil || !errors.As(err, &of)) {
		p.Unsent()
	}
	if c.r.Context().Err() != nil {
		p.End(flow.Aborted, c.gone().Error()+" before the provider answered")
		panic(http.ErrAbortHandler)
	}
	if kept != nil && kept.Status == http.StatusForbidden {
		p.Refuse(kept)
		c.writeError(kept)
		return
	}
	if of := (*flow.Refusal)(nil); errors.As(err, &of) { // our own, of a message in the row, or of a host that can't be reached
		c.withhold(p, of)
		return
	}
	if of := (*url.Error)(nil); errors.As(err, &of) {
		err = of.Err // without the address, whose query may hold a key
	}
	if why := upstream.Distrust(err); why != "" && context.Cause(ctx) == nil {
		refusal := &flow.Refusal{Status: http.StatusBadGateway, Kind: "upstream_certificate", Text: "the provider could not be trusted, so nothing was forwarded: " + why, Err: err}
		p.Untrusted(refusal, why)
		c.writeError(refusal)
		return
	}
	refusal := &flow.Refusal{Status: http.StatusBadGateway, Kind: "upstream_unreachable", Text: "the provider could not be reached: " + dialReason(err), Err: err}
	if sent {
		refusal.Kind, refusal.Text = "upstream_broken", "the provider had the request and gave no answer: "+dialReason(err)
	}
	if errors.Is(context.Cause(ctx), errSilent) {
		refusal = &flow.Refusal{Status: http.StatusGatewayTimeout, Kind: "upstream_silent", Text: "the provider did not answer in time (limits.idle_timeout)", Err: err}
	}
	if errors.Is(context.Cause(ctx), errStopped) {
		refusal = &flow.Refusal{Status: http.StatusServiceUnavailable, Kind: "draining", Text: "the gateway stopped before the provider answered", Err: err}
	}
	p.Fail(refusal)
	c.writeError(refusal)
}

// dialReason says what went wrong without the address of the request, whose
// query may hold a key.
func dialReason(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.Err
	}
	if errors.Is(err, errStatus) {
		return err.Error()
	}
	return "the connection failed"
}

// head passes the status and the headers on, soon when a stream follows. An
// answer that may not be delivered is an error, and nothing has been passed on.
func (c *call) head(p *gate.Passage, resp *http.Response) error {
	err := p.Answer(resp.StatusCode, identity.ScrubHeader(resp.Header, c.s.o.Secret), ContentEncoding(resp.Header), RequestID(resp.Header), codec.Sniff)
	if err != nil {
		return err
	}
	h := c.w.Header()
	for name, values := range upstream.Forward(resp.Header) {
		h[name] = values
	}
	delete(h, "Alt-Svc") // another way to the provider (RFC 7838), past us
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // net/http would guess one
	}
	for name := range resp.Trailer {
		h.Add("Trailer", name)
	}
	if changes, decoded := p.Changes(); changes {
		h.Del("Content-Length") // what is delivered may be longer
		if decoded {
			h.Del("Content-Encoding")
		}
	}
	c.w.WriteHeader(resp.StatusCode)
	if resp.ContentLength < 0 {
		c.early.start(c.w)
	}
	return nil
}

// headWait is how long the head of a stream waits for the first of its body,
// to leave with it in one write.
const headWait = time.Millisecond

// early sends the head of an answer when its body does not come at once: some
// agents wait only a minute for it.
type early struct {
	mu    sync.Mutex
	timer *time.Timer // nil: not started
	over  bool        // the timer does nothing any more
}

// start may be followed by nothing that touches w before stop.
func (e *early) start(w http.ResponseWriter) {
	e.timer = time.AfterFunc(headWait, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if !e.over {
			e.over = true
			http.NewResponseController(w).Flush() // that the client is gone is told by the next write
		}
	})
}

// stop returns when the timer's function does not run and never will.
func (e *early) stop() {
	if e.timer == nil {
		return
	}
	e.timer.Stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over, e.timer = true, nil
}

// RequestID finds the id by which the provider can find the call.
func RequestID(h http.Header) string {
	for _, name := range [...]string{"Request-Id", "X-Request-Id", "X-Goog-Request-Id"} {
		if id := h.Get(name); id != "" {
			return id
		}
	}
	return ""
}

// stream copies the answer, flushing each chunk, until its end or an error.
func (c *call) stream(p *gate.Passage, resp *http.Response, idle *time.Timer) error {
	small := smallChunks.Get().(*[smallChunk]byte)
	defer smallChunks.Put(small)
	buf := small[:]
	control := http.NewResponseController(c.w)
	alive := c.pulse(control, idle)
	deliver := func(b []byte) error {
		c.early.stop()
		_, err := c.w.Write(b)
		if err == nil {
			err = control.Flush()
		}
		return undelivered(err)
	}
	turn := &sync.Mutex{} // of who delivers: the provider, or we in a silence
	defer c.keepAlive(p, turn, deliver)()
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 {
			alive()
			if err := push(p, turn, buf[:n], deliver); err != nil {
				return err
			}
		}
		if n == smallChunk && len(buf) == smallChunk {
			large := largeChunks.Get().(*[largeChunk]byte)
			defer largeChunks.Put(large)
			buf = large[:]
		}
		if errors.Is(err, io.EOF) {
			turn.Lock()
			defer turn.Unlock()
			return p.Flush(deliver)
		}
		if err != nil {
			return err
		}
	}
}

// undelivered says why a client did not take an answer.
func undelivered(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errUnread
	}
	return errClient
}

func push(p *gate.Passage, turn *sync.Mutex, chunk []byte, deliver func([]byte) error) error {
	turn.Lock()
	defer turn.Unlock()
	return p.Push(chunk, deliver)
}

// keepAlive sends empty events while something of the answer is held back,
// until the function that it gives is called.
func (c *call) keepAlive(p *gate.Passage, turn *sync.Mutex, deliver func([]byte) error) (stop func()) {
	if changes, _ := p.Changes(); !changes {
		return func() {}
	}
	tick := time.NewTicker(c.s.o.KeepAlive)
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				turn.Lock()
				err := p.KeepAlive(deliver)
				turn.Unlock()
				if err != nil {
					return // the next chunk finds the client gone, too
				}
			}
		}
	}()
	return func() {
		tick.Stop()
		close(ended)
		<-done
	}
}

// pulse gives a function that sets both ends' time limits anew, the provider's
// to send and the client's to read: often enough, but not for every chunk.
func (c *call) pulse(control *http.ResponseController, idle *time.Timer) func() {
	limit := c.s.o.IdleTimeout
	every := min(limit/16, time.Second)
	var last time.Time
	return func() {
		now := time.Now()
		if now.Sub(last) < every {
			return
		}
		last = now
		idle.Reset(limit)
		control.SetWriteDeadline(now.Add(limit))
	}
}

// finish records how the answer ended. An answer that was cut is cut for the
// client too, so that it can't take half of it for the whole.
func (c *call) finish(p *gate.Passage, ctx context.Context, resp *http.Response, err error) {
	c.early.stop()
	if errors.Is(err, gate.ErrBlocked) { // the client has been told, in the provider's form
		p.End(flow.Done, "")
		return
	}
	if err == nil {
		for name, values := range resp.Trailer { // announced or not
			c.w.Header()[http.TrailerPrefix+name] = values
		}
		p.End(flow.Done, "")
		return
	}
	var refusal *flow.Refusal
	if errors.As(err, &refusal) && c.rpcEnd(refusal) {
		p.End(flow.Aborted, refusal.Text)
		return
	}
	p.End(flow.Aborted, c.cutReason(ctx, err))
	panic(http.ErrAbortHandler)
}

// gone says who ended the client's connection: when calls are cut at a stop,
// it may be closed before the call itself has been told.
func (c *call) gone() error {
	if c.s.life.Err() != nil {
		return errStopped
	}
	return errClient
}

func (c *call) cutReason(ctx context.Context, err error) string {
	var refusal *flow.Refusal
	switch {
	case errors.As(err, &refusal):
		return refusal.Text
	case errors.Is(context.Cause(ctx), errStopped):
		return errStopped.Error()
	case errors.Is(err, errUnread):
		return errUnread.Error()
	case errors.Is(err, errClient), c.r.Context().Err() != nil:
		return c.gone().Error()
	case errors.Is(context.Cause(ctx), errSilent):
		return errSilent.Error()
	}
	return "the provider broke the answer off"
}
