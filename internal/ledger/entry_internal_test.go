package ledger

import (
	"bytes"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger/object"
)

// FuzzEntry: the decoders of entries are not exported, for nobody outside has
// any business with them; what they read was authenticated, so this is the
// second line.
func FuzzEntry(f *testing.F) {
	e := entry{kind: kindIntent, at: time.UnixMicro(1), meta: []byte(`{"flow":"f"}`)}
	req := request{span: span{first: 5, floor: 2, count: 1, data: object.AppendBlock(nil, object.Block{Data: []byte("text")})}, skeleton: []byte{0, 1, 'x'}, edits: []object.Edit{{At: 1, Put: []byte("y")}}}
	f.Add(req.append(e.append(nil)))
	req.span.data = object.AppendSecret(nil, &object.Secret{Data: []byte("sealed")})
	req.edits[0].Secret = true
	f.Add(req.append(e.append(nil)))
	e.kind = kindOutcome
	f.Add((&answer{chunks: []object.Chunk{{Data: []byte("z")}}}).append(e.append(nil)))
	f.Add((&answer{hidden: []byte("sealed"), edits: []object.Edit{{Put: []byte("y")}}}).append(e.append(nil)))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEntry(b)
		if err != nil {
			return
		}
		if s, err := e.span(); err == nil {
			s.each(func(object.Ref, object.Object) error { return nil })
		}
		switch e.kind {
		case kindIntent:
			r, err := decodeRequest(e.body)
			if err != nil || r == nil {
				return
			}
			if _, err := decodeRequest(r.append(nil)); err != nil {
				t.Fatal(err)
			}
		case kindOutcome:
			a, err := decodeAnswer(e.body)
			if err != nil {
				return
			}
			again := a.append(nil)
			if b, err := decodeAnswer(again); err != nil || !bytes.Equal(b.append(nil), again) {
				t.Fatal(err)
			}
		}
	})
}

// FuzzKept: the same holds for what the vault seals.
func FuzzKept(f *testing.F) {
	k := kept{Secret: Secret{Value: []byte("value"), Rule: "rule", Number: true, Origin: Tool, Pseudonym: "QZ"}, session: "s", form: []byte("form")}
	f.Add(k.append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := decodeKept(b)
		if err != nil {
			return
		}
		again := k.append(nil)
		if k2, err := decodeKept(again); err != nil || !bytes.Equal(k2.append(nil), again) {
			t.Fatal(err)
		}
		k.bytes()
	})
}
