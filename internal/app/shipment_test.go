package app_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"github.com/workingagents/gatehouse/internal/flow"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// planted makes a token in GitHub's form, 30 letters and their CRC-32, always
// the same for a seed.
func planted(seed uint64) string {
	random := rand.New(rand.NewPCG(seed, 0))
	token := make([]byte, 36)
	for i := range 30 {
		token[i] = base62[random.IntN(62)]
	}
	for i, sum := 35, crc32.ChecksumIEEE(token[:30]); i >= 30; i-- {
		token[i] = base62[sum%62]
		sum /= 62
	}
	return "gh" + "p_" + string(token)
}

// shipment is one way on which a secret can leave.
type shipment struct {
	name    string
	parcels []parcel     // sent one after the other
	channel flow.Channel // where the secret is found; "": not checked
	place   string       // of the finding
	via     string       // encodings that are undone, joined
	spelled []string     // how it stands in what is sent, if not as it is: who has all of these has it
}

// parcel is one request, or one message of a socket.
type parcel struct {
	path   string
	body   string // before coding
	coding string // Content-Encoding
	header []string
	socket bool
}

func (p parcel) wire() []byte {
	body := []byte(p.body)
	for _, name := range strings.FieldsFunc(p.coding, func(r rune) bool { return strings.ContainsRune(", ", r) }) {
		body = encoded(name, body)
	}
	return body
}

func encoded(name string, body []byte) []byte {
	var b bytes.Buffer
	var w io.WriteCloser
	switch name {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		w, _ = zstd.NewWriter(&b)
	}
	w.Write(body)
	w.Close()
	return b.Bytes()
}

func q(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

// field is a field of a Protocol Buffers message with a text or a message in it.
func field(number int, content string) string {
	return string(binary.AppendUvarint([]byte{byte(number<<3 | 2)}, uint64(len(content)))) + content
}

// envelope is a message of a gRPC or Connect stream.
func envelope(flags byte, content string) string {
	return string(binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(content)))) + content
}

// The bodies of the routes, around what is said in them.

func claude(content string) string {
	return `{"model":"claude-sonnet-4-5","max_tokens":10,"messages":[{"role":"user","content":` + content + `}]}`
}

func claudeWith(member, messages string) string {
	return `{"model":"claude-sonnet-4-5","max_tokens":10,` + member + `"messages":[` + messages + `]}`
}

const (
	said     = `{"role":"user","content":"hello"}`
	toolDefs = `"tools":[{"name":"run","input_schema":{"type":"object"}}],`
)

func blocks(list ...string) string { return "[" + strings.Join(list, ",") + "]" }

func textBlock(text string) string { return `{"type":"text","text":` + q(text) + `}` }

func chat(messages ...string) string {
	return `{"model":"gpt-5","messages":` + blocks(messages...) + `}`
}

func responses(items ...string) string {
	return `{"model":"gpt-5","input":` + blocks(items...) + `}`
}

func create(previous string, items ...string) string {
	if previous != "" {
		previous = `"previous_response_id":` + q(previous) + `,`
	}
	return `{"type":"response.create","model":"gpt-5",` + previous + `"input":` + blocks(items...) + `}`
}

func item(text string) string {
	return `{"type":"message","role":"user","content":[{"type":"input_text","text":` + q(text) + `}]}`
}

func gemini(parts ...string) string {
	return `{"contents":[{"role":"user","parts":` + blocks(parts...) + `}]}`
}

func part(text string) string { return `{"text":` + q(text) + `}` }

const geminiModel = "/gemini/v1beta/models/gemini-2.5-pro"

// upload is a multipart body with one file.
func upload(path, kind, text string, more ...string) parcel {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	w.WriteField("purpose", "batch")
	file, _ := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="input"`}, "Content-Type": {kind}})
	io.WriteString(file, text)
	w.Close()
	return parcel{path: path, body: b.String(), header: append(more, "Content-Type", w.FormDataContentType())}
}

// escaped spells every character of a text as JSON's \u escape.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	return b.String()
}

func percent(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

func wide(text string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

const (
	messagesPath = "/anthropic/v1/messages"
	chatPath     = "/openai/v1/chat/completions"
	responsePath = "/openai/v1/responses"
)

// routes are the shipments that differ in where the text stands.
func routes(secret string) []shipment {
	text := "my token is " + secret + " and that is all"
	one := func(name string, channel flow.Channel, path, body string, header ...string) shipment {
		return shipment{name: name, channel: channel, parcels: []parcel{{path: path, body: body, header: header}}}
	}
	line := `{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":` + chat(`{"role":"user","content":`+q(text)+`}`) + `}` + "\n"
	files := func(name, kind, path, text string, header ...string) shipment {
		return shipment{name: name, channel: flow.File, parcels: []parcel{upload(path, kind, text, header...)}}
	}
	return []shipment{
		one("messages", flow.User, messagesPath, claude(q(text))),
		one("messages, blocks", flow.User, messagesPath, claude(blocks(textBlock("hello"), textBlock(text)))),
		one("messages, unprefixed", flow.User, "/v1/messages?beta=true", claude(q(text))),
		one("messages, system", flow.System, messagesPath, claudeWith(`"system":`+q(text)+`,`, said)),
		one("messages, system blocks", flow.System, messagesPath, claudeWith(`"system":`+blocks(textBlock("be good"), textBlock(text))+`,`, said)),
		one("messages, tool definition", flow.ToolDefs, messagesPath, claudeWith(`"tools":[{"name":"run","description":`+q(text)+`,"input_schema":{"type":"object"}}],`, said)),
		one("messages, assistant", flow.Assistant, messagesPath, claudeWith("", said+`,{"role":"assistant","content":`+q(text)+`},`+said)),
		one("messages, tool call", flow.ToolCalls, messagesPath, claudeWith(toolDefs, said+`,{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"run","input":{"cmd":["echo",`+q(secret)+`]}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"ok"}]}`)),
		one("messages, tool result", flow.ToolResults, messagesPath, claudeWith(toolDefs, said+`,{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"run","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[`+textBlock(text)+`]}]}`)),
		one("messages, text document", "", messagesPath, claude(blocks(`{"type":"document","source":{"type":"text","media_type":"text/plain","data":`+q(text)+`}}`))),
		one("messages, signed thinking", flow.Assistant, messagesPath, claudeWith("", said+`,{"role":"assistant","content":[{"type":"thinking","thinking":`+q(text)+`,"signature":"c2lnbmVk"},{"type":"text","text":"ok"}]},`+said)),
		one("messages, metadata", flow.Envelope, messagesPath, claudeWith(`"metadata":{"user_id":`+q(text)+`},`, said)),
		one("messages, unknown member", flow.Envelope, messagesPath, claudeWith(`"x_future":{"deep":[[`+q(text)+`]]},`, said)),
		one("count_tokens", flow.User, "/anthropic/v1/messages/count_tokens", claude(q(text))),
		one("anthropic batch", flow.File, "/anthropic/v1/messages/batches", `{"requests":[{"custom_id":"a","params":`+claude(q(text))+`}]}`),
		files("anthropic file", "text/plain", "/anthropic/v1/files", text, "Anthropic-Version", "2023-06-01"),
		one("anthropic complete", "", "/anthropic/v1/complete", `{"model":"claude-2","prompt":`+q(text)+`}`),

		one("chat", flow.User, chatPath, chat(`{"role":"user","content":`+q(text)+`}`)),
		one("chat, parts", flow.User, chatPath, chat(`{"role":"user","content":[{"type":"text","text":"hello"},`+textBlock(text)+`]}`)),
		one("chat, developer", flow.System, chatPath, chat(`{"role":"developer","content":`+q(text)+`}`, said)),
		one("chat, arguments", flow.ToolCalls, chatPath, chat(said, `{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"run","arguments":`+q(`{"cmd":`+q(secret)+`}`)+`}}]}`, `{"role":"tool","tool_call_id":"c","content":"ok"}`)),
		one("chat, tool result", flow.ToolResults, chatPath, chat(said, `{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"run","arguments":"{}"}}]}`, `{"role":"tool","tool_call_id":"c","content":`+q(text)+`}`)),
		one("chat, tool definition", flow.ToolDefs, chatPath, `{"model":"gpt-5","tools":[{"type":"function","function":{"name":"run","description":`+q(text)+`,"parameters":{}}}],"messages":[`+said+`]}`),
		one("chat, Azure", flow.User, "/openai/deployments/d/chat/completions?api-version=1", chat(`{"role":"user","content":`+q(text)+`}`)),
		one("chat, at Google", flow.User, "/gemini/v1beta/openai/chat/completions", chat(`{"role":"user","content":`+q(text)+`}`)),
		one("chat, at Anthropic", flow.User, "/anthropic/v1/chat/completions", chat(`{"role":"user","content":`+q(text)+`}`)),
		one("completions", "", "/openai/v1/completions", `{"model":"gpt-3.5-turbo-instruct","prompt":[`+q(text)+`]}`),
		one("responses, a string", flow.User, responsePath, `{"model":"gpt-5","input":`+q(text)+`}`),
		one("responses", flow.User, responsePath, responses(item(text))),
		one("responses, instructions", flow.System, responsePath, `{"model":"gpt-5","instructions":`+q(text)+`,"input":"hello"}`),
		one("responses, function output", flow.ToolResults, responsePath, responses(item("hello"), `{"type":"function_call","call_id":"c","name":"run","arguments":"{}"}`, `{"type":"function_call_output","call_id":"c","output":`+q(text)+`}`)),
		one("responses, custom call", flow.ToolCalls, responsePath, responses(item("hello"), `{"type":"custom_tool_call","call_id":"c","name":"exec","input":`+q(`tools.exec({cmd: `+q(secret)+`})`)+`}`, `{"type":"custom_tool_call_output","call_id":"c","output":"ok"}`)),
		one("responses, ChatGPT", flow.User, "/openai/backend-api/codex/responses", responses(item(text))),
		{name: "responses, socket", channel: flow.User, parcels: []parcel{{path: responsePath, body: create("", item(text)), socket: true}}},
		{name: "responses, socket, second message", channel: flow.ToolResults, parcels: []parcel{
			{path: responsePath, body: create("", item("hello")), socket: true},
			{path: responsePath, body: create("resp_1", `{"type":"function_call_output","call_id":"c","output":`+q(text)+`}`), socket: true}}},
		one("embeddings", flow.File, "/openai/v1/embeddings", `{"model":"text-embedding-3-small","input":["hello",`+q(text)+`]}`),
		one("moderations", "", "/openai/v1/moderations", `{"input":`+q(text)+`}`),
		one("images", "", "/openai/v1/images/generations", `{"model":"gpt-image-1","prompt":`+q(text)+`}`),
		files("file", "text/plain", "/openai/v1/files", text),
		files("file of a batch", "application/jsonl", "/openai/v1/files", strings.Repeat(strings.Replace(line, secret, "none", 1), 3)+line),
		files("part of an upload", "application/octet-stream", "/openai/v1/uploads/upload_1/parts", text),
		one("batch", "", "/openai/v1/batches", `{"input_file_id":"file-1","endpoint":"/v1/responses","metadata":{"note":`+q(text)+`}}`),
		one("unknown path, JSON", "", "/openai/v1/newthing", `{"some":{"thing":`+q(text)+`}}`),
		one("unknown path, text", "", "/openai/v1/newthing", text, "Content-Type", "text/plain"),
		one("unknown path, a form", "", "/openai/v1/newthing", "a=b&note="+strings.ReplaceAll(text, " ", "+"), "Content-Type", "application/x-www-form-urlencoded"),

		one("gemini", flow.User, geminiModel+":generateContent", gemini(part(text))),
		one("gemini, stream", flow.User, geminiModel+":streamGenerateContent?alt=sse", gemini(part("hello"), part(text))),
		one("gemini, count", flow.User, geminiModel+":countTokens", gemini(part(text))),
		one("gemini, system", flow.System, geminiModel+":generateContent", `{"systemInstruction":{"parts":[`+part(text)+`]},"contents":[{"parts":[`+part("hello")+`]}]}`),
		one("gemini, function call", flow.ToolCalls, geminiModel+":generateContent", `{"contents":[{"role":"model","parts":[{"functionCall":{"name":"run","args":{"cmd":{"deep":`+q(secret)+`}}}}]}]}`),
		one("gemini, function response", flow.ToolResults, geminiModel+":generateContent", gemini(`{"functionResponse":{"name":"run","response":{"output":`+q(text)+`}}}`)),
		one("gemini, tool definition", flow.ToolDefs, geminiModel+":generateContent", `{"tools":[{"functionDeclarations":[{"name":"run","description":`+q(text)+`}]}],"contents":[{"parts":[`+part("hello")+`]}]}`),
		one("gemini, embeddings", "", "/gemini/v1beta/models/gemini-embedding-001:embedContent", `{"content":{"parts":[`+part(text)+`]}}`),
		one("gemini, cached content", "", "/gemini/v1beta/cachedContents", `{"model":"models/gemini-2.5-pro","contents":[{"parts":[`+part(text)+`]}]}`),
		one("gemini, upload", flow.File, "/gemini/upload/v1beta/files?uploadType=media", text, "Content-Type", "text/plain"),
		one("gemini, code assist", flow.User, "/v1internal:generateContent", `{"model":"gemini-2.5-pro","request":`+gemini(part(text))+`}`),

		{name: "header", place: "header X-Note", channel: flow.Envelope, parcels: []parcel{{path: messagesPath, body: claude(q("hello")), header: []string{"X-Note", text}}}},
		{name: "cookie", place: "header Cookie", channel: flow.Envelope, parcels: []parcel{{path: messagesPath, body: claude(q("hello")), header: []string{"Cookie", "a=b; session=" + secret}}}},
		{name: "header of a token's name", place: "header X-My-Token", channel: flow.Envelope, parcels: []parcel{{path: messagesPath, body: claude(q("hello")), header: []string{"X-My-Token", secret}}}},
		{name: "bearer in any header", place: "header X-Any", channel: flow.Envelope, parcels: []parcel{{path: messagesPath, body: claude(q("hello")), header: []string{"X-Any", "Bearer " + secret}}}},
		{name: "address in a header", place: "header X-Any", channel: flow.Envelope, parcels: []parcel{{path: messagesPath, body: claude(q("hello")), header: []string{"X-Any", "https://h.example/?token=" + secret}}}},
		{name: "query of a token's name", place: "query", channel: flow.Envelope, parcels: []parcel{{path: messagesPath + "?beta=true&token=" + secret, body: claude(q("hello"))}}},
		{name: "query, a code", place: "query", channel: flow.Envelope, parcels: []parcel{{path: messagesPath + "?code=" + secret, body: claude(q("hello"))}}},
		{name: "query", place: "query", channel: flow.Envelope, parcels: []parcel{{path: messagesPath + "?note=" + secret, body: claude(q("hello"))}}},
		{name: "query, escaped", place: "query", channel: flow.Envelope, spelled: []string{percent(secret)},
			parcels: []parcel{{path: messagesPath + "?note=" + percent(secret), body: claude(q("hello"))}}},
	}
}

// spellings are the shipments that differ in how the secret is written.
func spellings(secret string) []shipment {
	body := func(name, via, content string, spelled ...string) shipment {
		return shipment{name: name, via: via, spelled: spelled, parcels: []parcel{{path: messagesPath, body: claude(content)}}}
	}
	packed := string(encoded("gzip", []byte("token: "+secret+"\n")))
	list := []shipment{
		body("\\u escapes", "", `"the token `+escaped(secret)+`"`, escaped(secret)),
		body("some \\u escapes", "", `"the token `+escaped(secret[:5])+secret[5:]+`"`, escaped(secret[:5])+secret[5:]),
		body("colours", "ansi", q(".env:\x1b[01;31m\x1b[K"+secret[:4]+"\x1b[m\x1b[K"+secret[4:]+"\x1b[0m"), secret[:4]+`\u001b[m\u001b[K`+secret[4:]),
		body("JSON in a string", "", q(`{"token":`+q(secret)+`}`)),
		body("JSON in JSON in a string", "", q(`{"a":`+q(`{"token":`+q("\n"+secret+"\n")+`}`)+`}`)),
		body("escapes in JSON in a string", "", q(`{"a":"`+escaped(secret)+`"}`), strings.Trim(q(escaped(secret)), `"`)),
		body("a name of a member", "", blocks(`{"type":"tool_result","tool_use_id":"t","x":{`+q(secret)+`:1}}`)),
		body("base64", "base64", q("here: "+b64("token="+secret)), b64("token="+secret)),
		body("base64url", "base64", q("here: "+base64.RawURLEncoding.EncodeToString([]byte("??>>token="+secret))), base64.RawURLEncoding.EncodeToString([]byte("??>>token="+secret))),
		body("base64 of base64", "base64 base64", q("here: "+b64(b64("token="+secret))), b64(b64("token="+secret))),
		body("base64 in JSON in a string", "", q(`{"data":`+q(b64("token="+secret))+`}`), b64("token="+secret)),
		body("hex", "hex", q("here: "+hex.EncodeToString([]byte("token="+secret))), hex.EncodeToString([]byte("token="+secret))),
		body("hex of base64", "hex base64", q("here: "+hex.EncodeToString([]byte(b64("token="+secret)))), hex.EncodeToString([]byte(b64("token="+secret)))),
		body("URL-encoded", "url", q("https://h.example/?t="+percent(secret)), percent(secret)),
		body("base64 of gzip", "base64 gzip", q("here: "+b64(packed)), b64(packed)),
		body("base64 of UTF-16", "", q("powershell -enc "+b64(wide("token=" + secret)[2:])), b64(wide("token=" + secret)[2:])),
		body("behind invalid UTF-8", "", "\"\xff\xfe\x80 token "+secret+"\""),
		body("behind 2 MB", "", q(strings.Repeat("a quite ordinary line of text\n", 70_000)+secret)),
		{name: "duplicate keys, the first", parcels: []parcel{{path: messagesPath, body: claudeWith(`"messages":[{"role":"user","content":`+q("token "+secret)+`}],`, said)}}},
		{name: "duplicate keys, the last", parcels: []parcel{{path: messagesPath, body: `{"messages":[` + said + `],` + claude(q("token " + secret))[1:]}}},
		{name: "duplicate content", parcels: []parcel{{path: messagesPath, body: claudeWith("", `{"role":"user","content":`+q("token "+secret)+`,"content":"hello"}`)}}},
		{name: "another case", parcels: []parcel{{path: messagesPath, body: `{"model":"m","Messages":[{"Role":"user","Content":` + q("token "+secret) + `}],"messages":[` + said + `]}`}}},
		{name: "behind the end", parcels: []parcel{{path: messagesPath, body: claude(q("hello")) + "\n" + secret}}},
		{name: "a broken body", parcels: []parcel{{path: messagesPath, body: `{"messages":[{"role":"user","content":"token ` + secret + ` and`}}},
		{name: "a byte-order mark", parcels: []parcel{{path: messagesPath, body: "\xef\xbb\xbf" + claude(q("token "+secret))}}},
		{name: "a body in UTF-16", spelled: []string{wide(secret)[2:]}, parcels: []parcel{{path: messagesPath, body: wide(claude(q("token " + secret)))}}},
		{name: "a file in UTF-16", spelled: []string{wide(secret)[2:]}, parcels: []parcel{upload("/openai/v1/files", "text/plain", wide("token "+secret))}},
	}
	for _, name := range []string{"gzip", "br", "zstd", "deflate", "gzip, br"} {
		list = append(list, shipment{name: name, parcels: []parcel{{path: messagesPath, body: claude(q("token " + secret)), coding: name}}})
	}
	inner := field(1, "a note") + field(2, field(1, "the token is "+secret)+field(3, string([]byte{8, 1})))
	stream := func(name, kind, via string, parts []string, more ...string) shipment {
		return shipment{name: name, via: via, spelled: []string{strings.Join(parts, "")}, parcels: []parcel{{path: "/openai/agent.v1.Chat/Run", body: strings.Join(parts, ""), header: append([]string{"Content-Type", kind}, more...)}}}
	}
	list = append(list,
		stream("protobuf", "application/proto", "", []string{inner}),
		stream("gRPC", "application/grpc+proto", "", []string{envelope(0, field(1, "hello")), envelope(0, inner)}),
		stream("gRPC, compressed", "application/grpc", "gzip", []string{envelope(0, field(1, "hello")), envelope(1, string(encoded("gzip", []byte(inner))))}, "Grpc-Encoding", "gzip"),
		stream("Connect", "application/connect+json", "", []string{envelope(0, `{"a":`+q(secret)+`}`), envelope(2, "{}")}),
		shipment{name: "gzip, unknown path", parcels: []parcel{{path: "/openai/v1/newthing", body: `{"a":` + q(secret) + `}`, coding: "gzip"}}},
		shipment{name: "zstd, as Codex", parcels: []parcel{{path: "/openai/backend-api/codex/responses", body: responses(item(secret)), coding: "zstd"}}})
	return list
}

// halves are the shipments of which no single text holds the secret.
func halves(secret string) []shipment {
	a, b := secret[:17], secret[17:]
	half := func(name string, parcels ...parcel) shipment {
		return shipment{name: name, spelled: []string{a, b}, parcels: parcels}
	}
	user := func(text string) string { return `{"role":"user","content":` + q(text) + `}` }
	result := func(id, text string) string {
		return `{"type":"tool_result","tool_use_id":"` + id + `","content":` + q(text) + `}`
	}
	output := func(text string) string {
		return `{"type":"function_call_output","call_id":"c","output":` + q(text) + `}`
	}
	const assistant = `{"role":"assistant","content":[{"type":"text","text":"ok"}]}`
	used := func(id string) string {
		return `{"role":"assistant","content":[{"type":"tool_use","id":"` + id + `","name":"Read","input":{"file_path":"a"}}]}`
	}
	called := func(id string) string {
		return `{"role":"assistant","content":null,"tool_calls":[{"id":"` + id + `","type":"function","function":{"name":"read","arguments":"{}"}}]}`
	}
	response := func(text string) string {
		return `{"functionResponse":{"name":"read","response":{"output":` + q(text) + `}}}`
	}
	return []shipment{
		half("two blocks", parcel{path: messagesPath, body: claude(blocks(textBlock("it is "+a), textBlock(b+" and so on")))}),
		half("two blocks, the first a finding itself", parcel{path: messagesPath, body: claude(blocks(textBlock("token="+a), textBlock(b)))}),
		half("two blocks, a marker between", parcel{path: messagesPath, body: claude(blocks(`{"type":"text","text":`+q("it is "+a)+`,"cache_control":{"type":"ephemeral"}}`, textBlock(b)))}),
		half("two parts", parcel{path: geminiModel + ":generateContent", body: gemini(part("it is "+a), part(b))}),
		half("two messages", parcel{path: chatPath, body: chat(user("it is "+a), user(b+" and so on"))}),
		half("two tool results", parcel{path: messagesPath, body: claude(blocks(result("t1", "it is "+a), result("t2", b)))}),
		half("two items", parcel{path: responsePath, body: responses(item("it is "+a), item(b))}),
		half("two inputs", parcel{path: "/openai/v1/embeddings", body: `{"model":"e","input":[` + q("it is "+a) + `,` + q(b) + `]}`}),
		half("two turns", parcel{path: messagesPath, body: claudeWith("", user("it is "+a))}, parcel{path: messagesPath, body: claudeWith("", user("it is "+a)+","+user(b+" and so on"))}),
		half("two turns, Gemini", parcel{path: geminiModel + ":generateContent", body: gemini(part("it is " + a))}, parcel{path: geminiModel + ":generateContent", body: gemini(part("it is "+a), part(b))}),
		half("two messages of a socket", parcel{path: responsePath, body: create("", item("it is "+a)), socket: true}, parcel{path: responsePath, body: create("resp_1", item(b)), socket: true}),
		half("two outputs on a socket", parcel{path: responsePath, body: create("", output("it is "+a)), socket: true}, parcel{path: responsePath, body: create("resp_1", output(b+"\n")), socket: true}),
		half("two prompts, an answer between", parcel{path: messagesPath, body: claudeWith("", user("it is "+a)+","+assistant+","+user(b+" and so on"))}),
		half("three prompts, answers between", parcel{path: messagesPath, body: claudeWith("", user("it is "+a[:9])+","+assistant+","+user(a[9:])+","+assistant+","+user(b+" and so on"))}),
		half("two turns, an answer between", parcel{path: messagesPath, body: claudeWith("", user("it is "+a))}, parcel{path: messagesPath, body: claudeWith("", user("it is "+a)+","+assistant+","+user(b+" and so on"))}),
		half("two turns, calls between", parcel{path: messagesPath, body: claudeWith("", user("it is "+a))},
			parcel{path: messagesPath, body: claudeWith("", user("it is "+a)+","+used("t1")+",{\"role\":\"user\",\"content\":["+result("t1", "nothing")+"]}")},
			parcel{path: messagesPath, body: claudeWith("", user("it is "+a)+","+used("t1")+",{\"role\":\"user\",\"content\":["+result("t1", "nothing")+"]},"+assistant+","+user(b+" and so on"))}),
		half("two tool results, a call between", parcel{path: messagesPath, body: claudeWith("", user("go")+","+used("t1")+",{\"role\":\"user\",\"content\":["+result("t1", "it is "+a)+"]},"+used("t2")+",{\"role\":\"user\",\"content\":["+result("t2", b)+"]}")}),
		half("two tool messages, a call between", parcel{path: chatPath, body: chat(user("go"), called("c1"), `{"role":"tool","tool_call_id":"c1","content":`+q("it is "+a)+`}`, called("c2"), `{"role":"tool","tool_call_id":"c2","content":`+q(b)+`}`)}),
		half("two outputs, a call between", parcel{path: responsePath, body: responses(item("go"), output("it is "+a), `{"type":"function_call","call_id":"d","name":"read","arguments":"{}"}`, output(b))}),
		half("two outputs on a socket, a prompt between", parcel{path: responsePath, body: create("", output("it is "+a)), socket: true}, parcel{path: responsePath, body: create("resp_1", item("go on")), socket: true}, parcel{path: responsePath, body: create("resp_1", output(b+"\n")), socket: true}),
		half("two responses, a call between", parcel{path: geminiModel + ":generateContent", body: `{"contents":[{"role":"user","parts":[` + response("it is "+a) + `]},{"role":"model","parts":[{"functionCall":{"name":"read","args":{}}}]},{"role":"user","parts":[` + response(b) + `]}]}`}),
		half("two blocks, space between", parcel{path: messagesPath, body: claude(blocks(textBlock("it is "+a), textBlock(" \n"), textBlock(b+" and so on")))}),
		half("two blocks, a picture between", parcel{path: messagesPath, body: claude(blocks(textBlock("it is "+a), `{"type":"image","source":{"type":"url","url":"https://pictures.example/a.png"}}`, textBlock(b+" and so on")))}),
	}
}

// shipments are all ways that are tried.
func shipments(secret string) []shipment {
	return slices.Concat(routes(secret), spellings(secret), halves(secret))
}
