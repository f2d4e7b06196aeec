package refusal_test

import (
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/refusal"
)

func TestBodyHasTheProvidersShape(t *testing.T) {
	r := &flow.Refusal{Status: 400, Kind: "too_large", Text: `over "the" limit`}
	tests := []struct {
		provider flow.Provider
		want     string
	}{
		{flow.Anthropic, `{"error":{"message":"Gatehouse: over \"the\" limit","type":"invalid_request_error"},"type":"error"}`},
		{flow.OpenAI, `{"error":{"code":"gatehouse_too_large","message":"Gatehouse: over \"the\" limit","param":null,"type":"invalid_request_error"}}`},
		{flow.Gemini, `{"error":{"code":400,"message":"Gatehouse: over \"the\" limit","status":"INVALID_ARGUMENT"}}`},
	}
	for _, tt := range tests {
		if got := string(refusal.Body(tt.provider, r)); got != tt.want+"\n" {
			t.Errorf("%s:\n got %s\nwant %s", tt.provider, got, tt.want)
		}
	}
}

func TestMessageIsAnErrorEvent(t *testing.T) {
	got := string(refusal.Message(&flow.Refusal{Status: 503, Kind: "draining", Text: "stopping"}))
	want := `{"error":{"code":"gatehouse_draining","message":"Gatehouse: stopping","param":null,"type":"server_error"},"status":503,"type":"error"}` + "\n"
	if got != want {
		t.Errorf("got %s want %s", got, want)
	}
}
