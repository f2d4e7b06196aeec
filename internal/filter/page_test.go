package filter_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/filter"
)

var update = flag.Bool("update", false, "write the page's list of fields")

const pageFields = "../../web/src/api/fields.ts"

// The console's page completes what is typed into its filter box, so it knows
// the fields.
func TestPageKnowsTheFields(t *testing.T) {
	var b strings.Builder
	b.WriteString("// The fields of the filter language, as internal/filter has them:\n// go test ./internal/filter -run Page -update\n")
	b.WriteString("import type { Field } from \"./filters\";\n\nexport const fields: Field[] = [\n")
	for _, f := range filter.Fields() {
		choices, err := json.Marshal(append([]string{}, f.Choices...))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "  { name: %q, kind: %q, choices: %s, example: %q },\n", f.Field, f.Kind, choices, f.Example)
	}
	b.WriteString("];\n")
	if *update {
		if err := os.WriteFile(pageFields, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(pageFields)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Errorf("%s is not what this package says: run this test with -update", pageFields)
	}
}
