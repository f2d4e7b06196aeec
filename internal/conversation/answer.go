package conversation

import (
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/coding"
	"github.com/workingagents/gatehouse/internal/wire/peek"
)

// answerMax bounds what an answer is decoded to.
const answerMax = 64 << 20

// answer reads what the provider said.
func (b *Builder) answer(m *maker, f *Flow, t *Turn) {
	read, whole, why := spoken(f)
	if why != "" && t.AnswerUnread == "" {
		t.AnswerUnread = why
	}
	if len(read) == 0 && len(whole) > 0 {
		read = []flow.Part{{Kind: flow.UnknownPart, Text: string(whole)}}
	}
	t.Answer = append(t.Answer, m.answer(read)...)
}

// spoken puts an answer's chunks together. What is not read as a conversation comes
// as it is, as far as it is text that was asked for.
func spoken(f *Flow) (parts []flow.Part, whole []byte, why string) {
	if len(f.Chunks) == 0 {
		return nil, nil, ""
	}
	stream := codec.Sniff
	if f.Intent.Method == flow.MethodMessage {
		stream = codec.Messages
	}
	read := codec.NewAnswer(f.Intent.API, codec.Options{Keep: true, Stream: stream})
	dec, err := coding.New(header(f.Outcome, "Content-Encoding"), coding.Limit{Bytes: answerMax})
	if err != nil {
		return nil, nil, "the answer can't be decoded: " + err.Error()
	}
	defer dec.Close()
	take := func(p []byte) {
		read.Push(p)
		if len(whole) < answerKeep {
			whole = append(whole, p[:min(len(p), answerKeep-len(whole))]...)
		}
	}
	for _, chunk := range f.Chunks {
		text, err := dec.Push(chunk)
		take(text)
		if err != nil {
			why = "the answer can't be decoded to its end: " + err.Error()
			break
		}
	}
	if text, err := dec.End(); err == nil {
		take(text)
	}
	said := read.End()
	if len(said.Parts) > 0 || said.Complete && said.Error == "" {
		whole = nil // there is nothing else in it
	}
	if why == "" {
		why = said.Unreadable
	}
	return said.Parts, whole, why
}

// answerKeep is how much is kept of an answer that has no parts.
const answerKeep = 1 << 20

func header(out *flow.Outcome, name string) string {
	if out == nil {
		return ""
	}
	return flow.HeaderValue(out.Header, name)
}

// starts reports whether a tool starts another agent.
func starts(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "agent") || strings.Contains(name, "task") || strings.Contains(name, "delegate")
}

// tells gives the texts among a call's arguments.
func tells(args string) (list []string) {
	for w := peek.Members([]byte(args)); w.Next(); {
		if peek.IsString(w.Value) {
			list = append(list, peek.String(w.Value))
		}
	}
	return list
}

// keyMost is how much of a text is compared.
const keyMost = 8 << 10

// key is what two texts that tell the same have in common.
func key(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return text[:min(len(text), keyMost)]
}

// PartOf gives the whole text of one part of a flow that has all its blocks; nil:
// there is none with that number.
func PartOf(f *Flow, n int64) *Part {
	t := newTurn(f)
	m := &maker{f: f, only: n, findings: t.Findings}
	var all []*Part
	if n >= said {
		read, whole, _ := spoken(f)
		if len(read) == 0 && len(whole) > 0 {
			read = []flow.Part{{Kind: flow.UnknownPart, Text: string(whole)}}
		}
		all = m.answer(read)
	} else {
		if n >= restAt {
			m.only = -1
		}
		all = m.request()
	}
	for _, p := range all {
		if p.N == n {
			return p
		}
	}
	return nil
}
