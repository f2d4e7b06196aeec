// Package archive reads what other tools recorded: HAR files of browsers and
// proxies, and the flow files of mitmproxy. It gives each exchange as it stands
// there, one after the other, and holds no more than one. It never judges what
// an exchange is for.
package archive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"
)

// Exchange is one request and what came of it.
type Exchange struct {
	Started  time.Time // zero: the file has none that can be read
	Method   string
	URL      string // absolute
	Header   http.Header
	Body     []byte
	Response *Response // nil: none came
	Messages []Message // of a WebSocket, in order; nil: it is none
	Err      error     // why it can't be read whole: what stands above is what could be
}

// Response is an answer, whole.
type Response struct {
	Status    int
	Header    http.Header
	Body      []byte        // as it was sent, unless Decoded
	Decoded   bool          // the body is free of the content coding that the header tells
	FirstByte time.Duration // since Started; 0: not known
	Duration  time.Duration // until the last byte, since Started; 0: not known
}

// Message is one of a WebSocket's.
type Message struct {
	FromClient bool
	Text       bool
	Data       []byte
	At         time.Time
}

// ErrFormat says that a file is none of those that can be read.
var ErrFormat = errors.New("neither a HAR file nor a flow file of mitmproxy")

// maxBytes is the length of the longest exchange that is read: a longer one ends the
// reading with an error.
var maxBytes = 256 << 20

func errLong() error { return fmt.Errorf("it is longer than %d bytes", maxBytes) }

// statusOf gives an answer's status; 0: there was no answer.
func statusOf(n float64) (int, error) {
	switch {
	case n <= 0:
		return 0, nil
	case n < 100 || n > 999 || n != math.Trunc(n):
		return 0, errors.New("the answer's status is none of HTTP's")
	}
	return int(n), nil
}

// Read calls each for every exchange of a file, in the file's order, also for those
// that can't be read. It stops at the first error, each's or one after which nobody
// can tell where the next begins. What stands before the error has been given.
func Read(r io.Reader, each func(*Exchange) error) error {
	in := bufio.NewReaderSize(r, 64<<10)
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		in.Discard(3)
	}
	for {
		c, err := in.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%w: the file is empty", ErrFormat)
		case err != nil:
			return fmt.Errorf("reading the file: %w", err)
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			continue
		}
		in.UnreadByte()
		switch {
		case c == '{':
			return readHAR(in, each)
		case c >= '0' && c <= '9':
			return readFlows(in, each)
		}
		return ErrFormat
	}
}
