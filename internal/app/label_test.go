package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/policy"
)

// dangerous is a command that the recommended policy blocks.
const dangerous = `rm -rf / --no-preserve-root`

// labelled starts a gateway in front of a provider that answers with a text, under a
// label and with a status.
func labelled(t *testing.T, policy string, answer func(request string) (label string, status int, text string)) *house {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, dir, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		label, status, text := answer(string(body))
		w.Header().Set("Content-Type", label)
		w.WriteHeader(status)
		io.WriteString(w, text)
	}), nil)
}

// spokenForms are answers of each API that say a text and call a tool: as one document,
// and as a stream.
func spokenForms(text, command string) map[string]map[string]string {
	args := q(`{"command":` + q(command) + `}`)
	events := func(list ...string) string {
		var b strings.Builder
		for _, e := range list {
			var v struct{ Type string }
			_ = json.Unmarshal([]byte(e), &v)
			if v.Type != "" {
				fmt.Fprintf(&b, "event: %s\n", v.Type)
			}
			fmt.Fprintf(&b, "data: %s\n\n", e)
		}
		return b.String()
	}
	output := `{"type":"message","id":"m","role":"assistant","content":[{"type":"output_text","text":` + q(text) + `}]},{"type":"function_call","call_id":"c","name":"Bash","arguments":` + args + `}`
	candidate := `{"candidates":[{"content":{"role":"model","parts":[{"text":` + q(text) + `},{"functionCall":{"name":"Bash","args":{"command":` + q(command) + `}}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":9}}`
	return map[string]map[string]string{
		"messages": {
			"document": `{"id":"m","type":"message","role":"assistant","model":"c","content":[{"type":"text","text":` + q(text) + `},{"type":"tool_use","id":"t","name":"Bash","input":{"command":` + q(command) + `}}],"stop_reason":"tool_use","usage":{"input_tokens":7,"output_tokens":9}}`,
			"stream": events(`{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"c","content":[],"usage":{"input_tokens":7,"output_tokens":1}}}`,
				`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":`+q(text)+`}}`, `{"type":"content_block_stop","index":0}`,
				`{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"Bash","input":{}}}`, `{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":`+args+`}}`, `{"type":"content_block_stop","index":1}`,
				`{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}}`, `{"type":"message_stop"}`),
		},
		"chat": {
			"document": `{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":` + q(text) + `,"tool_calls":[{"id":"t","type":"function","function":{"name":"Bash","arguments":` + args + `}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":7,"completion_tokens":9}}`,
			"stream": events(`{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":`+q(text)+`}}]}`,
				`{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"Bash","arguments":`+args+`}}]}}]}`,
				`{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":7,"completion_tokens":9}}`) + "data: [DONE]\n\n",
		},
		"responses": {
			"document": `{"id":"r","object":"response","status":"completed","output":[` + output + `],"usage":{"input_tokens":7,"output_tokens":9}}`,
			"stream": events(`{"type":"response.created","response":{"id":"r","status":"in_progress"}}`,
				`{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":`+q(text)+`}`,
				`{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","call_id":"c","name":"Bash","arguments":`+args+`}}`,
				`{"type":"response.completed","response":{"id":"r","status":"completed","output":[`+output+`],"usage":{"input_tokens":7,"output_tokens":9}}}`),
		},
		"gemini": {"document": candidate, "stream": events(candidate), "list": "[" + candidate + "\n]"},
	}
}

// TestWhateverAnAnswerIsLabelled: what an answer is shows its first byte. Its
// Content-Type, and a mark before it, move no call past the judge, no stand-in past the
// one who restores it, and no usage past the record.
func TestWhateverAnAnswerIsLabelled(t *testing.T) {
	secret := planted(41)
	const mark = "\xef\xbb\xbf"
	var label, command, before, api, form string
	h := labelled(t, string(policy.Recommended()), func(request string) (string, int, string) {
		return label, http.StatusOK, before + spokenForms("it is "+token.FindString(request), command)[api][form]
	})
	n := 0
	for api = range dialects {
		for form = range spokenForms("", "")[api] {
			for _, label = range []string{"application/json; charset=UTF-8", "text/event-stream", "text/plain", ""} {
				for _, before = range []string{"", mark, "\n"} {
					d := dialects[api]
					name := fmt.Sprintf("%s %s as %q behind %q", api, form, label, before)
					for _, command = range []string{"ls", dangerous} {
						_, text := h.call(d.path(form != "document"), d.body(form != "document", "my token is "+secret), "Content-Type", "application/json", "Session-Id", "s")
						n++
						if blocked := command == dangerous; strings.Contains(text, command) == blocked || strings.Contains(text, "Gatehouse: ") != blocked {
							t.Errorf("%s, %s: the agent got %s", name, command, text)
						}
						if !strings.Contains(text, "it is "+secret) || token.MatchString(text) {
							t.Errorf("%s: not restored: %s", name, text)
						}
					}
				}
			}
		}
	}
	for _, v := range h.ended(n) {
		if v.Usage.Input != 7 || v.Unreadable != "" {
			t.Errorf("%s %s recorded %+v", v.API, v.Path, v)
		}
	}
}

// TestAnAnswerOfWhichNothingCanBeRead: where calls are judged it does not reach the
// agent, which is told why in the form that it asked for; an error of the provider's, or
// nothing at all, is passed on as it came.
func TestAnAnswerOfWhichNothingCanBeRead(t *testing.T) {
	var label, body string
	var status int
	answer := func(string) (string, int, string) { return label, status, body }
	enforcing := string(policy.Recommended())
	h := labelled(t, enforcing, answer)
	lax := labelled(t, strings.Replace(enforcing, "malformed: block", "malformed: flag", 1), answer)
	n := 0
	for name, d := range dialects {
		for _, stream := range []bool{true, false} {
			documents := spokenForms("hello", dangerous)[name]
			for what, text := range map[string]string{
				"a page": "<!doctype html>\n\n<html>" + dangerous + "</html>", "cut short": documents["document"][:len(documents["document"])-3],
				"twice": documents["document"] + documents["document"], "a list": "[" + q(dangerous) + "]", "a comment": ": " + dangerous + "\n\n",
				"two bytes each": "\xff\xfe" + strings.Join(strings.Split(documents["document"], ""), "\x00") + "\x00",
			} {
				if what == "a list" && name == "gemini" {
					continue // is a stream of its own
				}
				label, status, body = "application/json", http.StatusOK, text
				resp, got := h.call(d.path(stream), d.body(stream, "hi"), "Content-Type", "application/json")
				n++
				if what == "a comment" && !stream {
					continue // that much of a stream has gone
				}
				if strings.Contains(strings.TrimPrefix(got, body), "no-preserve-root") || !strings.Contains(got, "Gatehouse: ") {
					t.Errorf("%s, stream %v, %s: the agent got %s", name, stream, what, got)
				}
				if stream {
					if a := heard(t, d.api, resp, got); !a.Complete || !strings.Contains(prose(a), "unreadable.malformed") {
						t.Errorf("%s, %s: the agent hears %+v of %s", name, what, a, got)
					}
				} else if !json.Valid([]byte(got)) {
					t.Errorf("%s, %s: the agent got %s", name, what, got)
				}
				views := h.ended(n)
				if v := views[n-1]; v.Verdict != flow.Block || len(v.Findings) != 1 || v.Findings[0].Rule != "unreadable.malformed" {
					t.Errorf("%s, %s: recorded %s", name, what, judged([]flow.View{v}))
				}
				if _, got := lax.call(d.path(stream), d.body(stream, "hi"), "Content-Type", "application/json"); got != text {
					t.Errorf("%s, %s: where policy lets it pass the agent got %s", name, what, got)
				}
			}
			for _, status = range []int{http.StatusOK, http.StatusBadGateway} {
				label, body = "text/html", map[int]string{http.StatusOK: "", http.StatusBadGateway: "<html>bad gateway</html>"}[status]
				resp, got := h.call(d.path(stream), d.body(stream, "hi"), "Content-Type", "application/json")
				n++
				if got != body || resp.StatusCode != status {
					t.Errorf("%s: the agent got %s %q, want %q", name, resp.Status, got, body)
				}
			}
		}
	}
}

// TestWhatReportSaysOfAnAnswerThatCantBeRead: it passes, and the record says what
// enforcing would have done.
func TestWhatReportSaysOfAnAnswerThatCantBeRead(t *testing.T) {
	const page = "<html>hello</html>"
	h := labelled(t, "version: 1\nmode: report\n", func(string) (string, int, string) { return "text/html", http.StatusOK, page })
	if _, got := h.call(messagesPath, claude(q("hi")), "Content-Type", "application/json"); got != page {
		t.Errorf("the agent got %s", got)
	}
	if v := h.ended(1)[0]; v.Verdict != flow.Pass || v.Would != "block" || len(v.Findings) != 1 || v.Findings[0].Rule != "unreadable.malformed" {
		t.Errorf("recorded %s", judged([]flow.View{v}))
	}
}

// TestCodeAssist: what Gemini CLI says with a Google log-in is read in its wrapper, and
// so is the answer: calls are judged, stand-ins restored, tokens counted.
func TestCodeAssist(t *testing.T) {
	secret := planted(42)
	var command, form string
	h := labelled(t, string(policy.Recommended()), func(request string) (string, int, string) {
		said := spokenForms("it is "+token.FindString(request), command)["gemini"]["document"]
		said = `{"response":` + said + `,"traceId":"t"}`
		return "application/json", http.StatusOK, map[string]string{"document": said, "stream": "data: " + said + "\n\n", "list": "[" + said + "]"}[form]
	})
	n := 0
	for form = range map[string]string{"document": "", "stream": "", "list": ""} {
		path := "/gemini/v1internal:streamGenerateContent"
		if form == "document" {
			path = "/v1internal:generateContent"
		}
		for _, command = range []string{"ls", dangerous} {
			_, text := h.call(path, `{"model":"gemini-2.5-pro","project":"p","request":`+gemini(part("my token is "+secret))+`}`, "Content-Type", "application/json")
			n++
			blocked := command == dangerous
			if strings.Contains(text, command) == blocked || strings.Contains(text, "Gatehouse: ") != blocked || !strings.Contains(text, "it is "+secret) {
				t.Errorf("%s, %s: the agent got %s", form, command, text)
			}
			v := h.ended(n)[n-1]
			if blocked && v.Verdict != flow.Block || v.Model != "gemini-2.5-pro" || v.Usage.Input != 7 {
				t.Errorf("%s, %s: recorded %+v", form, command, v)
			}
		}
	}
}

// TestStreamedArguments: Gemini's arguments that come in pieces are judged as the object
// that they make.
func TestStreamedArguments(t *testing.T) {
	var command string
	h := labelled(t, string(policy.Recommended()), func(string) (string, int, string) {
		var b strings.Builder
		for _, call := range []string{
			`{"name":"run_shell_command","willContinue":true}`,
			`{"partialArgs":[{"jsonPath":"$.command","stringValue":` + q(command[:2]) + `,"willContinue":true}],"willContinue":true}`,
			`{"partialArgs":[{"jsonPath":"$.command","stringValue":` + q(command[2:]) + `}],"willContinue":true}`, `{}`,
		} {
			b.WriteString(`data: {"candidates":[{"content":{"role":"model","parts":[{"functionCall":` + call + `}]}}]}` + "\n\n")
		}
		return "text/event-stream", http.StatusOK, b.String() + `data: {"candidates":[{"finishReason":"STOP"}]}` + "\n\n"
	})
	for i, tt := range []struct{ command, rule string }{{"ls -la", ""}, {dangerous, "action.destructive"}} {
		command = tt.command
		_, text := h.call(dialects["gemini"].path(true), dialects["gemini"].body(true, "hi"), "Content-Type", "application/json")
		v := h.ended(i + 1)[i]
		if blocked := tt.rule != ""; strings.Contains(text, "functionCall") == blocked || !strings.Contains(text, tt.rule) || blocked != (v.Verdict == flow.Block) {
			t.Errorf("%s: the agent got %s; %s", command, text, judged([]flow.View{v}))
		}
	}
}

// TestCallsInAnswersThatComeLater: the results of a batch are judged line by line, each by
// its shape. A line with a call that must not run keeps its place and its id and says why in
// the provider's form; the others stay as they are. Where policy reports, all do.
func TestCallsInAnswersThatComeLater(t *testing.T) {
	type later struct{ path, form, wrap string }
	for name, l := range map[string]later{
		"anthropic results": {"/anthropic/v1/messages/batches/msgbatch_1/results", "messages", `{"custom_id":%q,"result":{"type":"succeeded","message":%s}}`},
		"chat file":         {"/openai/v1/files/file-1/content", "chat", `{"id":"b","custom_id":%q,"response":{"status_code":200,"body":%s},"error":null}`},
		"responses file":    {"/openai/v1/files/file-1/content", "responses", `{"id":"b","custom_id":%q,"response":{"status_code":200,"body":%s},"error":null}`},
		"gemini file":       {"/gemini/download/v1beta/files/f:download?alt=media", "gemini", `{"key":%q,"response":%s}`},
		"gemini operation":  {"/gemini/v1beta/batches/b1", "gemini", `{"metadata":{"key":%q},"response":%s}`},
	} {
		enforcing := string(policy.Recommended())
		for mode, text := range map[string]string{"enforce": enforcing, "report": strings.Replace(enforcing, "mode: enforce", "mode: report", 1)} {
			var lines []string
			for _, command := range []string{"ls one", dangerous, "ls two", dangerous + " x"} {
				lines = append(lines, fmt.Sprintf(l.wrap, command[:6], spokenForms("hello", command)[l.form]["document"]))
			}
			body := strings.Join(lines, "\n") + "\n"
			if name == "gemini operation" {
				body = `{"name":"batches/b1","done":true,"response":{"inlinedResponses":{"inlinedResponses":[` + strings.Join(lines, ",\n") + `]}}}`
			}
			h := labelled(t, text, func(string) (string, int, string) { return "application/octet-stream", http.StatusOK, body })
			req := h.request(l.path, "", "Anthropic-Version", "2023-06-01")
			req.Method = http.MethodGet
			_, got := h.do(req)
			v := h.ended(1)[0]
			if len(v.Findings) != 2 || v.Findings[0].Rule != "action.destructive" || v.Findings[0].Channel != flow.ToolCalls {
				t.Errorf("%s, %s: recorded %s", name, mode, judged([]flow.View{v}))
			}
			if mode == "report" {
				if got != body || v.Verdict != flow.Pass || v.Would != "block" {
					t.Errorf("%s: the agent got %s; %s", name, got, judged([]flow.View{v}))
				}
				continue
			}
			if v.Verdict != flow.Block || strings.Contains(got, dangerous) || strings.Count(got, "action.destructive") != 2 {
				t.Errorf("%s: the agent got %s; %s", name, got, judged([]flow.View{v}))
			}
			var read []string
			for line := range strings.Lines(got) {
				line = strings.TrimSuffix(strings.TrimSpace(line), ",")
				if name != "gemini operation" && !json.Valid([]byte(line)) {
					t.Errorf("%s: a line is %s", name, line)
				}
				read = append(read, line)
			}
			if !json.Valid([]byte(got)) == (name == "gemini operation") || len(read) != 4 || !strings.Contains(read[0], lines[0]) || !strings.Contains(read[2], lines[2]) || !strings.Contains(read[1], `"rm -rf"`) {
				t.Errorf("%s: the agent reads %s", name, got)
			}
		}
	}
}

// TestWhatIsNoAnswerIsNotHeld: a file that is fetched, and is no results, comes as it is,
// whatever it holds and however long it is.
func TestWhatIsNoAnswerIsNotHeld(t *testing.T) {
	long := strings.Repeat("x", 17<<20)
	for name, body := range map[string]string{
		"text": dangerous + "\n" + long, "document": `{"a":"` + long + `"}`, "torn": `{"custom_id":"a","body":{"content":[{"type":"tool_use"`,
		"torn line": "{}\n{\"a\":\n{}\n", "list": `[{"content":[{"type":"paragraph"}]}]`, "requests": `{"custom_id":"a","body":{"messages":[{"role":"user","content":"` + dangerous + `"}]}}` + "\n",
	} {
		h := labelled(t, string(policy.Recommended()), func(string) (string, int, string) { return "application/octet-stream", http.StatusOK, body })
		req := h.request("/openai/v1/files/file-1/content", "")
		req.Method = http.MethodGet
		if _, got := h.do(req); got != body {
			t.Errorf("%s: the agent got %d bytes of %d: %.300s", name, len(got), len(body), got)
		}
	}
}

// TestTheReasonIsSaidOnce: what an agent is told of a blocked call reads as a sentence.
func TestTheReasonIsSaidOnce(t *testing.T) {
	h := labelled(t, string(policy.Recommended()), func(string) (string, int, string) {
		return "application/json", http.StatusOK, spokenForms("hello", dangerous)["messages"]["document"]
	})
	if _, text := h.call(messagesPath, claude(q("hi")), "Content-Type", "application/json"); !strings.Contains(text, "Gatehouse: the tool call Bash was blocked: action.destructive") {
		t.Errorf("the agent got %s", text)
	}
}
