package simulate

import (
	"fmt"
	"net/http"
	"regexp"
)

// table lists the operations. Files and models exist at two providers under
// one path: Anthropic's header decides.
func table() []route {
	list := []route{}
	add := func(api dialect, method, path string, answer func(*exchange) error) {
		list = append(list, route{method, regexp.MustCompile("^" + path + "$"), api, answer})
	}
	add(anthropic, http.MethodHead, "/?", (*exchange).probe)
	add(anthropic, http.MethodPost, "/v1/messages", (*exchange).messages)
	add(anthropic, http.MethodPost, "/v1/messages/count_tokens", (*exchange).countTokens)
	add(anthropic, http.MethodPost, "/v1/messages/batches", (*exchange).anthropicBatch)
	add(openai, http.MethodPost, "/v1/chat/completions", (*exchange).chat)
	add(openai, http.MethodPost, "/v1/responses", (*exchange).responses)
	add(openai, http.MethodGet, "/v1/responses", (*exchange).socket)
	add(openai, http.MethodGet, "/v1/responses/([^/]+)", (*exchange).stored)
	add(openai, http.MethodPost, "/v1/embeddings", (*exchange).embeddings)
	add(openai, http.MethodPost, "/v1/batches", (*exchange).batch)
	add(anthropic, "", "/v1/(models|files)(?:/([^/]+))?", (*exchange).shared)
	add(gemini, http.MethodPost, "/v1(?:beta|alpha)?/(models|tunedModels)/([^/:]+):(generateContent|streamGenerateContent)", (*exchange).generate)
	add(gemini, http.MethodPost, "/v1(?:beta|alpha)?/(models|tunedModels)/([^/:]+):countTokens", (*exchange).geminiCount)
	add(gemini, http.MethodGet, "/v1(?:beta|alpha)/models(?:/([^/]+))?", (*exchange).geminiModels)
	return list
}

// probe is what Claude Code asks before its first call.
func (e *exchange) probe() error {
	o := newOutlet(e.w, e.rec, script{})
	return o.start(http.StatusOK, "application/json")
}

// shared answers what stands under one path at two providers.
func (e *exchange) shared() error {
	if e.r.Header.Get("Anthropic-Version") == "" && e.r.Header.Get("X-Api-Key") == "" {
		e.w.Header().Del("Request-Id")
		e.api = openai
		openai.head(e, e.w.Header())
	}
	if e.args[1] == "files" {
		return e.files()
	}
	return e.models()
}

func (e *exchange) models() error {
	ids := []string{"claude-sonnet-4-5", "claude-haiku-4-5", "gpt-5.2-codex", "gpt-5.2"}
	if id := e.args[2]; id != "" {
		return e.whole(http.StatusOK, e.model(id))
	}
	list := ""
	for i, id := range ids {
		if i > 0 {
			list += ","
		}
		list += e.model(id)
	}
	return e.whole(http.StatusOK, fmt.Sprintf(`{"object":"list","data":[%s],"has_more":false}`, list))
}

func (e *exchange) model(id string) string {
	return fmt.Sprintf(`{"type":"model","object":"model","id":%s,"display_name":%s,"created_at":"2026-01-01T00:00:00Z","created":1767225600,"owned_by":"simulate"}`,
		quote(id), quote(id))
}

// files takes an upload and lists nothing: what matters is that it passes.
func (e *exchange) files() error {
	if e.r.Method != http.MethodPost {
		return e.whole(http.StatusOK, `{"object":"list","data":[],"has_more":false}`)
	}
	id := e.s.ids.make("file-", base58, 22)
	return e.whole(http.StatusOK, fmt.Sprintf(`{"id":%s,"object":"file","type":"file","bytes":%d,"size_bytes":%d,"created_at":%d,"filename":"upload","purpose":"batch"}`,
		quote(id), len(e.body), len(e.body), e.s.unix()))
}
