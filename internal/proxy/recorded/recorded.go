// Package recorded is the entrance for traffic that another tool recorded before:
// each exchange goes past the gate as if it came now, under a policy that only
// observes, at the time at which it was. It never sends anything anywhere.
package recorded

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/workingagents/gatehouse/internal/agents"
	"github.com/workingagents/gatehouse/internal/archive"
	"github.com/workingagents/gatehouse/internal/carry"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/route"
)

// Options are what playing a recording needs.
type Options struct {
	Gate      func(now func() time.Time) *gate.Gate // makes one that takes its time from now; its policy must observe only
	Provider  func(host string) (flow.Provider, bool)
	Secret    func(secret []byte) string // keyed fingerprint of a credential
	Principal flow.Principal             // who imports
	Custody   flow.Custody
	Now       time.Time // when this is
}

// Report says what became of a recording.
type Report struct {
	Exchanges int            `json:"exchanges"`         // that the file has
	Flows     int            `json:"flows"`             // that are on record now; a socket is several
	Skipped   map[string]int `json:"skipped,omitempty"` // exchanges with hosts that are no provider's

	Unreadable int      `json:"unreadable,omitempty"` // exchanges that are broken
	Reasons    []string `json:"reasons,omitempty"`    // of the first of them, each with its place in the file
	Undated    int      `json:"undated,omitempty"`    // exchanges without a time that can be theirs: recorded as of now
}

// maxHosts is how many hosts a Report names; the rest is counted under "…".
const maxHosts = 1000

// maxReasons is how many reasons a Report has.
const maxReasons = 20

// ahead is how far before us the clock of whoever recorded may be.
const ahead = 24 * time.Hour

// Play reads a recording and has each exchange with a provider recorded. What was
// recorded before an error is on record, and in the report. told, which may be
// nil, is called after each exchange.
func Play(r io.Reader, o Options, told func(Report)) (Report, error) {
	p := &player{o: o, report: Report{Skipped: map[string]int{}}}
	p.gate = o.Gate(p.now.time)
	err := archive.Read(r, func(x *archive.Exchange) error {
		p.report.Exchanges++
		err := p.play(x)
		if told != nil {
			told(p.report)
		}
		return err
	})
	p.gate.Flush()
	return p.report, err
}

type player struct {
	o      Options
	gate   *gate.Gate
	now    clock
	report Report
}

// clock is the recording's. The ledger asks it from a goroutine of its own.
type clock struct{ nanos atomic.Int64 }

func (c *clock) set(t time.Time) { c.nanos.Store(t.UnixNano()) }

func (c *clock) time() time.Time { return time.Unix(0, c.nanos.Load()) }

// play takes one exchange. What a provider would not have been sent, such as the
// pages of a browser in the same file, is counted by its host.
func (p *player) play(x *archive.Exchange) error {
	address, err := url.Parse(x.URL)
	known := err == nil && address.Hostname() != ""
	if !known && x.Err == nil {
		p.skip("…")
		return nil
	}
	var to route.Route
	if known {
		var ok bool
		if to, ok = p.route(x, address); !ok {
			p.skip(strings.ToLower(address.Hostname()))
			return nil
		}
	}
	if x.Err != nil {
		p.unreadable(x.Err)
		return nil
	}
	if !p.possible(x.Started) {
		p.report.Undated++
		x.Started = p.o.Now
	}
	p.at(x, x.Started)
	m := p.message(x, address, to)
	if len(x.Messages) > 0 {
		return p.socket(x, m)
	}
	m.Body = x.Body
	passage, err := p.admit(m, to)
	if passage == nil {
		return err
	}
	p.answer(passage, x)
	return nil
}

func (p *player) skip(host string) {
	if _, ok := p.report.Skipped[host]; !ok && len(p.report.Skipped) >= maxHosts {
		host = "…"
	}
	p.report.Skipped[host]++
}

func (p *player) unreadable(why error) {
	if p.report.Unreadable++; p.report.Unreadable <= maxReasons {
		p.report.Reasons = append(p.report.Reasons, why.Error())
	}
}

// possible reports whether something can have been recorded then: a time that is
// not known is written as the year 1, as 1970, or as the end of all days.
func (p *player) possible(t time.Time) bool {
	return t.After(time.Unix(0, 0)) && t.Before(p.o.Now.Add(ahead))
}

// at sets the clock to a time of an exchange; one that can't be is its beginning.
func (p *player) at(x *archive.Exchange, t time.Time) {
	if t.Before(x.Started) || !p.possible(t) {
		t = x.Started
	}
	p.now.set(t)
}

// route finds whose an exchange is: by its host or, with a gateway between, by
// the path of a call that only a model's provider has.
func (p *player) route(x *archive.Exchange, address *url.URL) (route.Route, bool) {
	if provider, ok := p.o.Provider(strings.ToLower(address.Hostname())); ok {
		return route.At(provider, x.Method, address.EscapedPath(), x.Header, address.Query())
	}
	to, ok := route.Match(x.Method, address.EscapedPath(), x.Header, address.Query())
	return to, ok && (to.API.Generates() || to.API == flow.ResponsesSocket)
}

func (p *player) message(x *archive.Exchange, address *url.URL, to route.Route) *gate.Message {
	path := to.Path
	if address.RawQuery != "" {
		path += "?" + address.RawQuery
	}
	session, subagent, parent := agents.Claims(x.Header)
	return &gate.Message{
		Entrance: flow.Import, Provider: to.Provider, API: to.API, Method: x.Method, Path: identity.ScrubPath(path, p.o.Secret), Route: to.Path, Host: strings.ToLower(address.Host),
		Header: identity.ScrubHeader(x.Header, p.o.Secret), Veiled: identity.Veiled(x.Header, path), Encoding: carry.ContentEncoding(x.Header), Type: x.Header.Get("Content-Type"),
		Principal: p.principal(x.Header, address.Query()), Custody: p.o.Custody,
		Claim: gate.Claim{Session: session, Subagent: subagent, Parent: parent},
	}
}

// principal is who imports, with the fingerprint of the credential that the call
// was made with.
func (p *player) principal(h http.Header, query url.Values) flow.Principal {
	who := p.o.Principal
	if c := identity.Credential(h, query); c != "" {
		who.Credential = p.o.Secret([]byte(c))
	}
	return who
}

// admit has a message recorded. No passage without an error means that the gate
// recorded why not: nothing is lost by going on.
func (p *player) admit(m *gate.Message, to route.Route) (passage *gate.Passage, err error) {
	if to.Login {
		passage, err = p.gate.AdmitBlind(m, gate.Login, "a log-in, recorded by its fingerprint")
	} else {
		passage, err = p.gate.Admit(m)
	}
	var refusal *flow.Refusal
	if err != nil && passage == nil {
		return nil, err // the ledger does not take it
	}
	p.report.Flows++
	if errors.As(err, &refusal) {
		return nil, nil
	}
	return passage, err
}

// deliver hands nothing on: nobody waits for it.
func deliver([]byte) error { return nil }

// chunk is in what steps an answer goes past the gate, as from a connection.
const chunk = 32 << 10

// answer has the recorded answer watched.
func (p *player) answer(passage *gate.Passage, x *archive.Exchange) {
	a := x.Response
	if a == nil {
		passage.End(flow.Aborted, "the recording has no answer")
		return
	}
	p.at(x, x.Started.Add(a.FirstByte))
	encoding := carry.ContentEncoding(a.Header)
	if a.Decoded {
		encoding = ""
	}
	why, state := "", flow.Done
	err := passage.Answer(a.Status, identity.ScrubHeader(a.Header, p.o.Secret), encoding, carry.RequestID(a.Header), codec.Sniff)
	for part := range slices.Chunk(a.Body, chunk) {
		if err == nil {
			err = passage.Push(part, deliver)
		}
	}
	if err == nil {
		err = passage.Flush(deliver)
	}
	if err != nil {
		why, state = err.Error(), flow.Aborted
	}
	p.at(x, x.Started.Add(max(a.Duration, a.FirstByte)))
	passage.End(state, why)
}

// socket plays a WebSocket: the upgrade, then each message of the client with
// what came until the next.
func (p *player) socket(x *archive.Exchange, m *gate.Message) error {
	template := *m
	if m.API != flow.ResponsesSocket {
		m.API = flow.Opaque
		template.API = flow.Opaque
	}
	upgrade, err := p.admit(m, route.Route{})
	if upgrade == nil {
		return err
	}
	bare := *x
	if x.Response != nil {
		head := *x.Response
		head.Body = nil
		bare.Response = &head
	}
	p.answer(upgrade, &bare)
	template.Method, template.Encoding = flow.MethodMessage, ""
	var open *gate.Passage
	end := func() {
		if open != nil {
			open.End(flow.Done, "")
			open = nil
		}
	}
	for _, message := range x.Messages {
		p.at(x, message.At)
		if !message.FromClient {
			if open != nil {
				if err := open.Push(message.Data, deliver); err != nil {
					open.End(flow.Aborted, err.Error())
					open = nil
				}
			}
			if open != nil && open.Over() {
				end()
			}
			continue
		}
		end()
		one := template
		one.Body = message.Data
		one.API = flow.Opaque
		if kind := codec.ReadEnvelope(message.Data).Type; template.API == flow.ResponsesSocket && (kind == "response.create" || kind == "") {
			one.API = flow.Responses
		}
		if open, err = p.admit(&one, route.Route{}); err != nil {
			return err
		}
		if open != nil {
			if err := open.Answer(http.StatusSwitchingProtocols, nil, "", "", codec.Messages); err != nil {
				open.End(flow.Aborted, err.Error())
				open = nil
			}
		}
	}
	end()
	return nil
}
