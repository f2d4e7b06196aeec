// Package conversation makes of a session's flows what people read: rounds and
// turns, branches for sub-agents, what each turn added to what the model reads, and
// why its prompt cache served it or did not. It gets flows with the blocks that are
// new in them and gives plain values; it does no I/O, reads no clock, and never
// shows a value that a rule found, unless it was replaced for the provider, too.
package conversation

import (
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Conversation is a session, or one flow, as people read it. Its JSON names are a
// contract with the web page.
type Conversation struct {
	Session   string       `json:"session"`
	Principal string       `json:"principal"`
	Agent     string       `json:"agent,omitempty"`
	Models    []string     `json:"models"`
	Custody   flow.Custody `json:"custody"`
	First     time.Time    `json:"first"` // when the session's first flow began
	Last      time.Time    `json:"last"`  // and its last
	Turns     int          `json:"turns_total"`
	From      flow.ID      `json:"from,omitempty"` // the window's first flow
	Next      flow.ID      `json:"next,omitempty"` // first flow of the window behind it; empty: there is none
	Prev      flow.ID      `json:"prev,omitempty"` // and of the one before it
	Branches  []*Branch    `json:"branches"`       // the main one first
}

// Branch is the conversation of one agent: the main one, or a sub-agent.
type Branch struct {
	Subagent  string   `json:"subagent"` // empty: the main one
	Parent    string   `json:"parent,omitempty"`
	StartedBy string   `json:"started_by,omitempty"` // id of the tool call that started it, where that can be told
	Rounds    []*Round `json:"rounds"`
}

// Round is what follows from one prompt of a person.
type Round struct {
	N      *int    `json:"n"`      // from 1; null: the window begins in the middle of the session, or nobody asked
	Prompt string  `json:"prompt"` // its first 200 characters; empty: it lies before the window, or there was none
	Turns  []*Turn `json:"turns"`
}

// Turn is one flow.
type Turn struct {
	Flow     flow.ID       `json:"flow"`
	Turn     *int          `json:"turn"`           // null: not a turn
	Side     bool          `json:"side,omitempty"` // beside the conversation: a title, a count, a warm-up, a check
	API      flow.API      `json:"api"`
	Method   string        `json:"method"`
	Path     string        `json:"path"`
	RetryOf  flow.ID       `json:"retry_of,omitempty"`
	State    flow.State    `json:"state"`
	Status   int           `json:"status"`
	Verdict  flow.Verdict  `json:"verdict"`
	Why      string        `json:"why"`
	Would    string        `json:"would,omitempty"`
	Rules    []string      `json:"rules,omitempty"`
	Model    string        `json:"model"`
	Agent    string        `json:"agent,omitempty"`
	Entrance flow.Entrance `json:"entrance"`
	Started  time.Time     `json:"started"`

	FirstByteMS   *float64       `json:"first_byte_ms"`
	DurationMS    *float64       `json:"duration_ms"`
	Usage         flow.UsageView `json:"usage"`
	Cost          *float64       `json:"cost_usd"`
	RequestBytes  int64          `json:"request_bytes"`
	ResponseBytes int64          `json:"response_bytes"`
	Stop          string         `json:"stop,omitempty"`
	Error         string         `json:"error,omitempty"`

	Compacts flow.ID   `json:"compacts,omitempty"` // last flow of the conversation before, of which nothing is sent any more
	Summary  bool      `json:"summary,omitempty"`  // what is sent in its place is known to be a summary of it
	Before   flow.ID   `json:"before,omitempty"`   // that it is compared with
	Redacted bool      `json:"redacted"`           // the provider got other values than the agent sent
	Change   Change    `json:"change"`
	Cache    Cache     `json:"cache"`
	Added    []*Part   `json:"added"`
	Left     int       `json:"left,omitempty"` // blocks that are not in Added: there are too many
	Answer   []*Part   `json:"answer"`
	Findings []Finding `json:"findings"`

	Unread       string `json:"unread,omitempty"`        // why there is no request to read
	AnswerUnread string `json:"answer_unread,omitempty"` // why there is no answer, or not all of it
}

// End says how the turn's flow ended.
func (t *Turn) End() flow.End {
	return flow.End{State: t.State, Status: t.Status, Verdict: t.Verdict, Error: t.Error}
}

// Change counts what is new in a request, in blocks of the conversation.
type Change struct {
	Kept    int  `json:"kept"`
	Added   int  `json:"added"`
	Removed int  `json:"removed"`
	System  bool `json:"system"`
	Tools   bool `json:"tools"`
	Model   bool `json:"model"`
	First   bool `json:"first"` // a conversation begins
}

// Cache says how much of the prompt came from the provider's cache.
type Cache struct {
	Read     int64  `json:"read"`     // tokens
	Expected int64  `json:"expected"` // tokens of the prompt before it, which may be in the cache
	Reason   string `json:"reason"`   // first, expired, system, tools, history, model, short, unknown; empty: nothing was missed
	Text     string `json:"text"`     // one sentence
}

// Finding is a finding, and the part that it stands in.
type Finding struct {
	flow.Finding
	Part *int64 `json:"part,omitempty"` // its N; absent: in none that is shown
}

// Sides of a flow.
const (
	Request = "request"
	Answer  = "answer"
)

// Part is one piece of what a request or an answer says.
type Part struct {
	N      int64     `json:"n"` // names it within its flow; a request's are below its answer's, in their order
	Side   string    `json:"side"`
	Kind   flow.Kind `json:"kind"`
	Role   string    `json:"role"`
	ID     string    `json:"id,omitempty"`
	Name   string    `json:"name,omitempty"`
	Title  string    `json:"title,omitempty"` // of a tool call: "Read src/main.go"
	Text   string    `json:"text"`
	Bytes  int       `json:"bytes"`         // of the whole text
	Cut    bool      `json:"cut,omitempty"` // Text is its beginning
	Bad    bool      `json:"bad,omitempty"` // bytes that are no UTF-8 were replaced
	Signed bool      `json:"signed,omitempty"`
	Failed bool      `json:"failed,omitempty"`
	Prompt *int      `json:"prompt,omitempty"` // of a text in a user's name: where what no agent wrote begins, in UTF-16 code units; absent: nowhere
	Echo   bool      `json:"echo,omitempty"`   // it is what the model said in the turn before, sent back
	Marks  []Mark    `json:"marks,omitempty"`
	Media  *Media    `json:"media,omitempty"`
	Shows  []*Media  `json:"shows,omitempty"` // pictures in a tool's result
	First  *Seen     `json:"first,omitempty"` // where it was seen before
}

// Mark is a stretch of a text in which a rule found something.
type Mark struct {
	Start    int           `json:"start"` // UTF-16 code units of Text
	End      int           `json:"end"`
	Rule     string        `json:"rule"`
	Severity flow.Severity `json:"severity,omitzero"` // absent: of a value that only the vault knows
	Action   string        `json:"action,omitempty"`
	Finding  string        `json:"finding,omitempty"`
	Shown    string        `json:"shown"`            // what stands there: masked, pseudonym, or text (as it was)
	Value    *bool         `json:"value,omitempty"`  // false: what stands there is not the value; reveal gives it
	Sealed   bool          `json:"sealed,omitempty"` // but here reveal gives none: it is a piece of one, or behind an encoding, or known from elsewhere
	From     int64         `json:"from"`             // for reveal: its span, in bytes, and where that counts
	To       int64         `json:"to"`
	Place    string        `json:"place,omitempty"`
}

// Media is what of a part is no text.
type Media struct {
	Type  string `json:"type"`
	Bytes int    `json:"bytes"`          // 0: it is elsewhere
	Data  string `json:"data,omitempty"` // base64, of a picture up to 1 MiB
}

// Seen is where a block was before.
type Seen struct {
	Flow flow.ID `json:"flow"`
	Turn *int    `json:"turn"`
}

// Flow is what Add is given: a flow, the blocks that are new in its request, and
// its answer.
type Flow struct {
	Intent  *flow.Intent
	Outcome *flow.Outcome // nil: open

	Before  flow.ID // that it was compared with; empty: a conversation begins
	Gap     bool    // the one before is not known
	Change  Change
	At      int    // index of the first block that is not as it was; -1: all are
	Role    string // of that block
	Tooled  bool   // it offers tools
	Blocks  []Block
	Left    int
	Rest    []byte  // other members, as a JSON object
	Text    []byte  // a body without blocks
	Edits   []Edit  // what the provider got against the decoded body
	Hide    *Values // of the session
	Loose   bool    // nothing else says where they stand in Blocks
	Unread  string
	Chunks  [][]byte                               // of the answer, as the provider sent it
	NoReply string                                 // why there are none
	Names   func(rule string, value []byte) string // the id that a finding of a value has; nil: nobody knows
}

// Block is one block of a request.
type Block struct {
	Field   string // top-level member that it stands in
	Role    string
	Start   int64 // in the decoded body
	Raw     []byte
	Secrets []Secret
	Found   []flow.Finding // what was found in it before, in offsets of Raw
	First   flow.ID
	Turn    int // of First; 0: none
}

// Secret is a stretch of a block that is kept as a value.
type Secret struct {
	Start, End      int // in Raw
	Rule, Pseudonym string
	Part            bool
}

// Edit replaces Cut bytes at offset At by Put.
type Edit struct {
	At, Cut int64
	Put     []byte
}
