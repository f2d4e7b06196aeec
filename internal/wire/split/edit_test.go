package split_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/workingagents/gatehouse/internal/wire/split"
)

// edit changes a body at random, often in ways that leave it JSON.
func edit(r *rand.Rand, body []byte, others [][]byte) []byte {
	out := bytes.Clone(body)
	for range 1 + r.IntN(3) {
		at := r.IntN(len(out) + 1)
		switch r.IntN(9) {
		case 0: // one byte
			if at < len(out) {
				out[at] = byte(r.IntN(256))
			}
		case 1: // cut off
			if r.IntN(4) == 0 {
				out = out[:at]
			}
		case 2: // insert
			words := []string{`"`, `,`, `{`, `]`, ` `, `{"a":1},`, `"x":[{"y":2}],`, `"cache_control":{"type":"ephemeral"},`, `,"cache_control":1`, "\\u12", `12`, `"messages":[{"content":[{"b":1}]}],`, `"request":{"contents":[{"parts":[{"q":1}]}]},`}
			w := words[r.IntN(len(words))]
			if i := bytes.IndexAny(out[at:], "{[,"); i >= 0 && r.IntN(3) > 0 {
				at += i + 1
			}
			out = append(out[:at:at], append([]byte(w), out[at:]...)...)
		case 3: // remove
			end := min(len(out), at+r.IntN(200))
			out = append(out[:at:at], out[end:]...)
		case 4: // the head of one, the tail of another
			o := others[r.IntN(len(others))]
			out = append(out[:at:at], o[min(at, len(o)):]...)
		case 5: // double an element
			if i := bytes.Index(out[at:], []byte(`{"`)); i >= 0 {
				from := at + i
				if j := bytes.Index(out[from:], []byte(`},{`)); j >= 0 {
					element := bytes.Clone(out[from : from+j+2])
					out = append(out[:from:from], append(element, out[from:]...)...)
				}
			}
		case 6: // remove an element
			if i := bytes.Index(out[at:], []byte(`,{"`)); i >= 0 {
				from := at + i
				if j := bytes.Index(out[from:], []byte(`},{`)); j >= 0 {
					out = append(out[:from:from], out[from+j+1:]...)
				}
			}
		case 7: // a marker moves
			out = bytes.Replace(out, []byte(`,"cache_control":{"type":"ephemeral"}`), nil, 1+r.IntN(2))
		case 8: // another name
			out = bytes.Replace(out, []byte(`"content"`), []byte(`"contents"`), 1)
		}
	}
	return out
}

func TestEdits(t *testing.T) {
	rounds := 1500
	if n, err := strconv.Atoi(os.Getenv("SPLIT_ROUNDS")); err == nil {
		rounds = n
	}
	r := rand.New(rand.NewPCG(3, 4))
	all := conversations(r, 4)
	var others [][]byte
	for _, c := range all {
		others = append(others, c...)
	}
	var whole, reused int
	for range rounds {
		bodies := all[r.IntN(len(all))]
		base := split.Split(edit(r, bodies[r.IntN(len(bodies))], others), nil)
		if r.IntN(2) == 0 {
			base = split.Split(bodies[r.IntN(len(bodies))], nil)
		}
		d := agree(t, edit(r, bodies[r.IntN(len(bodies))], others), base)
		d = agree(t, edit(r, d.Body, others), d) // and with a base that had one itself
		if d.JSON {
			whole++
		}
		for _, p := range d.Pieces {
			if p.Same >= 0 {
				reused++
				break
			}
		}
	}
	if whole < rounds/20 || reused < rounds/20 {
		t.Errorf("of %d bodies %d were JSON, %d shared a piece with their base: the edits test nothing", rounds, whole, reused)
	}
}

// FuzzSplit takes any body and any base. Besides what check knows, it looks for
// memory that is out of proportion.
func FuzzSplit(f *testing.F) {
	// Small ones: the fuzzer's minimiser takes a minute for a real body.
	f.Add([]byte(`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hé"}]},{"role":"user","content":"x"}],"system":[{"s":1}]}`),
		[]byte(`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"hé","cache_control":{}}]}],"system":[{"s":1}]}`))
	f.Add([]byte(`{"messages":[{"content":[{"a":1,"cache_control":1}]}],"x":1}`), []byte(`{"messages":[{"content":[{"a":1}]}],"x":2}`))
	f.Add([]byte(`{"request":{"contents":[1,"a"],"b":{"parts":[{}]}},"request":{"contents":[{}]}}`), []byte(`{"request":{"contents":[{}]}}`))
	f.Add([]byte(`{"a":[{}, 12, 1]}`), []byte(`{"a":[{}, 1, 1]}`))
	f.Fuzz(func(t *testing.T, body, base []byte) {
		d := agree(t, body, split.Split(base, nil))
		agree(t, base, d)
		if len(d.Pieces) > len(body) {
			t.Errorf("%d pieces of %d bytes", len(d.Pieces), len(body))
		}
	})
}
