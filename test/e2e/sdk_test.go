package e2e

import (
	"errors"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	claude "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/openai/openai-go/v3"
	gpt "github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/workingagents/gatehouse/test/e2e/rig"
)

func anthropicClient(r *rig.Rig) anthropic.Client {
	return anthropic.NewClient(claude.WithBaseURL(r.Gateway+"/anthropic"), claude.WithAPIKey(rig.Secret), claude.WithMaxRetries(0))
}

func openaiClient(r *rig.Rig) openai.Client {
	return openai.NewClient(gpt.WithBaseURL(r.Gateway+"/openai/v1"), gpt.WithAPIKey(rig.Secret), gpt.WithMaxRetries(0))
}

func anthropicParams(text string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model: "claude-sonnet-4-5", MaxTokens: 1000,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(text))},
		Tools: []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{Name: "bash", InputSchema: anthropic.ToolInputSchemaParam{
			Properties: map[string]any{"command": map[string]any{"type": "string"}}, Required: []string{"command"}}}}},
	}
}

func TestAnthropicSDK(t *testing.T) {
	r := rig.Start(t, rig.Options{})
	c := anthropicClient(r)

	whole, err := c.Messages.New(t.Context(), anthropicParams("[think] run: ls"))
	if err != nil {
		t.Fatal(err)
	}
	if whole.StopReason != "tool_use" || whole.Content[0].Type != "thinking" || whole.Content[1].Name != "bash" {
		t.Errorf("answer %+v", whole)
	}

	stream := c.Messages.NewStreaming(t.Context(), anthropicParams("[odd] [crlf] [words 300]"))
	var said anthropic.Message
	for stream.Next() {
		if err := said.Accumulate(stream.Current()); err != nil && !strings.Contains(err.Error(), "x_future") {
			t.Fatal(err)
		}
	}
	if err := stream.Err(); err != nil || len(strings.Fields(said.Content[0].Text)) < 300 {
		t.Errorf("%v after %d words", err, len(strings.Fields(said.Content[0].Text)))
	}

	count, err := c.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{Model: "claude-sonnet-4-5",
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("hello"))}})
	if err != nil || count.InputTokens == 0 {
		t.Errorf("count %+v, %v", count, err)
	}
	if _, err := c.Models.List(t.Context(), anthropic.ModelListParams{}); err != nil {
		t.Errorf("models: %v", err)
	}

	_, err = c.Messages.New(t.Context(), anthropicParams("[fail 429 retry-after 3] x"))
	var api *anthropic.Error
	if !errors.As(err, &api) || api.StatusCode != 429 || api.Response.Header.Get("Retry-After") != "3" || !strings.Contains(api.RawJSON(), "rate_limit_error") {
		t.Errorf("429: %v", err)
	}
	checkCalls(t, r, 5)
}

func TestOpenAISDK(t *testing.T) {
	r := rig.Start(t, rig.Options{})
	c := openaiClient(r)
	chat := openai.ChatCompletionNewParams{Model: "gpt-5", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("[odd] [words 200]")}}

	whole, err := c.Chat.Completions.New(t.Context(), chat)
	if err != nil || len(strings.Fields(whole.Choices[0].Message.Content)) < 200 {
		t.Errorf("chat: %v, %+v", err, whole)
	}
	chat.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	stream := c.Chat.Completions.NewStreaming(t.Context(), chat)
	acc := openai.ChatCompletionAccumulator{}
	for stream.Next() {
		acc.AddChunk(stream.Current())
	}
	if err := stream.Err(); err != nil || acc.Usage.CompletionTokens == 0 {
		t.Errorf("chat stream: %v, %+v", err, acc.Usage)
	}

	params := responses.ResponseNewParams{Model: shared.ResponsesModel("gpt-5"), Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("say: first")}}
	first, err := c.Responses.New(t.Context(), params)
	if err != nil || first.OutputText() != "first" {
		t.Errorf("responses: %v, %+v", err, first)
	}
	params.PreviousResponseID = openai.String(first.ID)
	params.Input.OfString = openai.String("[think] say: second")
	events := c.Responses.NewStreaming(t.Context(), params)
	text := ""
	for events.Next() {
		text += events.Current().AsResponseOutputTextDelta().Delta
	}
	if err := events.Err(); err != nil || !strings.Contains(text, "second") {
		t.Errorf("responses stream: %v, %q", err, text)
	}

	if _, err := c.Embeddings.New(t.Context(), openai.EmbeddingNewParams{Model: "text-embedding-3-small", Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("x")}}); err != nil {
		t.Errorf("embeddings: %v", err)
	}
	if _, err := c.Files.New(t.Context(), openai.FileNewParams{File: strings.NewReader("{}\n"), Purpose: openai.FilePurposeBatch}); err != nil {
		t.Errorf("files: %v", err)
	}
	if _, err := c.Models.List(t.Context()); err != nil {
		t.Errorf("models: %v", err)
	}
	checkCalls(t, r, 7)
}

// checkCalls checks the record of n calls: bytes, states, and, where the
// provider counted tokens, the count.
func checkCalls(t *testing.T, r *rig.Rig, n int) {
	t.Helper()
	pairs := r.Pairs()
	if len(pairs) != n {
		t.Errorf("%d calls are recorded, want %d", len(pairs), n)
	}
	for _, p := range pairs {
		if p.State != "done" {
			t.Errorf("%s %s is %s: %s", p.Method, p.Path, p.State, p.Why)
		}
		if want, ok := billed(p); ok && p.Turn != nil && p.Usage != want {
			t.Errorf("%s: usage %+v, the provider said %+v", p.Path, p.Usage, want)
		}
	}
	r.Sound()
}
