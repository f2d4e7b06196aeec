package gemini_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/wire/gemini"
)

func TestArguments(t *testing.T) {
	for raw, want := range map[string]string{
		``:   `{}`,
		`{}`: `{}`,
		`[{"jsonPath":"$.a","stringValue":"x\n\"","willContinue":true}][{"jsonPath":"$.a","stringValue":"y","willContinue":true}][{"jsonPath":"$.a","stringValue":""}]`: `{"a":"x\n\"y"}`,
		`[{"json_path":"$.a","string_value":"x","will_continue":true},{"json_path":"$.b","bool_value":true},{"json_path":"$.a","string_value":"y"}]`:                    `{"a":"xy","b":true}`,
		`{}[{"jsonPath":"$.a.b[0].c","numberValue":1.50}][{"jsonPath":"$.a.b[0].d","nullValue":"NULL_VALUE"},{"jsonPath":"$.a.b[1]","boolValue":false}]`:                `{"a":{"b":[{"c":1.50,"d":null},false]}}`,
		`[{"jsonPath":"$['a b'][\"c.d\"].é","stringValue":"x"}]`:                                                                 `{"a b":{"c.d":{"é":"x"}}}`,
		`[{"jsonPath":"$.a","willContinue":true}][{"jsonPath":"$.a","stringValue":"x"}][{"jsonPath":"$.b","willContinue":true}]`: `{"a":"x","b":null}`,
		`[{"jsonPath":"$.a","stringValue":"x"}][{"jsonPath":"$.a","stringValue":"y"}]`:                                           "",
		`[{"jsonPath":"$.a","stringValue":"x","willContinue":true}][{"jsonPath":"$.a","numberValue":1}]`:                         "",
		`[{"jsonPath":"$.a","stringValue":"x"}][{"jsonPath":"$.a.b","stringValue":"y"}]`:                                         "",
		`[{"jsonPath":"$.a.b","stringValue":"x"}][{"jsonPath":"$.a","stringValue":"y"}]`:                                         "",
		`[{"jsonPath":"$.a[0]","stringValue":"x"}][{"jsonPath":"$.a.b","stringValue":"y"}]`:                                      "",
		`[{"jsonPath":"$.a[1]","stringValue":"x"}]`:                                                                              "",
		`[{"jsonPath":"$.a[00]","stringValue":"x"}]`:                                                                             "",
		`[{"jsonPath":"$","stringValue":"x"}]`:                                                                                   "",
		`[{"jsonPath":"a","stringValue":"x"}]`:                                                                                   "",
		`[{"jsonPath":"$..a","stringValue":"x"}]`:                                                                                "",
		`[{"jsonPath":"$.*","stringValue":"x"}]`:                                                                                 "",
		`[{"jsonPath":"$['a\\'b']","stringValue":"x"}]`:                                                                          "",
		`[{"jsonPath":"$[0]","stringValue":"x"}]`:                                                                                "",
		`[{"stringValue":"x"}]`:                                                                                                  "",
		`[{"jsonPath":"$.a","stringValue":"x","numberValue":1}]`:                                                                 "",
		`[{"jsonPath":"$.a","structValue":{}}]`:                                                                                  "",
		`[{"jsonPath":"$.a","numberValue":"1"}]`:                                                                                 "",
		`[{"jsonPath":"$.a","stringValue":1}]`:                                                                                   "",
		`{"b":1}[{"jsonPath":"$.a","stringValue":"x"}]`:                                                                          "",
		`[1]`:                     "",
		`[{"jsonPath":"$.a","str`: "",
		`[{"jsonPath":"$` + strings.Repeat(".a", 65) + `","boolValue":true}]`: "",
	} {
		args, ok := gemini.Arguments([]byte(raw))
		if want == "" {
			if ok || string(args) != raw {
				t.Errorf("%s makes %s", raw, args)
			}
			continue
		}
		if !ok || string(args) != want || !json.Valid(args) {
			t.Errorf("%s makes %s, %v; want %s", raw, args, ok, want)
		}
	}
}

// FuzzArguments checks that whatever is put together is JSON.
func FuzzArguments(f *testing.F) {
	f.Add([]byte(`{}[{"jsonPath":"$.a['b'][0]","stringValue":"x","willContinue":true}][{"jsonPath":"$.c","numberValue":1}]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if args, ok := gemini.Arguments(raw); ok && json.Valid([]byte("["+strings.ReplaceAll(string(raw), "][", "],[")+"]")) && !json.Valid(args) {
			t.Fatalf("%q makes %q", raw, args)
		}
	})
}
