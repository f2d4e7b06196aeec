package main

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// header fills in the lines that every provider has and its own.
func (g gen) header(p flow.Provider, lines map[flow.Provider]string) []flow.Header {
	var list []flow.Header
	for _, line := range strings.Split(strings.TrimSpace(lines[""]+lines[p]), "\n") {
		name, value, _ := strings.Cut(line, ": ")
		list = append(list, flow.Header{Name: name, Value: blank.ReplaceAllStringFunc(value, g.blank)})
	}
	return list
}

// A blank is a letter and a number of characters: {h16} is 16 hex digits.
var blank = regexp.MustCompile(`\{[a-z]\d*\}`)

func (g gen) blank(b string) string {
	n, _ := strconv.Atoi(b[2 : len(b)-1])
	switch b[1] {
	case 'h':
		return g.hex(n)
	case 'b':
		return g.base62(n)
	case 'n':
		return g.chars("123456789", n)
	case 'd':
		return g.when().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	case 't':
		return g.when().Format("2006-01-02T15:04:05Z")
	}
	return g.uuid()
}

var requestHeader = map[flow.Provider]string{
	"": `
Accept: application/json
Accept-Encoding: gzip, deflate, br, zstd
Connection: keep-alive
Content-Length: {n5}
Content-Type: application/json
`,
	flow.Anthropic: `Anthropic-Beta: claude-code-20250219,oauth-2025-04-20,interleaved-thinking-2025-05-14,context-management-2025-06-27,prompt-caching-scope-2026-01-05,effort-2025-11-24
Anthropic-Dangerous-Direct-Browser-Access: true
Anthropic-Version: 2023-06-01
Authorization: fp_{h16}
User-Agent: claude-cli/2.1.197 (external, cli)
X-Api-Key: fp_{h16}
X-App: cli
X-Claude-Code-Session-Id: {u}
X-Stainless-Arch: x64
X-Stainless-Helper-Method: stream
X-Stainless-Lang: js
X-Stainless-Os: Linux
X-Stainless-Package-Version: 0.74.0
X-Stainless-Retry-Count: 0
X-Stainless-Runtime: node
X-Stainless-Runtime-Version: v24.3.0
X-Stainless-Timeout: 600
`,
	flow.OpenAI: `Accept: text/event-stream
Authorization: fp_{h16}
Openai-Beta: responses_websockets=2026-02-06
Openai-Organization: org-{b24}
Originator: codex_cli_rs
Session-Id: {u}
Thread-Id: {u}
User-Agent: codex_cli_rs/0.169.0 (Debian 13; x86_64) xterm-256color
X-Codex-Window-Id: {u}
`,
	flow.Gemini: `User-Agent: GeminiCLI/0.61.0 (linux; x64) google-api-nodejs-client/9.15.1
X-Goog-Api-Client: google-genai-sdk/1.30.0 gl-node/v24.3.0
X-Goog-Api-Key: fp_{h16}
`,
}

var responseHeader = map[flow.Provider]string{
	"": `
Alt-Svc: h3=":443"; ma=86400
Cache-Control: no-cache
Cf-Cache-Status: DYNAMIC
Cf-Ray: {h16}-FRA
Connection: keep-alive
Content-Type: text/event-stream; charset=utf-8
Date: {d}
Server: cloudflare
Strict-Transport-Security: max-age=31536000; includeSubDomains; preload
Transfer-Encoding: chunked
Vary: Accept-Encoding
X-Content-Type-Options: nosniff
`,
	flow.Anthropic: `Anthropic-Organization-Id: {u}
Anthropic-Ratelimit-Input-Tokens-Limit: 2000000
Anthropic-Ratelimit-Input-Tokens-Remaining: 199{n4}
Anthropic-Ratelimit-Input-Tokens-Reset: {t}
Anthropic-Ratelimit-Output-Tokens-Limit: 400000
Anthropic-Ratelimit-Output-Tokens-Remaining: 399000
Anthropic-Ratelimit-Output-Tokens-Reset: {t}
Anthropic-Ratelimit-Requests-Limit: 4000
Anthropic-Ratelimit-Requests-Remaining: 3999
Anthropic-Ratelimit-Requests-Reset: {t}
Anthropic-Ratelimit-Tokens-Limit: 2400000
Anthropic-Ratelimit-Tokens-Remaining: 239{n4}
Anthropic-Ratelimit-Tokens-Reset: {t}
Anthropic-Ratelimit-Unified-5h-Reset: 17{n8}
Anthropic-Ratelimit-Unified-5h-Status: allowed
Anthropic-Ratelimit-Unified-5h-Utilization: 0.{n2}
Anthropic-Ratelimit-Unified-7d-Status: allowed
Anthropic-Ratelimit-Unified-Representative-Claim: five_hour
Anthropic-Ratelimit-Unified-Reset: 17{n8}
Anthropic-Ratelimit-Unified-Status: allowed
Request-Id: req_011C{b20}
X-Envoy-Upstream-Service-Time: {n4}
X-Robots-Tag: none
`,
	flow.OpenAI: `Openai-Organization: user-{b24}
Openai-Processing-Ms: {n4}
Openai-Project: proj_{b24}
Openai-Version: 2020-10-01
Set-Cookie: fp_{h16}
X-Envoy-Upstream-Service-Time: {n4}
X-Ratelimit-Limit-Requests: 10000
X-Ratelimit-Limit-Tokens: 30000000
X-Ratelimit-Remaining-Requests: 9999
X-Ratelimit-Remaining-Tokens: 2999{n4}
X-Ratelimit-Reset-Requests: 6ms
X-Ratelimit-Reset-Tokens: 0s
X-Request-Id: req_{h32}
`,
	flow.Gemini: `Content-Disposition: attachment
Content-Type: application/json; charset=UTF-8
Server: scaffolding on HTTPServer2
Server-Timing: gfet4t7; dur={n4}
Vary: Origin
Vary: X-Origin
Vary: Referer
X-Frame-Options: SAMEORIGIN
X-Xss-Protection: 0
`,
}
