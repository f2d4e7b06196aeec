package console_test

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/console"
)

// TestEveryRouteIsDescribed: what is served stands in the document, and nothing
// else does.
func TestEveryRouteIsDescribed(t *testing.T) {
	d := newDesk(t)
	w := d.ask("GET", "/api/v1/openapi.json", "")
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]any
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Fatalf("%.200s: %v", w.Body, err)
	}
	served := map[string]bool{}
	for _, pattern := range console.Patterns(d.Console) {
		method, path, _ := strings.Cut(pattern, " ")
		if !strings.HasPrefix(path, "/api/") {
			continue
		}
		served[strings.ToLower(method)+" "+path] = true
		if doc.Paths[path][strings.ToLower(method)] == nil {
			t.Errorf("%s is served and not described", pattern)
		}
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			if !served[method+" "+path] {
				t.Errorf("%s %s is described and not served", method, path)
			}
		}
	}
}

// TestReferencesLeadSomewhere: every schema that is named is there.
func TestReferencesLeadSomewhere(t *testing.T) {
	text := newDesk(t).ask("GET", "/api/v1/openapi.json", "").Body.String()
	var doc struct {
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	const prefix = `"#/components/schemas/`
	for _, part := range strings.Split(text, prefix)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		if doc.Components.Schemas[name] == nil {
			t.Errorf("there is no schema %s", name)
		}
	}
	if doc.Components.Schemas["Row"] == nil || doc.Components.Schemas["Problem"] == nil {
		t.Errorf("schemas %v lack Row or Problem", doc.Components.Schemas)
	}
}

var update = flag.Bool("update", false, "write the page's types anew")

// TestPageHasTheseTypes: the page is made with the types that the server writes.
func TestPageHasTheseTypes(t *testing.T) {
	const file = "../../web/src/api/made.ts"
	want := console.TypeScript()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("%s is not what the server writes (%v): make types", file, err)
	}
}

// TestParametersThatARouteDoesNotHave: a filter that is named wrong chooses nothing
// away, so the answer would be all flows.
func TestParametersThatARouteDoesNotHave(t *testing.T) {
	d := newDesk(t)
	for _, path := range []string{"/export?filter=verdict:block", "/rows?verdict=block", "/rows?q=verdict:block;limit=5", "/rows?q=%zz", "/status?a=1", "/flows/f1?why=a"} {
		if w := d.ask("GET", "/api/v1"+path, ""); w.Code != 400 || !strings.Contains(w.Body.String(), `"kind":"parameter"`) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	w := d.ask("GET", "/api/v1/rows?filter=x", "")
	if want := `this route has no parameter \"filter\": it has q, session, since, limit, before, offset, why`; !strings.Contains(w.Body.String(), want) {
		t.Errorf("%s does not say %s", w.Body, want)
	}
}
