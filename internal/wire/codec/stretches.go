package codec

import (
	"encoding/binary"
	"mime"

	"github.com/workingagents/gatehouse/internal/wire/body"
)

// Stretch is a part of a body that is no conversation.
type Stretch = body.Stretch

// Stretches says which stretches of a body, free of content coding, are JSON,
// which are text, and which can't be read as they stand: in order, without a
// gap. What is not recognised is text. It never fails, and its work and memory
// are bounded by the body's length.
// The coding is that of the messages of a gRPC or Connect stream.
func Stretches(contentType, coding string, b []byte) []Stretch {
	return body.Cut(contentType, coding, b)
}

// Enveloped reports whether a body of a content type is a row of messages, each
// with a head: gRPC's, or of a stream of Connect's.
func Enveloped(contentType string) bool {
	kind, _, _ := mime.ParseMediaType(contentType)
	return body.Enveloped(kind)
}

// EnvelopeHead is the length of a message's head; EndStream the flag of Connect's
// last one.
const (
	EnvelopeHead = body.EnvelopeHead
	EndStream    = 2
)

// EnvelopeSize reads from a head how long the message behind it is.
func EnvelopeSize(head []byte) int64 {
	_, size, _ := body.Envelope(head)
	return int64(size)
}

// AppendEnvelope appends a message with its head.
func AppendEnvelope(dst []byte, flags byte, message []byte) []byte {
	return append(binary.BigEndian.AppendUint32(append(dst, flags), uint32(len(message))), message...)
}
