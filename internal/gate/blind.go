package gate

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/workingagents/gatehouse/internal/flow"
	refuse "github.com/workingagents/gatehouse/internal/wire/refusal"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// Blind says why a message is admitted unseen.
type Blind string

// Tunnel: the bytes of another conversation, which are not ours to read. Login:
// a credential goes one way and another comes back, which may be neither kept
// nor replaced.
const (
	Tunnel Blind = "tunnel"
	Login  Blind = "login"
)

// AdmitBlind records a message whose body is neither scanned nor kept. The
// hashes of a log-in are keyed: a password could be guessed against others. A
// tunnel has none. Policy decides by what is known without the body: who calls, and
// where. Errors are as those of Admit.
//
// It would be a hole if it took whatever a client says: an entrance decides by
// the host, or by a route of the provider that takes log-ins and nothing else.
func (g *Gate) AdmitBlind(m *Message, kind Blind, why string) (*Passage, error) {
	in := g.intent(m)
	in.Capture = flow.CaptureMetadata
	now := g.o.Policy()
	in.Policy = now.Version()
	in.Decision = flow.Decision{Verdict: flow.Pass, Why: why, Rules: []string{"blind:" + string(kind)}}
	if err := g.o.Ledger.Ready(); err != nil {
		return nil, g.unrecorded(err)
	}
	p := &Passage{gate: g, in: in, policy: now, body: m.Body, blind: kind}
	p.hash = hmac.New(sha256.New, g.blindKey)
	if kind == Login {
		p.hash.Write(m.Body)
		in.RequestSHA256 = hex.EncodeToString(p.hash.Sum(nil))
		in.ForwardedSHA256, in.ForwardedBytes = in.RequestSHA256, in.RequestBytes
		p.hash.Reset()
	}
	r := reading{doc: split.Split(nil, nil)}
	p.session = g.tracker.place(in, m.Claim, r)
	p.judgeBlind()
	if err := p.begin(r); err != nil {
		return nil, err
	}
	if passes(in) {
		return p, nil
	}
	refusal := &flow.Refusal{Status: http.StatusForbidden, Kind: "blocked", Text: in.Decision.Why}
	if kind == Login {
		refusal.Status = refuse.Blocked(in.Provider)
	}
	return p, p.refuse(refusal)
}

// judgeBlind has policy decide by what is known of the call without its content.
func (p *Passage) judgeBlind() {
	list := p.gate.standing(p.in, p.session)
	if len(list) == 0 {
		return
	}
	in := *p.in
	for i := range list {
		in.Findings = append(in.Findings, list[i].finding)
	}
	d := p.policy.Decide(&in, in.Started)
	for i, f := range in.Findings {
		if !list[i].told || f.Action <= flow.AskFirst {
			p.in.Findings = append(p.in.Findings, f)
		}
	}
	if d.Verdict != flow.Pass {
		p.in.Decision, p.in.ForwardedSHA256, p.in.ForwardedBytes = d, "", 0
		return
	}
	if len(p.in.Findings) > 0 {
		was := &p.in.Decision
		was.Why, was.Rules, was.Would = was.Why+"; "+d.Why, append(was.Rules, d.Rules...), d.Would
	}
}

// Tunnelled ends the passage of a tunnel: up and down are the bytes that went
// from the client and to it.
func (p *Passage) Tunnelled(status int, up, down int64, state flow.State, why string) {
	if p.ended {
		return
	}
	p.status, p.sent, p.received = status, up, down
	p.End(state, why)
}

// TLS notes the connection to the provider.
func (p *Passage) TLS(leg *flow.Leg) { p.leg = leg }
