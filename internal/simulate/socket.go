package simulate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// socket is the WebSocket form of Responses: each text message
// response.create is a request, each event of its answer a message. Deflate
// keeps its context, as at the provider.
func (e *exchange) socket() error {
	if !strings.EqualFold(e.r.Header.Get("Upgrade"), "websocket") {
		return e.refuse(http.StatusMethodNotAllowed, "Use POST, or upgrade to WebSocket.")
	}
	if e.s.o.NoWebSocket {
		e.w.Header().Set("Upgrade", "")
		return e.refuse(http.StatusUpgradeRequired, "This provider speaks no WebSocket.")
	}
	c, err := websocket.Accept(e.w, e.r, &websocket.AcceptOptions{
		CompressionMode:    websocket.CompressionContextTakeover,
		InsecureSkipVerify: true, // no browser, no ambient credentials: nothing that an origin could misuse
	})
	if err != nil {
		return fmt.Errorf("accepting a WebSocket: %w", err)
	}
	defer func() { _ = c.CloseNow() }()
	e.rec.sent.Status = http.StatusSwitchingProtocols
	c.SetReadLimit(bodyBytes)
	return e.serve(c)
}

// serve answers messages until the client closes. A goroutine reads, so that
// an answer that waits ends when the client leaves; it ends with the
// connection, at the latest when socket returns.
func (e *exchange) serve(c *websocket.Conn) error {
	ctx, cancel := context.WithCancel(e.r.Context())
	defer cancel()
	messages := make(chan []byte)
	go func() {
		defer cancel()
		for {
			kind, body, err := c.Read(ctx)
			if err != nil || kind != websocket.MessageText {
				return
			}
			select {
			case messages <- body:
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case body := <-messages:
			if err := e.message(ctx, c, body); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// message records and answers one message.
func (e *exchange) message(ctx context.Context, c *websocket.Conn, body []byte) error {
	rec, err := e.s.keeper.open("MESSAGE", e.r, body)
	if err != nil {
		return err
	}
	rec.sent.Status = http.StatusOK
	err = e.s.create(ctx, &socket{ctx, c, rec}, body)
	return errors.Join(err, rec.end(err == nil))
}

// socket carries events as messages.
type socket struct {
	ctx context.Context // of the connection: a carrier lives no longer
	c   *websocket.Conn
	rec *record
}

func (k *socket) carry(e event) error {
	if _, err := k.rec.Write([]byte(e.data)); err != nil {
		return err
	}
	k.rec.sent.Messages = append(k.rec.sent.Messages, len(e.data))
	return k.c.Write(k.ctx, websocket.MessageText, []byte(e.data))
}

// fail answers with an error event, which names the status that HTTP would
// have.
func (k *socket) fail(status int, code, text string) error {
	k.rec.sent.Status = status
	return k.carry(event{data: fmt.Sprintf(`{"type":"error","status":%d,"error":{"type":"%s","code":"%s","message":%s,"param":null}}`,
		status, openaiError(status), code, quote(text))})
}

// create answers one response.create.
func (s *Server) create(ctx context.Context, k *socket, body []byte) error {
	var q responsesRequest
	if err := json.Unmarshal(body, &q); err != nil || q.Type != "response.create" {
		return k.fail(http.StatusBadRequest, "invalid_request", "Send response.create as JSON.")
	}
	a, t, refused := s.decideResponses(q)
	if refused != nil {
		return k.fail(refused.status, refused.code, refused.text)
	}
	sc := a.script
	if sc.hang {
		<-ctx.Done()
		return errBroken
	}
	if s.strikes(sc, t) {
		return k.fail(sc.status, openaiCode(sc.status), fmt.Sprintf("The script asks for status %d.", sc.status))
	}
	if err := play(ctx, k, sc, a.events(), a.oops()); err != nil {
		return err
	}
	s.keep(q, a)
	return nil
}
