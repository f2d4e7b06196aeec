package route

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// request is what decides. The path is unescaped and in lower case: how it is
// spelled must not move a request past its codec.
type request struct {
	method string
	path   string
	header http.Header
	query  url.Values
}

// openai are the first segments of OpenAI's own paths behind /v1/.
var openai = []string{
	"assistants", "audio", "batches", "chat", "chatkit", "completions", "containers", "conversations", "embeddings",
	"evals", "fine_tuning", "graders", "images", "moderations", "organization", "realtime", "responses", "threads",
	"uploads", "vector_stores", "videos",
}

// provider finds whose path it is, without a prefix; "" if nobody's.
func (r *request) provider() flow.Provider {
	first, rest, _ := strings.Cut(r.path[1:], "/")
	switch {
	case r.path == "/":
		if r.method == http.MethodHead { // Claude Code's probe; a GET may be anybody's
			return flow.Anthropic
		}
	case first == "v1beta", first == "v1alpha", strings.HasPrefix(first, "v1internal"):
		return flow.Gemini
	case first == "upload" && (strings.HasPrefix(rest, "v1beta/") || strings.HasPrefix(rest, "v1alpha/")):
		return flow.Gemini
	case first == "v1" && rest != "":
		return r.shared(rest)
	}
	return ""
}

// shared finds whose a path below /v1/ is, which three providers use.
func (r *request) shared(rest string) flow.Provider {
	switch first, _, _ := strings.Cut(rest, "/"); {
	case first == "messages", first == "complete":
		return flow.Anthropic
	case slices.Contains(openai, first):
		return flow.OpenAI
	case r.method == http.MethodPost && geminiMethod(r.path) != "":
		return flow.Gemini
	case first == "models", first == "files":
		return r.caller()
	case r.header.Get("Anthropic-Version") != "":
		return flow.Anthropic // what it has added since
	}
	return ""
}

// caller tells by its credentials who asks for models or files, which all
// three have.
func (r *request) caller() flow.Provider {
	switch {
	case r.header.Get("Anthropic-Version") != "", r.header.Get("X-Api-Key") != "":
		return flow.Anthropic
	case r.header.Get("X-Goog-Api-Key") != "", r.query.Has("key"):
		return flow.Gemini
	}
	return flow.OpenAI
}

// api finds the operation.
func (r *request) api(p flow.Provider) flow.API {
	switch p {
	case flow.Anthropic:
		return r.anthropic()
	case flow.OpenAI:
		return r.openai()
	case flow.Gemini:
		return r.gemini()
	}
	return flow.Opaque
}

func (r *request) anthropic() flow.API {
	switch {
	case r.posts("/v1/messages"):
		return flow.Messages
	case r.posts("/v1/messages/count_tokens"):
		return flow.CountTokens
	case r.posts("/v1/chat/completions"): // their OpenAI-compatible door
		return flow.Chat
	case r.gets("/v1/models"):
		return flow.Models
	}
	return flow.Opaque
}

// openai takes the paths with /v1 and without, since the client's base URL may
// have it or not; below deployments of Azure; and below the back end of a
// ChatGPT login.
func (r *request) openai() flow.API {
	q := *r
	q.path = strings.TrimPrefix(q.path, "/v1")
	if parts := strings.SplitN(q.path, "/", 4); len(parts) == 4 && parts[1] == "deployments" {
		q.path = "/" + parts[3]
	}
	q.path = strings.TrimPrefix(strings.TrimPrefix(q.path, "/backend-api"), "/codex")
	switch {
	case q.posts("/chat/completions"):
		return flow.Chat
	case q.posts("/responses"):
		return flow.Responses
	case q.path == "/responses" && r.upgrades():
		return flow.ResponsesSocket
	case q.gets("/models"):
		return flow.Models
	}
	return flow.Opaque
}

func (r *request) gemini() flow.API {
	version, rest, _ := strings.Cut(r.path[1:], "/")
	q := *r
	q.path = "/" + rest
	switch {
	case rest == "" && r.method == http.MethodPost && strings.HasPrefix(version, "v1internal"):
		return codeAssist(version)
	case version != "v1" && version != "v1beta" && version != "v1alpha":
		return flow.Opaque
	case q.posts("/openai/chat/completions"): // their OpenAI-compatible door
		return flow.Chat
	case q.gets("/models"), q.gets("/tunedmodels"), q.gets("/openai/models"):
		return flow.Models
	case r.method != http.MethodPost:
		return flow.Opaque
	}
	switch geminiMethod(r.path) {
	case "generatecontent":
		return flow.Generate
	case "streamgeneratecontent":
		return flow.StreamGenerate
	case "counttokens":
		return flow.GeminiCount
	}
	return flow.Opaque
}

// codeAssist finds the operation in VERSION:METHOD, the path of Google's service behind a
// log-in. What is no answer of a model is not read.
func codeAssist(path string) flow.API {
	switch _, method, _ := strings.Cut(path, ":"); method {
	case "generatecontent":
		return flow.Generate
	case "streamgeneratecontent":
		return flow.StreamGenerate
	}
	return flow.Opaque
}

// geminiMethods are Google's on a model: models/NAME:METHOD, in lower case. A
// fine-tuned model of OpenAI may have colons in its name.
var geminiMethods = []string{
	"generatecontent", "streamgeneratecontent", "counttokens", "embedcontent", "batchembedcontents",
	"batchgeneratecontent", "predict", "predictlongrunning",
}

// geminiMethod gives the method of a call on a model, "" if it is none.
func geminiMethod(path string) string {
	at := strings.LastIndexByte(path, ':')
	if at < 0 || !strings.Contains(path[:at], "models/") || !slices.Contains(geminiMethods, path[at+1:]) {
		return ""
	}
	return path[at+1:]
}

func (r *request) posts(path string) bool {
	return r.method == http.MethodPost && r.path == path
}

// gets reports whether it reads the path, or something directly below it.
func (r *request) gets(path string) bool {
	rest, ok := strings.CutPrefix(r.path, path)
	return ok && r.method == http.MethodGet && (rest == "" || rest[0] == '/' && !strings.Contains(rest[1:], "/"))
}

// upgrades reports whether the request asks for a WebSocket (RFC 6455 section
// 4.1).
func (r *request) upgrades() bool {
	if r.method != http.MethodGet {
		return false
	}
	for _, line := range r.header["Upgrade"] {
		for token := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(token, " \t"), "websocket") {
				return true
			}
		}
	}
	return false
}

// logins are where log-ins and tokens are handed out, at any provider: who calls by
// another one's host has the same secrets with him, and no model is called there.
var logins = []string{
	"/v1/oauth/", "/api/oauth/", // Anthropic
	"/oauth/", "/api/auth/", "/backend-api/auth/", // OpenAI
	"/o/oauth2/", "/oauth2/", "/token", // Google
}

// login reports whether the path is one of them. One that ends in a slash means
// all below it.
func (r *request) login() bool {
	return slices.ContainsFunc(logins, func(at string) bool {
		return r.path == at || strings.HasSuffix(at, "/") && strings.HasPrefix(r.path, at)
	})
}
