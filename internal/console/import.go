package console

import (
	"context"
	"io"
	"net/http"
	"strings"
)

// Importer has a recording of another tool recorded here. told is called now and
// then with the report so far.
type Importer interface {
	Import(ctx context.Context, name, owner string, r io.Reader, told func(ImportReport)) (ImportReport, error)
}

// ImportReport says what became of a recording.
type ImportReport struct {
	Exchanges int            `json:"exchanges"`         // that the file has, as far as it was read
	Flows     int            `json:"flows"`             // that are on record now
	Skipped   map[string]int `json:"skipped,omitempty"` // exchanges with hosts that are no provider's
	Error     string         `json:"error,omitempty"`   // why it was not read to its end

	Unreadable int      `json:"unreadable,omitempty"` // exchanges that are broken
	Reasons    []string `json:"reasons,omitempty"`    // of the first of them, each with its place in the file
	Undated    int      `json:"undated,omitempty"`    // exchanges without a time that can be theirs: recorded as of now
}

// importLine is a line of an import: some of the first, one of the second.
type importLine struct {
	Done   int           `json:"done,omitempty"` // exchanges
	Report *ImportReport `json:"report,omitempty"`
}

// importEvery is after how many exchanges progress is told.
const importEvery = 100

// importFile reads a recording from the request's body, one at a time. What was
// recorded before an error stays so, and the report has both.
func (c *Console) importFile(w http.ResponseWriter, r *http.Request) error {
	select {
	case c.importing <- struct{}{}:
		defer func() { <-c.importing }()
	default:
		return refuse(http.StatusConflict, "busy", "an import is already running")
	}
	name := strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return '_'
		}
		return c
	}, r.URL.Query().Get("name"))
	if name == "" || len(name) > 255 {
		return refuse(http.StatusBadRequest, "name", "the recording needs a name: ?name=FILE")
	}
	http.NewResponseController(w).EnableFullDuplex() // progress goes out while the file comes in; without it nothing is lost but that
	// With it net/http reads what is left of the body when the answer is over, and then
	// takes up the connection twice: "invalid concurrent Body.Read call".
	w.Header().Set("Connection", "close")
	out := newLines(w)
	report, err := c.o.Import.Import(r.Context(), name, who(r), r.Body, func(so ImportReport) {
		if so.Exchanges%importEvery == 0 {
			out.add(importLine{Done: so.Exchanges}) // the import ends also when nobody looks
			out.flush()
		}
	})
	if err != nil {
		report.Error = err.Error()
	}
	return out.add(importLine{Report: &report})
}
