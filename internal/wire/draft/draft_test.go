package draft_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/draft"
)

func texts(d *draft.Draft) string {
	var list []string
	for _, part := range d.Parts() {
		list = append(list, string(part.Kind)+":"+part.Text)
	}
	return strings.Join(list, " ")
}

func key(major, minor int64) draft.Key { return draft.Key{Major: major, Minor: minor} }

func TestInterleaved(t *testing.T) {
	d := draft.New()
	d.Open(key(0, 0), flow.Text, "a").Append([]byte(`"x\n"`))
	d.Open(key(1, 0), flow.ToolCall, "a").Append([]byte(`"{"`))
	d.Open(key(0, 0), flow.Text, "a").Append([]byte(`"y"`))
	d.At(key(1, 0)).AppendRaw([]byte(`}`))
	d.Close(key(0, 0))
	d.Open(key(0, 0), flow.Text, "a").Append([]byte(`"z"`))
	if got, want := texts(d), "text:x\ny tool_call:{} text:z"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReplaceKeepsThePlace(t *testing.T) {
	d := draft.New()
	for i := range int64(3) {
		d.Open(key(i, 0), flow.Text, "").Append([]byte(`"old"`))
	}
	d.Open(key(1, 1), flow.Text, "").Append([]byte(`"old"`))
	d.Replace(1, []flow.Part{{Kind: flow.Thinking, Text: "new"}, {Kind: flow.Text, Text: "two"}})
	d.Replace(7, []flow.Part{{Kind: flow.Media}})
	if got, want := texts(d), "text:old thinking:new text:two text:old media:"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if d.At(key(1, 0)) != nil {
		t.Error("a replaced part is open for deltas")
	}
	d.Reset()
	if got := texts(d); got != "" {
		t.Errorf("after Reset: %q", got)
	}
}

func TestSet(t *testing.T) {
	d := draft.New()
	p := d.Open(key(0, 0), flow.Text, "")
	p.Append([]byte(`"old"`))
	p.Set(flow.Part{Kind: flow.ToolCall, ID: "1", Text: "new"})
	if got, want := d.Parts()[0], (flow.Part{Kind: flow.ToolCall, ID: "1", Text: "new"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// The nil draft is how a codec that keeps nothing works.
func TestNil(t *testing.T) {
	var d *draft.Draft
	d.Open(key(0, 0), flow.Text, "").Append([]byte(`"x"`))
	d.At(key(0, 0)).Set(flow.Part{})
	d.Add(flow.Part{}, key(0, 0))
	d.Replace(0, []flow.Part{{}})
	d.Close(key(0, 0))
	d.Reset()
	if d.Parts() != nil || d.Full() || !d.At(key(0, 0)).Empty() {
		t.Error("the nil draft keeps something")
	}
}

// What has no room is left out and said.
func TestLimit(t *testing.T) {
	d := draft.New()
	chunk := []byte(`"` + strings.Repeat("x", draft.Limit/4) + `"`)
	for range 3 {
		d.Open(key(0, 0), flow.Text, "").Append(chunk)
	}
	if d.Full() {
		t.Error("full too early")
	}
	d.Open(key(0, 0), flow.Text, "").Append(chunk)
	if got := len(d.Parts()[0].Text); !d.Full() || got > draft.Limit {
		t.Errorf("full %v with %d bytes", d.Full(), got)
	}
	d.Replace(0, nil)
	d.Open(key(0, 0), flow.Text, "").Append(chunk)
	if got := len(d.Parts()[0].Text); got != draft.Limit/4 || !d.Full() {
		t.Errorf("after Replace: %d bytes, full %v", got, d.Full())
	}
}

func TestManyParts(t *testing.T) {
	d := draft.New()
	for i := range int64(100_000) {
		d.Open(key(i, 0), flow.Text, "").AppendRaw([]byte("x"))
	}
	if got := len(d.Parts()); !d.Full() || got > 20_000 {
		t.Errorf("full %v with %d parts", d.Full(), got)
	}
}

func ExampleDraft() {
	d := draft.New()
	d.Open(draft.Key{Major: 0}, flow.Text, "assistant").Append([]byte(`"Hel"`))
	d.At(draft.Key{Major: 0}).Append([]byte(`"lo\u0021"`))
	fmt.Println(d.Parts()[0].Text)
	// Output: Hello!
}

func BenchmarkAppend(b *testing.B) {
	raw := []byte(`" word and \"word\""`)
	b.SetBytes(int64(len(raw)))
	d := draft.New()
	for i := 0; b.Loop(); i++ {
		if i%100_000 == 0 {
			d.Reset()
		}
		d.Open(key(0, 0), flow.Text, "").Append(raw)
	}
	if !bytes.Contains([]byte(d.Parts()[0].Text), []byte("word")) {
		b.Fatal("no text")
	}
}
