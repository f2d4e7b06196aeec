package console

import (
	"net/http"
	"time"

	"github.com/workingagents/gatehouse/internal/coverage"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// coverage reports how the flows of one session came, or of all.
func (c *Console) coverage(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r)
	switch {
	case err != nil:
		return err
	case q.Limit != 0:
		return refuse(http.StatusBadRequest, "limit", "coverage takes no limit: what is left out would not be covered")
	}
	views, err := c.around(q)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, coverage.Of(views, q.Session))
}

// around gives the flows that a report needs: of a session also those that name
// none, while it was at work.
func (c *Console) around(q ledger.Query) ([]flow.View, error) {
	if q.Session == "" {
		return c.o.Flows.Flows(q)
	}
	own, err := c.o.Flows.Flows(q)
	if err != nil {
		return nil, err
	}
	if len(own) == 0 {
		return nil, refuse(http.StatusNotFound, "not_found", "there is no such session")
	}
	first := own[0].Started.Add(-coverage.Margin)
	if first.Before(q.Since) {
		first = q.Since
	}
	return c.o.Flows.Flows(ledger.Query{Since: first.Truncate(time.Millisecond)})
}
