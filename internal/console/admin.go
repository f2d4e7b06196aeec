package console

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger"
)

func (c *Console) health(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, map[string]string{"status": "alive"})
}

// readiness is what /readyz and /api/v1/status say.
type readiness struct {
	Ready bool   `json:"ready"`
	Why   string `json:"why,omitempty"` // why not
}

func (c *Console) readiness() readiness {
	if err := c.o.Ready(); err != nil {
		return readiness{Why: err.Error()}
	}
	return readiness{Ready: true}
}

func (c *Console) ready(w http.ResponseWriter, _ *http.Request) error {
	state := c.readiness()
	if !state.Ready {
		return writeJSON(w, http.StatusServiceUnavailable, state)
	}
	return writeJSON(w, http.StatusOK, state)
}

type status struct {
	About
	Who string `json:"who"` // asks
	readiness
	Policy PolicyStatus `json:"policy"`
	Rules  RulesStatus  `json:"rules"`
	Ledger ledgerStatus `json:"ledger"`
}

// ledgerStatus is ledger.Stats as the API names it.
type ledgerStatus struct {
	Mode      string `json:"mode"`
	Entries   uint64 `json:"entries"`
	Segments  int    `json:"segments"`
	Bytes     int64  `json:"bytes"`
	Open      int    `json:"open"`
	Queue     int    `json:"queue_bytes"`
	AtRisk    int    `json:"at_risk"`
	Unindexed int    `json:"unindexed"`
	Full      bool   `json:"full"`
	Fault     string `json:"fault,omitempty"`

	Text ledger.Progress `json:"text"` // how far the full text is, in entries
}

func (c *Console) status(w http.ResponseWriter, r *http.Request) error {
	s := c.o.Ledger.Stats()
	return writeJSON(w, http.StatusOK, status{c.o.About, who(r), c.readiness(), c.o.Policy.Status(), c.o.Rules.Status(), ledgerStatus{
		Mode: s.Mode.String(), Entries: s.Entries, Segments: s.Segments, Bytes: s.Bytes, Open: s.Open,
		Queue: s.Queue, AtRisk: s.AtRisk, Unindexed: s.Unindexed, Full: s.Full, Fault: s.Fault, Text: s.Text,
	}})
}

// verifyLine is a line of a verification: some tell how far it is, in bytes, and
// the last one what it found.
type verifyLine struct {
	Done   *int64         `json:"done,omitempty"`
	Total  *int64         `json:"total,omitempty"`
	Report *ledger.Report `json:"report,omitempty"`
}

// verify runs one verification at a time: it reads the whole ledger.
func (c *Console) verify(w http.ResponseWriter, r *http.Request) error {
	select {
	case c.busy <- struct{}{}:
		defer func() { <-c.busy }()
	default:
		return refuse(http.StatusConflict, "busy", "a verification is already running")
	}
	out := newLines(w)
	shown := int64(-1)
	report, err := c.o.Ledger.Verify(func(done, total int64) {
		if percent := done * 100 / max(total, 1); percent != shown {
			shown = percent
			out.add(verifyLine{Done: &done, Total: &total}) // the verification ends also when nobody looks
			out.flush()
		}
	})
	if err != nil {
		return err
	}
	c.verified(&report, who(r))
	return out.add(verifyLine{Report: &report})
}

// verified records what came out, where a gateway runs: who verifies a folder
// that nobody uses leaves it as it is.
func (c *Console) verified(report *ledger.Report, who string) {
	if c.o.About.Listen == "" {
		return
	}
	attrs := map[string]string{"code": strconv.Itoa(report.Code), "entries": strconv.FormatUint(report.Entries, 10), "problems": strconv.Itoa(len(report.Problems) + report.More)}
	if err := c.o.Ledger.Admin("verify", "asked by "+who, attrs); err != nil {
		c.o.Log.Warn("that the ledger was verified is not on record", "err", err) // the report counts all the same
	}
}

// keyView is an access key as it is listed: never its hash.
type keyView struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Revoked time.Time `json:"revoked,omitzero"` // absent: valid
}

type keyBody struct {
	Name string `json:"name"`
}

// newKey is the one answer that holds an access key.
type newKey struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

func (c *Console) listKeys(w http.ResponseWriter, _ *http.Request) error {
	keys, err := c.o.Keys.List()
	if err != nil {
		return err
	}
	out := newLines(w)
	for _, k := range keys {
		if err := out.add(keyView{k.Name, k.Created, k.Revoked}); err != nil {
			return err
		}
	}
	return nil
}

// addKey shows the key only after its entry is durable. When the ledger does
// not take the entry, the key is revoked again: nobody ever had it.
func (c *Console) addKey(w http.ResponseWriter, r *http.Request) error {
	var in keyBody
	if err := strictly(w, r, &in, `{"name": NAME}`); err != nil {
		return err
	}
	secret, err := c.o.Keys.Add(in.Name)
	if err != nil {
		return err
	}
	if err := c.o.Ledger.Admin("key.add", "asked by "+who(r), map[string]string{"name": in.Name}); err != nil {
		return errors.Join(err, c.o.Keys.Revoke(in.Name))
	}
	return writeJSON(w, http.StatusCreated, newKey{in.Name, secret})
}

// revokeKey revokes first: a revocation that the ledger did not take still
// holds, and the error says that it is not on record.
func (c *Console) revokeKey(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if err := c.o.Keys.Revoke(name); err != nil {
		return err
	}
	if err := c.o.Ledger.Admin("key.revoke", "asked by "+who(r), map[string]string{"name": name}); err != nil {
		return fmt.Errorf("recording that the key was revoked: %w", err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
