package schema_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/console/schema"
)

type colour string

type named struct{ Name string }

type base struct {
	Hidden string `json:"-"`
	ID     string `json:"id"`
}

type leaf struct {
	base
	Untagged int
	At       time.Time         `json:"at"`
	Colour   colour            `json:"colour"`
	Maybe    *float64          `json:"maybe"`
	Absent   *named            `json:"absent,omitempty"`
	List     []named           `json:"list"`
	Map      map[string]uint64 `json:"map,omitzero"`
	Bytes    []byte            `json:"bytes"`
	Self     []leaf            `json:"self,omitempty"`
	private  bool
}

func TestTypesAsJSONWritesThem(t *testing.T) {
	_ = leaf{}.private
	s := schema.New("#/x/", map[reflect.Type][]string{reflect.TypeFor[colour](): {"red", "blue"}}, map[reflect.Type]string{reflect.TypeFor[named](): "Other"})
	ref, err := json.Marshal(s.Of(reflect.TypeFor[leaf]()))
	if err != nil || string(ref) != `{"$ref":"#/x/Leaf"}` {
		t.Errorf("got %s, %v", ref, err)
	}
	got, err := json.MarshalIndent(s.Named(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	var have, want any
	json.Unmarshal(got, &have)
	const text = `{
 "Other": {"type":"object","properties":{"Name":{"type":"string"}},"required":["Name"]},
 "Leaf": {"type":"object","required":["id","Untagged","at","colour","maybe","list","bytes"],"properties":{
  "id":{"type":"string"}, "Untagged":{"type":"integer"}, "at":{"type":"string","format":"date-time"},
  "colour":{"type":"string","enum":["red","blue"]}, "maybe":{"anyOf":[{"type":"number"},{"type":"null"}]},
  "absent":{"$ref":"#/x/Other"}, "list":{"type":"array","items":{"$ref":"#/x/Other"}},
  "map":{"type":"object","additionalProperties":{"type":"integer"}}, "bytes":{"type":"string","contentEncoding":"base64"},
  "self":{"type":"array","items":{"$ref":"#/x/Leaf"}}}}}`
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(have, want) {
		t.Errorf("got %s", got)
	}
}

func TestTypeScript(t *testing.T) {
	s := schema.New("#/x/", map[reflect.Type][]string{reflect.TypeFor[colour](): {"red", "blue"}}, nil)
	s.Of(reflect.TypeFor[leaf]())
	const want = `
export interface Leaf {
  Untagged: number;
  absent?: Named;
  at: string;
  bytes: string;
  colour: "red" | "blue";
  id: string;
  list: Named[];
  map?: Record<string, number>;
  maybe: number | null;
  self?: Leaf[];
}

export interface Named {
  Name: string;
}
`
	if got := schema.TypeScript(s.Named()); got != want {
		t.Errorf("got %s", got)
	}
}
