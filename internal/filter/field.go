package filter

import (
	"math"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Field is what a filter tests of a flow.
type Field string

// Kind says which values a field takes.
type Kind string

// The kinds. Those behind Choice are numbers: they can be compared, and be
// from … to.
const (
	Name     Kind = "text"
	Choice   Kind = "choice"
	Level    Kind = "level" // a choice that has an order
	Number   Kind = "number"
	Status   Kind = "status" // a number, or 4xx
	Money    Kind = "dollars"
	Size     Kind = "size"
	Duration Kind = "duration"
	Moment   Kind = "time"
)

// describe is what is known of a field. Its values come from texts or from
// numbers: durations in microseconds, moments in Unix ms, sizes in bytes.
type describe struct {
	kind    Kind
	choices []string
	example string // a whole term
	texts   func(*flow.View, []string) []string
	numbers func(*flow.View, []float64) []float64
}

// About describes a field to people and programs.
type About struct {
	Field   Field
	Kind    Kind
	Choices []string // of Choice and Level
	Example string   // a filter
}

// Fields gives all fields, in alphabetical order. The shorthand "is" is one.
func Fields() []About {
	list := []About{{isField, Choice, isNames(), "is:blocked"}}
	for f, d := range table {
		list = append(list, About{f, d.kind, slices.Clone(d.choices), d.example})
	}
	slices.SortFunc(list, func(a, b About) int { return strings.Compare(string(a.Field), string(b.Field)) })
	return list
}

const isField Field = "is"

// shorthands are what stands behind "is:".
var shorthands = map[string]string{
	"open": "state:open", "done": "state:done", "aborted": "state:aborted", "refused": "state:refused", "unknown": "state:unknown",
	"blocked": "verdict:block", "redacted": "verdict:redact", "subagent": "subagent:*", "turn": "turn:*", "retry": "retry:yes",
	"priced": "cost:*", "unpriced": "cost:unknown tokens>0 -state:open", "finding": "finding:*",
}

func isNames() []string {
	var names []string
	for name := range shorthands {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

var verdicts = []string{"block", "ask", "redact", "pass"}

// The fields that what reads the ledger knows by name.
const (
	FieldID           Field = "id"
	FieldSession      Field = "session"
	FieldPrincipal    Field = "principal"
	FieldSubagent     Field = "subagent"
	FieldTurn         Field = "turn"
	FieldRetry        Field = "retry"
	FieldCost         Field = "cost"
	FieldTokens       Field = "tokens"
	FieldInput        Field = "input"
	FieldOutput       Field = "output"
	FieldCacheRead    Field = "cache_read"
	FieldCacheWrite   Field = "cache_write"
	FieldReasoning    Field = "reasoning"
	FieldSize         Field = "size"
	FieldResponseSize Field = "response_size"
	FieldDuration     Field = "duration"
	FieldFirstByte    Field = "first_byte"
	FieldSince        Field = "since"
	FieldUntil        Field = "until"
	FieldFinding      Field = "finding"
	FieldSeverity     Field = "severity"
)

// table is every field but "is".
var table = map[Field]describe{
	FieldID:        {kind: Name, example: "id:01kb*", texts: one(func(v *flow.View) string { return string(v.ID) })},
	FieldSession:   {kind: Name, example: "session:9f0c*", texts: one(func(v *flow.View) string { return v.Session })},
	FieldPrincipal: {kind: Name, example: "principal:alice/*", texts: one(func(v *flow.View) string { return v.Principal })},
	"agent":        {kind: Name, example: "agent:claude", texts: one(func(v *flow.View) string { return v.Agent })},
	"model":        {kind: Name, example: "model:claude*", texts: one(func(v *flow.View) string { return v.Model })},
	"provider":     {kind: Name, example: "provider:anthropic", texts: one(func(v *flow.View) string { return string(v.Provider) })},
	"api":          {kind: Name, example: "api:openai.*", texts: one(func(v *flow.View) string { return string(v.API) })},
	"entrance": {kind: Choice, example: "entrance:intercept", choices: []string{"redirect", "intercept", "tunnel", "import", "guardrail"},
		texts: one(func(v *flow.View) string { return string(v.Entrance) })},
	"host":   {kind: Name, example: "host:*.example.com", texts: one(func(v *flow.View) string { return v.Host })},
	"path":   {kind: Name, example: "path:/v1/messages*", texts: one(func(v *flow.View) string { return v.Path })},
	"method": {kind: Name, example: "method:POST", texts: one(func(v *flow.View) string { return v.Method })},
	"state": {kind: Choice, example: "state:aborted", choices: []string{"open", "done", "aborted", "refused", "unknown"},
		texts: one(func(v *flow.View) string { return string(v.State) })},
	"status":  {kind: Status, example: "status:5xx", numbers: some(func(v *flow.View) int64 { return int64(v.Status) })},
	"verdict": {kind: Choice, example: "verdict:block,redact", choices: verdicts, texts: one(func(v *flow.View) string { return v.Verdict.String() })},
	"would":   {kind: Choice, example: "would:block", choices: verdicts, texts: one(func(v *flow.View) string { return v.Would })},
	"why":     {kind: Name, example: `why:*limit*`, texts: one(func(v *flow.View) string { return v.Why })},
	"rule":    {kind: Name, example: "rule:limit:*", texts: func(v *flow.View, list []string) []string { return append(list, v.Rules...) }},
	FieldFinding: {kind: Name, example: "finding:secret.*", texts: func(v *flow.View, list []string) []string {
		for i := range v.Findings {
			list = append(list, v.Findings[i].Rule)
		}
		return list
	}},
	FieldSeverity: {kind: Level, example: "severity>=high", choices: []string{"low", "medium", "high", "critical"}, numbers: func(v *flow.View, list []float64) []float64 {
		for i := range v.Findings {
			list = append(list, float64(v.Findings[i].Severity))
		}
		return list
	}},
	"tool":        {kind: Name, example: "tool:Bash", texts: func(v *flow.View, list []string) []string { return append(list, v.Tools...) }},
	"error":       {kind: Name, example: "error:overloaded*", texts: one(func(v *flow.View) string { return v.Error })},
	"stop":        {kind: Name, example: "stop:max_tokens", texts: one(func(v *flow.View) string { return v.Stop })},
	FieldSubagent: {kind: Name, example: "subagent:*", texts: one(func(v *flow.View) string { return v.Subagent })},
	FieldTurn: {kind: Number, example: "turn:3..9", numbers: func(v *flow.View, list []float64) []float64 {
		if v.Turn == nil {
			return list
		}
		return append(list, float64(*v.Turn))
	}},
	FieldRetry: {kind: Choice, example: "retry:yes", choices: []string{"yes", "no"}, texts: one(func(v *flow.View) string {
		if v.RetryOf != nil {
			return "yes"
		}
		return "no"
	})},
	FieldCost: {kind: Money, example: "cost>0.5", numbers: func(v *flow.View, list []float64) []float64 {
		if v.Cost == nil {
			return list
		}
		return append(list, *v.Cost)
	}},
	FieldTokens: {kind: Number, example: "tokens>=100k", numbers: count(func(v *flow.View) int64 {
		return v.Usage.Input + v.Usage.CacheRead + v.Usage.CacheWrite + v.Usage.Output
	})},
	FieldInput:        {kind: Number, example: "input>5k", numbers: count(func(v *flow.View) int64 { return v.Usage.Input })},
	FieldOutput:       {kind: Number, example: "output>5k", numbers: count(func(v *flow.View) int64 { return v.Usage.Output })},
	FieldCacheRead:    {kind: Number, example: "cache_read:0", numbers: count(func(v *flow.View) int64 { return v.Usage.CacheRead })},
	FieldCacheWrite:   {kind: Number, example: "cache_write>50k", numbers: count(func(v *flow.View) int64 { return v.Usage.CacheWrite })},
	FieldReasoning:    {kind: Number, example: "reasoning>0", numbers: count(func(v *flow.View) int64 { return v.Usage.Reasoning })},
	FieldSize:         {kind: Size, example: "size>1MB", numbers: count(func(v *flow.View) int64 { return v.RequestBytes })},
	FieldResponseSize: {kind: Size, example: "response_size>=10KiB", numbers: count(func(v *flow.View) int64 { return v.ResponseBytes })},
	FieldDuration:     {kind: Duration, example: "duration>30s", numbers: micros(func(v *flow.View) *float64 { return v.DurationMS })},
	FieldFirstByte:    {kind: Duration, example: "first_byte>2s", numbers: micros(func(v *flow.View) *float64 { return v.FirstByteMS })},
	FieldSince:        {kind: Moment, example: "since:1d", numbers: started},
	FieldUntil:        {kind: Moment, example: "until:2026-11-30", numbers: started},
}

func one(get func(*flow.View) string) func(*flow.View, []string) []string {
	return func(v *flow.View, list []string) []string { return append(list, get(v)) }
}

func count(get func(*flow.View) int64) func(*flow.View, []float64) []float64 {
	return func(v *flow.View, list []float64) []float64 { return append(list, float64(get(v))) }
}

// some is count of a number whose zero means that there is none.
func some(get func(*flow.View) int64) func(*flow.View, []float64) []float64 {
	return func(v *flow.View, list []float64) []float64 {
		if n := get(v); n != 0 {
			list = append(list, float64(n))
		}
		return list
	}
}

func micros(get func(*flow.View) *float64) func(*flow.View, []float64) []float64 {
	return func(v *flow.View, list []float64) []float64 {
		if ms := get(v); ms != nil {
			list = append(list, math.Round(*ms*1000))
		}
		return list
	}
}

func started(v *flow.View, list []float64) []float64 {
	return append(list, float64(v.Started.UnixMilli()))
}
