//go:build noui

package web_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/web"
)

func TestWithoutThePageALineSaysSo(t *testing.T) {
	w := httptest.NewRecorder()
	web.New().ServeHTTP(w, httptest.NewRequest("GET", "/live", nil))
	if w.Code != 404 || !strings.Contains(w.Body.String(), "noui") {
		t.Errorf("%d %s; want 404 and why", w.Code, w.Body)
	}
}

func TestWithoutThePageThereAreNoFiles(t *testing.T) {
	if script, style, ok := web.Offline(); ok || script != nil || style != nil {
		t.Error("there is one")
	}
}
