package body

import (
	enc "encoding/binary"
	"strings"
	"unicode/utf8"
)

// Enveloped reports whether a content type is that of a stream of messages, each
// behind a byte of flags and four of its length: gRPC (grpc.io, PROTOCOL-HTTP2,
// Length-Prefixed-Message) and Connect (connectrpc.com, "Streaming RPCs").
func Enveloped(kind string) bool {
	return kind == "application/grpc" || strings.HasPrefix(kind, "application/grpc+") || strings.HasPrefix(kind, "application/connect+")
}

// isProto reports whether a content type is that of one Protocol Buffers message.
func isProto(kind string) bool {
	switch kind {
	case "application/proto", "application/protobuf", "application/x-protobuf", "application/vnd.google.protobuf":
		return true
	}
	return false
}

// Flags of an envelope: gRPC knows the first, Connect both.
const (
	compressed = 1
	endStream  = 2
)

// EnvelopeHead is the length of what stands before each message.
const EnvelopeHead = 5

// Envelope reads the head that b begins with: its flags, and the length of the
// message behind it. It is false when b is too short.
func Envelope(b []byte) (flags byte, size int, ok bool) {
	if len(b) < EnvelopeHead {
		return 0, 0, false
	}
	return b[0], int(enc.BigEndian.Uint32(b[1:])), true
}

// envelopes cuts a stream of messages. The coding names what compressed ones are
// compressed by.
func (c *cutter) envelopes(kind, coding string) {
	for at := 0; at < len(c.body); {
		flags, size, ok := Envelope(c.body[at:])
		end := at + EnvelopeHead + size
		if !ok || size > len(c.body) || end > len(c.body) {
			c.add(Stretch{Start: at, End: len(c.body), Binary: true, Why: "a message that is cut short"})
			return
		}
		c.add(Stretch{Start: at, End: at + EnvelopeHead, Why: "envelope"})
		switch at += EnvelopeHead; {
		case flags&compressed != 0:
			c.add(Stretch{Start: at, End: end, Binary: true, Coding: coding, Why: "a compressed message"})
		case flags&endStream == 0 && !strings.HasSuffix(kind, "json"):
			c.proto(at, end)
		default:
			c.content(at, end)
		}
		at = end
	}
	for i := range c.found {
		c.found[i].Fixed = true
	}
}

// Bounds of a message.
const (
	protoDepth = 32 // messages in each other
	protoText  = 4  // bytes of a string that stands by itself; shorter ones belong to what is around them
)

// proto cuts a message of Protocol Buffers by what its wire format alone says
// (protobuf.dev, "Encoding"): texts stand by themselves, numbers and names of
// fields between them. Without a schema a text, bytes and a message in it look
// alike; a text is what reads as one.
func (c *cutter) proto(start, end int) {
	p := protobuf{b: c.body, at: start}
	if !p.message(start, end, 0) {
		c.content(start, end)
		return
	}
	for _, s := range p.values {
		c.add(Stretch{Start: p.at, End: s.Start, Why: "fields"})
		c.add(s)
		p.at = s.End
	}
	c.add(Stretch{Start: p.at, End: end, Why: "fields"})
}

type protobuf struct {
	b      []byte
	at     int
	values []Stretch // texts and what can't be read, in order
}

// message reads one and notes its values. It is false when the bytes are none.
func (p *protobuf) message(at, end, depth int) bool {
	noted := len(p.values)
	for at < end {
		tag, n := enc.Uvarint(p.b[at:end])
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29-1 {
			break
		}
		at += n
		switch tag & 7 {
		case 0:
			_, n = enc.Uvarint(p.b[at:end])
		case 1:
			n = 8
		case 5:
			n = 4
		case 2:
			var size uint64
			if size, n = enc.Uvarint(p.b[at:end]); n > 0 && size <= uint64(end-at-n) {
				p.value(at+n, at+n+int(size), depth)
				n += int(size)
			} else {
				n = 0
			}
		default: // groups, which nobody uses any more, and what does not exist
			n = 0
		}
		if n <= 0 || n > end-at {
			at = -1
			break
		}
		at += n
	}
	if at != end {
		p.values = p.values[:noted]
		return false
	}
	return true
}

// value notes what a field holds: a text, a message, or bytes.
func (p *protobuf) value(start, end, depth int) {
	b := p.b[start:end]
	switch {
	case len(b) < protoText:
	case len(p.values) > Most: // beyond what is told apart: scanned as it stands
	case utf8.Valid(b) && strangers(b) == 0:
		p.values = append(p.values, Stretch{Start: start, End: end, JSON: opens(b), Fixed: true, Why: "text of a message"})
	case depth < protoDepth && p.message(start, end, depth+1):
	case magic(b) != "":
		p.values = append(p.values, Stretch{Start: start, End: end, Binary: true, Why: magic(b)})
	case binary(b):
		p.values = append(p.values, Stretch{Start: start, End: end, Binary: true, Why: "bytes of a message"})
	}
}
