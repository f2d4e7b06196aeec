package codec

import (
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/anthropic"
	"github.com/workingagents/gatehouse/internal/wire/gemini"
	"github.com/workingagents/gatehouse/internal/wire/openai"
	"github.com/workingagents/gatehouse/internal/wire/peek"
	"github.com/workingagents/gatehouse/internal/wire/sse"
)

// Limit is how much of an answer that is one JSON body, or of one element of a
// JSON array, is held to be read, in bytes. What is longer is marked unreadable.
const Limit = 16 << 20

// Stream says how the bytes of an answer are framed.
type Stream uint8

// The framings. Sniff looks at the first byte that is neither space nor a byte
// order mark: { or [ is JSON, all else SSE. A Content-Type says nothing: it may be
// missing or wrong, and clients read what they asked for.
const (
	Sniff    Stream = iota
	Messages        // WebSocket: one Push is one event's payload
	events
	document
)

// Options says how an answer is read.
type Options struct {
	Stream       Stream
	Keep         bool       // collect Parts
	Facts        flow.Facts // of the request
	RequestBytes int64      // size of the request: input is estimated from it when the provider never says; 0: it stays 0
}

// decoder is what a provider's package does with an answer.
type decoder interface {
	Event(name string, data []byte)
	Body(data []byte)
	Answer() flow.Answer
	ID() string
	Ended() bool
}

// Answer reads one answer. Every way of cutting the bytes into Push calls
// gives the same result (but for Messages). Its memory is bounded: a line of SSE
// or a JSON body, and with Keep the text of the parts. It is not for use by
// several goroutines at once.
type Answer struct {
	options Options
	decoder decoder // nil: the API is not read
	mode    Stream
	lines   sse.Decoder
	emit    func(sse.Event)
	body    []byte
	array   *frames
	element func([]byte)

	begun, blank, newline bool // what stood before the first byte that is not space
	mark                  int  // bytes of a byte order mark that came before all else
	last                  byte
	events                int
	malformed             bool
	long                  bool // something was over its limit
	ended                 bool
}

// NewAnswer makes the reader of one answer. For an API that is not read it
// takes all and says nothing.
func NewAnswer(api flow.API, o Options) *Answer {
	a := &Answer{options: o, decoder: newDecoder(api, &o), mode: o.Stream}
	a.emit, a.element = a.event, a.message
	if api == flow.Generate || api == flow.StreamGenerate {
		a.array = &frames{}
	}
	return a
}

func newDecoder(api flow.API, o *Options) decoder {
	switch api {
	case flow.Messages, flow.CountTokens:
		return anthropic.NewDecoder(o.Keep)
	case flow.Chat:
		return openai.NewChat(o.Keep, o.Facts.Usage)
	case flow.Responses, flow.ResponsesSocket:
		return openai.NewResponses(o.Keep)
	case flow.Generate, flow.StreamGenerate, flow.GeminiCount:
		return gemini.NewDecoder(o.Keep)
	}
	return nil
}

// Push takes the next bytes, free of content coding.
func (a *Answer) Push(p []byte) {
	if a.decoder == nil || a.ended {
		return
	}
	if a.mode == Messages {
		a.message(p)
		return
	}
	if !a.begun {
		if p = a.begin(p); len(p) == 0 {
			return
		}
	}
	switch {
	case len(p) == 0:
	case a.mode == events:
		a.last = p[len(p)-1]
		a.lines.Push(p, a.emit)
	case a.array != nil:
		a.long = a.array.push(p, a.element) || a.long
	default:
		a.hold(p)
	}
}

const byteOrder = "\xef\xbb\xbf"

// begin passes over a byte order mark and leading space, and finds the framing. For
// SSE these are not without meaning (" data:" is no data line), so their like is
// given to the decoder.
func (a *Answer) begin(p []byte) []byte {
	for i, c := range p {
		if !a.blank && !a.newline && a.mark < len(byteOrder) && c == byteOrder[a.mark] {
			a.mark++
			continue
		}
		switch c {
		case '\n', '\r':
			a.newline, a.blank = true, false
			continue
		case ' ', '\t':
			a.blank = true
			continue
		}
		a.begun = true
		a.frame(c)
		return p[i:]
	}
	return nil
}

func (a *Answer) frame(first byte) {
	if a.mark > 0 && a.mark < len(byteOrder) {
		first = byteOrder[0] // what came of it was none
	}
	a.mode = events
	if first == '{' || first == '[' {
		a.mode = document
	}
	if first != '[' {
		a.array = nil
	}
	if a.mode != events {
		return
	}
	a.lines.Push([]byte(byteOrder[:a.mark]), a.emit)
	if a.newline {
		a.lines.Push([]byte("\n"), a.emit)
	}
	if a.blank {
		a.lines.Push([]byte(" "), a.emit)
	}
}

func (a *Answer) hold(p []byte) {
	if a.long || len(a.body)+len(p) > Limit {
		a.long, a.body = true, nil
		return
	}
	a.body = append(a.body, p...)
}

func (a *Answer) message(data []byte) {
	a.events++
	a.decoder.Event("", data)
}

// event takes an event of SSE. One that was cut off with the stream counts only
// when its payload is whole: some servers leave out the last empty line, too.
func (a *Answer) event(e sse.Event) {
	if e.Unended && !peek.Whole(e.Data) && string(e.Data) != "[DONE]" {
		return
	}
	a.events++
	if e.TooLong {
		a.long = true
		return
	}
	a.decoder.Event(e.Type, e.Data)
}

// End says that no more bytes come, and gives the whole answer.
func (a *Answer) End() flow.Answer {
	if a.decoder != nil && !a.ended && a.begun {
		switch {
		case a.mode == events:
			if a.last != '\n' && a.last != '\r' {
				a.lines.Push([]byte("\n"), a.emit) // some servers leave out the last line's end
			}
			a.lines.End(a.emit)
			a.malformed = a.events == 0
		case a.array == nil && !a.long:
			a.malformed = !peek.Whole(a.body)
			a.decoder.Body(a.body)
		}
	}
	a.ended, a.body = true, nil
	return a.Snapshot()
}

// Snapshot gives the answer as far as it has come. A JSON body is read at its
// End only.
func (a *Answer) Snapshot() flow.Answer {
	if a.decoder == nil {
		return flow.Answer{}
	}
	got := a.decoder.Answer()
	if u := &got.Usage; u.Estimated && u.Input+u.CacheRead+u.CacheWrite == 0 {
		u.Input = (a.options.RequestBytes + 3) / 4
	}
	if a.array != nil && a.array.closed {
		got.Complete = true // the provider closed its list
	}
	if got.Malformed = a.malformed; got.Unreadable == "" {
		got.Unreadable = a.unreadable()
	}
	return got
}

// ID is the provider's name for the answer, as Snapshot would give it; "" before
// it came.
func (a *Answer) ID() string {
	if a.decoder == nil {
		return ""
	}
	return a.decoder.ID()
}

func (a *Answer) unreadable() string {
	switch {
	case a.long && a.mode == events:
		return "an event is longer than can be read"
	case a.long:
		return "the answer is longer than 16 MiB"
	case a.malformed:
		return "there is no event in the answer"
	}
	return ""
}

// Ended reports whether the provider said that nothing more comes: its own end
// of the answer, or an error. Over WebSocket that is where one answer stops.
func (a *Answer) Ended() bool { return a.decoder != nil && a.decoder.Ended() }
