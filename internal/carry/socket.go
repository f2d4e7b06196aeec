package carry

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/upstream"
	"github.com/workingagents/gatehouse/internal/wire/codec"
)

// maxErrorBody bounds the body of a provider's refusal to upgrade.
const maxErrorBody = 1 << 20

// maxEvent bounds one message of a provider, which is read whole.
const maxEvent = 64 << 20

func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// socket relays one WebSocket. Each client message is admitted by itself
// before it is forwarded, and what comes back is its answer.
type socket struct {
	call       *call
	client, up *websocket.Conn
	template   gate.Message // what every message of this socket has in common
	leg        *flow.Leg    // the connection to the provider
	responses  bool         // the Responses API: answers have an end that can be seen
	stop       context.CancelCauseFunc
	idle       *time.Timer

	why   atomic.Pointer[string] // why the socket ended
	going atomic.Bool            // draining: no new messages, close when open is empty

	mu   sync.Mutex // guards open and the passages in it
	open []lane
}

// lane is an answer that is coming. Several may share a socket, told apart by
// the stream_id of their events; without one they follow each other.
type lane struct {
	*gate.Passage
	stream string
}

// serveSocket admits the upgrade as a flow of its own, makes it at the
// provider, and relays messages until either side closes.
func (c *call) serveSocket() {
	if c.route.API != flow.ResponsesSocket {
		c.message.API = flow.Opaque
	}
	template := *c.message
	passage, err := c.s.o.Gate.Admit(c.message)
	if err != nil {
		c.writeError(err)
		return
	}
	ctx, stop := context.WithCancelCause(c.r.Context())
	defer stop(nil)
	defer passage.End(flow.Aborted, "the gateway failed") // counts when we panic only
	defer context.AfterFunc(c.s.life, func() { stop(errStopped) })()
	silent := time.AfterFunc(c.s.o.IdleTimeout, func() { stop(errSilent) })
	up, resp, err := c.dial(ctx)
	silent.Stop()
	if err != nil {
		c.notUpgraded(passage, ctx, resp, err)
		return
	}
	defer up.CloseNow()
	passage.TLS(c.up.Leg(resp.TLS))
	if err := passage.Answer(resp.StatusCode, identity.ScrubHeader(resp.Header, c.s.o.Secret), "", RequestID(resp.Header), codec.Sniff); err != nil {
		c.withhold(passage, err)
		return
	}
	client, err := c.accept(resp, up.Subprotocol())
	if err != nil {
		passage.End(flow.Aborted, "the client's upgrade failed")
		return
	}
	defer client.CloseNow()
	passage.End(flow.Done, "")
	template.Method, template.Encoding = flow.MethodMessage, ""
	k := &socket{call: c, client: client, up: up, leg: c.up.Leg(resp.TLS), template: template, responses: c.route.API == flow.ResponsesSocket, stop: stop}
	k.idle = time.AfterFunc(c.s.o.IdleTimeout, func() { stop(k.silence()) })
	k.lively()
	k.relay(ctx)
}

// silence is what the end of the idle time means. On a Responses socket an
// answer is due then; between answers it may be silent for as long as it likes.
// On any other nobody can tell what is due, so it means both sides.
func (k *socket) silence() error {
	if k.responses {
		return errSilent
	}
	return errQuiet
}

// lively begins the idle time anew, where it runs. Whoever calls it for a
// Responses socket holds mu, but at its start.
func (k *socket) lively() {
	if k.responses && len(k.open) == 0 {
		k.idle.Stop()
		return
	}
	k.idle.Reset(k.call.s.o.IdleTimeout)
}

// send writes one message. When a side does not take it within the idle time,
// the socket ends, and stuck is why.
func (k *socket) send(ctx context.Context, to *websocket.Conn, kind websocket.MessageType, body []byte, stuck error) error {
	defer time.AfterFunc(k.call.s.o.IdleTimeout, func() { k.stop(stuck) }).Stop()
	return to.Write(ctx, kind, body)
}

// dial makes the upgrade at the provider. The provider's own refusal comes
// back whole, as a response with its body.
func (c *call) dial(ctx context.Context) (*websocket.Conn, *http.Response, error) {
	url, client := c.up.Socket(c.upQuery)
	kept := &keeper{next: client.Transport}
	client.Transport = kept
	header := upstream.Forward(c.r.Header)
	for name := range header {
		if strings.HasPrefix(name, "Sec-Websocket-") {
			delete(header, name)
		}
	}
	if _, ok := header["User-Agent"]; !ok {
		header["User-Agent"] = nil
	}
	conn, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient: client, HTTPHeader: header, Subprotocols: subprotocols(c.r.Header),
		CompressionMode: websocket.CompressionNoContextTakeover,
	})
	if err != nil && kept.refused != nil {
		return nil, kept.refused, err
	}
	return conn, resp, err
}

// keeper keeps the response to an upgrade that the provider refused:
// websocket.Dial gives only its first kilobyte.
type keeper struct {
	next    http.RoundTripper
	refused *http.Response
}

func (k *keeper) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := k.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		if conn, ok := resp.Body.(io.ReadWriteCloser); ok {
			resp.Body = whole{conn}
		}
		return resp, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody+1))
	resp.Body.Close()
	if err != nil || len(body) > maxErrorBody {
		return nil, errors.Join(errAnswer, err)
	}
	kept := *resp
	kept.Body = io.NopCloser(bytes.NewReader(body))
	k.refused = &kept
	resp.Body = http.NoBody
	return resp, nil
}

var errAnswer = errors.New("the provider's refusal could not be read")

func subprotocols(h http.Header) (names []string) {
	for _, line := range h["Sec-Websocket-Protocol"] {
		for name := range strings.SplitSeq(line, ",") {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

// errCutOff says that a connection ended. The library takes an io.EOF below it for the end
// of the message that it reads, and gives what came as a whole one.
var errCutOff = errors.New("the connection was cut off")

func cutOff(err error) error {
	if err == io.EOF {
		return errCutOff
	}
	return err
}

// whole is a connection of which no end is the end of a message.
type whole struct{ io.ReadWriteCloser }

func (w whole) Read(b []byte) (int, error) {
	n, err := w.ReadWriteCloser.Read(b)
	return n, cutOff(err)
}

// hijacker gives such a connection of a client.
type hijacker struct{ http.ResponseWriter }

func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffer, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return wholeConn{conn}, buffer, nil
}

type wholeConn struct{ net.Conn }

func (w wholeConn) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	return n, cutOff(err)
}

// notUpgraded passes the provider's refusal on as it came.
func (c *call) notUpgraded(p *gate.Passage, ctx context.Context, resp *http.Response, err error) {
	if resp == nil {
		c.failed(p, ctx, err)
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode < http.StatusOK {
		c.failed(p, ctx, errStatus)
		return
	}
	idle := time.NewTimer(c.s.o.IdleTimeout)
	defer idle.Stop()
	if err := c.head(p, resp); err != nil {
		c.withhold(p, err)
		return
	}
	c.finish(p, ctx, resp, c.stream(p, resp, idle))
}

func (c *call) accept(resp *http.Response, subprotocol string) (*websocket.Conn, error) {
	for name, values := range upstream.Forward(resp.Header) {
		if !strings.HasPrefix(name, "Sec-Websocket-") {
			c.w.Header()[name] = values
		}
	}
	var protocols []string
	if subprotocol != "" {
		protocols = []string{subprotocol}
	}
	return websocket.Accept(hijacker{c.w}, c.r, &websocket.AcceptOptions{
		Subprotocols: protocols, CompressionMode: websocket.CompressionNoContextTakeover,
		InsecureSkipVerify: true, // whose pages may call is the provider's to say, and it has
	})
}

// relay runs both directions and ends every passage that is still open.
func (k *socket) relay(ctx context.Context) {
	s := k.call.s
	s.mu.Lock()
	s.sockets[k] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.sockets, k)
		s.mu.Unlock()
	}()
	if s.draining.Load() {
		k.drain()
	}
	defer k.abort()
	k.client.SetReadLimit(-1) // the limit is ours: an error in the provider's shape, and a record
	k.up.SetReadLimit(maxEvent)
	var down sync.WaitGroup
	down.Go(func() {
		defer k.survive()
		k.fromProvider(ctx)
	})
	down.Go(func() { k.keepAlive(ctx) })
	k.fromClient(ctx)
	k.stop(errClient)
	down.Wait()
}

// survive ends the socket when what it is deferred by panics: net/http recovers
// its own goroutines only. What the panic says may hold content.
func (k *socket) survive() {
	if v := recover(); v != nil {
		k.call.s.o.Log.Error("a defect ended a socket", "panic", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
		k.ends(errDefect.Error())
		k.stop(errDefect)
	}
}

var errDefect = errors.New("the gateway failed")

// ends notes why the socket ends. The first who knows is right.
func (k *socket) ends(why string) { k.why.CompareAndSwap(nil, &why) }

// reason is why a side could not be read: it closed, unless we ended all.
func reason(ctx context.Context, closed error) string {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause.Error()
	}
	return closed.Error()
}

// abort ends the passages that are open when the socket has ended.
func (k *socket) abort() {
	k.idle.Stop()
	k.ends("the gateway failed") // counts when we panic only
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.open {
		p.End(flow.Aborted, *k.why.Load())
	}
	k.open = nil
}

// drain lets the answers under way end, then closes. It does not wait: a
// client that does not read what is delivered holds mu.
func (k *socket) drain() {
	k.going.Store(true)
	go func() {
		k.mu.Lock()
		empty := len(k.open) == 0
		k.mu.Unlock()
		if empty {
			k.client.Close(websocket.StatusServiceRestart, "the gateway is stopping")
		}
	}()
}

// fromClient admits and forwards messages until the client, the provider or an
// error ends the socket, and notes which.
func (k *socket) fromClient(ctx context.Context) {
	for {
		if !k.relayOne(ctx) {
			return
		}
	}
}

// relayOne takes one message from the client to the provider. It is false when
// the socket is at its end.
func (k *socket) relayOne(ctx context.Context) bool {
	kind, body, held, err := k.read(ctx)
	defer func() { k.call.s.budget.Release(held) }()
	var refusal *flow.Refusal
	switch {
	case errors.As(err, &refusal):
		k.ends(refusal.Text)
		k.tell(ctx, refusal)
		k.client.Close(websocket.StatusMessageTooBig, "the message was not read to its end")
		return false
	case err != nil:
		k.ends(reason(ctx, errClient))
		var end websocket.CloseError
		if errors.As(err, &end) {
			end.Reason = "" // nobody judged it
			err = end
		}
		closed(err, k.up)
		return false
	}
	if err := k.forward(ctx, kind, body); err != nil {
		k.ends(reason(ctx, errProvider))
		return false
	}
	return true
}

// read takes one message of the client, up to the limit. What it holds of the
// memory for bodies is the caller's to give back, also after an error.
func (k *socket) read(ctx context.Context) (kind websocket.MessageType, body []byte, held int64, err error) {
	kind, r, err := k.client.Reader(ctx)
	if err != nil {
		return 0, nil, 0, err
	}
	slow := time.AfterFunc(k.call.s.o.ReadTimeout, func() { k.stop(errHalf) }) // a message that has begun has to go on
	defer slow.Stop()
	limit := k.call.s.o.MaxBody
	for step := int64(bodyStep); ; step = held { // as much again, each time
		if !k.call.s.budget.TryAcquire(step) {
			return 0, nil, held, k.refuse(int64(len(body)), errBusy)
		}
		held += step
		slow.Reset(k.call.s.o.ReadTimeout)
		body = slices.Grow(body, int(step))
		n, err := io.ReadFull(r, body[len(body):held])
		body = body[:len(body)+n]
		if int64(len(body)) > limit {
			return 0, nil, held, k.refuse(int64(len(body)), tooLarge(limit))
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF { // ReadFull's own, at the message's end
			return kind, body, held, nil
		}
		if errors.Is(err, errCutOff) && ctx.Err() == nil {
			return 0, nil, held, k.refuse(int64(len(body)), cutShort("message", err))
		}
		if err != nil {
			return 0, nil, held, err
		}
	}
}

// refuse records a message that was not read to its end.
func (k *socket) refuse(size int64, r *flow.Refusal) *flow.Refusal {
	m := k.template
	return k.call.s.o.Gate.Refuse(&m, size, r)
}

// forward admits one message and sends it. A refusal is told to the client and
// leaves the socket open; an error means that the provider is gone.
func (k *socket) forward(ctx context.Context, kind websocket.MessageType, body []byte) error {
	m := k.template
	m.Body = body
	said := codec.ReadEnvelope(body)
	// What can't be read is answered, too: with an error.
	answered := k.responses && kind == websocket.MessageText && (said.Type == "response.create" || said.Type == "")
	m.API = flow.Opaque
	if answered {
		m.API = flow.Responses
	}
	if k.going.Load() {
		k.tell(ctx, k.call.s.o.Gate.Refuse(&m, int64(len(body)), errDraining))
		return nil
	}
	if err := k.call.mayStill(); err != nil {
		return k.shut(ctx, k.call.s.o.Gate.Refuse(&m, int64(len(body)), AsRefusal(err)))
	}
	p, err := k.call.s.o.Gate.Admit(&m)
	if err != nil {
		k.tell(ctx, err)
		return nil
	}
	p.TLS(k.leg)
	body, _ = p.Body()
	if k.responses && !answered {
		return k.order(ctx, p, kind, body)
	}
	if err := answering(p); err != nil {
		k.tell(ctx, err)
		return nil
	}
	k.expect(lane{p, said.Stream})
	return k.send(ctx, k.up, kind, body, errStuck)
}

// shut ends the socket of somebody who may not go on.
func (k *socket) shut(ctx context.Context, refusal *flow.Refusal) error {
	k.ends(refusal.Text)
	k.tell(ctx, refusal)
	k.client.Close(websocket.StatusPolicyViolation, refusal.Kind)
	return refusal
}

// answering makes a passage ready for its answer. With an error it has ended:
// what must be judged could not be, so nothing is to be asked.
func answering(p *gate.Passage) error {
	err := p.Answer(http.StatusOK, nil, "", "", codec.Messages)
	if err != nil {
		p.Fail(AsRefusal(err))
	}
	return err
}

// order sends a message on a Responses socket that asks for no answer
// (response.cancel …): it is done once the provider has it.
func (k *socket) order(ctx context.Context, p *gate.Passage, kind websocket.MessageType, body []byte) error {
	defer p.End(flow.Aborted, "the gateway failed") // counts when we panic only
	if err := k.send(ctx, k.up, kind, body, errStuck); err != nil {
		p.End(flow.Aborted, reason(ctx, errProvider))
		return err
	}
	if err := answering(p); err != nil {
		return err
	}
	p.End(flow.Done, "")
	return nil
}

// expect makes p the passage that the provider's next events belong to, once
// those before it have ended. Where an answer's end can't be seen, the next
// message ends it.
func (k *socket) expect(p lane) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.responses {
		for _, before := range k.open {
			before.End(flow.Done, "")
		}
		k.open = k.open[:0]
	}
	k.open = append(k.open, p)
	k.lively()
}

// fromProvider records, reads and delivers the provider's messages.
func (k *socket) fromProvider(ctx context.Context) {
	for {
		kind, body, err := k.up.Read(ctx)
		if errors.Is(err, websocket.ErrMessageTooBig) {
			k.ends("a message of the provider is over the limit")
			k.client.Close(websocket.StatusMessageTooBig, "the provider's message is over the limit")
			k.stop(err)
			return
		}
		if err != nil {
			k.ends(reason(ctx, errProvider))
			closed(err, k.client)
			k.stop(errProvider)
			return
		}
		if err := k.deliver(ctx, kind, body); err != nil {
			var refusal *flow.Refusal
			if errors.As(err, &refusal) {
				k.ends(refusal.Text)
			}
			k.ends(reason(ctx, errClient))
			k.stop(err)
			return
		}
	}
}

// deliver gives one message of the provider to the passage that waits for it.
func (k *socket) deliver(ctx context.Context, kind websocket.MessageType, body []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	asked := len(k.open) > 0
	if !asked {
		if err := k.unasked(); err != nil {
			return err
		}
	}
	i := k.laneOf(body)
	p := k.open[i]
	k.idle.Stop() // the provider is not silent while the client reads
	write := func(b []byte) error { return k.send(ctx, k.client, kind, b, errUnread) }
	err := p.Push(body, write)
	over := p.Over() || k.responses && !asked
	if err == nil && over {
		err = p.Flush(write)
	}
	if errors.Is(err, gate.ErrBlocked) {
		return k.blocked(i)
	}
	if err != nil {
		return err
	}
	if k.responses && over {
		p.End(flow.Done, "")
		k.open = slices.Delete(k.open, i, i+1)
	}
	k.lively()
	if k.responses && len(k.open) == 0 && k.going.Load() {
		go k.client.Close(websocket.StatusServiceRestart, "the gateway is stopping")
	}
	return nil
}

// blocked ends the socket after an answer that was blocked: the provider waits
// for the output of a call that the client never saw. Codex connects again,
// and sends its whole conversation.
func (k *socket) blocked(i int) error {
	k.open[i].End(flow.Done, "")
	k.open = slices.Delete(k.open, i, i+1)
	k.ends("an answer on the same socket was blocked")
	k.client.Close(websocket.StatusNormalClosure, "")
	return gate.ErrBlocked
}

// keepAlive sends empty events while something of an answer is held back.
func (k *socket) keepAlive(ctx context.Context) {
	tick := time.NewTicker(k.call.s.o.KeepAlive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			k.mu.Lock()
			for _, p := range k.open {
				p.KeepAlive(func(b []byte) error { return k.send(ctx, k.client, websocket.MessageText, b, errUnread) })
			}
			k.mu.Unlock()
		}
	}
}

// laneOf gives the index in open of the answer that an event belongs to.
func (k *socket) laneOf(event []byte) int {
	if len(k.open) < 2 {
		return 0
	}
	stream := codec.ReadEnvelope(event).Stream
	return max(0, slices.IndexFunc(k.open, func(l lane) bool { return l.stream == stream }))
}

// unasked opens a flow for what a provider sends on its own: no record, no
// passage holds in both directions.
func (k *socket) unasked() error {
	m := k.template
	m.API = flow.Opaque
	p, err := k.call.s.o.Gate.Admit(&m)
	if err != nil {
		return err
	}
	p.TLS(k.leg)
	if err := answering(p); err != nil {
		return err
	}
	k.open = append(k.open, lane{Passage: p})
	return nil
}

// tell sends a refusal as an event of the API.
func (k *socket) tell(ctx context.Context, err error) {
	var refusal *flow.Refusal
	if !errors.As(err, &refusal) {
		refusal = &flow.Refusal{Status: http.StatusInternalServerError, Kind: "internal", Text: "the gateway failed", Err: err}
	}
	k.send(ctx, k.client, websocket.MessageText, gate.Reply(k.template.Provider, flow.MethodMessage, refusal), errUnread)
}

// closed passes one side's close on to the other with its code and reason.
func closed(err error, other *websocket.Conn) {
	var closed websocket.CloseError
	if errors.As(err, &closed) {
		other.Close(closed.Code, closed.Reason)
		return
	}
	other.CloseNow()
}
