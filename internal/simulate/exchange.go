package simulate

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// bodyBytes is the longest body that is read, coded or decoded.
const bodyBytes = 128 << 20

// exchange is one request and its answer.
type exchange struct {
	s    *Server
	w    http.ResponseWriter
	r    *http.Request
	body []byte   // decoded
	args []string // what the route's expression caught in the path
	rec  *record
	api  dialect
}

// dialect is how one provider says what all of them say.
type dialect struct {
	head func(e *exchange, h http.Header)     // headers of every answer
	fail func(status int, text string) string // body of an error
	oops event                                // an error in a stream
}

// route is one operation. The first that fits answers.
type route struct {
	method string // "": any
	path   *regexp.Regexp
	api    dialect
	answer func(*exchange) error
}

// ServeHTTP answers one request. A script that breaks the connection ends the
// handler by http.ErrAbortHandler, as net/http wants it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytes))
	if err != nil {
		http.Error(w, "reading the body: "+err.Error(), http.StatusBadRequest)
		return
	}
	rec, err := s.keeper.open(r.Method, r, raw)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	e := &exchange{s: s, w: w, r: r, rec: rec}
	s.finish(e, s.handle(e, raw))
}

// handle finds the operation and lets it answer.
func (s *Server) handle(e *exchange, raw []byte) (err error) {
	path := plain(e.r.URL.Path)
	for _, o := range s.routes {
		e.args = o.path.FindStringSubmatch(path)
		if e.args == nil || o.method != "" && o.method != e.r.Method {
			continue
		}
		e.api = o.api
		o.api.head(e, e.w.Header())
		if e.body, err = decode(e.r.Header.Get("Content-Encoding"), raw); err != nil {
			return e.refuse(http.StatusBadRequest, "The body does not decode.")
		}
		return o.answer(e)
	}
	return e.whole(http.StatusNotFound, `{"error":{"type":"not_found_error","message":"No such path."}}`)
}

// finish ends the record and, when the answer was broken, the connection.
func (s *Server) finish(e *exchange, err error) {
	if end := e.rec.end(err == nil); end != nil {
		s.o.Log.Error("recording", "err", end)
	}
	s.o.Log.Info("answered", "method", e.r.Method, "path", e.r.URL.Path, "status", e.rec.sent.Status,
		"in", len(e.body), "out", e.rec.sent.Bytes, "complete", err == nil)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

// plain is the path as the provider knows it: without the prefix that tells
// providers apart, and with OpenAI's version.
func plain(path string) string {
	path = strings.TrimPrefix(path, "/llm-gateway")
	for _, provider := range []string{"/anthropic", "/openai", "/gemini"} {
		rest, ok := strings.CutPrefix(path, provider)
		if !ok || rest != "" && rest[0] != '/' {
			continue
		}
		if provider == "/openai" && !strings.HasPrefix(rest, "/v1/") {
			rest = "/v1" + rest
		}
		return rest
	}
	return path
}

func decode(coding string, body []byte) ([]byte, error) {
	var r io.Reader = bytes.NewReader(body)
	var err error
	switch coding {
	case "", "identity":
		return body, nil
	case "gzip":
		r, err = gzip.NewReader(r)
	case "deflate":
		r, err = zlib.NewReader(r)
	case "br":
		r = brotli.NewReader(r)
	case "zstd":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1)); err == nil {
			defer z.Close()
			r = z
		}
	default:
		err = errors.New("unknown content coding")
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, bodyBytes))
}

// whole answers with one JSON body.
func (e *exchange) whole(status int, body string) error {
	return e.wholeAs(script{}, status, body)
}

func (e *exchange) wholeAs(s script, status int, body string) error {
	o := newOutlet(e.w, e.rec, s)
	if s.encode == "" {
		e.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	if err := o.start(status, "application/json"); err != nil {
		return err
	}
	if err := o.send(body); err != nil {
		return err
	}
	return o.close()
}

// stream answers with events.
func (e *exchange) stream(s script, contentType string, events iter.Seq[event]) error {
	o := newOutlet(e.w, e.rec, s)
	o.w.Header().Set("Cache-Control", "no-cache")
	if err := o.start(http.StatusOK, contentType); err != nil {
		return err
	}
	if err := play(e.r.Context(), o, s, events, e.api.oops); err != nil {
		return err
	}
	return o.close()
}

// refuse answers an error in the provider's shape.
func (e *exchange) refuse(status int, format string, args ...any) error {
	return e.whole(status, e.api.fail(status, fmt.Sprintf(format, args...)))
}

// faults does what a script wants instead of an answer. It is done when it
// has answered.
func (e *exchange) faults(s script, t turn) (done bool, err error) {
	if s.hang {
		<-e.r.Context().Done()
		return true, errBroken
	}
	if !e.s.strikes(s, t) {
		return false, nil
	}
	if s.retry != "" {
		e.w.Header().Set("Retry-After", s.retry)
	}
	return true, e.refuse(s.status, "The script asks for status %d.", s.status)
}

// strikes reports whether the status that a script asks for is due.
func (s *Server) strikes(sc script, t turn) bool {
	if sc.status == 0 {
		return false
	}
	key := strconv.Itoa(len(t.results)) + " " + t.user
	return sc.times == 0 || s.faults.next(key) <= sc.times
}

// answer reads the script of a turn and decides its answer.
func (s *Server) answer(scope string, t turn, sc script) reply {
	r := t.answer(sc)
	out := r.usage
	r.usage = s.prompts.count(scope, t.blocks, t.cached)
	r.usage.output, r.usage.thought = out.output, out.thought
	return r
}

func (s *Server) script(t turn) script { return t.fill(read(t.user, s.o.Pace, s.o.Chunk)) }

func (s *Server) unix() int64 { return s.o.Now().Unix() }

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
