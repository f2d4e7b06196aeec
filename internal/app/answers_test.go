package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// contract is the admin API as its document describes it.
type contract struct {
	t     *testing.T
	types map[string]any
	paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct{ Schema map[string]any }
		}
	}
}

func newContract(t *testing.T, text []byte) *contract {
	t.Helper()
	var doc struct {
		Paths      json.RawMessage
		Components struct{ Schemas map[string]any }
	}
	c := &contract{t: t}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(doc.Paths, &c.paths); err != nil {
		t.Fatal(err)
	}
	c.types = doc.Components.Schemas
	return c
}

// holds wants that an answer, or each of its lines, is what the document says.
func (c *contract) holds(path, at string, answer []byte) {
	c.t.Helper()
	for media, content := range c.paths[path]["get"].Responses["200"].Content {
		if media != "application/json" && media != "application/jsonl" {
			c.t.Fatalf("%s is %s", path, media)
		}
		dec := json.NewDecoder(bytes.NewReader(answer))
		n := 0
		for ; dec.More(); n++ {
			var v any
			if err := dec.Decode(&v); err != nil {
				c.t.Fatalf("%s: %v", at, err)
			}
			c.is(v, content.Schema, at)
		}
		if n == 0 {
			c.t.Errorf("%s: an empty answer proves nothing", at)
		}
		return
	}
	c.t.Fatalf("the document does not know %s", path)
}

// is wants that a value is what a schema says, as far as types go.
func (c *contract) is(v any, s map[string]any, at string) {
	c.t.Helper()
	if ref, ok := s["$ref"].(string); ok {
		c.is(v, c.types[ref[strings.LastIndexByte(ref, '/')+1:]].(map[string]any), at)
		return
	}
	if either, ok := s["anyOf"].([]any); ok { // a pointer
		if v != nil {
			c.is(v, either[0].(map[string]any), at)
		}
		return
	}
	want, _ := s["type"].(string)
	got := map[bool]string{true: "null"}[v == nil]
	switch v := v.(type) {
	case []any:
		got = "array"
		items, _ := s["items"].(map[string]any)
		for i := range v {
			c.is(v[i], items, fmt.Sprintf("%s[%d]", at, i))
		}
	case map[string]any:
		got = "object"
		c.members(v, s, at)
	case string:
		got = "string"
		if words, ok := s["enum"].([]any); ok && !slices.Contains(words, any(v)) {
			c.t.Errorf("%s is %q, not one of %v", at, v, words)
		}
	case bool:
		got = "boolean"
	case float64:
		got = "number"
		if want == "integer" && v == float64(int64(v)) {
			got = want
		}
		if want == "integer" && (v > 1<<53 || v < -1<<53) {
			c.t.Errorf("%s is %v, which a page can't hold", at, v)
		}
	}
	if want != "" && got != want {
		c.t.Errorf("%s is %s, not %s", at, got, want)
	}
}

func (c *contract) members(v, s map[string]any, at string) {
	c.t.Helper()
	known, _ := s["properties"].(map[string]any)
	if known == nil {
		if of, ok := s["additionalProperties"].(map[string]any); ok {
			for name := range v {
				c.is(v[name], of, at+"."+name)
			}
		}
		return
	}
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, ok := v[name.(string)]; !ok {
			c.t.Errorf("%s lacks %s", at, name)
		}
	}
	for name := range v {
		of, ok := known[name].(map[string]any)
		if !ok {
			c.t.Errorf("%s has %s, which the document does not know", at, name)
			continue
		}
		c.is(v[name], of, at+"."+name)
	}
}

// TestAnswersAreWhatTheDocumentSays: of a gateway with flows of many kinds, and of
// one that nothing has happened to. A list is never null.
func TestAnswersAreWhatTheDocumentSays(t *testing.T) {
	m := simulated(t, "version: 1\nmode: report\nrules:\n  - {rule: \"secret.*\", do: redact}\n")
	c := newContract(t, m.adminGet("/openapi.json"))
	lists := []string{
		"/rows", "/rows?q=model:nothing", "/rows/count", "/filter", "/overview", "/overview?by=day,agent", "/overview?by=session&q=model:nothing", "/status", "/rules",
		"/policy", "/policy/tests", "/policy/explain?rule=secret.github-token", "/journal", "/journal?kind=read", "/setup", "/views", "/detectors", "/ledger/growth", "/coverage",
		"/search?q=nothing&why=test",
	}
	ask := func(pattern, path string) {
		t.Helper()
		c.holds("/api/v1"+pattern, path, m.adminGet(path))
	}
	for _, path := range lists {
		pattern, _, _ := strings.Cut(path, "?")
		ask(pattern, path)
	}
	secret := planted(22)
	for name, d := range dialects {
		m.ask(d, false, "s"+name, "my key is "+secret+" and a quokka")
		m.ask(d, true, "s"+name, "my key is "+secret+" and a quokka", "say: "+secret)
	}
	n := 2*len(dialects) + 3
	m.call("/anthropic/v1/messages", unreadable)
	m.call("/anthropic/v1/messages", "")
	m.call("/nobody/v1", "{}")
	m.call("/anthropic/v1/messages", claude(q("x")), "Content-Encoding", "gzip")
	if code, text := m.adminPost("/views", `{"name":"v","page":"/live","q":""}`, nil); code != http.StatusCreated {
		t.Fatal(text)
	}
	if code, text := m.adminPost("/keys", `{"name":"k"}`, nil); code != http.StatusCreated {
		t.Fatal(text)
	}
	flows := m.ended(n)
	lists = append(lists, "/flows", "/sessions", "/keys", "/search?q=quokka&why=test")
	for _, path := range lists {
		pattern, _, _ := strings.Cut(path, "?")
		ask(pattern, path)
	}
	sessions := map[string]bool{}
	for _, v := range flows {
		ask("/flows/{id}", "/flows/"+string(v.ID))
		ask("/flows/{id}/conversation", "/flows/"+string(v.ID)+"/conversation?why=test")
		if v.Session != "" && !sessions[v.Session] {
			sessions[v.Session] = true
			ask("/sessions/{id}/conversation", "/sessions/"+v.Session+"/conversation?why=test")
			ask("/sessions/{id}/conversation", "/sessions/"+v.Session+"/conversation?why=test&limit=1&end=1")
		}
	}
	ask("/journal", "/journal?kind=read")
	for _, turn := range m.talk("/flows/" + string(flows[0].ID) + "/conversation?why=test").Branches[0].Rounds[0].Turns {
		for _, p := range slices.Concat(turn.Added, turn.Answer) {
			ask("/flows/{id}/parts/{n}", fmt.Sprintf("/flows/%s/parts/%d?why=test", flows[0].ID, p.N))
		}
	}
}
