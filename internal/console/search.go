package console

import (
	"net/http"
	"time"

	"github.com/workingagents/gatehouse/internal/filter"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// search finds texts. It shows pieces of content, so it needs a reason, which
// the ledger records before it opens any.
func (c *Console) search(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	f, err := chosen(v.Get("q"))
	if err != nil {
		return err
	}
	limit, err := whole(v, "limit", 0)
	if err != nil {
		return err
	}
	why := v.Get("why")
	if err := reason(why); err != nil {
		return err
	}
	found, err := c.o.Flows.Search(f, ledger.SearchQuery{Limit: limit, Before: v.Get("before")}, ledger.Access{Who: who(r), Why: why})
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, found)
}

// chosen reads a filter. Its error tells the column.
func chosen(text string) (*filter.Filter, error) {
	f, err := filter.Parse(text, time.Now())
	if err != nil {
		return nil, &flow.Refusal{Status: http.StatusBadRequest, Kind: "filter", Text: err.Error(), Err: err}
	}
	return f, nil
}
