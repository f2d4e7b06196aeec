package console

import (
	"net/http"
	"strings"
)

// Page is what browsers are shown. A *web.Files is one.
type Page interface {
	http.Handler
	Has(path string) bool // it is a file; any other path is a place within the page
}

// apart are the paths that never are places within the page.
var apart = []string{"/api/", "/beta/", "/healthz", "/readyz", "/metrics"}

// forPage tells the page's files, and what a browser's address bar asks for,
// from the API: the page has routes of its own, on which no answer holds
// anything that was recorded.
func (c *Console) forPage(r *http.Request) bool {
	if c.o.Page == nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	for _, prefix := range apart {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return false
		}
	}
	return c.o.Page.Has(r.URL.Path) || strings.Contains(r.Header.Get("Accept"), "text/html")
}

func (c *Console) page(w http.ResponseWriter, r *http.Request) error {
	c.o.Page.ServeHTTP(w, r)
	return nil
}

// arriving is ours, but who follows a link on a foreign page is let through to
// the page, which asks the API by itself, from its own origin. That holds for a
// tab only: no frame, no script and no image of a foreign page.
func (c *Console) arriving(next handler) handler {
	strict := c.ours(next)
	return func(w http.ResponseWriter, r *http.Request) error {
		h := r.Header
		arrives := h.Get("Sec-Fetch-Mode") == "navigate" && h.Get("Sec-Fetch-Dest") == "document" && h.Get("Origin") == ""
		if arrives && !c.o.Page.Has(r.URL.Path) && (c.knownHost(r.Host) || callerOf(r).local) {
			return next(w, r)
		}
		return strict(w, r)
	}
}
