package object_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger/object"
)

// shelf is a source of objects in memory: number n is at n-1.
type shelf []object.Object

func (s shelf) Object(ref object.Ref) (object.Object, error) {
	if ref == 0 || ref > uint64(len(s)) {
		return object.Object{}, fmt.Errorf("no object %d", ref)
	}
	return s[ref-1], nil
}

type vault map[uint64]string

func (v vault) Value(ref uint64) ([]byte, error) {
	if s, ok := v[ref]; ok {
		return []byte(s), nil
	}
	return nil, errors.New("not there")
}

// store encodes objects one after the other and reads them back.
func store(t *testing.T, objects ...object.Object) shelf {
	t.Helper()
	var b []byte
	for i, o := range objects {
		if o.Node != nil {
			b = object.AppendNode(b, uint64(i+1), o.Node)
		} else {
			b = object.AppendBlock(b, o.Block)
		}
	}
	var s shelf
	for i := range objects {
		o, rest, err := object.Decode(b, uint64(i+1))
		if err != nil {
			t.Fatal(err)
		}
		s, b = append(s, o), rest
	}
	if len(b) != 0 {
		t.Fatalf("%d bytes are left", len(b))
	}
	return s
}

func block(s string) object.Object { return object.Object{Block: object.Block{Data: []byte(s)}} }

func TestRender(t *testing.T) {
	mixed := object.AppendMixed(object.AppendMixed(object.AppendMixed(nil, []byte("key "), 0), nil, 7), []byte("!"), 0)
	s := store(t,
		block("hello"),
		object.Object{Node: &object.Node{Block: 1, Glue: []byte("[")}},
		object.Object{Node: &object.Node{Parent: 2, Block: 1, Glue: []byte(","), Holes: []object.Hole{{At: 0, Put: []byte("<")}, {At: 5, Put: []byte(">")}}}},
		object.Object{Block: object.Block{Form: object.Mixed, Data: mixed}},
		object.Object{Node: &object.Node{Parent: 3, Block: 4}},
	)
	var skeleton []byte
	for _, it := range []object.Item{{Bytes: []byte(`{"m":`)}, {Tip: 5, Tail: []byte("]")}, {Bytes: []byte("}")}} {
		skeleton = object.AppendItem(skeleton, it)
	}
	items, err := object.DecodeSkeleton(skeleton)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"m":[hello,<hello>key secret!]}`
	got, err := object.Render(items, s, vault{7: "secret"}, int64(len(want)))
	if err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := object.Render(items, s, vault{7: "secret"}, int64(len(want)-1)); !errors.Is(err, object.ErrTooLong) {
		t.Errorf("over the limit: %v", err)
	}
	if _, err := object.Render(items, s, vault{}, 100); err == nil {
		t.Error("a value that the vault does not have is passed over")
	}
	if _, err := object.Render(items, s, nil, 100); err == nil {
		t.Error("a mixed block is rendered without a vault")
	}
	if _, err := object.Render(items, s[:3], nil, 100); err == nil {
		t.Error("a missing object is passed over")
	}
}

func TestAddressesTellObjectsApart(t *testing.T) {
	a := object.NewAddresser([]byte("key"))
	node := func(n object.Node) object.Object { return object.Object{Node: &n} }
	objects := []object.Object{
		block("a"), block("b"), block(""),
		{Block: object.Block{Form: object.Mixed, Data: []byte("a")}},
		node(object.Node{Block: 1}), node(object.Node{Block: 2}), node(object.Node{Parent: 1, Block: 2}),
		node(object.Node{Block: 1, Glue: []byte(",")}),
		node(object.Node{Block: 1, Holes: []object.Hole{{At: 1, Put: []byte("x")}}}),
		node(object.Node{Block: 1, Holes: []object.Hole{{At: 2, Put: []byte("x")}}}),
	}
	seen := map[object.Address]int{}
	for i, o := range objects {
		if j, ok := seen[a.Of(o)]; ok {
			t.Errorf("objects %d and %d have one address", i, j)
		}
		seen[a.Of(o)] = i
		if a.Of(o) != object.NewAddresser([]byte("key")).Of(o) {
			t.Errorf("object %d has two addresses", i)
		}
		if a.Of(o) == object.NewAddresser([]byte("other")).Of(o) {
			t.Errorf("address of object %d does not depend on the key", i)
		}
	}
	if a.Block([]byte("he"), []byte("llo")) != a.Of(block("hello")) {
		t.Error("the address depends on how the content is cut")
	}
}

// A clock that was set by years between two chunks leaves the answer readable.
func TestChunksOfAClockThatWasSet(t *testing.T) {
	list := object.AppendChunks(nil, []object.Chunk{{Data: []byte("a"), At: time.Second}, {Data: []byte("b"), At: 30 * 365 * 24 * time.Hour}, {Data: []byte("c"), At: 2 * time.Second}})
	got, rest, err := object.DecodeChunks(list)
	if err != nil || len(rest) > 0 || len(got) != 3 || string(got[1].Data) != "b" || got[1].At <= got[0].At || got[2].At < got[1].At {
		t.Errorf("%v, %d more bytes, %v", got, len(rest), err)
	}
}

func TestChunksAndEdits(t *testing.T) {
	chunks := []object.Chunk{{Data: []byte("one "), At: time.Millisecond}, {At: time.Millisecond}, {Data: []byte("two "), At: 3 * time.Second}, {Data: []byte("three"), At: 3 * time.Second}}
	got, rest, err := object.DecodeChunks(append(object.AppendChunks(nil, chunks), "rest"...))
	if err != nil || string(rest) != "rest" || fmt.Sprint(got) != fmt.Sprint(chunks) {
		t.Fatalf("got %v %q %v", got, rest, err)
	}
	for _, edits := range [][]object.Edit{
		nil,
		{{At: 0, Put: []byte("zero ")}},
		{{At: 2, Cut: 4}},
		{{At: 1, Cut: 1, Put: []byte("N")}, {At: 3, Cut: 7, Put: []byte("-")}, {At: 13, Put: []byte("!")}},
		{{At: 0, Cut: 13}},
		{{At: 0, Cut: 13, Put: []byte("our own text")}},
		{{At: 13, Put: []byte(" more")}},
	} {
		read, rest, err := object.DecodeEdits(object.AppendEdits(nil, edits))
		if err != nil || len(rest) != 0 || fmt.Sprint(read) != fmt.Sprint(edits) {
			t.Errorf("got %v %q %v, want %v", read, rest, err, edits)
		}
		whole, err := object.Apply([]byte("one two three"), edits)
		if err != nil {
			t.Error(err)
		}
		cut, err := object.ApplyChunks(slices.Clone(chunks), edits)
		if err != nil {
			t.Error(err)
		}
		var joined []byte
		for _, c := range cut {
			joined = append(joined, c.Data...)
		}
		if !bytes.Equal(joined, whole) {
			t.Errorf("%v: chunks give %q, the whole gives %q", edits, joined, whole)
		}
	}
	for _, edits := range [][]object.Edit{{{At: 14}}, {{At: 12, Cut: 2}}, {{At: 5, Cut: 2}, {At: 6}}, {{At: 1, Cut: -1}}} {
		if _, err := object.Apply([]byte("one two three"), edits); err == nil {
			t.Errorf("%v fits no body of 13 bytes", edits)
		}
	}
}

func TestSecretsComeBack(t *testing.T) {
	for _, want := range []object.Secret{
		{Address: object.Address{1, 2, 3}, Data: []byte("sealed")},
		{Part: true, Data: []byte("sealed")},
	} {
		b := append(object.AppendSecret(nil, &want), "rest"...)
		o, rest, err := object.Decode(b, 7)
		if err != nil || string(rest) != "rest" || o.Node != nil || o.Secret == nil || fmt.Sprint(*o.Secret) != fmt.Sprint(want) {
			t.Errorf("got %+v %q %v, want %+v", o.Secret, rest, err, want)
			continue
		}
		if got := object.NewAddresser([]byte("key")).Of(o); got != want.Address {
			t.Errorf("address %x, want its own", got)
		}
		if _, _, err := object.Decode(b[:12], 7); err == nil {
			t.Error("half a secret is taken")
		}
	}
	s := shelf{{Secret: &object.Secret{}}, {Node: &object.Node{Block: 1}}}
	for _, tip := range []object.Ref{1, 2} {
		if _, err := object.Render([]object.Item{{Tip: tip}}, s, nil, 100); !errors.Is(err, object.ErrMalformed) {
			t.Errorf("a secret is read as a node or block: %v", err)
		}
	}
}

// TestSecretEdits: what is sealed stands once in the list, and is not applied
// while it is.
func TestSecretEdits(t *testing.T) {
	sealed := bytes.Repeat([]byte("sealed"), 50)
	edits := []object.Edit{
		{At: 0, Put: []byte("x")}, {At: 1, Cut: 2, Put: sealed, Secret: true}, {At: 4, Cut: 1},
		{At: 5, Put: sealed, Secret: true}, {At: 6, Put: []byte("other"), Secret: true},
	}
	b := object.AppendEdits(nil, edits)
	if len(b) > len(sealed)+60 {
		t.Errorf("%d bytes for %d sealed ones", len(b), len(sealed))
	}
	got, rest, err := object.DecodeEdits(append(b, "rest"...))
	if err != nil || string(rest) != "rest" || fmt.Sprint(got) != fmt.Sprint(edits) {
		t.Fatalf("got %v %q %v", got, rest, err)
	}
	if _, err := object.Apply([]byte("0123456789"), got); err == nil {
		t.Error("sealed edits are applied")
	}
	if _, err := object.ApplyChunks([]object.Chunk{{Data: []byte("0123456789")}}, got); err == nil {
		t.Error("sealed edits are applied to chunks")
	}
	for n := range len(b) {
		if _, _, err := object.DecodeEdits(b[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for a list", n, len(b))
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(object.AppendSecret(nil, &object.Secret{Part: true, Data: []byte("sealed")}), uint64(1))
	f.Add(object.AppendBlock(nil, object.Block{Data: []byte("hello")}), uint64(1))
	f.Add(object.AppendNode(nil, 9, &object.Node{Parent: 8, Block: 3, Glue: []byte(","), Holes: []object.Hole{{At: 1, Put: []byte("x")}}}), uint64(9))
	f.Fuzz(func(t *testing.T, b []byte, self uint64) {
		o, rest, err := object.Decode(b, self)
		if err != nil {
			return
		}
		var again []byte
		if o.Node != nil {
			if o.Node.Parent >= self || o.Node.Block >= self || o.Node.Block == 0 {
				t.Fatalf("node %d names %d and %d", self, o.Node.Parent, o.Node.Block)
			}
			again = object.AppendNode(nil, self, o.Node)
		} else if o.Secret != nil {
			again = object.AppendSecret(nil, o.Secret)
		} else {
			o.Block.Content(vault{})
			again = object.AppendBlock(nil, o.Block)
		}
		if o2, _, err := object.Decode(again, self); err != nil || fmt.Sprint(o.Node == nil) != fmt.Sprint(o2.Node == nil) || len(rest) > len(b) {
			t.Fatalf("%v does not come back: %v", o, err)
		}
	})
}

func FuzzSkeleton(f *testing.F) {
	f.Add(object.AppendItem(object.AppendItem(nil, object.Item{Bytes: []byte("{")}), object.Item{Tip: 3, Tail: []byte("]")}))
	s := shelf{block("a"), {Node: &object.Node{Block: 1}}, {Node: &object.Node{Parent: 2, Block: 1, Holes: []object.Hole{{At: 9}}}}}
	f.Fuzz(func(t *testing.T, b []byte) {
		items, err := object.DecodeSkeleton(b)
		if err != nil {
			return
		}
		if body, err := object.Render(items, s, nil, 1000); err == nil && len(body) > 1000 {
			t.Fatalf("%d bytes", len(body))
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add(object.AppendEdits(object.AppendChunks(nil, []object.Chunk{{Data: []byte("abc"), At: time.Second}}), []object.Edit{{At: 1, Cut: 1, Put: []byte("x")}}))
	f.Add(object.AppendEdits(object.AppendChunks(nil, nil), []object.Edit{{Put: []byte("sealed"), Secret: true}, {Put: []byte("y")}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		chunks, rest, err := object.DecodeChunks(b)
		if err != nil {
			return
		}
		edits, _, err := object.DecodeEdits(rest)
		if err != nil {
			return
		}
		var whole []byte
		for _, c := range chunks {
			whole = append(whole, c.Data...)
		}
		if again, _, err := object.DecodeEdits(object.AppendEdits(nil, edits)); err != nil || fmt.Sprint(again) != fmt.Sprint(edits) {
			t.Fatalf("%v comes back as %v, %v", edits, again, err)
		}
		want, err := object.Apply(whole, edits)
		if err != nil {
			return
		}
		cut, err := object.ApplyChunks(chunks, edits)
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for _, c := range cut {
			got = append(got, c.Data...)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("chunks give %q, the whole gives %q", got, want)
		}
	})
}
