package gate

import (
	"slices"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/agents"
	"github.com/workingagents/gatehouse/internal/coverage"
	"github.com/workingagents/gatehouse/internal/flow"
)

// Bounds of what is remembered of how calls come. What is let go is found anew.
const (
	maxHomes   = 4096          // principals, each with one provider
	maxTold    = 64            // findings of a session that are not told again
	homeMemory = 4 * time.Hour // after which a principal may come another way
)

// home is the entrance by which model calls came first, and the last of them.
type home struct {
	entrance flow.Entrance
	flow     flow.ID
	last     time.Time
}

// providerHome is that of a session's calls to one provider. They are a list, since nearly
// all sessions have one: a map of one took 800 bytes.
type providerHome struct {
	provider flow.Provider
	home
}

// home finds that of the session's calls to a provider; nil: there are none.
func (s *session) home(to flow.Provider) *providerHome {
	for i := range s.homes {
		if s.homes[i].provider == to {
			return &s.homes[i]
		}
	}
	return nil
}

// homes are those of principals. The tracker's lock is held.
type homes struct {
	of    map[homeKey]home
	order []homeKey // oldest first
}

type homeKey struct {
	principal string
	provider  flow.Provider
}

func (h *homes) set(key homeKey, to home) {
	if _, ok := h.of[key]; !ok {
		if h.of == nil {
			h.of = map[homeKey]home{}
		}
		if h.order = append(h.order, key); len(h.order) > maxHomes {
			delete(h.of, h.order[0])
			h.order = h.order[1:]
		}
	}
	h.of[key] = to
}

// standing finds what is to be said of a call as such: that it comes another way
// than those before, that its agent was never seen to call there. It is judged
// with each call.
func (g *Gate) standing(in *flow.Intent, s *session) (list []found) {
	for _, f := range []*flow.Finding{g.tracker.past(in, s), g.drift(in)} {
		if f == nil {
			continue
		}
		f.ID = g.findingID(f.Rule, []byte(strings.Join(f.Facts, "\x00")))
		list = append(list, found{finding: *f, told: f.Rule != coverage.PastRedirect && g.tracker.knows(s, f.ID)})
	}
	return list
}

// drift leaves out what another gateway asks: no agent calls there.
func (g *Gate) drift(in *flow.Intent) *flow.Finding {
	if in.Entrance == flow.Guardrail {
		return nil
	}
	return coverage.Drift(in)
}

// chooses reports whether a flow is a model call that could have come by either
// of the two entrances.
func chooses(in *flow.Intent) bool {
	return in.API.Generates() && (in.Entrance == flow.Redirect || in.Entrance == flow.Intercept)
}

// past finds a model call that comes another way than its session's did, or, of
// a known agent, than its principal's did in the last hours.
func (t *tracker) past(in *flow.Intent, s *session) *flow.Finding {
	if !chooses(in) {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if h := s.home(in.Provider); h != nil && h.entrance != in.Entrance {
		f := coverage.Past(in, h.entrance, h.flow, true)
		return &f
	}
	h, ok := t.homes.of[homeKey{in.Principal.Name, in.Provider}]
	if ok && h.entrance != in.Entrance && in.Started.Sub(h.last) <= homeMemory {
		f := coverage.Past(in, h.entrance, h.flow, false)
		return &f
	}
	return nil
}

// knows reports whether a finding was recorded of the session before.
func (t *tracker) knows(s *session, finding string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Contains(s.told, finding)
}

// note remembers of a recorded flow how it came and what was said of that.
func (t *tracker) note(s *session, in *flow.Intent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range in.Findings {
		if f.Place == coverage.Place && !slices.Contains(s.told, f.ID) {
			if s.told = append(s.told, f.ID); len(s.told) > maxTold {
				s.told = s.told[1:]
			}
		}
	}
	if !chooses(in) || !passes(in) {
		return
	}
	now := home{in.Entrance, in.Flow, in.Started}
	if h := s.home(in.Provider); h == nil {
		s.homes = append(s.homes, providerHome{in.Provider, now})
	} else if h.entrance == in.Entrance {
		h.home = now
	}
	if !isAgent(in.Principal) {
		return
	}
	key := homeKey{in.Principal.Name, in.Provider}
	if h, ok := t.homes.of[key]; !ok || h.entrance == in.Entrance || in.Started.Sub(h.last) > homeMemory {
		t.homes.set(key, now)
	}
}

// isAgent reports whether a principal is one user's one known agent. Behind a key
// or an interpreter many programs may be.
func isAgent(p flow.Principal) bool {
	_, ok := agents.For(p.Program)
	return ok && p.Key == ""
}
