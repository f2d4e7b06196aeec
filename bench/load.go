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
type source interface{ next() net.Buffers }

var scenarios = []scenario{
	{"calls-2k", "2 KB calls, each a conversation of its own", 16, func(w int, text *prose) source {
		return newCalls(text, 2<<10, "json", "")
	}},
	{"calls-2k-session", "2 KB calls, 16 sessions", 16, func(w int, text *prose) source {
		return newCalls(text, 2<<10, "json", newID())
	}},
	{"bodies-50k", "50 KB bodies, all of it new each time", 16, func(w int, text *prose) source {
		return newCalls(text, 50<<10, "json", "")
	}},
	{"sessions-500k", "coding sessions growing to 500 KB, 8 in parallel", 8, func(w int, text *prose) source {
		return newSessions(text, w)
	}},
	{"streams-50k", "50 KB streams", 16, func(w int, text *prose) source {
		return newCalls(text, 2<<10, "stream", newID())
	}},
}

var ids atomic.Int64

// newID gives a session id that no other run has.
func newID() string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", uint32(time.Now().Unix()), ids.Add(1))
}

// head makes the request's head as an agent sends it. Its Content-Length is
// written per call.
func head(answer, session string) string {
	h := "POST /anthropic/v1/messages?beta=true HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
		"Accept: application/json\r\nUser-Agent: claude-cli/2.1.197 (external, cli)\r\nX-Api-Key: sk-ant-bench\r\n" +
		"Anthropic-Version: 2023-06-01\r\nAnthropic-Beta: claude-code-20250219,interleaved-thinking-2025-05-14\r\n" +
		answerHeader + ": " + answer + "\r\n"
	if session != "" {
		h += "X-Claude-Code-Session-Id: " + session + "\r\n"
	}
	return h + "Content-Length: "
}

// calls are single requests of one size with fresh text each.
type calls struct {
	text    *prose
	size    int
	head    string
	buffer  []byte
	request [2][]byte
	stream  string
}

func newCalls(text *prose, size int, answer, session string) *calls {
	stream := "false"
	if answer != "json" {
		stream = "true"
	}
	return &calls{text: text, size: size, head: head(answer, session), stream: stream}
}

func (c *calls) next() net.Buffers {
	const system = `You are a helpful assistant in a program for notes. Answer in one paragraph.`
	b := append(c.buffer[:0], `{"model":"claude-sonnet-4-5","max_tokens":1024,"stream":`+c.stream+`,"system":"`+system+`","messages":[{"role":"user","content":[{"type":"text","text":"`...)
	b = append(b, c.text.take(c.size-350)...)
	b = append(b, `"}]}]}`...)
	c.buffer = b
	c.request[0] = fmt.Appendf(c.request[0][:0], "%s%d\r\n\r\n", c.head, len(b))
	c.request[1] = b
	return net.Buffers{c.request[0], c.request[1]}
}

// sessions are one coding session after the other, as Claude Code sends them:
// the whole conversation each turn, before system and tools, and a
// cache_control marker that moves to the newest message.
type sessions struct {
	text    *prose
	head    string
	front   []byte       // up to the first message
	talk    bytes.Buffer // messages that are settled, with their commas
	newest  []byte       // the newest message, with its marker
	settled []byte       // the same without it
	tail    []byte       // system, tools, and the rest
	line    []byte       // the head, as sent
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
	s.head = head("turn", newID())
	s.turn = 0
	s.talk.Reset()
	s.settled = nil
}

func (s *sessions) next() net.Buffers {
	if s.talk.Len()+len(s.tail) > sessionEnd {
		s.begin()
	}
	s.grow()
	size := len(s.front) + s.talk.Len() + len(s.newest) + len(s.tail)
	s.line = fmt.Appendf(s.line[:0], "%s%d\r\n\r\n", s.head, size)
	return net.Buffers{s.line, s.front, s.talk.Bytes(), s.newest, s.tail}
}

// grow settles the newest message, adds the model's tool call, and makes its
// result the newest.
func (s *sessions) grow() {
	const marker = `,"cache_control":{"type":"ephemeral"}`
	message := func(mark string) []byte { return nil }
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

// figures are what one measurement gave.
type figures struct {
	calls   int
	sent    int64 // bytes of bodies and heads
	got     int64 // bytes of answers' bodies
	elapsed time.Duration
	cpu     time.Duration // of the gateway's process
}

func (f figures) rate() float64 { return float64(f.calls) / f.elapsed.Seconds() }

// closedLoop keeps every worker busy with one call after the other until the
// time is over, and counts the calls that ended by then.
func closedLoop(addr string, s scenario, seed uint64, length time.Duration) (figures, error) {
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
			f, err := work(addr, src, deadline)
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
func work(addr string, src source, deadline time.Time) (figures, error) {
	var f figures
	c, err := dial(addr)
	if err != nil {
		return f, err
	}
	defer c.close()
	for time.Now().Before(deadline) {
		request := src.next()
		for _, b := range request {
			f.sent += int64(len(b))
		}
		a, err := c.call(request)
		if err != nil {
			return f, err
		}
		f.calls++
		f.got += int64(a.bytes)
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
func openLoop(addr string, rate int, seed uint64, length time.Duration) ([]time.Duration, error) {
	n := int(length.Seconds() * float64(rate))
	idle := make(chan *client, n)
	delays := make([]time.Duration, n)
	requests := make([]net.Buffers, n)
	for i := range requests {
		requests[i] = newCalls(texts(seed, i), 2<<10, "json", "").next()
	}
	for range 8 {
		c, err := dial(addr)
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
			first, err := once(addr, idle, requests[i])
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
func once(addr string, idle chan *client, request net.Buffers) (first time.Time, err error) {
	var c *client
	select {
	case c = <-idle:
	default:
		if c, err = dial(addr); err != nil {
			return first, err
		}
	}
	a, err := c.call(request)
	if err != nil {
		c.close()
		return first, err
	}
	idle <- c
	return a.first, nil
}

// hold opens n streams whose answer has begun and does not end. Close them
// with the function that it gives.
func hold(addr string, n int) (release func(), err error) {
	var held []*client
	release = func() {
		for _, c := range held {
			c.close()
		}
	}
	src := newCalls(texts(99, 0), 2<<10, "hold", "")
	for range n {
		c, err := dial(addr)
		if err != nil {
			return release, err
		}
		held = append(held, c)
		if _, _, err := c.begin(src.next()); err != nil {
			return release, err
		}
	}
	return release, nil
}
