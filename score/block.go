package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/inspect"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/vault"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/route"
)

// calls counts what the recommended policy does with ordinary traffic: each text
// stands where an agent would have it, in a call that goes the whole path.
func (s *score) calls(o options) (err error) {
	if s.ids != "" && s.ids != "alarms" {
		return nil
	}
	dir, err := os.MkdirTemp("", "score")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l, err := ledger.Open(ledger.Options{Dir: dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	rules, err := policy.Parse("recommended", policy.Recommended())
	if err != nil {
		return err
	}
	b := &blocks{score: s, kinds: map[string]*kindOfCall{}}
	b.gate = gate.New(gate.Options{
		Ledger: l, Vault: vault.New(l),
		Policy: func() policy.Policy { return rules }, Rules: func() *inspect.Engine { return s.engine },
		Ended: func(_ *flow.Intent, out *flow.Outcome) { b.answered = out.Decision },
	})
	if err := b.all(o); err != nil {
		return err
	}
	b.print()
	return nil
}

// blocks sends ordinary texts through a gate.
type blocks struct {
	*score
	gate     *gate.Gate
	kinds    map[string]*kindOfCall
	calls    int
	answered *flow.Decision // about the last answer; nil: nothing was found in it
}

// kindOfCall is a kind of ordinary calls.
type kindOfCall struct {
	name                     string
	calls, blocked, redacted int
	by                       map[string]int // what blocked
}

func (b *blocks) all(o options) error {
	for _, file := range []struct {
		name, kind, label string
		send              func(k *kindOfCall, r record)
	}{
		{"injection_agent_instructions", "agent_instructions", "instructions of agents, read from a file", b.result},
		{"injection_bipia_train", "tool_result", "tool results (mail, code)", b.result},
		{"injection_agentdojo", "tool_result", "tool results (bank, chat)", b.result},
		{"injection_asb", "tool_result", "tool results (short)", b.result},
		{"injection_compass", "user_query", "questions of users", b.question},
		{"shell_nl2bash", "benign", "everyday commands, proposed", b.proposal},
		{"shell_nl2bash", "benign_destructive", "everyday commands that delete, proposed (apart)", b.proposal},
	} {
		k := b.kind(file.label)
		err := read(filepath.Join(o.data, file.name+".jsonl.gz"), func(r record) {
			if string(r.Label) == `"benign"` && r.Kind == file.kind {
				file.send(k, r)
			}
		})
		if err != nil {
			return err
		}
	}
	if err := b.recorded(o.agents); err != nil {
		return err
	}
	if o.clean == "" {
		return nil
	}
	k := b.kind("files of " + filepath.Base(o.clean) + ", read")
	return files(o.clean, func(name string, text []byte) { b.result(k, record{ID: name, Text: string(text)}) })
}

func (b *blocks) kind(name string) *kindOfCall {
	k := &kindOfCall{name: name, by: map[string]int{}}
	b.kinds[name] = k
	return k
}

// message is a call of Messages with these turns.
func message(turns ...any) *gate.Message {
	body, err := json.Marshal(map[string]any{
		"model": "claude-sonnet-4-5", "max_tokens": 1000, "system": "You help with code in this folder.", "messages": turns,
		"tools": []any{map[string]any{"name": "Read", "input_schema": map[string]any{"type": "object"}}, map[string]any{"name": "Bash", "input_schema": map[string]any{"type": "object"}}},
	})
	if err != nil {
		panic(err) // made of strings only
	}
	return &gate.Message{Provider: flow.Anthropic, API: flow.Messages, Method: http.MethodPost, Path: "/v1/messages", Route: "/v1/messages", Body: body}
}

func turn(role string, content ...any) any {
	return map[string]any{"role": role, "content": content}
}

func said(text string) any { return map[string]any{"type": "text", "text": text} }

func (b *blocks) result(k *kindOfCall, r record) {
	b.send(k, r.ID, message(turn("user", said("Have a look at it.")),
		turn("assistant", map[string]any{"type": "tool_use", "id": "toolu_1", "name": "Read", "input": map[string]any{"file_path": "x"}}),
		turn("user", map[string]any{"type": "tool_result", "tool_use_id": "toolu_1", "content": r.Text})), "")
}

func (b *blocks) question(k *kindOfCall, r record) {
	b.send(k, r.ID, message(turn("user", said(r.Text))), "")
}

// proposal has the model propose a command.
func (b *blocks) proposal(k *kindOfCall, r record) {
	answer, err := json.Marshal(map[string]any{
		"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use", "usage": map[string]int{"input_tokens": 1, "output_tokens": 1},
		"content": []any{map[string]any{"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": map[string]any{"command": r.Command}}},
	})
	if err != nil {
		panic(err)
	}
	b.send(k, r.ID, message(turn("user", said("Go on."))), string(answer))
}

// recorded sends what real agents sent.
func (b *blocks) recorded(dir string) error {
	k := b.kind("recorded requests of agents")
	indexes, err := filepath.Glob(filepath.Join(dir, "*", "index.json"))
	if err != nil {
		return err
	}
	for _, index := range indexes {
		text, err := os.ReadFile(index)
		if err != nil {
			return err
		}
		var list []struct{ Method, Path string }
		if err := json.Unmarshal(text, &list); err != nil {
			return fmt.Errorf("reading %s: %w", index, err)
		}
		for i, x := range list {
			body, err := unzipped(filepath.Join(filepath.Dir(index), fmt.Sprint(i+1, ".request.gz")))
			if err != nil {
				return err
			}
			method := x.Method
			if method == flow.MethodMessage { // one message of a socket
				method = http.MethodPost
			}
			address, err := url.Parse(x.Path)
			if err != nil {
				return err
			}
			to, ok := route.Match(method, address.EscapedPath(), nil, address.Query())
			if !ok {
				return fmt.Errorf("%s: no provider has %s", index, x.Path)
			}
			b.send(k, filepath.Base(filepath.Dir(index)), &gate.Message{Provider: to.Provider, API: to.API, Method: x.Method, Path: x.Path, Route: to.Path, Body: body}, "")
		}
	}
	return nil
}

// send has the gate judge a call and, if there is one, its answer.
func (b *blocks) send(k *kindOfCall, id string, m *gate.Message, answer string) {
	b.calls++
	m.Entrance, m.Principal, m.Claim.Session = "redirect", flow.Principal{Name: fmt.Sprint("score/", b.calls)}, "s" // of nobody else: what one text holds is not looked for in the next
	p, err := b.gate.Admit(m)
	if p == nil {
		k.count(flow.Decision{Rules: []string{err.Error()}})
		return
	}
	d := p.Intent().Decision
	if err == nil {
		if answer != "" {
			b.answer(p, answer)
		}
		p.End(flow.Done, "")
		if b.answered != nil && b.answered.Verdict < d.Verdict {
			d = *b.answered
		}
	}
	k.count(d)
	if b.ids == "alarms" && d.Verdict == flow.Block {
		fmt.Fprintf(b.out, "%s blocked %s\n", id, strings.Join(d.Rules, " "))
	}
}

// answer hands an answer through, as far as the gate lets it.
func (b *blocks) answer(p *gate.Passage, text string) {
	deliver := func([]byte) error { return nil }
	if p.Answer(http.StatusOK, nil, "", "", codec.Sniff) == nil && p.Push([]byte(text), deliver) == nil {
		_ = p.Flush(deliver) // what it says of a blocked call stands in the outcome
	}
}

func (k *kindOfCall) count(d flow.Decision) {
	k.calls++
	switch d.Verdict {
	case flow.Pass:
	case flow.Redact:
		k.redacted++
	default:
		k.blocked++
		for _, rule := range d.Rules {
			name, _, _ := strings.Cut(rule, " ")
			k.by[name]++
		}
	}
}

func (b *blocks) print() {
	if b.ids != "" {
		return
	}
	fmt.Fprintln(b.out, "\n| whole calls, recommended policy | calls | blocked | redacted | what blocked |")
	fmt.Fprintln(b.out, "|---|---|---|---|---|")
	total := &kindOfCall{name: "all but those apart"}
	for _, name := range slices.Sorted(maps.Keys(b.kinds)) {
		k := b.kinds[name]
		b.line(k)
		if !strings.HasSuffix(name, "(apart)") {
			total.calls += k.calls
			total.blocked += k.blocked
			total.redacted += k.redacted
		}
	}
	b.line(total)
}

func (b *blocks) line(k *kindOfCall) {
	var by []string
	for _, rule := range slices.Sorted(maps.Keys(k.by)) {
		by = append(by, fmt.Sprintf("%s: %d", rule, k.by[rule]))
	}
	fmt.Fprintf(b.out, "| %s | %d | %d: %s | %d | %s |\n", k.name, k.calls, k.blocked, share(k.blocked, k.calls), k.redacted, strings.Join(by, ", "))
}
