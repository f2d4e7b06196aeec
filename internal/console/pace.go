package console

import (
	"io"
	"net/http"
	"time"
)

// patience is for how long a client over TCP may take nothing of its answer, or
// may keep us waiting for what it has to send. A local one may: it is the same
// user's, who looks at a list in a pager, say.
const patience = 30 * time.Second

// pacePiece is what of an answer must be taken in that time.
const pacePiece = 64 << 10

// paced is an answer over TCP. Without an end to waiting, whoever takes nothing
// would keep what it is made of in memory for ever.
type paced struct {
	http.ResponseWriter
	control *http.ResponseController
}

// pacing runs a handler whose client is waited for so long only. What the client
// still has to send when the answer is there is waited for as long.
func pacing(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	p := &paced{w, http.NewResponseController(w)}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &pacedBody{r.Body, p.control, time.Now().Add(patience)}
	}
	defer func() {
		p.wait()
		p.control.SetReadDeadline(time.Now().Add(patience)) // net/http lifts it for the next request
	}()
	next(p, r)
}

// wait gives the client time anew. Writers without deadlines are tests'.
func (p *paced) wait() { p.control.SetWriteDeadline(time.Now().Add(patience)) }

func (p *paced) WriteHeader(status int) {
	p.wait()
	p.ResponseWriter.WriteHeader(status)
}

func (p *paced) Write(b []byte) (n int, err error) {
	for {
		p.wait()
		m, err := p.ResponseWriter.Write(b[n:min(len(b), n+pacePiece)])
		if n += m; err != nil || n >= len(b) {
			return n, err
		}
	}
}

// FlushError is what http.ResponseController calls.
func (p *paced) FlushError() error {
	p.wait()
	return p.control.Flush()
}

// Unwrap is for the rest of http.ResponseController.
func (p *paced) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// pacedBody is a body that must come at a KiB a second at least, in the mean.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	end     time.Time
}

func (b *pacedBody) Read(p []byte) (n int, err error) {
	b.control.SetReadDeadline(b.end)
	n, err = b.ReadCloser.Read(p)
	b.end = b.end.Add(time.Duration(n) * time.Second >> 10)
	b.control.SetReadDeadline(time.Time{}) // or net/http, which waits for the client to leave, would believe it had
	return n, err
}

// How many answers with content are made at one time, and how long others wait until
// one of those is done. Exports go on for long.
const (
	mostReading = 16
	mostExports = 4
	busyTime    = 10 * time.Second
)

// limited runs a handler when one of some slots is free: what an answer is made of
// stays in memory until its reader has it.
func limited(slots chan struct{}, next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		wait := time.NewTimer(busyTime)
		defer wait.Stop()
		select {
		case slots <- struct{}{}:
		case <-r.Context().Done():
			return r.Context().Err()
		case <-wait.C:
			return refuse(http.StatusServiceUnavailable, "busy", "too many others are reading: ask again in a moment")
		}
		defer func() { <-slots }()
		return next(w, r)
	}
}
