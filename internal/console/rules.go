package console

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Rules are the rules in force by which bodies are inspected.
type Rules interface {
	Status() RulesStatus
	List() ([]Rule, error)
	Reload(why string) error // its error is told; then the old rules are still in force
	AddSecret(NewSecret) (Registered, error)
	AddCanary(NewCanary) (Canary, error)
}

// RulesStatus says which rules are in force.
type RulesStatus struct {
	Version string    `json:"version"` // of all of them; empty: none are loaded
	Number  int       `json:"number"`
	Files   []string  `json:"files,omitempty"` // beside the built-in ones
	Loaded  time.Time `json:"loaded,omitzero"`
	Error   string    `json:"error,omitempty"` // why the files as they stand now are not in force, a line for each problem
}

// Rule is one rule as it is listed.
type Rule struct {
	Rule       string        `json:"rule"` // as policies and findings name it: family, dot, id
	Family     string        `json:"family"`
	ID         string        `json:"id"`
	Title      string        `json:"title"`
	Severity   flow.Severity `json:"severity"`
	Confidence int           `json:"confidence"`     // percent
	File       string        `json:"file,omitempty"` // absent: it is built in
}

// NewSecret is a value to register. Only its keyed hash is kept.
type NewSecret struct {
	Name     string        `json:"name"`
	Title    string        `json:"title"`
	Severity flow.Severity `json:"severity,omitzero"` // absent: critical
	Value    string        `json:"value"`
	Owner    string        `json:"-"` // who asks
}

// NewCanary is a canary to make.
type NewCanary struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Form  string `json:"form"` // empty: the usual one
	Owner string `json:"-"`
}

// Registered is a value that is looked for from now on.
type Registered struct {
	Rule    string `json:"rule"`    // names its findings
	Version string `json:"version"` // of the rules, with it
}

// Canary is the one answer that holds a canary's value.
type Canary struct {
	Registered
	Value string `json:"value"`
	Plant string `json:"plant"` // the lines to plant
	Where string `json:"where"`
}

func (c *Console) listRules(w http.ResponseWriter, _ *http.Request) error {
	list, err := c.o.Rules.List()
	if err != nil {
		return err
	}
	out := newLines(w)
	for _, r := range list {
		if err := out.add(r); err != nil {
			return err
		}
	}
	return nil
}

// reloadRules answers 400 with the files' problems, one a line, when the old
// rules stay in force.
func (c *Console) reloadRules(w http.ResponseWriter, r *http.Request) error {
	if err := c.o.Rules.Reload("asked by " + who(r)); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, c.o.Rules.Status())
}

// strictly reads a body that has these members only. Its error never quotes
// the body: a value may stand in it.
func strictly(w http.ResponseWriter, r *http.Request, into any, form string) error {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return refuse(http.StatusBadRequest, "body", "the body must be "+form)
	}
	return nil
}

func (c *Console) addSecret(w http.ResponseWriter, r *http.Request) error {
	var in NewSecret
	if err := strictly(w, r, &in, `{"name": NAME, "value": VALUE}, and title and severity if they matter`); err != nil {
		return err
	}
	in.Owner = who(r)
	made, err := c.o.Rules.AddSecret(in)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, made)
}

func (c *Console) addCanary(w http.ResponseWriter, r *http.Request) error {
	var in NewCanary
	if err := strictly(w, r, &in, `{"name": NAME}, and title and form if they matter`); err != nil {
		return err
	}
	in.Owner = who(r)
	made, err := c.o.Rules.AddCanary(in)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, made)
}
