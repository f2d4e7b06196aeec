// Package flow holds the words of Gatehouse: a flow and what hangs on it. It is
// plain data that every other package may import; it imports the standard
// library only, does no I/O, and reads no clock.
package flow

import (
	"strings"
	"time"
)

// ID names a flow. IDs sort by the time at which the flow was admitted.
type ID string

// Entrance says how a flow came in.
type Entrance string

// The network entrances. Others (sdk, sidecar, pcap, mcp) join here when they
// exist.
const (
	Redirect  Entrance = "redirect"  // an agent's base URL points at us
	Intercept Entrance = "intercept" // through the forward proxy, inspected
	Tunnel    Entrance = "tunnel"    // through the forward proxy, unread
	Import    Entrance = "import"    // another tool recorded it before
	Guardrail Entrance = "guardrail" // another gateway asks what may pass; what it does then is its own business
)

// Provider names whose wire format a flow speaks.
type Provider string

// The providers whose formats are parsed.
const (
	Anthropic Provider = "anthropic"
	OpenAI    Provider = "openai"
	Gemini    Provider = "gemini"
	LiteLLM   Provider = "litellm" // of what it asks us about as a guardrail; whom it calls it does not tell
)

// API names one operation of a provider: which codec reads the bodies.
type API string

// The operations that are parsed. Every other path of a provider is Opaque:
// it passes and is recorded whole, but is not read as a conversation.
const (
	Opaque          API = "opaque"
	Messages        API = "anthropic.messages"
	CountTokens     API = "anthropic.count_tokens"
	Chat            API = "openai.chat"
	Responses       API = "openai.responses"
	ResponsesSocket API = "openai.responses.ws" // the upgrade itself; its messages are Responses
	Generate        API = "gemini.generate"
	StreamGenerate  API = "gemini.stream"
	GeminiCount     API = "gemini.count"
	Models          API = "models"
	AskRequest      API = "litellm.request"  // texts of a request, in LiteLLM's generic guardrail API
	AskResponse     API = "litellm.response" // and of an answer
)

// Generates reports whether a call of the operation is a turn: it makes a
// model answer.
func (a API) Generates() bool {
	switch a {
	case Messages, Chat, Responses, Generate, StreamGenerate:
		return true
	}
	return false
}

// MethodMessage is the Method of a flow that is one WebSocket message with its
// events.
const MethodMessage = "MESSAGE"

// State says where a flow stands.
type State string

// The states of a flow.
const (
	Open    State = "open"    // admitted, the answer is still coming
	Done    State = "done"    // the answer came to its end
	Aborted State = "aborted" // client, provider or time-out ended it early
	Refused State = "refused" // we refused it; nothing was forwarded
	Unknown State = "unknown" // the server died before the outcome was recorded
)

// Custody says whose hands the gateway and its ledger are in.
type Custody string

// SameUser: the agent's own user can read, change and stop the gateway.
// OwnUser: the gateway runs as a user of its own.
const (
	SameUser Custody = "same-user"
	OwnUser  Custody = "own-user"
)

// Capture says how much of a flow is kept.
type Capture string

// The capture levels.
const (
	CaptureFull     Capture = "full"
	CaptureMetadata Capture = "metadata"
)

// Session names the run that a flow belongs to. An ID is an id only within its
// principal.
type Session struct {
	ID          string `json:"id"`                    // as the agent claims it, or derived from the conversation's head
	Claimed     bool   `json:"claimed,omitempty"`     // the agent named it
	Subagent    string `json:"subagent,omitempty"`    // the sub-agent's own id
	Parent      string `json:"parent,omitempty"`      // the agent that started the sub-agent
	Predecessor ID     `json:"predecessor,omitempty"` // last flow of the conversation that this one compacts
	Previous    ID     `json:"previous,omitempty"`    // flow whose answer the request continues (previous_response_id)
}

// Principal is who acts.
type Principal struct {
	Name       string `json:"name"`                 // "user/program", "key:NAME", or the configured anonymous name; never empty
	User       string `json:"user,omitempty"`       // operating-system user of the calling process
	Program    string `json:"program,omitempty"`    // program of the calling process
	PID        int    `json:"pid,omitempty"`        // its process id
	Key        string `json:"key,omitempty"`        // name of the access key
	Credential string `json:"credential,omitempty"` // keyed fingerprint of the provider credential
}

// Header is one header line as it is recorded. A credential's value, and a secret
// in another's, is replaced by its keyed fingerprint.
type Header struct {
	Name  string `json:"n"`
	Value string `json:"v"`
}

// HeaderValue gives what the lines of a name say, as one list where there are several
// (RFC 9110 section 5.3).
func HeaderValue(lines []Header, name string) string {
	var all []string
	for _, h := range lines {
		if strings.EqualFold(h.Name, name) {
			all = append(all, h.Value)
		}
	}
	return strings.Join(all, ",")
}

// Leg is the TLS of one of the two connections that a flow goes over.
type Leg struct {
	Version string `json:"version"`         // "TLS 1.3"
	Cipher  string `json:"cipher"`          // "TLS_AES_128_GCM_SHA256"
	ALPN    string `json:"alpn,omitempty"`  // "h2"
	Chain   string `json:"chain,omitempty"` // SHA-256, hex, of the certificates that the server showed, one behind the other
}

// Intent is what is recorded, durably, before the first byte is forwarded.
type Intent struct {
	Flow            ID        `json:"flow"`
	Started         time.Time `json:"started"`
	Entrance        Entrance  `json:"entrance"`
	Provider        Provider  `json:"provider"`
	API             API       `json:"api"`
	Model           string    `json:"model,omitempty"`
	Method          string    `json:"method"`
	Path            string    `json:"path"`           // without access key; credential parameters as fingerprints
	Host            string    `json:"host,omitempty"` // that the client called, and its port unless that is 443; empty: the gateway, by a base URL
	Session         Session   `json:"session"`
	Turn            int       `json:"turn,omitempty"` // 1-based; 0: not a turn
	RetryOf         ID        `json:"retry_of,omitempty"`
	Principal       Principal `json:"principal"`
	Agent           string    `json:"agent,omitempty"` // claude, codex, gemini …, by its program or by what it calls itself; empty: none that is known
	Custody         Custody   `json:"custody"`
	Capture         Capture   `json:"capture"`
	Policy          string    `json:"policy"` // version of the policy that decided
	Decision        Decision  `json:"decision"`
	Header          []Header  `json:"header,omitempty"`
	RequestBytes    int64     `json:"request_bytes"`
	RequestSHA256   string    `json:"request_sha256"`       // hex; of the body without transfer coding
	ForwardedSHA256 string    `json:"forwarded_sha256"`     // hex; empty when nothing was forwarded
	Unreadable      string    `json:"unreadable,omitempty"` // why the body could not be read as its API says

	ForwardedBytes  int64     `json:"forwarded_bytes"`            // of the body
	ScannedBytes    int64     `json:"scanned_bytes"`              // of the decoded body, that detectors read to the end, now or in an earlier turn
	UnreadableBytes int64     `json:"unreadable_bytes,omitempty"` // of the decoded body, that could not be decoded to the end: media, unknown encodings
	Findings        []Finding `json:"findings,omitempty"`         // in what is new in this request
	Acts            []Act     `json:"acts,omitempty"`             // what it makes the provider do by itself
	TLS             *Leg      `json:"tls,omitempty"`              // the client's connection; nil: without TLS
}

// Outcome is the one record that ends a flow.
type Outcome struct {
	Flow              ID            `json:"flow"`
	State             State         `json:"state"`
	Status            int           `json:"status,omitempty"` // HTTP status the client got; 0: none
	Why               string        `json:"why,omitempty"`    // why it was refused or aborted, in one sentence
	Header            []Header      `json:"header,omitempty"` // the answer's
	Model             string        `json:"model,omitempty"`  // as the provider names it
	ResponseBytes     int64         `json:"response_bytes"`
	ResponseSHA256    string        `json:"response_sha256,omitempty"`  // of what the provider sent, without transfer coding
	DeliveredSHA256   string        `json:"delivered_sha256,omitempty"` // of what the client got
	Usage             Usage         `json:"usage"`
	Cost              *float64      `json:"cost_usd,omitempty"` // US dollars; nil: unknown
	Stop              string        `json:"stop,omitempty"`     // the provider's stop reason
	Error             string        `json:"error,omitempty"`    // the provider's error type, also inside a 200 stream
	Tools             []string      `json:"tools,omitempty"`    // that the answer calls, each once; bounded: names are the client's
	ResponseID        string        `json:"response_id,omitempty"`
	ProviderRequestID string        `json:"provider_request_id,omitempty"`
	FirstByte         time.Duration `json:"first_byte,omitempty"` // from Started, nanoseconds; 0: no answer
	Duration          time.Duration `json:"duration"`             // from Started, nanoseconds
	Unreadable        string        `json:"unreadable,omitempty"` // why the answer could not be read to its end

	ScannedBytes int64     `json:"scanned_bytes"`      // of the answer's text
	Findings     []Finding `json:"findings,omitempty"` // in the answer
	Decision     *Decision `json:"decision,omitempty"` // about the answer, when it was more than to let it pass
	Restored     int       `json:"restored,omitempty"` // pseudonyms that were replaced by their values
	Withheld     int64     `json:"withheld,omitempty"` // bytes of the provider's answer that the client did not get

	TLS       *Leg  `json:"tls,omitempty"`        // the connection to the provider; nil: without TLS, or there was none
	SentBytes int64 `json:"sent_bytes,omitempty"` // that the client sent through a tunnel
	Unsent    bool  `json:"unsent,omitempty"`     // there was no connection to the provider: it got nothing
}

// Sent reports whether anything that was to be forwarded went to the provider.
func (o *Outcome) Sent() bool { return o.State != Refused && !o.Unsent }

// Usage counts tokens as the provider bills them, made comparable: Input never
// includes tokens read from or written to a cache, Output includes Reasoning.
type Usage struct {
	Input      int64 `json:"input"`
	Output     int64 `json:"output"`
	CacheRead  int64 `json:"cache_read"`
	CacheWrite int64 `json:"cache_write"`
	Reasoning  int64 `json:"reasoning"`
	Estimated  bool  `json:"estimated"`

	CacheWrite1h int64  `json:"cache_write_1h,omitempty"` // the part of CacheWrite with a one-hour life
	Tier         string `json:"tier,omitempty"`           // the provider's service tier, when it is not the standard one
}

// Zero reports whether nothing was counted.
func (u Usage) Zero() bool { return u == Usage{} }
