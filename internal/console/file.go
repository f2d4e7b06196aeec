package console

import (
	"net/http"
	"time"

	"github.com/workingagents/gatehouse/internal/conversation"
	"github.com/workingagents/gatehouse/internal/export"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// Offline gives the script and the style of the page that a file of a session is
// read with; not ok: this binary has none.
type Offline func() (script, style []byte, ok bool)

// nextHeader names, in the answer that a session is a file, the flow that the next
// file begins with.
const nextHeader = "Gatehouse-Next"

// filed is what a file of a session holds.
type filed struct {
	Conversation *conversation.Conversation `json:"conversation"`
	Redact       string                     `json:"redact"` // values or none
	Made         time.Time                  `json:"made"`
	Version      string                     `json:"version"` // of the gateway
}

// mostFiled is how much text and pictures a file holds before the rest has to go
// into another one: browsers open no larger ones with ease.
const mostFiled = 64 << 20

// exportPage answers with a session as a file that needs nothing else. It is read
// as a whole before it is written: a file is whole, or there is none.
func (c *Console) exportPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	by := ledger.Access{Who: who(r), Why: q.Get("why")}
	if err := reason(by.Why); err != nil {
		return err
	}
	f := filing{c: c, redact: q.Get("redact"), window: ledger.Window{Session: r.PathValue("id"), Principal: q.Get("principal"), From: flow.ID(q.Get("from"))}}
	if err := f.choose(); err != nil {
		return err
	}
	script, style, ok := c.offline()
	if !ok {
		return refuse(http.StatusNotImplemented, "noui", "this gatehouse was built without the console's page (tag noui), which such a file is read with")
	}
	whole, err := f.read(r, by)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="session.html"`)
	h.Set("Content-Security-Policy", "sandbox") // from here it is a download and no page of ours
	if whole.Next != "" {
		h.Set(nextHeader, string(whole.Next))
	}
	data := filed{Conversation: whole, Redact: f.redact, Made: time.Now().UTC().Truncate(time.Second), Version: c.o.About.Version}
	return export.HTML(w, export.Page{Title: whole.Session, Script: script, Style: style, Data: data})
}

func (c *Console) offline() (script, style []byte, ok bool) {
	if c.o.Offline == nil {
		return nil, nil, false
	}
	return c.o.Offline()
}

// filing reads a session for a file.
type filing struct {
	c      *Console
	redact string
	window ledger.Window
	build  conversation.Builder
	values sieve
}

// sieve hides what exports hide.
type sieve struct{ export.Values }

func (*sieve) Hides(rule string) bool { return export.Hides(rule) }

// choose reads redact.
func (f *filing) choose() error {
	f.build.Whole = true
	switch f.redact {
	case "", "values":
		f.redact, f.build.Sieve, f.window.For = "values", &f.values, "file"
	case "none":
		f.build.Bare, f.window.For = true, "file with values"
	default:
		return refuse(http.StatusBadRequest, "redact", "redact is values or none")
	}
	return nil
}

// read reads window after window, each an entry of the ledger.
func (f *filing) read(r *http.Request, by ledger.Access) (*conversation.Conversation, error) {
	var first *ledger.Telling
	for {
		told, err := f.add(r, by)
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = told
		}
		if told.Next != "" && f.build.Bytes() <= mostFiled {
			f.window.From = told.Next
			continue
		}
		told.From, told.Prev = first.From, first.Prev
		f.build.Middle = first.Prev != ""
		whole := about(f.build.Done(), told)
		if why := f.values.Blind(); why != "" {
			return nil, refuse(http.StatusConflict, "redact", "what is to be masked in this session can't be: "+why)
		}
		return whole, nil
	}
}

// add reads one window.
func (f *filing) add(r *http.Request, by ledger.Access) (*ledger.Telling, error) {
	var values *conversation.Values
	return f.c.o.Talk.Tell(f.window, by, func(t *ledger.Told) error {
		if values == nil {
			values = asValues(t)
			for _, v := range t.Values {
				f.values.Add(v.Rule, v.Value)
			}
		}
		if f.build.Add(f.c.asFlow(t, values)); f.build.Bytes() > mostFiled {
			return ledger.ErrEnough
		}
		return r.Context().Err()
	})
}
