package gate_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

const manyRules = `family: secret
version: 1
rules:
  - {id: zed, title: t, severity: high, confidence: 95, anchors: [zed_], pattern: 'zed_[a-z0-9]{20}'}
  - {id: pin, title: t, severity: high, confidence: 90, anchors: [pin], pattern: 'pin\W{1,6}([0-9]{12})'}
`

// talk is a random conversation.
type talk struct {
	r        *rand.Rand
	messages []string
	planted  []string          // values in what is new this turn
	sent     map[string]string // by message: as it was forwarded last turn
	n        int
}

func (c *talk) value() string {
	v := "zed_"
	for range 20 {
		v += string("abcdefghijklmnopqrstuvwxyz0123456789"[c.r.IntN(36)])
	}
	c.planted = append(c.planted, v)
	return v
}

// part is some content with a value, or none.
func (c *talk) part() string {
	c.n++
	quote := func(v any) string { b, _ := json.Marshal(v); return string(b) }
	text := func(s string) string { return `{"type":"text","text":` + quote(s) + `}` }
	switch c.r.IntN(9) {
	case 0:
		return text(fmt.Sprint("it is ", c.value(), " é\n\"", c.n))
	case 1:
		return text(fmt.Sprint("twice ", c.value(), c.n, " ", quote(map[string]string{"a": c.value()})))
	case 2:
		return `{"type":"tool_use","id":"t` + strconv.Itoa(c.n) + `","name":"f","input":{` + quote(c.value()) + `:` + quote(c.n) + `}}`
	case 3:
		pin := fmt.Sprint(100000000000 + c.r.Int64N(899999999999))
		c.planted = append(c.planted, pin)
		return `{"type":"tool_use","id":"t` + strconv.Itoa(c.n) + `","name":"f","input":{"pin":` + pin + `}}`
	case 4:
		return `{"type":"tool_result","tool_use_id":"t","content":[` + text("a "+c.value()) + `,` + text(fmt.Sprint("b", c.n)) + `]}`
	case 5:
		v := c.value()
		return text("begins "+v[:9]) + "," + text(v[9:]+" ends"+strconv.Itoa(c.n))
	case 6:
		return text("coded " + base64.StdEncoding.EncodeToString([]byte("key "+c.value()+strconv.Itoa(c.n))))
	}
	return text(fmt.Sprint("nothing ", c.n))
}

// add says something new.
func (c *talk) add() {
	for range 1 + c.r.IntN(2) {
		role := []string{"user", "assistant"}[len(c.messages)%2]
		c.messages = append(c.messages, `{"role":"`+role+`","content":[`+c.part()+`]}`)
	}
	if len(c.messages) > 2 && c.r.IntN(8) == 0 {
		c.messages = c.messages[1:]
	}
}

// body has a marker in its last message.
func (c *talk) body() string {
	list := strings.Join(c.messages, ",")
	if c.r.IntN(2) == 0 {
		list = list[:len(list)-len("}]}")] + `,"cache_control":{"type":"ephemeral"}}]}`
	}
	return `{"model":"m","messages":[` + list + `],"system":"be good"}`
}

// forwarded checks what was forwarded in a turn, by message.
func (c *talk) forwarded(t *testing.T, sent string, enforced bool) {
	t.Helper()
	var q struct{ Messages []json.RawMessage }
	if err := json.Unmarshal([]byte(sent), &q); err != nil || len(q.Messages) != len(c.messages) {
		t.Fatalf("%v: forwarded %s", err, sent)
	}
	now := map[string]string{}
	for i, m := range c.messages {
		now[m] = unmarked(string(q.Messages[i]))
		if was, ok := c.sent[m]; ok && was != now[m] {
			t.Errorf("%s was forwarded as %s and is as %s", m, was, now[m])
		}
	}
	c.sent = now
	for _, v := range c.planted {
		if enforced && strings.Contains(sent, v) {
			t.Errorf("%s is in %s", v, sent)
		}
	}
}

// TestRandomConversations: whatever is said, in whatever form, while policies,
// rules and the gateway itself change: what is forwarded is JSON, has no new value
// in it where policy enforces, is the same in each turn, and is what the record
// says.
func TestRandomConversations(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			c := &talk{r: rand.New(rand.NewPCG(seed, 3))}
			h := open(t, t.TempDir(), enforcing)
			h.load(manyRules)
			mode := enforcing
			for range 8 {
				switch c.r.IntN(6) {
				case 0:
					mode = []string{enforcing, blunt, reports}[c.r.IntN(3)]
					h.rule(mode)
				case 1:
					h.load(strings.Replace(manyRules, "version: 1", fmt.Sprint("version: ", 2+c.r.IntN(3)), 1))
				}
				c.planted = nil
				c.add()
				body := c.body()
				sent, in := h.send(message(body))
				c.forwarded(t, sent, mode == enforcing)
				if in.ForwardedSHA256 != sum(sent) || in.RequestSHA256 != sum(body) || in.ForwardedBytes != int64(len(sent)) {
					t.Errorf("the hashes are wrong")
				}
				if (sent != body) != (in.Decision.Verdict == flow.Redact) {
					t.Errorf("changed: %v, and the verdict is %v", sent != body, in.Decision.Verdict)
				}
				if got := h.read(in.Flow, ledger.Forwarded); got != sent {
					t.Errorf("on record: %s, forwarded %s", got, sent)
				}
				if got := h.read(in.Flow, ledger.Request); got != body {
					t.Errorf("on record: %s, received %s", got, body)
				}
				if t.Failed() {
					return
				}
			}
			h.sound()
		})
	}
}
