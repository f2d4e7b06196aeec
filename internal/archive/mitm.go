package archive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A flow file of mitmproxy is a row of flows, each a dictionary in the form of
// typed netstrings (tnetstrings.info; mitmproxy/io/tnetstring.py and
// mitmproxy/io/io.py): LENGTH:DATA and a byte for the type.

// value is one of: []byte, string, int64, float64, bool, nil, []value,
// map[string]value.
type value any

// maxNest is how deep values may stand in each other.
const maxNest = 32

// readFlows reads one flow after the other. What is no HTTP flow is passed over.
func readFlows(r *bufio.Reader, each func(*Exchange) error) error {
	for n := 1; ; n++ {
		data, kind, err := readFlow(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("flow %d of the file: %w", n, err)
		}
		x := flowOf(data, kind)
		if x == nil {
			continue
		}
		if x.Err != nil {
			x.Err = fmt.Errorf("flow %d of the file: %w", n, x.Err)
		}
		if err := each(x); err != nil {
			return err
		}
	}
}

// flowOf gives the exchange that a flow is; nil: it is none of HTTP.
func flowOf(data []byte, kind byte) *Exchange {
	v, err := parse(data, kind, 0)
	if err != nil {
		return &Exchange{Header: http.Header{}, Err: err}
	}
	flow, ok := v.(map[string]value)
	switch {
	case !ok:
		return &Exchange{Header: http.Header{}, Err: errors.New("it is no dictionary")}
	case text(flow["type"]) != "http":
		return nil
	}
	return exchangeOf(flow)
}

// readFlow reads the next flow's data, and the byte for their type; io.EOF: there is
// none.
func readFlow(r *bufio.Reader) (data []byte, kind byte, err error) {
	size := 0
	for digits := 0; ; digits++ {
		c, err := r.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && digits == 0:
			return nil, 0, io.EOF
		case err != nil:
			return nil, 0, cutShort(err)
		case c == ':' && digits > 0:
			return readValue(r, size)
		case c < '0' || c > '9' || digits > 9:
			return nil, 0, errNetstring
		}
		size = 10*size + int(c-'0')
	}
}

var errNetstring = errors.New("it is no typed netstring")

func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the file ends in the middle of it")
	}
	return fmt.Errorf("reading the file: %w", err)
}

func readValue(r *bufio.Reader, size int) ([]byte, byte, error) {
	if size > maxBytes {
		return nil, 0, errLong()
	}
	var data bytes.Buffer // grows as bytes come: a length alone takes no memory
	if _, err := io.CopyN(&data, r, int64(size)); err != nil {
		return nil, 0, cutShort(err)
	}
	kind, err := r.ReadByte()
	switch {
	case err != nil:
		return nil, 0, cutShort(err)
	case !strings.ContainsRune(",;#^!~]}", rune(kind)): // nobody can tell where the next one begins
		return nil, 0, errNetstring
	}
	return data.Bytes(), kind, nil
}

func parse(data []byte, kind byte, depth int) (value, error) {
	if depth > maxNest {
		return nil, fmt.Errorf("values stand in each other more than %d deep", maxNest)
	}
	switch kind {
	case ',':
		return data, nil
	case ';':
		return string(data), nil
	case '#':
		n, err := strconv.ParseInt(string(data), 10, 64)
		if err != nil {
			return nil, errNetstring
		}
		return n, nil
	case '^':
		f, err := strconv.ParseFloat(string(data), 64)
		if err != nil {
			return nil, errNetstring
		}
		return f, nil
	case '!':
		return string(data) == "true", nil
	case '~':
		return nil, nil
	case ']':
		return parseList(data, depth)
	case '}':
		return parseDict(data, depth)
	}
	return nil, errNetstring
}

func parseList(data []byte, depth int) (value, error) {
	list := []value{}
	for len(data) > 0 {
		v, rest, err := next(data, depth)
		if err != nil {
			return nil, err
		}
		list, data = append(list, v), rest
	}
	return list, nil
}

func parseDict(data []byte, depth int) (value, error) {
	dict := map[string]value{}
	for len(data) > 0 {
		name, rest, err := next(data, depth)
		if err != nil {
			return nil, err
		}
		v, rest, err := next(rest, depth)
		if err != nil {
			return nil, err
		}
		dict[text(name)], data = v, rest
	}
	return dict, nil
}

// next parses the value that data begins with.
func next(data []byte, depth int) (v value, rest []byte, err error) {
	head, _, ok := bytes.Cut(data[:min(len(data), 11)], []byte(":"))
	size, bad := strconv.Atoi(string(head))
	if !ok || bad != nil || head[0] < '0' {
		return nil, nil, errNetstring
	}
	body := data[len(head)+1:]
	if len(body) <= size {
		return nil, nil, errNetstring
	}
	v, err = parse(body[:size], body[size], depth+1)
	return v, body[size+1:], err
}

// text gives a string or bytes as a string.
func text(v value) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

func raw(v value) []byte {
	if b, ok := v.([]byte); ok {
		return b
	}
	return []byte(text(v))
}

// number gives a number that can be counted with.
func number(v value) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v
		}
	}
	return 0
}

func exchangeOf(flow map[string]value) *Exchange {
	req, ok := flow["request"].(map[string]value)
	if !ok || text(req["method"]) == "" {
		return &Exchange{Header: http.Header{}, Err: errors.New("it has no request")}
	}
	x := &Exchange{Method: text(req["method"]), Header: headerOf(req["headers"]), Body: raw(req["content"])}
	if at := number(req["timestamp_start"]); at > 0 {
		x.Started = seconds(at)
	}
	x.URL = addressOf(req, x.Header)
	x.Err = answerOf(flow, x)
	return x
}

// answerOf reads what came of a request.
func answerOf(flow map[string]value, x *Exchange) (err error) {
	if resp, ok := flow["response"].(map[string]value); ok {
		status, err := statusOf(number(resp["status_code"]))
		if err != nil {
			return err
		}
		if status > 0 {
			x.Response = &Response{
				Status: status, Header: headerOf(resp["headers"]), Body: raw(resp["content"]),
				FirstByte: since(x.Started, resp["timestamp_start"]), Duration: since(x.Started, resp["timestamp_end"]),
			}
		}
	}
	if socket, ok := flow["websocket"].(map[string]value); ok {
		x.Messages, err = messagesOf(socket["messages"])
	}
	return err
}

// addressOf gives a request's address. Its host is the one that the client meant,
// which a reverse proxy replaces.
func addressOf(req map[string]value, h http.Header) string {
	host := text(req["authority"])
	if host == "" {
		host = h.Get("Host")
	}
	if host == "" {
		host = net.JoinHostPort(text(req["host"]), strconv.Itoa(int(number(req["port"]))))
	}
	return text(req["scheme"]) + "://" + host + text(req["path"])
}

func since(start time.Time, v value) time.Duration {
	if at := number(v); at > 0 && !start.IsZero() {
		return max(0, seconds(at).Sub(start))
	}
	return 0
}

func headerOf(v value) http.Header {
	h := http.Header{}
	list, _ := v.([]value)
	for _, line := range list {
		if pair, ok := line.([]value); ok && len(pair) == 2 {
			h.Add(text(pair[0]), text(pair[1]))
		}
	}
	return h
}

// messagesOf reads a WebSocket's messages: type, from the client, content, time,
// and more in later versions.
func messagesOf(v value) (list []Message, err error) {
	rows, _ := v.([]value)
	for _, row := range rows {
		m, ok := row.([]value)
		if !ok || len(m) < 4 {
			return nil, errors.New("a WebSocket message that is none")
		}
		from, _ := m[1].(bool)
		list = append(list, Message{FromClient: from, Text: number(m[0]) == 1, Data: raw(m[2]), At: seconds(number(m[3]))})
	}
	return list, nil
}
