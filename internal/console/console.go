// Package console serves people and their tools: health, readiness, metrics and
// the admin API, on a unix socket in the data folder or on an address of its
// own, where also other gateways ask what may pass. It reads flows and administers
// the gateway; it never sits in a flow's way, and it gives out content only after the ledger has recorded who reads
// it and why.
package console

import (
	"io"
	"iter"
	"log/slog"
	"net/http"
	"time"

	"github.com/workingagents/gatehouse/internal/filter"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// Reader is what the console reads. A *ledger.Ledger is one.
type Reader interface {
	Choose(ledger.Query) (ledger.Chosen, error)
	Rows(ledger.Query) ([]flow.Row, error)
	Count(ledger.Query) (int, error)
	Sessions(ledger.Query) iter.Seq2[ledger.SessionView, error]
	Flow(flow.ID) (*flow.Intent, *flow.Outcome, error)
	Read(flow.ID, ledger.What, ledger.Access) ([]ledger.Chunk, error)
	Watch(told func(*flow.Intent, *flow.Outcome)) (stop func())
	Follow(*filter.Filter, ledger.Access) (func(*flow.View) bool, error)
	Search(*filter.Filter, ledger.SearchQuery, ledger.Access) (ledger.Found, error)
	Journal(ledger.JournalQuery) ([]ledger.JournalEntry, error)
	FirstCalls() ([]ledger.FirstCall, error)
	Overview(q ledger.Query, by []ledger.By, offset time.Duration) (ledger.Overview, error)
}

// Keeper is what the console asks to look after the record. A *ledger.Ledger
// is one.
type Keeper interface {
	Admin(kind, why string, attrs map[string]string) error
	Verify(progress func(done, total int64)) (ledger.Report, error)
	Stats() ledger.Stats
	Growth() ([]ledger.Stretch, error)
}

// Keys are the access keys. An *identity.Keys is one.
type Keys interface {
	Add(name string) (secret string, err error)
	List() ([]identity.Key, error)
	Revoke(name string) error
}

// About says which server this is. It is constant.
type About struct {
	Version string       `json:"version"`
	PID     int          `json:"pid"`
	Started time.Time    `json:"started"`
	Listen  string       `json:"listen"`  // the agents' address
	Console string       `json:"console"` // "" when there is none
	Data    string       `json:"data"`    // the data folder
	Custody flow.Custody `json:"custody"`

	Intercept string `json:"intercept"` // the forward proxy's address; "" when there is none
	Kept      Kept   `json:"kept"`
}

// Kept says what is kept of flows, and for how long.
type Kept struct {
	Capture  []Capture `json:"capture"`   // the first that fits counts; none fits: full
	MaxDays  float64   `json:"max_days"`  // older segments are removed; 0: never
	MaxBytes int64     `json:"max_bytes"` // above, the oldest segments are removed; 0: never
}

// Capture is how much is kept of whose flows.
type Capture struct {
	Principal string       `json:"principal"`
	Level     flow.Capture `json:"level"`
}

// Options are the console's parts. Flows, Talk, Ledger, Keys, Policy, Rules,
// Allowances, Import and Views are required.
type Options struct {
	Flows      Reader
	Talk       Teller
	Ledger     Keeper
	Keys       Keys
	Policy     Policy
	Rules      Rules
	Allowances Allowances
	Import     Importer
	Views      Views
	Archive    Archive                   // what exports read; nil: there are none
	Offline    Offline                   // what files of sessions are read with; nil: nothing
	Address    func(*flow.Intent) string // of the provider's API that a flow's path is appended to; nil: not known
	Metrics    *Metrics                  // nil: a new one
	Page       Page                      // what browsers are shown; nil: nothing
	Door       Door                      // lets browsers in; nil: nobody
	Guardrail  http.Handler              // judges texts for other gateways, and knows who asks; nil: not served
	Ready      func() error              // nil error: new calls are taken; otherwise the why
	About      About
	Token      string       // what a client over TCP must bear; "" lets nobody in over TCP
	Hosts      []string     // names, beside localhost and addresses, by which browsers may call us
	Log        *slog.Logger // nil: silent
}

// Console is the admin API. Make one with New.
type Console struct {
	o        Options
	mux      *http.ServeMux
	patterns []string // of all routes, in no order
	feed     *feed
	busy     chan struct{} // holds a token while a verification runs

	importing chan struct{} // likewise an import
}

// New makes a console.
func New(o Options) *Console {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(o.Ledger.Stats)
	}
	if o.Ready == nil {
		o.Ready = func() error { return nil }
	}
	c := &Console{o: o, mux: http.NewServeMux(), feed: &feed{watch: o.Flows.Watch}, busy: make(chan struct{}, 1), importing: make(chan struct{}, 1)}
	c.routes()
	return c
}

// Open routes tell nothing that a captured text said, but model names.
func (c *Console) routes() {
	slots, files := make(chan struct{}, mostReading), make(chan struct{}, mostExports)
	reads := func(h handler) handler { return limited(slots, h) }
	open := map[string]handler{
		"GET /healthz": c.health,
		"GET /readyz":  c.ready,
		"GET /metrics": c.metrics,

		"POST /api/v1/login":  c.login,
		"POST /api/v1/logout": c.logout,
	}
	guarded := map[string]handler{
		"POST /api/v1/links":                    c.link,
		"GET /api/v1/openapi.json":              c.describe,
		"GET /api/v1/status":                    c.status,
		"GET /api/v1/rows":                      c.rows,
		"GET /api/v1/rows/count":                c.countRows,
		"GET /api/v1/filter":                    c.checkFilter,
		"GET /api/v1/flows":                     c.flows,
		"GET /api/v1/flows/{id}":                c.flow,
		"GET /api/v1/flows/{id}/content/{what}": reads(c.content),
		"GET /api/v1/flows/{id}/curl":           reads(c.curl),
		"GET /api/v1/export":                    limited(files, c.export),
		"GET /api/v1/sessions":                  c.sessions,
		"GET /api/v1/coverage":                  c.coverage,
		"GET /api/v1/search":                    reads(c.search),
		"GET /api/v1/tail":                      c.tail,
		"GET /api/v1/events":                    c.events,
		"POST /api/v1/verify":                   c.verify,
		"GET /api/v1/keys":                      c.listKeys,
		"POST /api/v1/keys":                     c.addKey,
		"DELETE /api/v1/keys/{name}":            c.revokeKey,
		"GET /api/v1/policy":                    c.policy,
		"GET /api/v1/policy/explain":            c.explainPolicy,
		"POST /api/v1/policy/reload":            c.reloadPolicy,
		"GET /api/v1/rules":                     c.listRules,
		"POST /api/v1/rules/reload":             c.reloadRules,
		"POST /api/v1/rules/secrets":            c.addSecret,
		"POST /api/v1/rules/canaries":           c.addCanary,
		"GET /api/v1/allowances":                c.listAllowances,
		"POST /api/v1/allowances":               c.addAllowance,
		"DELETE /api/v1/allowances/{id}":        c.revokeAllowance,
		"POST /api/v1/import":                   c.importFile,
		"GET /api/v1/policy/text":               c.policyText,
		"GET /api/v1/policy/tests":              c.testPolicy,
		"GET /api/v1/detectors":                 c.detectors,
		"GET /api/v1/ledger/growth":             c.growth,
		"GET /api/v1/journal":                   c.journal,
		"GET /api/v1/setup":                     c.setup,
		"GET /api/v1/overview":                  c.overview,
		"GET /api/v1/views":                     c.listViews,
		"POST /api/v1/views":                    c.saveView,
		"DELETE /api/v1/views/{name}":           c.deleteView,

		"GET /api/v1/flows/{id}/conversation":    reads(c.flowConversation),
		"GET /api/v1/flows/{id}/parts/{n}":       reads(c.part),
		"POST /api/v1/flows/{id}/reveal":         reads(c.reveal),
		"GET /api/v1/sessions/{id}/conversation": reads(c.conversation),
		"GET /api/v1/sessions/{id}/export.html":  limited(files, c.exportPage),
	}
	for pattern, h := range open {
		c.patterns = append(c.patterns, pattern)
		c.mux.Handle(pattern, c.serve(h))
	}
	if c.o.Guardrail != nil {
		c.mux.Handle("POST /beta/litellm_basic_guardrail_api", c.o.Guardrail)
	}
	for pattern, h := range guarded {
		c.patterns = append(c.patterns, pattern)
		c.mux.Handle(pattern, c.serve(c.guarded(understood(pattern, h))))
	}
	c.mux.Handle("/", c.serve(c.guarded(missing)))
}

func missing(_ http.ResponseWriter, r *http.Request) error {
	return refuse(http.StatusNotFound, "not_found", "there is no such route: see docs/reference/cli.md")
}

// Handler serves the console. A caller that came over TCP needs the bearer
// token or a visit under /api; one over the unix socket (see Serve) does not.
func (c *Console) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if callerOf(r).local {
			c.answer(w, r)
			return
		}
		pacing(w, r, c.answer)
	})
}

func (c *Console) answer(w http.ResponseWriter, r *http.Request) {
	if c.forPage(r) {
		c.serve(c.arriving(c.page))(w, r)
		return
	}
	c.serve(c.ours(c.route))(w, r)
}

func (c *Console) route(w http.ResponseWriter, r *http.Request) error {
	c.mux.ServeHTTP(w, r)
	return nil
}
