package console

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/workingagents/gatehouse/internal/export"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// Archive is what exports read. A *ledger.Ledger is one.
type Archive interface {
	Choose(ledger.Query) (ledger.Chosen, error)
	Flow(flow.ID) (*flow.Intent, *flow.Outcome, error)
	Read(flow.ID, ledger.What, ledger.Access) ([]ledger.Chunk, error)
	VaultIn(principal, session string) ([]ledger.VaultEntry, error)
	FindingID(rule string, value []byte) string
}

// writer is the writer of a format.
type writer interface {
	Add(*export.Flow) error
	Close() error
}

// flowsHeader says in an answer how many flows were chosen when it began. The export
// has fewer when retention removes some meanwhile.
const flowsHeader = "Gatehouse-Flows"

// export streams the flows that a query chooses, the oldest first. An error after
// the beginning is the last line, and the answer breaks off: nobody takes it for
// the whole.
func (c *Console) export(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	x, err := c.exporter(r, v.Get("content") == "1")
	if err != nil {
		return err
	}
	if format := v.Get("format"); format == "har" {
		x.har = true
	} else if format != "" && format != "jsonl" {
		return refuse(http.StatusBadRequest, "format", "format is jsonl or har; the command of one flow is under /api/v1/flows/ID/curl")
	}
	q, err := query(r)
	if err != nil {
		return err
	}
	chosen, err := c.o.Archive.Choose(q)
	if err != nil {
		return err
	}
	n, err := chosen.Count()
	if err != nil {
		return err
	}
	w.Header().Set(flowsHeader, strconv.Itoa(n))
	if err := x.all(r.Context(), chosen.Rows, c.format(w, x.har)); err != nil {
		c.breakOff(w, r, err)
	}
	return nil
}

func (c *Console) format(w http.ResponseWriter, har bool) writer {
	h := w.Header()
	if har {
		h.Set("Content-Type", "application/json")
		h.Set("Content-Disposition", `attachment; filename="flows.har"`)
		return export.NewHAR(w, c.o.About.Version, c.address)
	}
	h.Set("Content-Type", "application/jsonl")
	h.Set("Content-Disposition", `attachment; filename="flows.jsonl"`)
	return export.NewJSONL(w)
}

func (c *Console) address(in *flow.Intent) string {
	if c.o.Address == nil {
		return ""
	}
	return c.o.Address(in)
}

// breakOff ends an answer in a way that every client notices.
func (c *Console) breakOff(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		w.Write([]byte("\n")) // a client that is gone needs no answer
		json.NewEncoder(w).Encode(newProblem(c.asRefusal(r, err), err))
		http.NewResponseController(w).Flush()
	}
	panic(http.ErrAbortHandler)
}

// curl gives the command that repeats a flow's call: through the gateway or, with
// direct=1, past it.
func (c *Console) curl(w http.ResponseWriter, r *http.Request) error {
	x, err := c.exporter(r, true)
	if err != nil {
		return err
	}
	in, out, err := c.o.Archive.Flow(flow.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	x.request = true
	f, err := x.flow(in, out)
	if err != nil {
		return err
	}
	text, err := export.Curl(f, c.target(in, r.URL.Query().Get("direct") == "1"))
	if errors.Is(err, export.ErrNoCall) {
		return refuse(http.StatusConflict, "no_call", err.Error())
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="call.sh"`)
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("sending the command: %w", err)
	}
	return nil
}

// listens is where a gateway listens unless it is told otherwise.
const listens = "127.0.0.1:4000"

// target says where a call is repeated. What came through the forward proxy goes
// by a base URL, too, when its host is the provider's usual one.
func (c *Console) target(in *flow.Intent, direct bool) export.CurlOptions {
	base := c.address(in)
	if in.Host != "" {
		base = "https://" + in.Host
	}
	if direct {
		return export.CurlOptions{Base: base}
	}
	if in.Host == "" || base == c.address(in) {
		o := export.CurlOptions{Base: "http://" + dialled(cmp.Or(c.o.About.Listen, listens)), Key: in.Principal.Key != ""}
		if in.Provider != "" {
			o.Base += "/" + string(in.Provider)
		}
		return o
	}
	o := export.CurlOptions{Base: base, Proxy: c.o.About.Intercept}
	if o.Proxy != "" {
		o.Proxy = "http://" + dialled(o.Proxy)
	}
	return o
}

// dialled is how an address that is listened on is called from this machine.
func dialled(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip, bad := netip.ParseAddr(host); err == nil && (host == "" || bad == nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}
