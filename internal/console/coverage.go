package console

import (
	"net/http"
	"time"

	"github.com/workingagents/gatehouse/internal/coverage"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// coverage reports how the flows of one session came, or of all.
func (c *Console) coverage(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r)
	if err != nil {
		return err
	}
	chosen, err := c.around(q)
	if err != nil {
		return err
	}
	report, err := coverage.Of(chosen.Rows, chosen.Views, q.Session)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, report)
}

// around gives the flows that a report needs: of a session also those that name
// none, while it was at work.
func (c *Console) around(q ledger.Query) (ledger.Chosen, error) {
	own, err := c.o.Flows.Choose(q)
	if err != nil || q.Session == "" {
		return own, err
	}
	for row, err := range own.Rows {
		if err != nil {
			return own, err
		}
		first := row.Started.Add(-coverage.Margin)
		if first.Before(q.Since) {
			first = q.Since
		}
		return c.o.Flows.Choose(ledger.Query{Since: first.Truncate(time.Millisecond)})
	}
	return own, refuse(http.StatusNotFound, "not_found", "there is no such session")
}
