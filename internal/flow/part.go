package flow

// Kind says what a part is.
type Kind string

// The kinds of a part. What a codec does not know is UnknownPart: kept and
// marked, never an error.
const (
	Text        Kind = "text"
	Thinking    Kind = "thinking"
	ToolDef     Kind = "tool_definition"
	ToolCall    Kind = "tool_call"
	ToolResult  Kind = "tool_result"
	Media       Kind = "media"
	UnknownPart Kind = "unknown"
)

// Part is one piece of what a request or an answer says.
type Part struct {
	Kind   Kind   `json:"kind"`
	Role   string `json:"role,omitempty"`   // system, user, assistant, tool …, as the API names it
	ID     string `json:"id,omitempty"`     // of a tool call or the call that a result answers
	Name   string `json:"name,omitempty"`   // of the tool; media: its type
	Text   string `json:"text,omitempty"`   // decoded text; tool call: arguments as they stand; tool definition, unknown: raw JSON
	Signed bool   `json:"signed,omitempty"` // carries the provider's signature: must never be edited
	Failed bool   `json:"failed,omitempty"` // a tool result that reports an error
}

// Facts are what a request says about itself beside its content. They are
// read from the members around the conversation, not from the conversation.
type Facts struct {
	Model    string // "" when the request names none
	Stream   bool
	Warmup   bool   // asks for no answer (Responses: "generate": false)
	Previous string // previous_response_id
	Session  string // session id that the body claims
	Subagent string // sub-agent id that the body claims
	Parent   string // agent that started the sub-agent, as the body claims
	Usage    bool   // asks for usage in its stream (Chat: stream_options.include_usage)
}

// Answer is what an answer says, as far as it has come.
type Answer struct {
	Model    string
	ID       string // the provider's id of the message or response
	Stop     string // stop reason in the provider's words
	Error    string // error type in the provider's words; also inside a 200 stream
	Usage    Usage
	Complete bool   // the provider's own end was seen
	Unknown  int    // events or parts that the codec does not know
	Parts    []Part // only when asked for

	Unreadable string // why the answer could not be read to its end; "" when it could
	Malformed  bool   // it is neither a stream of events nor a document
}
