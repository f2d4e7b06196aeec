package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestQuantileIsExact(t *testing.T) {
	var all []time.Duration
	for i := range 1000 {
		all = append(all, time.Duration(i+1))
	}
	for _, test := range []struct {
		percent int
		want    time.Duration
	}{{50, 500}, {99, 990}, {100, 1000}} {
		if got := quantile(all, test.percent); got != test.want {
			t.Errorf("p%d is %d, want %d", test.percent, got, test.want)
		}
	}
	if got := quantile(all[:1], 99); got != 1 {
		t.Errorf("p99 of one value is %d, want it", got)
	}
}

// TestRequestsAreWhatTheySay checks size and form of what each source makes.
func TestRequestsAreWhatTheySay(t *testing.T) {
	for _, s := range scenarios {
		src := s.source(1, texts(1, 1))
		for range 70 {
			r := src.next()
			body := bytes.Join(r.body, nil)
			if len(body) != r.size || !json.Valid(body) {
				t.Fatalf("%s: %d bytes announced as %d, valid %v", s.name, len(body), r.size, json.Valid(body))
			}
		}
	}
}

// TestSessionsGrow: each body of a session holds the one before it, without
// the marker, up to the largest; then a new session begins.
func TestSessionsGrow(t *testing.T) {
	src := newSessions(texts(1, 1), 1)
	var last, session string
	for turn := range 70 {
		r := src.next()
		body := string(bytes.Join(r.body, nil))
		talk, _, _ := strings.Cut(body, `],"system"`)
		if r.session == session && !strings.HasPrefix(talk, strings.Replace(last, `,"cache_control":{"type":"ephemeral"}`, "", 1)) {
			t.Fatalf("turn %d does not go on where the last one ended", turn)
		}
		if n := strings.Count(talk, "cache_control"); n != 1 || len(body) > sessionEnd+2*sessionStep {
			t.Fatalf("turn %d has %d markers, %d bytes", turn, n, len(body))
		}
		last, session = talk, r.session
	}
	if session == "" || session == newSessions(texts(1, 1), 1).request.session {
		t.Error("sessions share an id")
	}
}

// TestClientsReadEveryReply plays each reply to both clients, from both
// upstreams.
func TestClientsReadEveryReply(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	lean := render(newReplies())
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go lean.serve(conn)
		}
	}()
	server := httptest.NewServer(plain(newReplies()))
	defer server.Close()
	for _, addr := range []string{ln.Addr().String(), server.Listener.Addr().String()} {
		for _, isLean := range []bool{true, false} {
			if err := readReplies(addr, isLean); err != nil {
				t.Errorf("upstream %s, lean client %v: %v", addr, isLean, err)
			}
		}
	}
}

func readReplies(addr string, lean bool) error {
	c, err := dial(target{addr: addr, lean: lean})
	if err != nil {
		return err
	}
	defer c.close()
	replies := newReplies()
	for _, name := range slices.Repeat([]string{"json", "turn", "stream"}, 2) { // on one kept connection
		r := newCalls(texts(1, 1), 2<<10, name, "").next()
		n, err := call(c, r)
		if err != nil {
			return err
		}
		if want := len(strings.Join(replies[name].writes, "")); n != want {
			return fmt.Errorf("%s has %d bytes, want %d", name, n, want)
		}
	}
	return nil
}
