package console

import (
	"net/http"

	"github.com/workingagents/gatehouse/internal/ledger"
)

// search finds texts. It shows pieces of content, so it needs a reason, which
// the ledger records before it opens any.
func (c *Console) search(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	q, err := query(r)
	if err != nil {
		return err
	}
	why := v.Get("why")
	if err := reason(why); err != nil {
		return err
	}
	found, err := c.o.Flows.Search(q.Filter, ledger.SearchQuery{Limit: q.Limit, Before: string(q.Before)}, ledger.Access{Who: who(r), Why: why})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, found)
}
