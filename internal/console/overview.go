package console

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger"
)

// overview adds flows up: by=model, or by=day,agent. offset is what the reader's
// clock is ahead of UTC, in minutes.
func (c *Console) overview(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	q, err := query(v)
	if err != nil {
		return err
	}
	by, err := groupings(v.Get("by"))
	if err != nil {
		return err
	}
	offset := 0
	if text := v.Get("offset"); text != "" {
		if offset, err = strconv.Atoi(text); err != nil || offset < -24*60 || offset > 24*60 {
			return refuse(http.StatusBadRequest, "offset", "offset is how many minutes the clock is ahead of UTC")
		}
	}
	o, err := c.o.Flows.Overview(q, by, time.Duration(offset)*time.Minute)
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
