package rig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Flow is a line of `gatehouse flows --json`, by the names of the contract.
type Flow struct {
	ID                string
	Session           string
	Turn              *int
	RetryOf           *string `json:"retry_of"`
	Entrance          string
	Provider          string
	Model             string
	Method            string
	Path              string
	Status            int
	State             string
	Verdict           string
	Why               string
	Principal         string
	Custody           string
	RequestBytes      int64  `json:"request_bytes"`
	RequestSHA256     string `json:"request_sha256"`
	ForwardedSHA256   string `json:"forwarded_sha256"`
	ResponseBytes     int64  `json:"response_bytes"`
	ResponseSHA256    string `json:"response_sha256"`
	DeliveredSHA256   string `json:"delivered_sha256"`
	Usage             Usage
	CostUSD           *float64 `json:"cost_usd"`
	ProviderRequestID string   `json:"provider_request_id"`
	Started           time.Time
	FirstByteMS       *float64 `json:"first_byte_ms"`
	DurationMS        *float64 `json:"duration_ms"`

	Subagent        string // beside the contract; absent when there is none
	ForwardedBytes  int64  `json:"forwarded_bytes"`
	ScannedBytes    int64  `json:"scanned_bytes"`
	UnreadableBytes int64  `json:"unreadable_bytes"`
	Findings        []Finding
	Would           string
}

// Finding is what a detector saw in a flow.
type Finding struct {
	ID      string
	Rule    string
	Channel string
	Place   string
	Action  string
	From    *struct { // the other place, of a finding that joins two
		Flow       string
		Start, End int
	}
}

// Usage of a flow.
type Usage struct {
	Input      int64 `json:"input"`
	Output     int64 `json:"output"`
	CacheRead  int64 `json:"cache_read"`
	CacheWrite int64 `json:"cache_write"`
	Reasoning  int64 `json:"reasoning"`
	Estimated  bool  `json:"estimated"`
}

// contract lists the members that every line has.
var contract = strings.Fields(`id session turn retry_of entrance provider model method path status state verdict why
	principal custody request_bytes request_sha256 forwarded_sha256 response_bytes response_sha256 delivered_sha256
	usage cost_usd provider_request_id started first_byte_ms duration_ms`)

// Flows lists the flows as another tool would. A missing member of the
// contract fails the test.
func (r *Rig) Flows(args ...string) []Flow {
	r.t.Helper()
	res := r.Gatehouse(append([]string{"flows", "--json"}, args...)...)
	if res.Code != 0 {
		r.t.Fatalf("gatehouse flows: exit %d: %s", res.Code, res.Err)
	}
	var list []Flow
	for line := range strings.Lines(res.Out) {
		var members map[string]json.RawMessage
		var f Flow
		if err := errorsOf(json.Unmarshal([]byte(line), &members), json.Unmarshal([]byte(line), &f)); err != nil {
			r.t.Fatalf("gatehouse flows: %v in %s", err, line)
		}
		for _, name := range contract {
			if _, ok := members[name]; !ok {
				r.t.Errorf("gatehouse flows: no %q in %s", name, line)
			}
		}
		list = append(list, f)
	}
	return list
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Exchange is one request as the provider recorded it, with its answer.
type Exchange struct {
	In     Received
	Out    Sent
	Body   []byte // of the request
	Answer []byte
}

// Received is what simulate --record writes of a request.
type Received struct {
	Number int
	Method string
	Path   string
	Proto  string
	Header [][2]string
	Bytes  int
	SHA256 string
}

// Sent is what it writes of the answer.
type Sent struct {
	Status   int
	Header   [][2]string
	Bytes    int
	SHA256   string
	Complete bool
	Messages []int
}

// Get gives a header of the request.
func (x Received) Get(name string) string {
	for _, h := range x.Header {
		if strings.EqualFold(h[0], name) {
			return h[1]
		}
	}
	return ""
}

// Received lists what the provider received, in order, as soon as every
// answer has ended.
func (r *Rig) Received() []Exchange {
	r.t.Helper()
	var list []Exchange
	r.Eventually("every recorded request to have its end", func() bool {
		list = r.received()
		return !slices.ContainsFunc(list, func(x Exchange) bool { return x.Out.SHA256 == "" })
	})
	return list
}

// Begun lists what the provider has received so far; answers may still run.
func (r *Rig) Begun() []Exchange { return r.received() }

func (r *Rig) received() (list []Exchange) {
	r.t.Helper()
	for n := 1; ; n++ {
		base := filepath.Join(r.Record, fmt.Sprintf("%06d", n))
		var x Exchange
		if !r.load(base+".json", &x.In) {
			// A later request may have been faster: it is a gap, not the end.
			if _, err := os.Stat(filepath.Join(r.Record, fmt.Sprintf("%06d.json", n+1))); err != nil {
				return list
			}
			continue
		}
		r.load(base+".end.json", &x.Out)
		x.Body, _ = os.ReadFile(base + ".request")
		x.Answer, _ = os.ReadFile(base + ".response")
		list = append(list, x)
	}
}

func (r *Rig) load(name string, v any) bool {
	r.t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		return false
	}
	if err := json.Unmarshal(data, v); err != nil {
		r.t.Fatalf("%s: %v", name, err)
	}
	return true
}

// Eventually waits until a condition holds. Only what happens in other
// processes is waited for this way.
func (r *Rig) Eventually(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("waited 20 s for %s", what)
		}
	}
}

// Settled lists the flows as soon as none is open.
func (r *Rig) Settled() []Flow {
	r.t.Helper()
	var flows []Flow
	r.Eventually("every flow to end", func() bool {
		flows = r.Flows()
		return !slices.ContainsFunc(flows, func(f Flow) bool { return f.State == "open" })
	})
	return flows
}

const emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// whole gives a hash that can be compared: nothing at all has the hash of an
// empty body.
func whole(sum string, bytes int64) string {
	if sum == "" && bytes == 0 {
		return emptySHA256
	}
	return sum
}

// Pair is a flow and what the provider saw of it.
type Pair struct {
	Flow
	Seen Exchange
}

// Pairs checks that flows and recorded requests are the same, one for one and
// byte for byte, and gives them in the provider's order.
func (r *Rig) Pairs() []Pair {
	r.t.Helper()
	pairs, rest := r.match()
	for _, f := range rest {
		if f.Entrance != "tunnel" { // to another host than the provider's
			r.t.Errorf("a flow without a request: %+v", f)
		}
	}
	for _, p := range pairs {
		r.same(p)
	}
	return pairs
}

// Edited gives the pairs where the gateway may have changed or refused what
// passed: what it says that it forwarded is what the provider received, byte
// for byte, and what it refused never came there.
func (r *Rig) Edited() []Pair {
	r.t.Helper()
	pairs, rest := r.match()
	for _, f := range rest {
		if f.State != "refused" {
			r.t.Errorf("a flow without a request: %+v", f)
		}
	}
	for _, p := range pairs {
		r.raw(p.ID, "forwarded", p.Seen.Body)
		if blocked := p.State == "done" && p.Verdict == "block"; p.Seen.Out.Complete && !blocked { // of a blocked answer the rest is not read
			r.raw(p.ID, "response", p.Seen.Answer)
		}
	}
	return pairs
}

// match finds the flow of each request that the provider saw, by what was
// forwarded, and gives the flows that are left. Requests without a body are all the
// same, and two at a time come in any order: the path tells them apart, where it is kept.
func (r *Rig) match() (pairs []Pair, rest []Flow) {
	r.t.Helper()
	flows, received := r.Settled(), r.Received()
	for _, x := range received {
		same := func(f Flow) bool { return f.Method == x.In.Method && f.ForwardedSHA256 == x.In.SHA256 }
		i := slices.IndexFunc(flows, func(f Flow) bool { return same(f) && strings.HasSuffix(bare(f.Path), bare(x.In.Path)) })
		if i < 0 {
			i = slices.IndexFunc(flows, same)
		}
		if i < 0 {
			r.t.Errorf("no flow for request %d: %s %s, %d bytes, sha256 %s", x.In.Number, x.In.Method, x.In.Path, x.In.Bytes, x.In.SHA256)
			continue
		}
		pairs = append(pairs, Pair{flows[i], x})
		flows = slices.Delete(flows, i, i+1)
	}
	return pairs, flows
}

// bare is a path without its query.
func bare(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}

// same checks the hashes of a pair.
func (r *Rig) same(p Pair) {
	r.t.Helper()
	f, x := p.Flow, p.Seen
	if f.ForwardedSHA256 != f.RequestSHA256 {
		r.t.Errorf("flow %s: forwarded %s, received %s", f.ID, f.ForwardedSHA256, f.RequestSHA256)
	}
	if whole(f.DeliveredSHA256, f.ResponseBytes) != whole(f.ResponseSHA256, f.ResponseBytes) {
		r.t.Errorf("flow %s: delivered %s, response %s", f.ID, f.DeliveredSHA256, f.ResponseSHA256)
	}
	if x.Out.Complete && whole(f.ResponseSHA256, f.ResponseBytes) != x.Out.SHA256 {
		r.t.Errorf("flow %s (%s %s): response %s (%d bytes), the provider sent %s (%d bytes)",
			f.ID, f.Method, f.Path, f.ResponseSHA256, f.ResponseBytes, x.Out.SHA256, x.Out.Bytes)
	}
	if f.Status != x.Out.Status {
		r.t.Errorf("flow %s: status %d, the provider sent %d", f.ID, f.Status, x.Out.Status)
	}
	r.raw(f.ID, "request", x.Body)
	r.raw(f.ID, "forwarded", x.Body)
	if x.Out.Complete {
		r.raw(f.ID, "response", x.Answer)
		r.raw(f.ID, "delivered", x.Answer)
	}
}

// raw compares the bytes that show gives.
func (r *Rig) raw(id, what string, want []byte) {
	r.t.Helper()
	res := r.Gatehouse("show", "--raw", what, id)
	if res.Code != 0 {
		r.t.Errorf("gatehouse show --raw %s %s: exit %d: %s", what, id, res.Code, res.Err)
		return
	}
	if !bytes.Equal([]byte(res.Out), want) {
		r.t.Errorf("flow %s: %s has %d bytes, the provider saw %d, and they differ", id, what, len(res.Out), len(want))
	}
}

// Sound checks the ledger.
func (r *Rig) Sound() {
	r.t.Helper()
	if res := r.Gatehouse("verify"); res.Code != 0 {
		r.t.Errorf("gatehouse verify: exit %d\n%s%s", res.Code, res.Out, res.Err)
	}
}
