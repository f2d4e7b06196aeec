package split_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// conversations gives bodies as agents send them, turn by turn.
func conversations(r *rand.Rand, turns int) [][][]byte {
	var all [][][]byte
	for _, body := range []func(*rand.Rand, int) []byte{anthropic, responses, gemini, chat} {
		var one [][]byte
		seed := r.Uint64()
		for n := range turns {
			one = append(one, body(rand.New(rand.NewPCG(seed, 1)), n+1))
		}
		all = append(all, one)
	}
	return all
}

var vocabulary = strings.Fields("func return if err != nil { } the a file of to and \\n \\t \\\"quoted\\\" naïve 日本語のテキスト 😀 \\u00e9 \\\\ package import")

func prose(r *rand.Rand, words int) string {
	s := make([]string, words)
	for i := range s {
		s[i] = vocabulary[r.IntN(len(vocabulary))]
	}
	return strings.Join(s, " ")
}

func anthropic(r *rand.Rand, turns int) []byte {
	var s strings.Builder
	s.WriteString(`{"model":"claude-test","messages":[`)
	for i := range turns {
		mark := ""
		if i >= turns-2 {
			mark = `,"cache_control":{"type":"ephemeral"}`
		}
		if i > 0 {
			fmt.Fprintf(&s, `,{"role":"assistant","content":[{"type":"thinking","thinking":"%s","signature":"c2ln"},{"type":"tool_use","id":"t%d","name":"Bash","input":{"command":"%s"}}]},`, prose(r, 20), i, prose(r, 9))
		}
		fmt.Fprintf(&s, `{"role":"user","content":[{"type":"text","text":"%s"%s}]}`, prose(r, 40), mark)
	}
	s.WriteString(`],"system":[{"type":"text","text":"x-billing: ` + strconv.Itoa(turns%3) + `"},{"type":"text","text":"You are","cache_control":{"type":"ephemeral"}}],"tools":[`)
	fixed := rand.New(rand.NewPCG(7, 7))
	for i := range 5 {
		if i > 0 {
			s.WriteString(",")
		}
		fmt.Fprintf(&s, `{"name":"T%d","description":"%s","input_schema":{"type":"object","properties":{"a":{"type":"string"}}}}`, i, prose(fixed, 30))
	}
	fmt.Fprintf(&s, `],"metadata":{"user_id":"{\"session_id\":\"s\"}"},"max_tokens":32000,"stream":true,"turn":%d}`, turns)
	return []byte(s.String())
}

func responses(r *rand.Rand, turns int) []byte {
	var s strings.Builder
	s.WriteString(`{"model":"gpt-test","instructions":"` + prose(rand.New(rand.NewPCG(3, 3)), 100) + `","input":[{"type":"additional_tools","tools":[{"type":"namespace","name":"n","tools":[{"type":"custom"}]}]}`)
	for i := range turns {
		fmt.Fprintf(&s, `,{"type":"message","role":"user","content":[{"type":"input_text","text":"%s"}]},{"type":"reasoning","summary":[],"encrypted_content":"%s"},{"type":"custom_tool_call_output","call_id":"c%d","output":"%s"}`, prose(r, 20), prose(r, 9), i, prose(r, 40))
	}
	fmt.Fprintf(&s, `],"stream":true,"include":["reasoning.encrypted_content"],"prompt_cache_key":"k","client_metadata":{"turn":"%d"}}`, turns)
	return []byte(s.String())
}

func gemini(r *rand.Rand, turns int) []byte {
	var s strings.Builder
	s.WriteString("{\n  \"request\": {\"contents\": [\n")
	for i := range turns {
		if i > 0 {
			fmt.Fprintf(&s, ",\n    {\"role\": \"model\", \"parts\": [{\"functionCall\": {\"name\": \"f\", \"args\": {\"a\": %d}}, \"thoughtSignature\": \"x\"}]},\n", i)
		}
		fmt.Fprintf(&s, "    {\"role\": \"user\", \"parts\": [{\"text\": \"%s\"}]}", prose(r, 30))
	}
	s.WriteString("\n  ], \"systemInstruction\": {\"parts\": [{\"text\": \"" + prose(rand.New(rand.NewPCG(9, 9)), 50) + "\"}]}, \"tools\": [{\"functionDeclarations\": [{\"name\": \"f\"}, {\"name\": \"g\"}]}], \"generationConfig\": {\"temperature\": 0}},\n  \"project\": \"p\"}\n")
	return []byte(s.String())
}

func chat(r *rand.Rand, turns int) []byte {
	var s strings.Builder
	s.WriteString(`{"model":"gpt-chat","messages":[{"role":"system","content":"` + prose(rand.New(rand.NewPCG(5, 5)), 40) + `"}`)
	for i := range turns {
		fmt.Fprintf(&s, `,{"role":"user","content":"%s"},{"role":"assistant","content":null,"tool_calls":[{"id":"c%d","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"c%d","content":"%s"}`, prose(r, 12), i, i, prose(r, 30))
	}
	s.WriteString(`],"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"stream":true,"stream_options":{"include_usage":true}}`)
	return []byte(s.String())
}
