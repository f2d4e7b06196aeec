package codec

import "github.com/workingagents/gatehouse/internal/wire/body"

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
