package act

import (
	"strings"

	"github.com/workingagents/gatehouse/internal/wire/peek"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// acting are the members of a request that are an act when they hold
// something. What is not here is none.
var acting = map[string]string{
	"previous_response_id":    Recall, // the caller knows which responses a session made itself
	"previous_interaction_id": Recall,
	"cachedContent":           Recall,
	"cached_content":          Recall,
	"vector_store_ids":        Recall,
	"tool_resources":          Recall, // assistants: vector stores and files
	"data_sources":            Recall, // Azure
	"attachments":             Recall,
	"assistant_id":            Recall,
	"web_search_options":      Search,
	"search_parameters":       Search,
	"plugins":                 Search, // OpenRouter
	"store":                   Store,
	"webhook_config":          Connect,
	"file_ids":                Recall,
	"file_id":                 Recall,
	"input_file_id":           Recall, // a batch's requests
	"training_file":           Recall,
	"validation_file":         Recall,
}

// member reads a member of a request that is no list of tools or content.
func (f *finder) member(name string, raw []byte, depth int) {
	if kind, ok := acting[name]; ok {
		f.value(kind, name, raw)
		return
	}
	switch name {
	case "conversation":
		if !peek.Is(raw, "auto") && !peek.Is(raw, "none") { // words of the Realtime API
			f.value(Recall, name, raw)
		}
	case "background":
		if peek.True(raw) { // of a picture it is a colour
			f.add(Store, name, raw)
		}
	case "image_url", "file_url", "document_url", "video_url", "audio_url":
		c := part{finder: f}
		c.url(name, raw)
	case "container":
		f.container(raw)
	case "prompt":
		if peek.IsObject(raw) { // a stored one; a text is a text
			f.value(Recall, name, raw)
		}
	case "model":
		f.model(raw)
	case "generateContentRequest", "generate_content_request", "extra_body", "google":
		f.inner(raw, depth)
	default:
		f.opaqueMember(name, raw, depth)
	}
}

// opaqueMember reads what may hold a request in a body that is not read: a
// batch's requests, a line of a batch file, the messages of a live session.
func (f *finder) opaqueMember(name string, raw []byte, depth int) {
	if !f.opaque {
		return
	}
	switch name {
	case "item", "items":
		each(raw, func(raw []byte) { f.content(raw, depth) })
	case "requests", "params", "body", "request", "session", "setup", "response", "batch", "inputConfig", "input_config":
		each(raw, func(raw []byte) { f.inner(raw, depth) })
	}
}

func (f *finder) inner(raw []byte, depth int) {
	if f.reads(raw, depth) {
		f.members(raw, depth+1)
	}
}

// container is Anthropic's: the id of one that exists, or its skills.
func (f *finder) container(raw []byte) {
	if !peek.IsObject(raw) {
		f.value(Recall, "container", raw)
		return
	}
	if !peek.Null(peek.Get(raw, "id")) {
		f.value(Recall, "container.id", peek.Get(raw, "id"))
	}
	f.value(Execute, "container.skills", peek.Get(raw, "skills"))
}

// model finds the models that search in every answer.
func (f *finder) model(raw []byte) {
	name := peek.Short(raw)
	if strings.Contains(name, "-search-preview") || strings.Contains(name, "-search-api") || strings.HasSuffix(name, ":online") {
		f.value(Search, "model", raw)
	}
}

// unsaid adds what the Responses API does when nobody says no: it stores.
func (f *finder) unsaid(doc *split.Doc) {
	if raw, ok := doc.Get("store"); !ok || peek.Null(raw) {
		f.keep(storesByDefault)
	}
}
