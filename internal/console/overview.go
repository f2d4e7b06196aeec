package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger"
)

// overview adds flows up: by=model, or by=day,agent. offset is what the reader's
// clock is ahead of UTC, in minutes.
func (c *Console) overview(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	q, err := query(r)
	if err != nil {
		return err
	}
	by, err := groupings(v.Get("by"))
	if err != nil {
		return err
	}
	ahead := 0
	if v.Get("offset") != "" {
		zone, err := offset(v)
		if err != nil {
			return err
		}
		_, ahead = time.Time{}.In(zone).Zone()
	}
	o, err := c.o.Flows.Overview(q, by, time.Duration(ahead)*time.Second)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, o)
}

func groupings(text string) (list []ledger.By, err error) {
	if text == "" {
		return nil, nil
	}
	for name := range strings.SplitSeq(text, ",") {
		by := ledger.By(name)
		if !slices.Contains(ledger.Bys(), by) || slices.Contains(list, by) || len(list) == 2 {
			return nil, refuse(http.StatusBadRequest, "by", fmt.Sprintf("by is one or two of %v", ledger.Bys()))
		}
		list = append(list, by)
	}
	return list, nil
}
