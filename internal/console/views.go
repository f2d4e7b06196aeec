package console

import (
	"net/http"
	"time"

	"github.com/workingagents/gatehouse/internal/console/saved"
	"github.com/workingagents/gatehouse/internal/filter"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// Views are the views that people saved. A *saved.Store is one.
type Views interface {
	List() []saved.View
	Save(saved.View) error
	Delete(name string) error
}

// ViewList is the saved views by name.
type ViewList struct {
	Views []saved.View `json:"views"`
}

func (c *Console) listViews(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, ViewList{append([]saved.View{}, c.o.Views.List()...)})
}

type viewBody struct {
	Name  string `json:"name"`
	Page  string `json:"page"`
	Query string `json:"q"`
}

func (c *Console) saveView(w http.ResponseWriter, r *http.Request) error {
	var in viewBody
	if err := strictly(w, r, &in, `{"name": NAME, "page": PATH, "q": FILTER}`); err != nil {
		return err
	}
	if _, err := filter.Parse(in.Query, time.Now()); err != nil {
		return err
	}
	v := saved.View{Name: in.Name, Page: in.Page, Query: in.Query, Owner: who(r)}
	if err := c.o.Views.Save(v); err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, v)
}

func (c *Console) deleteView(w http.ResponseWriter, r *http.Request) error {
	if err := c.o.Views.Delete(r.PathValue("name")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// JournalPage is a stretch of the journal, the newest entry last.
type JournalPage struct {
	Entries []ledger.JournalEntry `json:"entries"`
}

// maxJournal bounds one answer.
const maxJournal = 1000

// journal lists what happened to the gateway and who read content.
func (c *Console) journal(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	limit, err := whole(v, "limit", 200)
	if err != nil {
		return err
	}
	before, err := whole(v, "before", 0)
	if err != nil {
		return err
	}
	if limit == 0 || limit > maxJournal {
		limit = maxJournal
	}
	q := ledger.JournalQuery{Before: uint64(before), Limit: limit}
	switch v.Get("kind") {
	case "":
	case "read", "event":
		readings := v.Get("kind") == "read"
		q.Readings = &readings
	default:
		return refuse(http.StatusBadRequest, "kind", "kind is read (who read content) or event (all else)")
	}
	list, err := c.o.Flows.Journal(q)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, JournalPage{list})
}
