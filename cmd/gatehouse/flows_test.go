//go:build unix

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/simulate"
)

// TestCallsThatWentWrongDoNotLookDone: of the calls of one session one failed inside
// a stream of status 200, one's answer was blocked, one's broke off, one went well.
func TestCallsThatWentWrongDoNotLookDone(t *testing.T) {
	provider := httptest.NewServer(simulate.New(simulate.Options{}))
	t.Cleanup(provider.Close)
	p := newPlace(t)
	if code, policy, errs := p.do("policy", "init"); code != 0 {
		t.Fatal(errs)
	} else if err := os.MkdirAll(p.dir, 0o700); err != nil {
		t.Fatal(err)
	} else if err := os.WriteFile(filepath.Join(p.dir, "policy.yaml"), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	line := p.up("--listen", "127.0.0.1:0", "--upstream", "anthropic="+provider.URL)
	base := regexp.MustCompile(`http://[^,\s]+`).FindString(line)
	for _, text := range []string{"[error 2]", "run: rm -rf / --no-preserve-root", "[cut 2]", "say: fine"} {
		modelCall(t, base, text)
	}

	_, list, _ := p.do("flows", "--session", "s1")
	rows := strings.Split(strings.TrimSpace(list), "\n")
	if !strings.Contains(rows[0], " VERDICT ") {
		t.Errorf("no verdict in %q", rows[0])
	}
	for i, want := range []string{` pass +failed: overloaded_error +200 `, ` block +blocked +200 `, ` pass +aborted +200 `, ` pass +done +200 `} {
		if row := rows[i+1]; !regexp.MustCompile(want).MatchString(row) {
			t.Errorf("row %d has no %q: %s", i, want, row)
		}
	}
	_, talk, _ := p.do("show", "--session", "s1")
	for _, want := range []string{"   failed: overloaded_error   ", "   blocked   ", "\n  blocked: action.destructive in a tool call", "   aborted   ", "   done   "} {
		if !strings.Contains(talk, want) {
			t.Errorf("no %q in\n%s", want, talk)
		}
	}
	_, shown, _ := p.do("show", strings.Fields(rows[2])[0])
	for _, want := range []string{"decision  block: blocked: action.destructive", "of the request, pass: no rule applies", "answer    blocked   status 200"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in\n%s", want, shown)
		}
	}
}

// modelCall makes a call of session s1, and takes all of its answer that comes.
func modelCall(t *testing.T, base, text string) {
	t.Helper()
	body := `{"model":"claude-sonnet-4-5","max_tokens":99,"stream":true,"tools":[{"name":"Bash","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"` + strings.ReplaceAll(text, "\n", `\n`) + `\nsay: a b c d e f g h i j k l"}]}`
	req, err := http.NewRequest(http.MethodPost, base+"/anthropic/v1/messages", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "X-Api-Key": "k", "Anthropic-Version": "2023-06-01", "X-Claude-Code-Session-Id": "s1", "User-Agent": "claude-cli/2.1.197 (external, cli)"} {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body) // some break off
}
