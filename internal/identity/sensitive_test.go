package identity_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/identity"
)

func TestSensitive(t *testing.T) {
	for _, name := range []string{
		"Authorization", "authorization", "Proxy-Authorization", "X-Api-Key", "x-api-key", "X-Goog-Api-Key", "Api-Key", "Cookie", "Set-Cookie",
		"X-Gatehouse-Key", "X-Auth-Token", "X-Amz-Security-Token", "X-Client-Secret", "X-Csrf-Token", "Openai-Api-Key", "X-Subscription-Key", "X-Goog-Upload-Url", "X-Openai-Agent-Assertion", "X-Oai-Attestation",
	} {
		if !identity.Sensitive(name) {
			t.Errorf("%s passes as harmless", name)
		}
	}
	for _, name := range []string{
		"Content-Type", "Anthropic-Version", "Anthropic-Beta", "User-Agent", "Anthropic-Ratelimit-Tokens-Remaining", "X-Ratelimit-Limit-Tokens", "X-Ratelimit-Reset-Tokens",
		"Request-Id", "X-Claude-Code-Session-Id", "Session-Id", "Openai-Organization", "Idempotency-Key", "Sec-Websocket-Key", "Sec-Websocket-Accept", "Openai-Processing-Ms",
	} {
		if identity.Sensitive(name) {
			t.Errorf("%s passes as a credential", name)
		}
	}
}

func TestScrubQuery(t *testing.T) {
	mark := func(secret []byte) string { return "<" + string(secret) + ">" }
	for raw, want := range map[string]string{
		"":                               "",
		"alt=sse":                        "alt=sse",
		"key=AIzaX":                      "key=<AIzaX>",
		"alt=sse&key=a%2Bb":              "alt=sse&key=<a+b>",
		"KEY=x":                          "KEY=<x>",
		"k%65y=x":                        "k%65y=<x>",
		"key":                            "key",
		"key=":                           "key=",
		"key=a&key=b":                    "key=<a>&key=<b>",
		"access_token=t&client_secret=s": "access_token=<t>&client_secret=<s>",
		"X-Goog-Signature=s&pageToken=p": "X-Goog-Signature=<s>&pageToken=p",
		"upload_id=u&beta=true":          "upload_id=<u>&beta=true",
		"x=sk-ant-api03-0123456789":      "x=<sk-ant-api03-0123456789>",
		"key=%zz":                        "key=<%zz>",
		"a&&b=c":                         "a&&b=c",
		"maxTokens=5":                    "maxTokens=5",
	} {
		if got := identity.ScrubQuery(raw, mark); got != want {
			t.Errorf("ScrubQuery(%q) = %q, want %q", raw, got, want)
		}
	}
	if got := identity.ScrubPath("/v1beta/models?key=x&alt=sse", mark); got != "/v1beta/models?key=<x>&alt=sse" {
		t.Errorf("ScrubPath gives %q", got)
	}
}

func TestScrubHeader(t *testing.T) {
	const secret = "sk-ant-api03-THE-SECRET-0123456789"
	h := http.Header{
		"X-Api-Key":              {secret},
		"Authorization":          {"Bearer " + secret},
		"Cookie":                 {"session=" + secret},
		"X-Custom":               {secret, "plain"},
		"X-Other":                {"Bearer " + secret},
		"Referer":                {"https://example.com/?key=" + secret + "&a=b"},
		"Location":               {"/upload?upload_id=" + secret},
		"Sec-Websocket-Protocol": {"realtime, openai-insecure-api-key." + secret + ", openai-beta.realtime-v1"},
		"Content-Type":           {"application/json"},
		"Empty":                  {""},
	}
	lines := identity.ScrubHeader(h, fingerprint)
	var all strings.Builder
	for i, l := range lines {
		all.WriteString(l.Name + ": " + l.Value + "\n")
		if i > 0 && lines[i-1].Name > l.Name {
			t.Errorf("%s stands after %s", l.Name, lines[i-1].Name)
		}
	}
	text := all.String()
	if strings.Contains(text, "THE-SECRET") {
		t.Errorf("a secret is left:\n%s", text)
	}
	mark := fingerprint([]byte(secret))
	for _, want := range []string{
		"X-Api-Key: " + mark, "Authorization: " + mark, "X-Custom: plain", "Referer: https://example.com/?key=" + mark + "&a=b",
		"Sec-Websocket-Protocol: realtime, openai-insecure-api-key." + mark + ", openai-beta.realtime-v1", "Content-Type: application/json", "Empty: \n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if len(lines) != 11 {
		t.Errorf("%d lines", len(lines))
	}
}

func TestCutKey(t *testing.T) {
	for path, want := range map[string][3]string{
		"/k/ghk_x/anthropic/v1/messages": {"ghk_x", "/anthropic/v1/messages", "true"},
		"/k/ghk_x":                       {"ghk_x", "/", "true"},
		"/k/ghk_x/":                      {"ghk_x", "/", "true"},
		"/k//v1":                         {"", "/v1", "true"},
		"/anthropic/k/x":                 {"", "/anthropic/k/x", "false"},
		"/key/x":                         {"", "/key/x", "false"},
	} {
		key, rest, ok := identity.CutKey(path)
		if got := [3]string{key, rest, map[bool]string{true: "true", false: "false"}[ok]}; got != want {
			t.Errorf("CutKey(%q) = %q, want %q", path, got, want)
		}
	}
}
