package console

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/policy"
)

// Policy is the policy in force.
type Policy interface {
	Policy() policy.Policy
	Status() PolicyStatus
	Reload(why string) error // its error is told; then the old policy is still in force
}

// PolicyStatus says which policy is in force.
type PolicyStatus struct {
	Version string    `json:"version"`
	Mode    string    `json:"mode"`
	File    string    `json:"file,omitempty"` // "": the built-in policy
	Loaded  time.Time `json:"loaded"`
	Error   string    `json:"error,omitempty"` // why the file as it stands now is not in force
}

// Allowances are what is allowed beside the policy. An *allow.Store is one.
type Allowances interface {
	New(policy.Allowance) (policy.Allowance, error) // checks, and gives it its id
	Add(policy.Allowance) error
	Revoke(id string) error
	List() []policy.Allowance
}

func (c *Console) policy(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, c.o.Policy.Status())
}

// policyText gives the text of the policy in force, which may be another than
// its file has by now.
func (c *Console) policyText(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := w.Write(c.o.Policy.Policy().Text())
	return err
}

// reloadPolicy answers 400 with the file's problems, one a line, when the old
// policy stays in force.
func (c *Console) reloadPolicy(w http.ResponseWriter, r *http.Request) error {
	if err := c.o.Policy.Reload("asked by " + who(r)); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, c.o.Policy.Status())
}

// explainPolicy says which line of the policy in force decides a case.
func (c *Console) explainPolicy(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if status := c.o.Policy.Status(); status.Mode == "" && status.Error != "" {
		return refuse(http.StatusConflict, "policy", status.Error)
	}
	if tool := q.Get("tool"); tool != "" {
		return writeJSON(w, http.StatusOK, c.o.Policy.Policy().ExplainRestore(tool, q.Get("field")))
	}
	in := policy.Case{
		Rule: q.Get("rule"), Channel: flow.Channel(q.Get("channel")), Direction: q.Get("direction"), Principal: q.Get("principal"),
		Provider: flow.Provider(q.Get("provider")), Model: q.Get("model"), Name: q.Get("name"), Finding: q.Get("finding"), Facts: q["fact"], Fixed: q.Has("fixed"),
	}
	if in.Rule == "" {
		return refuse(http.StatusBadRequest, "rule", "say which rule: ?rule=secret.github-token, or ?tool=Write&field=content")
	}
	if err := in.Check(); err != nil {
		return refuse(http.StatusBadRequest, "case", err.Error())
	}
	if s := q.Get("severity"); s != "" {
		if err := in.Severity.UnmarshalText([]byte(s)); err != nil {
			return refuse(http.StatusBadRequest, "severity", err.Error())
		}
	}
	if s := q.Get("confidence"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 100 {
			return refuse(http.StatusBadRequest, "confidence", "confidence is 1 to 100, percent")
		}
		in.Confidence = n
	}
	return writeJSON(w, http.StatusOK, c.o.Policy.Policy().Explain(in, time.Now()))
}

func (c *Console) listAllowances(w http.ResponseWriter, _ *http.Request) error {
	out := newLines(w)
	for _, a := range c.o.Allowances.List() {
		if err := out.add(a); err != nil {
			return err
		}
	}
	return nil
}

type allowanceBody struct {
	Finding string    `json:"finding"`
	Scope   string    `json:"scope"`
	Reason  string    `json:"reason"`
	Until   time.Time `json:"until"`
}

// addAllowance records first: nothing is allowed that is not on record. The
// owner is who asks, whatever the body says.
func (c *Console) addAllowance(w http.ResponseWriter, r *http.Request) error {
	var in allowanceBody
	if err := strictly(w, r, &in, `{"finding": ID, "reason": TEXT, "until": TIME, "scope": PRINCIPAL or "*"}`); err != nil {
		return err
	}
	a, err := c.o.Allowances.New(policy.Allowance{Finding: in.Finding, Scope: in.Scope, Reason: in.Reason, Until: in.Until, Owner: who(r)})
	if err != nil {
		return err
	}
	if err := c.o.Ledger.Admin("allow.add", a.Reason, attrsOf(a)); err != nil {
		return err
	}
	if err := c.o.Allowances.Add(a); err != nil {
		return errors.Join(err, c.o.Ledger.Admin("allow.revoke", "it could not be kept", map[string]string{"id": a.ID}))
	}
	return writeJSON(w, http.StatusCreated, a)
}

func attrsOf(a policy.Allowance) map[string]string {
	return map[string]string{
		"id": a.ID, "finding": a.Finding, "scope": a.Scope, "owner": a.Owner,
		"made": a.Made.Format(time.RFC3339), "until": a.Until.Format(time.RFC3339),
	}
}

// revokeAllowance revokes first: a revocation that the ledger did not take
// still holds, and the error says that it is not on record.
func (c *Console) revokeAllowance(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := c.o.Allowances.Revoke(id); err != nil {
		return err
	}
	if err := c.o.Ledger.Admin("allow.revoke", "asked by "+who(r), map[string]string{"id": id}); err != nil {
		return fmt.Errorf("recording that the allowance was revoked: %w", err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
