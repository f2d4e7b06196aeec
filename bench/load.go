package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// scenario is one kind of load. Make gives each worker its own source of
// requests, so that workers share nothing.
type scenario struct {
	name, what string
	workers    int
	source     func(worker int, text *prose) source
}

// source makes requests, one after the other. A request stays valid until the
// next.
type source interface{ next() *request }

var scenarios = []scenario{
	{"calls-2k", "2 KB calls, each a conversation of its own", 64, func(w int, text *prose) source {
		return newCalls(text, 2<<10, "json", "")
	}},
	{"calls-2k-session", "2 KB calls, 64 sessions", 64, func(w int, text *prose) source {
		return newCalls(text, 2<<10, "json", newID())
	}},
	{"bodies-50k", "50 KB bodies, all of it new each time", 64, func(w int, text *prose) source {
		return newCalls(text, 50<<10, "json", "")
	}},
	{"sessions-500k", "coding sessions growing to 500 KB, 8 in parallel", 8, func(w int, text *prose) source {
		return newSessions(text, w)
	}},
	{"streams-50k", "50 KB streams", 64, func(w int, text *prose) source {
		return newCalls(text, 2<<10, "stream", newID())
	}},
}

var ids atomic.Int64

// newID gives a session id that no other run has.
func newID() string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(time.Now().Unix()), ids.Add(1))
}

// calls are single requests of one size with fresh text each.
type calls struct {
	text    *prose
	size    int
	buffer  []byte
	request request
}

func newCalls(text *prose, size int, answer, session string) *calls {
	return &calls{text: text, size: size, request: request{answer: answer, session: session}}
}

func (c *calls) next() *request {
	const system = `You are a helpful assistant in a program for notes. Answer in one paragraph.`
	b := fmt.Appendf(c.buffer[:0], `{"model":"claude-sonnet-4-5","max_tokens":1024,"stream":%t,"system":"%s","messages":[{"role":"user","content":[{"type":"text","text":"`,
		c.request.answer != "json", system)
	b = append(b, c.text.take(c.size-350)...)
	b = append(b, `"}]}]}`...)
	c.buffer, c.request.body, c.request.size = b, net.Buffers{b}, len(b)
	return &c.request
}

// sessions are one coding session after the other, as Claude Code sends them:
// the whole conversation each turn, before system and tools, and a
// cache_control marker that moves to the newest message.
type sessions struct {
	text    *prose
	request request
	front   []byte       // up to the first message
	talk    bytes.Buffer // messages that are settled, with their commas
	newest  []byte       // the newest message, with its marker
	settled []byte       // the same without it
	tail    []byte       // system, tools, and the rest
	turn    int
}

const (
	sessionTail = 70 << 10  // bytes of system and tools
	sessionStep = 8 << 10   // bytes that a turn adds
	sessionEnd  = 500 << 10 // bytes of the last body
)

func newSessions(text *prose, worker int) *sessions {
	s := &sessions{text: text, front: []byte(`{"model":"claude-sonnet-4-5","messages":[`)}
	s.tail = agentTail(text, worker)
	s.begin()
	return s
}

// agentTail is system and tools: 24 tools, as the agents have.
func agentTail(text *prose, worker int) []byte {
	const tools = 24
	b := fmt.Appendf(nil, `],"system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2.1.197.%d"},{"type":"text","text":"%s","cache_control":{"type":"ephemeral"}}],"tools":[`, worker, text.take(sessionTail/4))
	for i := range tools {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"name":"Tool%d","description":"%s","input_schema":{"type":"object","properties":{"path":{"type":"string"},"limit":{"type":"number"}},"required":["path"],"additionalProperties":false}}`, i, text.take(sessionTail*3/4/tools))
	}
	return append(b, `],"metadata":{"user_id":"bench"},"max_tokens":32000,"stream":true}`...)
}

func (s *sessions) begin() {
	s.request = request{answer: "turn", session: newID()}
	s.turn = 0
	s.talk.Reset()
	s.settled = nil
}

func (s *sessions) next() *request {
	if s.talk.Len()+len(s.tail) > sessionEnd {
		s.begin()
	}
	s.grow()
	s.request.body = net.Buffers{s.front, s.talk.Bytes(), s.newest, s.tail}
	s.request.size = len(s.front) + s.talk.Len() + len(s.newest) + len(s.tail)
	return &s.request
}

// grow settles the newest message, adds the model's tool call, and makes its
// result the newest.
func (s *sessions) grow() {
	const marker = `,"cache_control":{"type":"ephemeral"}`
	var message func(mark string) []byte
	if s.turn == 0 {
		text := s.text.take(2 << 10)
		message = func(mark string) []byte {
			return fmt.Appendf(nil, `{"role":"user","content":[{"type":"text","text":"%s"%s}]}`, text, mark)
		}
	} else {
		s.talk.Write(s.settled)
		fmt.Fprintf(&s.talk, `,{"role":"assistant","content":[{"type":"text","text":"%s"},{"type":"tool_use","id":"toolu_%06d","name":"Tool3","input":{"path":"/src/file_%d.go","limit":400}}]},`, s.text.take(400), s.turn, s.turn)
		text := s.text.take(sessionStep - 700)
		message = func(mark string) []byte {
			return fmt.Appendf(nil, `{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_%06d","content":"%s"%s}]}`, s.turn, text, mark)
		}
	}
	s.newest, s.settled = message(marker), message("")
	s.turn++
}

// target is where a load goes, and by which kind of client.
type target struct {
	addr    string
	lean    bool
	through *through // a forward proxy; nil: none
}

// figures are what one measurement gave.
type figures struct {
	calls   int
	sent    int64 // bytes of requests' bodies
	got     int64 // bytes of answers' bodies
	elapsed time.Duration
	cpu     time.Duration // of the gateway's process
}

func (f figures) rate() float64 { return float64(f.calls) / f.elapsed.Seconds() }

// closedLoop keeps every worker busy with one call after the other until the
// time is over, and counts the calls that ended by then.
func closedLoop(t target, s scenario, seed uint64, length time.Duration) (figures, error) {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		total figures
		first error
	)
	ready := make(chan struct{})
	var deadline time.Time // set before ready is closed
	for w := range s.workers {
		src := s.source(w, texts(seed, w))
		wg.Go(func() {
			<-ready
			f, err := work(t, src, deadline)
			mu.Lock()
			defer mu.Unlock()
			total.calls += f.calls
			total.sent += f.sent
			total.got += f.got
			if first == nil {
				first = err
			}
		})
	}
	began := time.Now()
	deadline = began.Add(length)
	close(ready)
	wg.Wait()
	total.elapsed = time.Since(began)
	return total, first
}

// work calls until the deadline. The last call runs to its end: elapsed counts
// it, too.
func work(t target, src source, deadline time.Time) (figures, error) {
	var f figures
	c, err := dial(t)
	if err != nil {
		return f, err
	}
	defer c.close()
	for time.Now().Before(deadline) {
		r := src.next()
		n, err := call(c, r)
		if err != nil {
			return f, err
		}
		f.calls++
		f.sent += int64(r.size)
		f.got += int64(n)
	}
	return f, nil
}

var pool = sync.OnceValue(func() string { return newProse(11).pool })

// texts gives a worker its own sequence of one shared text.
func texts(seed uint64, worker int) *prose {
	return &prose{pool(), rand.New(rand.NewPCG(seed, uint64(worker)))}
}

// openLoop sends calls at a fixed rate, whether earlier ones have come back or
// not, and measures each from the moment at which it was due: a gateway that
// stalls is charged for every call that had to wait.
func openLoop(t target, rate int, seed uint64, length time.Duration) ([]time.Duration, error) {
	n := int(length.Seconds() * float64(rate))
	idle := make(chan client, n)
	delays := make([]time.Duration, n)
	requests := make([]*request, n)
	for i := range requests {
		requests[i] = newCalls(texts(seed, i), 2<<10, "json", "").next()
	}
	for range 8 {
		c, err := dial(t)
		if err != nil {
			return nil, err
		}
		idle <- c
	}
	var (
		wg     sync.WaitGroup
		failed atomic.Pointer[error]
	)
	began := time.Now().Add(50 * time.Millisecond)
	for i := range n {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(due))
		wg.Go(func() {
			first, err := once(t, idle, requests[i])
			if err != nil {
				failed.Store(&err)
				return
			}
			delays[i] = first.Sub(due)
		})
	}
	wg.Wait()
	close(idle)
	for c := range idle {
		c.close()
	}
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return delays, nil
}

// once calls over an idle connection, or a new one when all are busy.
func once(t target, idle chan client, r *request) (first time.Time, err error) {
	var c client
	select {
	case c = <-idle:
	default:
		if c, err = dial(t); err != nil {
			return first, err
		}
	}
	if _, err := call(c, r); err != nil {
		c.close()
		return first, err
	}
	first = c.firstByte()
	idle <- c
	return first, nil
}

// hold opens n streams whose answer has begun and does not end. Close them
// with the function that it gives.
func hold(t target, n int) (release func(), err error) {
	var held []client
	release = func() {
		for _, c := range held {
			c.close()
		}
	}
	src := newCalls(texts(99, 0), 2<<10, "hold", "")
	for range n {
		c, err := dial(t)
		if err != nil {
			return release, err
		}
		held = append(held, c)
		if err := c.begin(src.next()); err != nil {
			return release, err
		}
	}
	return release, nil
}
