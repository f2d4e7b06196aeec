package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/workingagents/gatehouse/internal/app"
	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/simulate"
	"github.com/workingagents/gatehouse/internal/wire/codec"
)

// demoPace is the pause between a simulated provider's events: slow enough to
// be watched with tail, quick enough for the whole to end in 20 s.
const demoPace = 15 * time.Millisecond

// runDemo plays short sessions of three made-up agents against a simulated
// provider, through a real gateway with a real ledger.
func runDemo(ctx context.Context, args []string, std streams) error {
	fs := newFlags("demo", "[--data DIR]", std)
	data := fs.String("data", "", "data `DIR` (default: the folder demo in the per-user data folder)")
	if err := parse(fs, args); err != nil {
		return err
	}
	dir, err := dataDir(*data)
	if err != nil {
		return err
	}
	if *data == "" {
		dir = filepath.Join(dir, "demo")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	provider, err := startSimulated(ctx)
	if err != nil {
		return err
	}
	gateway, done, err := startDemoGateway(ctx, dir, provider)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.out, "a gateway listens on http://%s; a simulated provider answers behind it. Playing:\n", gateway)
	playErr := play(ctx, "http://"+gateway, std.out)
	stop()
	if err := <-done; err != nil {
		return err
	}
	if playErr != nil {
		return playErr
	}
	fmt.Fprintf(std.out, "\nEvery byte of that is on record. Where to look:\n"+
		"  %[2]s sessions --data %[1]s\n  %[2]s flows --data %[1]s\n"+
		"  %[2]s show --data %[1]s FLOW   (an id from the list)\n  %[2]s verify --data %[1]s\n", dir, os.Args[0])
	return nil
}

func startSimulated(ctx context.Context) (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("starting the simulated provider: %w", err)
	}
	go serveSimulate(ctx, ln, simulate.New(simulate.Options{Pace: demoPace}))
	return "http://" + ln.Addr().String(), nil
}

func startDemoGateway(ctx context.Context, dir, provider string) (addr string, done chan error, err error) {
	about, done, err := startGateway(ctx, simulated(dir, provider))
	return about.Listen, done, err
}

// simulated are the settings of a gateway of our own before one provider, with
// free ports.
func simulated(dir, provider string) *config.Config {
	c := config.Default()
	c.Data, c.Listen, c.Console, c.Intercept.Listen = dir, "127.0.0.1:0", "off", "off"
	for name, u := range c.Upstreams {
		u.URL = provider
		c.Upstreams[name] = u
	}
	return c
}

// startGateway runs a gateway in this process, in silence. done gives what it
// returned.
func startGateway(ctx context.Context, c *config.Config) (about app.About, done chan error, err error) {
	ready := make(chan app.About, 1)
	done = make(chan error, 1)
	o := app.Options{Config: c, Version: versionText(), Log: slog.New(slog.DiscardHandler), Ready: func(a app.About) { ready <- a }}
	go func() { done <- app.Run(ctx, o) }()
	select {
	case about = <-ready:
		return about, done, nil
	case err := <-done:
		return about, nil, err
	}
}

// player is one made-up agent: how it writes a request for a conversation.
type player struct {
	name   string
	api    flow.API
	path   string
	header map[string]string
	turns  []string // what the person says
	body   func(said []exchange) map[string]any
}

// exchange is one turn of a conversation.
type exchange struct {
	user   string
	answer flow.Answer
}

func play(ctx context.Context, base string, w io.Writer) error {
	for _, p := range players() {
		if err := p.play(ctx, base, w); err != nil {
			return fmt.Errorf("playing %s: %w", p.name, err)
		}
	}
	return nil
}

func (p player) play(ctx context.Context, base string, w io.Writer) error {
	var said []exchange
	for _, user := range p.turns {
		said = append(said, exchange{user: user})
		answer, err := p.call(ctx, base+p.path, p.body(said))
		if err != nil {
			return err
		}
		said[len(said)-1].answer = answer
		fmt.Fprintf(w, "  %-9s %-52s → %s\n", p.name, clip(user, 52), clip(plain(firstText(answer)), 60))
	}
	return nil
}

func (p player) call(ctx context.Context, url string, body map[string]any) (flow.Answer, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return flow.Answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(text))
	if err != nil {
		return flow.Answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	for name, value := range p.header {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return flow.Answer{}, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return flow.Answer{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return flow.Answer{}, fmt.Errorf("%s: %s", resp.Status, answer)
	}
	read := codec.NewAnswer(p.api, codec.Options{Keep: true})
	read.Push(answer)
	return read.End(), nil
}

func firstText(a flow.Answer) string {
	for _, part := range a.Parts {
		if part.Kind == flow.Text && part.Text != "" {
			return part.Text
		}
	}
	return "(" + a.Stop + ")"
}

// players are an agent for each API. The keys are made up: the provider is
// simulated.
func players() []player {
	return []player{
		{
			name: "claude", api: flow.Messages, path: "/anthropic/v1/messages",
			header: map[string]string{"X-Api-Key": "demo", "Anthropic-Version": "2023-06-01", "X-Claude-Code-Session-Id": newDemoID()},
			turns:  []string{"Read the README and say what this project is.", "Which test covers the parser?", "Thank you. Sum it up in one line."},
			body:   anthropicDemo,
		},
		{
			name: "codex", api: flow.Responses, path: "/openai/v1/responses",
			header: map[string]string{"Authorization": "Bearer demo", "Session-Id": newDemoID()},
			turns:  []string{"Rename the function parse to read.", "Now run the tests."},
			body:   responsesDemo,
		},
		{
			name: "aider", api: flow.Chat, path: "/openai/v1/chat/completions",
			header: map[string]string{"Authorization": "Bearer demo"},
			turns:  []string{"Write a haiku about ledgers.", "One more, about gates."},
			body:   chatDemo,
		},
		{
			name: "gemini", api: flow.StreamGenerate, path: "/gemini/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
			header: map[string]string{"X-Goog-Api-Key": "demo"},
			turns:  []string{"What is a Merkle tree?", "And why does it help an auditor?"},
			body:   geminiDemo,
		},
	}
}

func newDemoID() string { return fmt.Sprintf("demo-%d", time.Now().UnixNano()) }

func anthropicDemo(said []exchange) map[string]any {
	var messages []any
	for _, e := range said {
		messages = append(messages, map[string]any{"role": "user", "content": e.user})
		if text := firstText(e.answer); e.answer.Complete {
			messages = append(messages, map[string]any{"role": "assistant", "content": text})
		}
	}
	return map[string]any{"model": "claude-sonnet-4-5", "max_tokens": 1024, "stream": true, "system": "You are a demo.", "messages": messages}
}

func chatDemo(said []exchange) map[string]any {
	messages := []any{map[string]any{"role": "system", "content": "You are a demo."}}
	for _, e := range said {
		messages = append(messages, map[string]any{"role": "user", "content": e.user})
		if e.answer.Complete {
			messages = append(messages, map[string]any{"role": "assistant", "content": firstText(e.answer)})
		}
	}
	return map[string]any{"model": "gpt-5", "stream": true, "stream_options": map[string]any{"include_usage": true}, "messages": messages}
}

func responsesDemo(said []exchange) map[string]any {
	var input []any
	for _, e := range said {
		input = append(input, responsesItem("user", "input_text", e.user))
		if e.answer.Complete {
			input = append(input, responsesItem("assistant", "output_text", firstText(e.answer)))
		}
	}
	return map[string]any{"model": "gpt-5-codex", "stream": true, "instructions": "You are a demo.", "input": input}
}

func responsesItem(role, kind, text string) map[string]any {
	return map[string]any{"type": "message", "role": role, "content": []any{map[string]any{"type": kind, "text": text}}}
}

func geminiDemo(said []exchange) map[string]any {
	var contents []any
	for _, e := range said {
		contents = append(contents, geminiContent("user", e.user))
		if e.answer.Complete {
			contents = append(contents, geminiContent("model", firstText(e.answer)))
		}
	}
	return map[string]any{"contents": contents}
}

func geminiContent(role, text string) map[string]any {
	return map[string]any{"role": role, "parts": []any{map[string]any{"text": text}}}
}
