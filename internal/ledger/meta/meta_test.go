package meta_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger/meta"
)

// fill gives every field of v a value that is not zero, also those that are
// added later.
func fill(t *testing.T, v reflect.Value, n *int64) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.Repeat("x", int(*n%7)+1))
	case reflect.Int, reflect.Int64:
		v.SetInt(*n % 4)
		if v.Type() == reflect.TypeFor[flow.Severity]() {
			v.SetInt(*n%4 + 1)
		}
	case reflect.Float64:
		v.SetFloat(float64(*n) / 8)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i), n)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(*n, 123456789).UTC()))
			return
		}
		for i := range v.NumField() {
			fill(t, v.Field(i), n)
		}
	default:
		t.Fatalf("no value for %s", v.Type())
	}
}

func filled[T any](t *testing.T) *T {
	v, n := new(T), int64(0)
	fill(t, reflect.ValueOf(v).Elem(), &n)
	return v
}

// TestEveryField: whatever a record holds comes back, also what this package
// has no number for.
func TestEveryField(t *testing.T) {
	in, out := filled[flow.Intent](t), filled[flow.Outcome](t)
	b, err := meta.AppendIntent([]byte("before"), in)
	if err != nil || !bytes.HasPrefix(b, []byte("before")) {
		t.Fatal(err, b)
	}
	if got, err := meta.Intent(b[6:]); err != nil || !reflect.DeepEqual(got, in) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, in)
	}
	if b, err = meta.AppendOutcome(nil, out); err != nil {
		t.Fatal(err)
	}
	if got, err := meta.Outcome(b); err != nil || !reflect.DeepEqual(got, out) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, out)
	}
}

func usual() (*flow.Intent, *flow.Outcome) {
	sum, cost := strings.Repeat("0123456789abcdef", 4), 0.25
	in := &flow.Intent{
		Flow: "f06ajv2k1c80003n4v8q2m0s", Started: time.Unix(1764000000, 5).UTC(), Entrance: flow.Redirect,
		Provider: flow.Anthropic, API: flow.Messages, Model: "claude-test", Method: "POST", Path: "/v1/messages",
		Session: flow.Session{ID: "one", Claimed: true}, Turn: 3, Principal: flow.Principal{Name: "a/b", User: "a", Program: "b", PID: 7},
		Custody: flow.SameUser, Capture: flow.CaptureFull, Policy: "p1", Decision: flow.Decision{Verdict: flow.Pass, Why: "because"},
		Header:       []flow.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "Empty"}},
		RequestBytes: 2048, RequestSHA256: sum, ForwardedSHA256: sum, ForwardedBytes: 2048,
	}
	out := &flow.Outcome{
		Flow: in.Flow, State: flow.Done, Status: 200, Model: "claude-test-1", ResponseBytes: 9, ResponseSHA256: sum,
		DeliveredSHA256: sum, Cost: &cost, Usage: flow.Usage{Input: 1, Output: 2}, Stop: "end_turn", Duration: time.Second,
	}
	return in, out
}

// TestWhatFitsNoForm: values for which a field has no form are kept as they
// are.
func TestWhatFitsNoForm(t *testing.T) {
	change := map[string]func(in *flow.Intent, out *flow.Outcome){
		"nothing":        func(*flow.Intent, *flow.Outcome) {},
		"empty":          func(in *flow.Intent, out *flow.Outcome) { *in, *out = flow.Intent{}, flow.Outcome{} },
		"upper-case hex": func(in *flow.Intent, _ *flow.Outcome) { in.RequestSHA256 = strings.ToUpper(in.RequestSHA256) },
		"no hex":         func(in *flow.Intent, _ *flow.Outcome) { in.RequestSHA256, in.ForwardedSHA256 = "none", "none" },
		"only one hash":  func(in *flow.Intent, out *flow.Outcome) { in.ForwardedSHA256, out.ResponseSHA256 = "", "" },
		"other hash": func(_ *flow.Intent, out *flow.Outcome) {
			out.DeliveredSHA256 = strings.Repeat("f", 64)
		},
		"old time":  func(in *flow.Intent, _ *flow.Outcome) { in.Started = time.Date(1, 2, 3, 4, 5, 6, 7, time.UTC) },
		"negative":  func(in *flow.Intent, out *flow.Outcome) { in.Turn, out.Duration = -1, -time.Hour },
		"new words": func(in *flow.Intent, out *flow.Outcome) { in.Provider, in.Method, out.State = "acme", "PURGE", "lost" },
		"long header": func(in *flow.Intent, _ *flow.Outcome) {
			in.Header = []flow.Header{{Name: "A", Value: strings.Repeat("v", 300)}, {Name: "B", Value: strings.Repeat("w", 20_000)}}
		},
	}
	for name, f := range change {
		t.Run(name, func(t *testing.T) {
			in, out := usual()
			f(in, out)
			b, err := meta.AppendIntent(nil, in)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := meta.Intent(b); err != nil || !reflect.DeepEqual(got, in) {
				t.Errorf("%v\ngot  %+v\nwant %+v", err, got, in)
			}
			if b, err = meta.AppendOutcome(nil, out); err != nil {
				t.Fatal(err)
			}
			if got, err := meta.Outcome(b); err != nil || !reflect.DeepEqual(got, out) {
				t.Errorf("%v\ngot  %+v\nwant %+v", err, got, out)
			}
		})
	}
}

// TestFormat1: entries of the first format, which were JSON.
func TestFormat1(t *testing.T) {
	in, out := usual()
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := meta.Intent(b); err != nil || !reflect.DeepEqual(got, in) {
		t.Errorf("%v %+v", err, got)
	}
	if b, err = json.Marshal(out); err != nil {
		t.Fatal(err)
	}
	if got, err := meta.Outcome(b); err != nil || !reflect.DeepEqual(got, out) {
		t.Errorf("%v %+v", err, got)
	}
}

// TestLaterFields: what a later version adds does not keep the rest from being
// read.
func TestLaterFields(t *testing.T) {
	in, _ := usual()
	b, err := meta.AppendIntent(nil, in)
	if err != nil {
		t.Fatal(err)
	}
	b = append(b, 0x90, 0x01, 5, 0x93, 0x01, 3, 'n', 'e', 'w') // 72: a number, 73: text
	if got, err := meta.Intent(b); err != nil || !reflect.DeepEqual(got, in) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, in)
	}
}

// TestNoJSONForUsualFlows: that is what this package is for.
func TestNoJSONForUsualFlows(t *testing.T) {
	in, out := usual()
	a, err := meta.AppendIntent(nil, in)
	if err != nil {
		t.Fatal(err)
	}
	b, err := meta.AppendOutcome(nil, out)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(a, []byte(`{"`)) || bytes.Contains(b, []byte(`{"`)) {
		t.Errorf("%q\n%q", a, b)
	}
}

func FuzzMeta(f *testing.F) {
	in, out := usual()
	a, _ := meta.AppendIntent(nil, in)
	b, _ := meta.AppendOutcome(nil, out)
	f.Add(a)
	f.Add(b)
	f.Add([]byte(`{"flow":"f"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if in, err := meta.Intent(b); err == nil {
			again, err := meta.AppendIntent(nil, in)
			if err != nil {
				t.Skip() // JSON can't say it: a year of five digits
			}
			got, err := meta.Intent(again)
			if err != nil {
				t.Fatal(err)
			}
			if third, err := meta.AppendIntent(nil, got); err != nil || !bytes.Equal(third, again) {
				t.Fatalf("%v\ngot  %q\nwant %q", err, third, again)
			}
		}
		if out, err := meta.Outcome(b); err == nil {
			if _, err := meta.AppendOutcome(nil, out); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkMeta(b *testing.B) {
	in, out := usual()
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf, _ = meta.AppendIntent(buf[:0], in)
		buf, _ = meta.AppendOutcome(buf[:0], out)
	}
}
