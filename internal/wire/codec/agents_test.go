package codec_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

const fixtures = "../../../test/fixtures/agents/"

// agent is what must be read out of one agent's bodies.
type agent struct {
	folder  string
	api     flow.API
	path    string
	model   string
	session bool // the body names its session
}

func agents() []agent {
	return []agent{
		{"claude-code-*", flow.Messages, "/v1/messages?beta=true", "claude-", true},
		{"codex-*-sse", flow.Responses, "/v1/responses", "gpt-", true},
		{"codex-*-websocket", flow.Responses, "/v1/responses", "gpt-", true},
		{"gemini-cli-*", flow.StreamGenerate, "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", "gemini-2.5-pro", false},
	}
}

// What the real agents send is known to the codec in every part.
func TestAgentsRequests(t *testing.T) {
	for _, a := range agents() {
		for _, file := range bodies(t, a.folder, "request") {
			body := unzip(t, file)
			facts := codec.Facts(a.api, a.path, split.Split(body, nil))
			if !strings.HasPrefix(facts.Model, a.model) || !facts.Stream || (facts.Session != "") != a.session || facts.Subagent != "" {
				t.Errorf("%s: facts %+v", file, facts)
			}
			parts, err := codec.Parts(a.api, body)
			if err != nil {
				t.Errorf("%s: %v", file, err)
			}
			for _, part := range parts {
				if part.Kind == flow.UnknownPart {
					t.Errorf("%s: unknown part %s", file, compact(part))
				}
			}
		}
	}
}

// The answers that made the agents go on have no event that is not known.
func TestAgentsAnswers(t *testing.T) {
	for _, a := range agents() {
		for _, file := range bodies(t, a.folder, "response") {
			body := unzip(t, file)
			read := codec.NewAnswer(a.api, codec.Options{Keep: true})
			if strings.Contains(file, "websocket") {
				read = codec.NewAnswer(a.api, codec.Options{Keep: true, Stream: codec.Messages})
				for line := range bytes.Lines(body) {
					read.Push(line)
				}
			} else {
				read.Push(body)
			}
			got := read.End()
			if !got.Complete || got.Unknown != 0 || got.Error != "" || got.Unreadable != "" || got.Usage.Estimated || got.ID == "" {
				t.Errorf("%s: %s", file, render(got))
			}
		}
	}
}

func bodies(t testing.TB, folder, kind string) []string {
	t.Helper()
	files, err := filepath.Glob(fixtures + folder + "/*." + kind + ".gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s in %s: %v", kind, folder, err)
	}
	return files
}

func unzip(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// The session that the body claims is the one in the agent's own header.
func TestAgentsSession(t *testing.T) {
	for folder, name := range map[string]string{"claude-code-*": "X-Claude-Code-Session-Id", "codex-*-sse": "Session-Id"} {
		for _, file := range bodies(t, folder, "request") {
			api := flow.Messages
			if strings.HasPrefix(folder, "codex") {
				api = flow.Responses
			}
			facts := codec.Facts(api, "", split.Split(unzip(t, file), nil))
			if want := header(t, filepath.Dir(file), name); facts.Session != want {
				t.Errorf("%s: session %q, want %q", file, facts.Session, want)
			}
		}
	}
}

func header(t *testing.T, folder, name string) string {
	t.Helper()
	text, err := os.ReadFile(folder + "/index.json")
	if err != nil {
		t.Fatal(err)
	}
	var index []struct{ Header [][2]string }
	if err := json.Unmarshal(text, &index); err != nil {
		t.Fatal(err)
	}
	for _, line := range index[0].Header {
		if strings.EqualFold(line[0], name) {
			return line[1]
		}
	}
	return ""
}
