package simulate

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strings"
)

var gemini = dialect{
	head: func(e *exchange, h http.Header) {
		h.Set("Server-Timing", "gfet4t7; dur=42")
		h.Set("X-Gemini-Service-Tier", "standard")
		h.Set("Vary", "Origin, X-Origin, Referer")
	},
	fail: func(status int, text string) string {
		return fmt.Sprintf(`{"error":{"code":%d,"message":%s,"status":"%s"}}`, status, quote(text), googleStatus(status))
	},
	oops: event{data: `{"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}}`},
}

// googleStatus names an HTTP status as google.rpc.Code does.
func googleStatus(status int) string {
	switch status {
	case 400:
		return "INVALID_ARGUMENT"
	case 401:
		return "UNAUTHENTICATED"
	case 403:
		return "PERMISSION_DENIED"
	case 404:
		return "NOT_FOUND"
	case 429:
		return "RESOURCE_EXHAUSTED"
	case 503:
		return "UNAVAILABLE"
	}
	return "INTERNAL"
}

type geminiRequest struct {
	System struct {
		Parts []json.RawMessage `json:"parts"`
	} `json:"systemInstruction"`
	Tools []struct {
		Functions []json.RawMessage `json:"functionDeclarations"`
	} `json:"tools"`
	Contents []struct {
		Role  string            `json:"role"`
		Parts []json.RawMessage `json:"parts"`
	} `json:"contents"`
	Config struct {
		Schema     json.RawMessage `json:"responseSchema"`
		JSONSchema json.RawMessage `json:"responseJsonSchema"`
	} `json:"generationConfig"`
}

func (q geminiRequest) turn(model string) turn {
	t := turn{model: model, schema: q.Config.Schema}
	if t.schema == nil {
		t.schema = q.Config.JSONSchema
	}
	t.blocks = append(t.blocks, anyBytes(q.System.Parts)...)
	for _, group := range q.Tools {
		for _, raw := range group.Functions {
			t.blocks = append(t.blocks, raw)
			t.geminiTool(raw)
		}
	}
	for _, c := range q.Contents {
		t.blocks = append(t.blocks, anyBytes(c.Parts)...)
		if c.Role != "model" {
			t.geminiParts(c.Parts)
		}
	}
	t.cached = len(t.blocks)
	return t
}

func anyBytes(list []json.RawMessage) [][]byte {
	out := make([][]byte, len(list))
	for i, raw := range list {
		out[i] = raw
	}
	return out
}

func (t *turn) geminiTool(raw json.RawMessage) {
	var o struct {
		Name       string          `json:"name"`
		Parameters json.RawMessage `json:"parameters"`
		JSONSchema json.RawMessage `json:"parametersJsonSchema"`
	}
	if json.Unmarshal(raw, &o) != nil {
		return
	}
	if o.Parameters == nil {
		o.Parameters = o.JSONSchema
	}
	t.tools = append(t.tools, tool{name: o.Name, schema: o.Parameters})
}

func (t *turn) geminiParts(parts []json.RawMessage) {
	for _, raw := range parts {
		var p struct {
			Text     string `json:"text"`
			Response *struct {
				Response json.RawMessage `json:"response"`
			} `json:"functionResponse"`
		}
		switch {
		case json.Unmarshal(raw, &p) != nil:
		case p.Response != nil:
			t.results = append(t.results, output(p.Response.Response))
		case p.Text != "":
			t.person(p.Text)
		}
	}
}

// output gives the text of a function's response, which is any object.
func output(raw json.RawMessage) string {
	var o struct {
		Output string `json:"output"`
	}
	if json.Unmarshal(raw, &o) == nil && o.Output != "" {
		return o.Output
	}
	return string(raw)
}

func (e *exchange) generate() error {
	var q geminiRequest
	if err := json.Unmarshal(e.body, &q); err != nil {
		return e.refuse(http.StatusBadRequest, "Invalid JSON payload received. %v", err)
	}
	t := q.turn(e.args[2])
	s := e.s.script(t)
	if done, err := e.faults(s, t); done {
		return err
	}
	g := geminiAnswer{e.s.answer("gemini "+t.model, t, s), e.s.ids.make("", base58, 22)}
	if e.args[3] == "generateContent" {
		return e.wholeAs(s, http.StatusOK, g.whole())
	}
	if e.r.URL.Query().Get("alt") == "sse" {
		s.crlf = !s.crlf // Google's own lines end with CR LF
		return e.stream(s, "text/event-stream", g.events())
	}
	return e.array(s, g.events())
}

// array streams the events as the elements of one JSON array, which is what
// Google does when nobody asks for SSE.
func (e *exchange) array(s script, events iter.Seq[event]) error {
	o := newOutlet(e.w, e.rec, s)
	if err := o.start(http.StatusOK, "application/json; charset=UTF-8"); err != nil {
		return err
	}
	list := &elements{o: o}
	if err := play(e.r.Context(), list, s, events, e.api.oops); err != nil {
		return err
	}
	if err := o.send("\n]"); err != nil {
		return err
	}
	return o.close()
}

// elements carries events as elements of a JSON array.
type elements struct {
	o *outlet
	n int
}

func (l *elements) carry(e event) error {
	sep := ",\n"
	if l.n == 0 {
		sep = "["
	}
	l.n++
	return l.o.send(sep + e.data)
}

func (e *exchange) geminiCount() error {
	return e.whole(http.StatusOK, fmt.Sprintf(`{"totalTokens":%d}`, tokens(len(e.body))))
}

func (e *exchange) geminiModels() error {
	one := func(id string) string {
		return fmt.Sprintf(`{"name":%s,"displayName":%s,"inputTokenLimit":1048576,"outputTokenLimit":65536,"supportedGenerationMethods":["generateContent","countTokens"]}`,
			quote("models/"+id), quote(id))
	}
	if id := e.args[1]; id != "" {
		return e.whole(http.StatusOK, one(id))
	}
	return e.whole(http.StatusOK, `{"models":[`+one("gemini-2.5-pro")+`,`+one("gemini-2.5-flash")+`]}`)
}

// geminiAnswer is an answer in Google's form.
type geminiAnswer struct {
	reply
	id string
}

func (g geminiAnswer) chunk(parts, finish string, output, thought int) string {
	end := ""
	if finish != "" {
		end = `,"finishReason":"` + finish + `"`
	}
	meta := ""
	if !g.script.nousage {
		meta = `"usageMetadata":` + g.meta(output, thought) + `,`
	}
	return fmt.Sprintf(`{"candidates":[{"content":{"parts":[%s],"role":"model"}%s,"index":0}],%s"modelVersion":%s,"responseId":%s}`,
		parts, end, meta, quote(g.model), quote(g.id))
}

// meta counts what Google counts: thoughts stand apart from candidates.
func (g geminiAnswer) meta(output, thought int) string {
	u := g.usage
	m := fmt.Sprintf(`{"promptTokenCount":%d,"candidatesTokenCount":%d,"totalTokenCount":%d`, u.input(), output, u.input()+output+thought)
	if u.read > 0 {
		m += fmt.Sprintf(`,"cachedContentTokenCount":%d`, u.read)
	}
	m += fmt.Sprintf(`,"promptTokensDetails":[{"modality":"TEXT","tokenCount":%d}]`, u.input())
	if thought > 0 {
		m += fmt.Sprintf(`,"thoughtsTokenCount":%d`, thought)
	}
	return m + "}"
}

// parts gives the answer's parts: a thought, pieces of text, calls.
func (g geminiAnswer) parts(pieces iter.Seq[string]) iter.Seq[string] {
	return func(yield func(string) bool) {
		if g.thinking != "" && !yield(`{"text":`+quote(g.thinking)+`,"thought":true}`) {
			return
		}
		for p := range pieces {
			if !yield(`{"text":` + quote(p) + `}`) {
				return
			}
		}
		for _, c := range g.calls {
			sign := ""
			if g.thinking != "" {
				sign = `,"thoughtSignature":"` + signature + `"`
			}
			if !yield(fmt.Sprintf(`{"functionCall":{"name":%s,"args":%s}%s}`, quote(c.tool.name), c.args, sign)) {
				return
			}
		}
	}
}

func (g geminiAnswer) events() iter.Seq[event] {
	return func(yield func(event) bool) {
		if g.script.odd && !yield(event{data: oddEvent.data}) {
			return
		}
		out := 0
		for p := range g.parts(g.pieces()) {
			out = min(out+tokens(len(p)), g.usage.output-g.usage.thought)
			if !yield(event{data: g.chunk(p, "", out, g.usage.thought), delta: true}) {
				return
			}
		}
		yield(event{data: g.chunk(`{"text":""}`, "STOP", g.usage.output-g.usage.thought, g.usage.thought)})
	}
}

func (g geminiAnswer) whole() string {
	text := func(yield func(string) bool) {
		if g.text != "" {
			yield(g.text)
		}
	}
	var parts []string
	for p := range g.parts(text) {
		parts = append(parts, p)
	}
	return g.chunk(strings.Join(parts, ","), "STOP", g.usage.output-g.usage.thought, g.usage.thought)
}
