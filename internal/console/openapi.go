package console

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/workingagents/gatehouse/internal/console/saved"
	"github.com/workingagents/gatehouse/internal/console/schema"
	"github.com/workingagents/gatehouse/internal/conversation"
	"github.com/workingagents/gatehouse/internal/coverage"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/policy"
)

// form is how an answer comes.
type form int

const (
	object form = iota // one JSON value
	lines_             // JSON Lines: a value a line
	text               // plain text
	page_              // HTML
	octets             // bytes
	stored             // bytes, or the same as JSON Lines
	files              // JSON Lines, or JSON
	events             // server-sent events
	empty              // 204
)

// doc describes a route for people who write programs against it.
type doc struct {
	does   string
	params []param
	in     any // an example of the body's type; nil: there is none
	form   form
	out    any // an example of the answer's type, or of a line's; nil where the form says all
	status int // 0: 200
}

// param is a parameter of the query.
type param struct {
	name, does string
	needed     bool
	number     bool // a whole one
}

var (
	filterParam   = param{name: "q", does: "a filter (docs/reference/filters.md)"}
	sessionParam  = param{name: "session", does: "only this session"}
	sinceParam    = param{name: "since", does: "RFC 3339"}
	limitParam    = param{name: "limit", does: "the newest so many; 0 or absent: all", number: true}
	beforeParam   = param{name: "before", does: "id of a flow: only those before it in the list"}
	offsetParam   = param{name: "offset", does: "minutes that the reader's clock is ahead of UTC: times in a filter that name no zone are read so", number: true}
	whyParam      = param{name: "why", does: "the reason that is recorded for reading content", needed: true}
	choosingParam = param{name: "why", does: "the reason that is recorded when the filter has texts"}
	listParams    = []param{filterParam, sessionParam, sinceParam, limitParam, beforeParam, offsetParam, choosingParam}
	followParams  = []param{filterParam, sessionParam, offsetParam, choosingParam}
)

var (
	redactParam    = param{name: "redact", does: "none or values: what rules found is masked, what can't be masked is left out"}
	overviewParams = append(slices.Clone(listParams), param{name: "by", does: "agent, model, session, day, principal, provider, entrance; or two of them"})
	exportParams   = append(slices.Clone(listParams), param{name: "format", does: "jsonl or har"}, param{name: "content", does: "1: bodies, too; then why is needed"}, redactParam)
)

// brokenOff says how a client tells that a list is not whole.
const brokenOff = "After an error the last line is a Problem, and the answer has no end"

// words are the types of which the values are a list.
var words = map[reflect.Type][]string{
	reflect.TypeFor[flow.Verdict]():  {"block", "ask", "redact", "pass"},
	reflect.TypeFor[flow.Severity](): {"low", "medium", "high", "critical"},
	reflect.TypeFor[flow.Action]():   {"block", "ask", "redact", "flag", "off"},
	reflect.TypeFor[flow.State]():    {"open", "done", "aborted", "refused", "unknown"},
	reflect.TypeFor[flow.Entrance](): {"redirect", "intercept", "tunnel", "import", "guardrail"},
	reflect.TypeFor[flow.Custody]():  {"same-user", "own-user"},
	reflect.TypeFor[flow.Capture]():  {"full", "metadata"},
	reflect.TypeFor[policy.Mode]():   {"observe", "report", "enforce"},
}

// names are those of types that have one of another package's.
var names = map[reflect.Type]string{
	reflect.TypeFor[saved.View]():      "SavedView",
	reflect.TypeFor[coverage.Report](): "Coverage",
	reflect.TypeFor[ledger.Problem]():  "LedgerProblem",
	reflect.TypeFor[coverage.Reason](): "RefusedFor",
	reflect.TypeFor[coverage.Row]():    "Covered",

	reflect.TypeFor[conversation.Finding](): "PlacedFinding",
}

// TypeScript gives the types of the admin API as a module, for the page.
func TypeScript() string {
	set := schema.New("#/components/schemas/", words, names)
	for _, pattern := range slices.Sorted(maps.Keys(docs)) {
		d := docs[pattern]
		d.operation(set, pattern)
	}
	set.Of(reflect.TypeFor[problem]())
	return "// Made from the admin API's OpenAPI document by `make types`. Not to be edited.\n" + schema.TypeScript(set.Named())
}

// openAPI makes the document once.
var openAPI = sync.OnceValues(func() ([]byte, error) {
	set := schema.New("#/components/schemas/", words, names)
	paths := map[string]map[string]any{}
	for _, pattern := range slices.Sorted(maps.Keys(docs)) {
		d := docs[pattern]
		method, path, _ := strings.Cut(pattern, " ")
		if paths[path] == nil {
			paths[path] = map[string]any{}
		}
		paths[path][strings.ToLower(method)] = d.operation(set, path)
	}
	problem := set.Of(reflect.TypeFor[problem]())
	return json.MarshalIndent(map[string]any{
		"openapi": "3.1.0",
		"info":    map[string]any{"title": "Gatehouse admin API", "version": "1", "license": map[string]any{"name": "Apache-2.0", "identifier": "Apache-2.0"}},
		"paths":   paths,
		"components": map[string]any{
			"schemas":         set.Named(),
			"responses":       map[string]any{"Problem": response("what is wrong, and what to do", "application/json", problem)},
			"securitySchemes": map[string]any{"token": map[string]any{"type": "http", "scheme": "bearer"}},
		},
		"security": []any{map[string]any{"token": []any{}}},
	}, "", "  ")
})

var pathParam = regexp.MustCompile(`\{(\w+)\}`)

func (d *doc) operation(set *schema.Set, path string) map[string]any {
	op := map[string]any{"summary": d.does}
	var params []any
	for _, m := range pathParam.FindAllStringSubmatch(path, -1) {
		params = append(params, map[string]any{"name": m[1], "in": "path", "required": true, "schema": schema.Schema{"type": "string"}})
	}
	for _, p := range d.params {
		params = append(params, map[string]any{"name": p.name, "in": "query", "required": p.needed, "description": p.does, "schema": p.schema()})
	}
	if params != nil {
		op["parameters"] = params
	}
	if d.in != nil {
		op["requestBody"] = map[string]any{"required": true, "content": content("application/json", set.Of(reflect.TypeOf(d.in)))}
	}
	op["responses"] = map[string]any{d.code(): d.answer(set), "default": map[string]any{"$ref": "#/components/responses/Problem"}}
	return op
}

func (p *param) schema() schema.Schema {
	if p.number {
		return schema.Schema{"type": "integer"}
	}
	return schema.Schema{"type": "string"}
}

func (d *doc) code() string {
	switch {
	case d.form == empty:
		return fmt.Sprint(http.StatusNoContent)
	case d.status != 0:
		return fmt.Sprint(d.status)
	}
	return fmt.Sprint(http.StatusOK)
}

func (d *doc) answer(set *schema.Set) map[string]any {
	switch d.form {
	case empty:
		return map[string]any{"description": "done"}
	case text:
		return response("text", "text/plain", schema.Schema{"type": "string"})
	case page_:
		return response("a page", "text/html", schema.Schema{"type": "string"})
	case octets:
		return response("bytes", "application/octet-stream", schema.Schema{})
	case stored:
		return response("bytes, or chunks", "application/octet-stream", schema.Schema{}, "application/jsonl")
	case files:
		return response("a file", "application/jsonl", schema.Schema{}, "application/json")
	case lines_:
		return response("a value a line", "application/jsonl", set.Of(reflect.TypeOf(d.out)))
	case events:
		return response("the data of events", "text/event-stream", set.Of(reflect.TypeOf(d.out)))
	}
	return response("the answer", "application/json", set.Of(reflect.TypeOf(d.out)))
}

func response(does, media string, s schema.Schema, or ...string) map[string]any {
	all := content(media, s)
	for _, media := range or {
		all[media] = map[string]any{"schema": s}
	}
	return map[string]any{"description": does, "content": all}
}

func content(media string, s schema.Schema) map[string]any {
	return map[string]any{media: map[string]any{"schema": s}}
}

// describe serves the document.
func (c *Console) describe(w http.ResponseWriter, _ *http.Request) error {
	text, err := openAPI()
	if err != nil {
		return fmt.Errorf("describing the API: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(text)
	return err
}

// docs describes every route under /api/v1; a test says which are missing.
var docs = map[string]doc{
	"POST /api/v1/login":                    {does: "open a one-time link; the answer sets a cookie", in: loginBody{}, out: Visit{}},
	"POST /api/v1/logout":                   {does: "end a browser's visit", form: empty},
	"POST /api/v1/links":                    {does: "make a one-time link for a browser", out: NewLink{}, status: 201},
	"GET /api/v1/openapi.json":              {does: "this document", out: map[string]any{}},
	"GET /api/v1/status":                    {does: "the gateway, its policy, rules and ledger, and who asks", out: status{}},
	"GET /api/v1/rows":                      {does: "flows as lists show them, the newest last, 200 unless limit says (5000 at most); the header X-More tells that there are older ones", params: listParams, out: []flow.Row{}},
	"GET /api/v1/rows/count":                {does: "how many flows fit, whatever limit says", params: listParams, out: RowCount{}},
	"GET /api/v1/filter":                    {does: "whether a filter can be read; it is applied to nothing", params: []param{filterParam, offsetParam, choosingParam}, out: FilterCheck{}},
	"GET /api/v1/flows":                     {does: "flows, the newest last, written while they are read. " + brokenOff, params: listParams, form: lines_, out: flow.View{}},
	"GET /api/v1/flows/{id}":                {does: "a flow's two entries; the beginning of its id is enough", out: flowDetail{}},
	"GET /api/v1/flows/{id}/content/{what}": {does: "exact bytes of a body: request, forwarded, response, delivered", params: []param{whyParam, {name: "chunks", does: "1: as JSON Lines, a chunk each, with its time"}}, form: stored},
	"GET /api/v1/search":                    {does: "where words and phrases stand that flows brought, the newest first; a text that is sent again each turn is one hit", params: []param{filterParam, sessionParam, sinceParam, offsetParam, {name: "limit", does: "about so many; 20 when absent, 200 at most", number: true}, {name: "before", does: "next of an earlier answer: go on there"}, whyParam}, out: ledger.Found{}},
	"GET /api/v1/flows/{id}/curl":           {does: "a shell command that repeats the call; 409 when curl can't", params: []param{whyParam, redactParam, {name: "direct", does: "1: past the gateway"}}, form: text},
	"GET /api/v1/export":                    {does: "flows as a file, the oldest first; the header Gatehouse-Flows tells how many were chosen; retention may remove some before they are read. " + brokenOff, params: exportParams, form: files},
	"GET /api/v1/sessions":                  {does: "sessions with a flow that fits, the one last at work last, written while they are read. " + brokenOff, params: listParams, form: lines_, out: ledger.SessionView{}},
	"GET /api/v1/coverage":                  {does: "how flows came", params: []param{{name: "session", does: "of one session"}, {name: "since", does: "RFC 3339"}}, out: coverage.Report{}},
	"GET /api/v1/tail":                      {does: "each flow when it begins and when it ends", params: followParams, form: lines_, out: flow.View{}},
	"GET /api/v1/events":                    {does: "rows of flows when they begin and end; Last-Event-ID resumes. Events: ready, resumed, reset (read the list anew), flow, gone (ids of flows that fit no longer)", params: followParams, form: events, out: []flow.Row{}},
	"POST /api/v1/verify":                   {does: "check the ledger against itself: lines of progress, then a report", form: lines_, out: verifyLine{}},
	"GET /api/v1/ledger/growth":             {does: "the segments of the record: when each begins, and its size", out: Growth{}},
	"GET /api/v1/detectors":                 {does: "detectors elsewhere: how often each was asked since the start, and what came of it", out: RemoteDetectors{}},
	"GET /api/v1/keys":                      {does: "access keys", form: lines_, out: keyView{}},
	"POST /api/v1/keys":                     {does: "add an access key; the answer is the only one that has it", in: keyBody{}, out: newKey{}, status: 201},
	"DELETE /api/v1/keys/{name}":            {does: "revoke an access key", form: empty},
	"GET /api/v1/policy":                    {does: "which policy is in force", out: PolicyStatus{}},
	"GET /api/v1/policy/text":               {does: "the text of the policy in force", form: text},
	"GET /api/v1/policy/tests":              {does: "what comes of the tests that the policy in force holds", out: PolicyTests{}},
	"GET /api/v1/policy/explain":            {does: "which line of the policy decides a case", params: explainParams, out: policy.Explanation{}},
	"POST /api/v1/policy/reload":            {does: "read the policy file again", out: PolicyStatus{}},
	"GET /api/v1/rules":                     {does: "the rules in force", form: lines_, out: Rule{}},
	"POST /api/v1/rules/reload":             {does: "read the rules files again", out: RulesStatus{}},
	"POST /api/v1/rules/secrets":            {does: "register a value to look for", in: NewSecret{}, out: Registered{}, status: 201},
	"POST /api/v1/rules/canaries":           {does: "make a canary", in: NewCanary{}, out: Canary{}, status: 201},
	"GET /api/v1/allowances":                {does: "what is allowed beside the policy", form: lines_, out: policy.Allowance{}},
	"POST /api/v1/allowances":               {does: "switch a finding off for a while", in: allowanceBody{}, out: policy.Allowance{}, status: 201},
	"DELETE /api/v1/allowances/{id}":        {does: "revoke an allowance", form: empty},
	"POST /api/v1/import":                   {does: "record what another tool recorded: its file is the body", params: []param{{name: "name", does: "the file's name", needed: true}}, form: lines_, out: importLine{}},
	"GET /api/v1/journal":                   {does: "what happened to the gateway, and who read content; the newest last", params: []param{{name: "kind", does: "read: who read content; event: all else"}, {name: "limit", does: "the newest so many; 200 when absent, 1000 at most", number: true}, {name: "before", does: "number of an entry", number: true}}, out: JournalPage{}},
	"GET /api/v1/setup":                     {does: "how each agent is pointed at the gateway, and whose first model call came by which entrance", out: Setup{}},
	"GET /api/v1/overview":                  {does: "what flows add up to, whatever limit says; days are those of offset", params: overviewParams, out: ledger.Overview{}},
	"GET /api/v1/views":                     {does: "saved views by name", out: ViewList{}},
	"POST /api/v1/views":                    {does: "save a view, in the place of one with the same name", in: viewBody{}, out: saved.View{}, status: 201},
	"DELETE /api/v1/views/{name}":           {does: "forget a saved view", form: empty},

	"GET /api/v1/flows/{id}/conversation":    {does: "one flow as people read it, all of its request", params: []param{whyParam}, out: conversation.Conversation{}},
	"GET /api/v1/flows/{id}/parts/{n}":       {does: "one part of a flow, with its whole text", params: []param{whyParam}, out: conversation.Part{}},
	"POST /api/v1/flows/{id}/reveal":         {does: "what a mark hides or a pseudonym stands for; who asks and why is recorded first", in: revealBody{}, out: revealed{}},
	"GET /api/v1/sessions/{id}/conversation": {does: "a session as people read it (docs/reference/conversation.md)", params: []param{whyParam, {name: "principal", does: "whose; needed when several have a session of that name"}, {name: "from", does: "the window's first flow; absent: the session's"}, {name: "end", does: "1: the last window"}, {name: "limit", does: "flows of the window; 200 at most, and when absent", number: true}}, out: conversation.Conversation{}},
	"GET /api/v1/sessions/{id}/export.html":  {does: "a session as one file that opens offline (docs/export.md); whole, or a Problem. The header Gatehouse-Next names the flow from which the next file goes on when the session is too long for one", params: []param{whyParam, {name: "principal", does: "whose; needed when several have a session of that name"}, {name: "redact", does: "values, also when absent: what rules found is masked; none: nothing is"}, {name: "from", does: "the file's first flow; absent: the session's"}}, form: page_},
}

var explainParams = []param{
	{name: "rule", does: "secret.github-token"}, {name: "tool", does: "instead of rule: may its arguments get values back"}, {name: "field", does: "of the tool"},
	{name: "channel", does: "system, user …"}, {name: "direction", does: "request or answer"}, {name: "principal", does: "whose"}, {name: "provider", does: "where to"},
	{name: "model", does: "which"}, {name: "finding", does: "id of one"}, {name: "fact", does: "cmd=curl; may be repeated"}, {name: "severity", does: "low …"}, {name: "confidence", does: "1 to 100"}, {name: "fixed", does: "present: can't be replaced"}, {name: "name", does: "of what a request makes the provider do"},
}
