package coverage

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Unseen says what no report of ours can tell.
const Unseen = "connections that never came to Gatehouse: a program that heeds neither base URL nor proxy, or another machine; only the network can stop those"

// Margin is how long before the first flow of a session, and after its last, what
// names no session may belong to it: agents call home before and after they work.
const Margin = time.Minute

// Report says of flows how they came. Each flow counts as one of: model call,
// other call, log-in, tunnel, refused.
type Report struct {
	Sessions []Row  `json:"sessions"` // the one with the newest flow last
	Beside   []Row  `json:"beside"`   // by principal: what names no session and is near none
	Total    Counts `json:"total"`    // each flow once
	Nearby   int    `json:"nearby"`   // of those, that are in a session's row by time: see Row
	Shared   int    `json:"shared"`   // and in several
	Unseen   string `json:"unseen"`
}

// Row is a session, or what a principal did beside its sessions.
type Row struct {
	Principal string    `json:"principal"`
	Session   string    `json:"session,omitempty"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`   // when the last flow ended, or began when it is open
	Nearby    int       `json:"nearby"` // flows that name no session: of the same principal, at the same time
	Shared    int       `json:"shared"` // of those, that are in another row, too
	Counts

	span span // as it was found first, to the millisecond
}

// Counts are figures of flows.
type Counts struct {
	Model      Ways     `json:"model_calls"`
	Other      Ways     `json:"other_calls"`
	Logins     int      `json:"logins"` // recorded by fingerprint only
	Tunnels    []Tunnel `json:"tunnels"`
	Refused    []Reason `json:"refused"` // nothing of these was forwarded
	Stopped    int      `json:"stopped"` // calls whose answer policy ended
	Unreadable Unread   `json:"unreadable"`
	Findings   []Told   `json:"findings"` // of the family coverage

	at map[string]int // where in its list a host, a reason, a finding stands
}

// place gives the index of what key names in a list of n, and whether it is new:
// then it is to be added at the end.
func (c *Counts) place(key string, n int) (i int, fresh bool) {
	i, ok := c.at[key]
	if ok {
		return i, false
	}
	if c.at == nil {
		c.at = map[string]int{}
	}
	c.at[key] = n
	return n, true
}

// Ways counts calls by their entrance.
type Ways map[flow.Entrance]int

// Tunnel is what went to a host unread.
type Tunnel struct {
	Host     string `json:"host"`
	Flows    int    `json:"flows"`
	Sent     int64  `json:"sent_bytes"` // by the client
	Received int64  `json:"received_bytes"`
}

// Reason is why flows were refused.
type Reason struct {
	Why   string `json:"why"`
	Host  string `json:"host,omitempty"` // that they were for; empty: a provider, by a base URL
	Flows int    `json:"flows"`
}

// Unread is what detectors could not read, of calls that were forwarded.
type Unread struct {
	Flows int   `json:"flows"`
	Bytes int64 `json:"bytes"` // of requests
}

// Told is a finding about how calls came, or where they go.
type Told struct {
	Rule  string   `json:"rule"`
	Facts []string `json:"facts"`
	Note  string   `json:"note"`
	Flows int      `json:"flows"`
	Last  flow.ID  `json:"last"`
}

// Of reports flows, in the order in which they came, first as rows and then again as
// views: it holds none of them, but a row for each session. session chooses the rows
// of one; "": all. The error is that of the flows.
func Of(brief iter.Seq2[flow.Row, error], views iter.Seq2[flow.View, error], session string) (Report, error) {
	r := Report{Sessions: []Row{}, Beside: []Row{}, Unseen: Unseen}
	rows, err := sessions(brief)
	if err != nil {
		return r, err
	}
	beside := map[string]*Row{}
	for v, err := range views {
		if err != nil {
			return r, err
		}
		in := near(rows, &v)
		if len(in) == 0 {
			in = []*Row{besides(beside, &v)}
		}
		for _, row := range in {
			row.add(&v, len(in))
		}
		if session == "" || slices.ContainsFunc(in, func(row *Row) bool { return row.Session == session }) {
			r.count(&v, in)
		}
	}
	r.list(rows, beside, session)
	return r, nil
}

// list takes the rows in.
func (r *Report) list(rows rowsOf, beside map[string]*Row, session string) {
	for _, all := range rows {
		for id, row := range all {
			if row.First.IsZero() { // its flows were removed since it was found
				row.First, row.Last = row.span.first, row.span.last
			}
			if session == "" || id == session {
				r.Sessions = append(r.Sessions, row.sorted())
			}
		}
	}
	for _, row := range beside {
		if session == "" {
			r.Beside = append(r.Beside, row.sorted())
		}
	}
	slices.SortFunc(r.Sessions, newest)
	slices.SortFunc(r.Beside, newest)
	r.Total.sort()
}

// count adds a flow, which stands in some rows, to the total.
func (r *Report) count(v *flow.View, in []*Row) {
	r.Total.add(v)
	if in[0].Session != "" && in[0].Session != v.Session {
		r.Nearby++
	}
	if len(in) > 1 {
		r.Shared++
	}
}

func newest(a, b Row) int {
	return cmp.Or(a.Last.Compare(b.Last), strings.Compare(a.Principal, b.Principal), strings.Compare(a.Session, b.Session))
}

// rowsOf are the rows of sessions, by principal and by session.
type rowsOf map[string]map[string]*Row

// sessions makes a row for each session, with its time: there is one where a
// model is called, or an agent names it.
func sessions(flows iter.Seq2[flow.Row, error]) (rowsOf, error) {
	rows := rowsOf{}
	for v, err := range flows {
		if err != nil {
			return nil, err
		}
		if !tells(v.Claimed, v.API) {
			continue
		}
		if rows[v.Principal] == nil {
			rows[v.Principal] = map[string]*Row{}
		}
		row := rows[v.Principal][v.Session]
		if row == nil {
			row = &Row{Principal: v.Principal, Session: v.Session}
			rows[v.Principal][v.Session] = row
		}
		row.span.add(v.Started, v.DurationMS)
	}
	return rows, nil
}

// tells reports whether a flow says that its session was at work.
func tells(claimed bool, api flow.API) bool { return claimed || api.Generates() }

// span is when a session was at work.
type span struct{ first, last time.Time }

// add takes in a flow; ms is nil when it is open.
func (s *span) add(started time.Time, ms *float64) {
	if s.first.IsZero() || started.Before(s.first) {
		s.first = started
	}
	end := started
	if ms != nil {
		end = end.Add(time.Duration(*ms * float64(time.Millisecond)))
	}
	if end.After(s.last) {
		s.last = end
	}
}

// reach lets a row's time be that of a flow, too.
func (r *Row) reach(v *flow.View) {
	s := span{r.First, r.Last}
	s.add(v.Started, v.DurationMS)
	r.First, r.Last = s.first, s.last
}

// near gives the rows that a flow belongs to: its session's, or those of its
// principal that were at work when it began.
func near(rows rowsOf, v *flow.View) (in []*Row) {
	if own := rows[v.Principal][v.Session]; own != nil {
		if tells(v.Claimed, v.API) {
			own.reach(v)
		}
		return []*Row{own}
	}
	for _, row := range rows[v.Principal] {
		if !v.Started.Before(row.span.first.Add(-Margin)) && !v.Started.After(row.span.last.Add(Margin)) {
			in = append(in, row)
		}
	}
	return in
}

func besides(beside map[string]*Row, v *flow.View) *Row {
	row := beside[v.Principal]
	if row == nil {
		row = &Row{Principal: v.Principal}
		beside[v.Principal] = row
	}
	row.reach(v)
	return row
}

func (r *Row) add(v *flow.View, rows int) {
	r.Counts.add(v)
	if r.Session == "" || r.Session == v.Session {
		return
	}
	r.Nearby++
	if rows > 1 {
		r.Shared++
	}
}

func (c *Counts) add(v *flow.View) {
	switch {
	case v.State == flow.Refused:
		c.refuse(v)
	case v.Entrance == flow.Tunnel:
		c.tunnel(v)
	case slices.Contains(v.Rules, "blind:login"):
		c.Logins++
	case v.API.Generates():
		c.Model.add(v)
	default:
		c.Other.add(v)
	}
	if v.State != flow.Refused && v.Verdict < flow.Redact {
		c.Stopped++
	}
	if v.State != flow.Refused && (v.Unreadable != "" || v.UnreadableBytes > 0) {
		c.Unreadable.Flows++
		c.Unreadable.Bytes += v.UnreadableBytes
	}
	for i := range v.Findings {
		c.tell(v, &v.Findings[i])
	}
}

func (w *Ways) add(v *flow.View) {
	if *w == nil {
		*w = Ways{}
	}
	(*w)[v.Entrance]++
}

func (c *Counts) tunnel(v *flow.View) {
	host := cmp.Or(v.Host, v.Path) // a record of an older version has it as the path
	i, fresh := c.place("host\x00"+host, len(c.Tunnels))
	if fresh {
		c.Tunnels = append(c.Tunnels, Tunnel{Host: host})
	}
	t := &c.Tunnels[i]
	t.Flows, t.Sent, t.Received = t.Flows+1, t.Sent+v.SentBytes, t.Received+v.ResponseBytes
}

// refuse counts a refusal by its reason: our own texts are the same each time,
// those of policy name what was found in the call.
func (c *Counts) refuse(v *flow.View) {
	why := v.Why
	if len(v.Rules) > 0 && !strings.HasPrefix(v.Rules[0], "limit:") && !strings.HasPrefix(v.Rules[0], "blind:") {
		why = "policy: " + strings.Join(v.Rules, ", ")
	}
	i, fresh := c.place("why\x00"+v.Host+"\x00"+why, len(c.Refused))
	if fresh {
		c.Refused = append(c.Refused, Reason{Why: why, Host: v.Host})
	}
	c.Refused[i].Flows++
}

func (c *Counts) tell(v *flow.View, f *flow.Finding) {
	if !strings.HasPrefix(f.Rule, "coverage.") {
		return
	}
	i, fresh := c.place("rule\x00"+f.Rule+"\x00"+strings.Join(f.Facts, "\x00"), len(c.Findings))
	if fresh {
		c.Findings = append(c.Findings, Told{Rule: f.Rule, Facts: f.Facts, Note: f.Note})
	}
	c.Findings[i].Flows++
	c.Findings[i].Last = v.ID
}

func (r *Row) sorted() Row {
	r.Counts.sort()
	return *r
}

// sort puts what is most first, and empty lists where there is none: JSON has no
// null then.
func (c *Counts) sort() {
	c.at = nil
	c.Model, c.Other = orNone(c.Model), orNone(c.Other)
	c.Tunnels = append([]Tunnel{}, c.Tunnels...)
	slices.SortFunc(c.Tunnels, func(a, b Tunnel) int {
		return cmp.Or(cmp.Compare(b.Sent+b.Received, a.Sent+a.Received), strings.Compare(a.Host, b.Host))
	})
	c.Refused = append([]Reason{}, c.Refused...)
	slices.SortFunc(c.Refused, func(a, b Reason) int {
		return cmp.Or(b.Flows-a.Flows, strings.Compare(a.Host, b.Host), strings.Compare(a.Why, b.Why))
	})
	c.Findings = append([]Told{}, c.Findings...)
	slices.SortStableFunc(c.Findings, func(a, b Told) int { return strings.Compare(b.Rule, a.Rule) }) // past-redirect first
}

func orNone(w Ways) Ways {
	if w == nil {
		return Ways{}
	}
	return w
}

// Calls is how many there are.
func (w Ways) Calls() (n int) {
	for v := range maps.Values(w) {
		n += v
	}
	return n
}
