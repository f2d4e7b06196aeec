package export_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/export"
	"github.com/workingagents/gatehouse/internal/flow"
)

// shell runs a script in sh and, where there is one, in bash: they must understand
// the same.
func shell(t testing.TB, script string) (args []string, input string) {
	t.Helper()
	args, input = runIn(t, "sh", script)
	if _, err := exec.LookPath("bash"); err == nil {
		if other, text := runIn(t, "bash", script); !slices.Equal(args, other) || text != input {
			t.Errorf("bash: %q %q, sh: %q %q\n%s", other, text, args, input, script)
		}
	}
	return args, input
}

// runIn runs a script in which curl is a program that prints its arguments, each
// with NUL behind it, and then its input.
func runIn(t testing.TB, name, script string) (args []string, input string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "curl"), []byte("#!/bin/sh\nprintf '%s\\000' \"$@\" END\nfor last; do :; done\ncase $last in @-) cat;; esac\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(name, "-c", script)
	c.Dir = dir
	c.Env = []string{"PATH=" + dir + ":/bin:/usr/bin", "ANTHROPIC_API_KEY=sk-1", "GEMINI_API_KEY=g 2", "SECRET_X_ODD___=odd", "GATEHOUSE_KEY=ghk_3"}
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil || errs.Len() > 0 {
		t.Fatalf("sh: %v %s\n%s", err, errs.String(), script)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Fatalf("it left something behind: %v\n%s", left, script)
	}
	list := strings.Split(string(out), "\x00")
	i := slices.Index(list, "END")
	if i < 0 {
		t.Fatalf("no arguments in %q", out)
	}
	return list[:i], strings.Join(list[i+1:], "\x00")
}

// hostile is what a shell or a terminal would act on.
const hostile = "it's \"$(touch pwned)\" `touch pwned` !! !$ $HOME \\ \\n %s %n %%\n\nEOF\n'; touch pwned; '\t\r\x00\x01\x1b[2J \u202e é ü \U0001f600\xff\xfe -n\n"

func TestCurlRepeatsTheCall(t *testing.T) {
	f := call(hostile, answer)
	f.Intent.Method = "PO'ST"
	f.Intent.Header = append(f.Intent.Header,
		flow.Header{Name: "Accept-Encoding", Value: "gzip"}, flow.Header{Name: "Content-Length", Value: "3"}, flow.Header{Name: "X-Empty"},
		flow.Header{Name: "X-Quote", Value: "a'b \"$HOME\" `id` !x"}, flow.Header{Name: "X-Odd`$!", Value: "fp_00000000000000aa"}, flow.Header{Name: "X-Bad", Value: "a\x1bb"})
	f.Intent.Path += "&x=[1-3]{a,b}'\x1b&y=fp_nothing&z=$HOME"
	script, err := export.Curl(f, export.CurlOptions{Base: "http://127.0.0.1:4000/anthropic", Key: true})
	if err != nil {
		t.Fatal(err)
	}
	if i := bytes.IndexFunc(script, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == '\u202e' || r == '\ufffd' }); i >= 0 {
		t.Errorf("a terminal would act on %q", script[i:min(len(script), i+20)])
	}
	args, input := shell(t, string(script))
	if input != hostile {
		t.Errorf("the body is %q", input)
	}
	want := []string{
		"--no-buffer", "-X", "PO'ST", "--path-as-is", "--globoff",
		"http://127.0.0.1:4000/anthropic/v1/messages?beta=true&key=sk-1&x=[1-3]{a,b}'%1B&y=fp_nothing&z=$HOME",
		"-H", "Content-Type: application/json", "-H", "X-Api-Key: sk-1", "--compressed", "-H", "X-Empty;",
		"-H", "X-Quote: a'b \"$HOME\" `id` !x", "-H", "X-Odd`$!: odd", "-H", "X-Gatehouse-Key: ghk_3", "--data-binary", "@-",
	}
	if !slices.Equal(args, want) {
		t.Errorf("got  %q\nwant %q", args, want)
	}
	if !strings.Contains(string(script), "$ANTHROPIC_API_KEY") || strings.Contains(string(script), "fp_0123") || !strings.Contains(string(script), "left out") {
		t.Errorf("%s", script)
	}
}

// TestCurlOfOtherCalls: without a body, compressed, of another provider; and those
// that can't be repeated.
func TestCurlOfOtherCalls(t *testing.T) {
	get := call("", answer)
	get.Bodies, get.Intent.Method, get.Intent.Provider, get.Intent.Path = nil, "GET", flow.Gemini, "/v1beta/models?key=fp_0123456789abcdef"
	get.Intent.Header = nil
	script, err := export.Curl(get, export.CurlOptions{Base: "https://g.example/", Proxy: "http://127.0.0.1:4001"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"--no-buffer", "-X", "GET", "--path-as-is", "--globoff", "https://g.example/v1beta/models?key=g 2", "--proxy", "http://127.0.0.1:4001", "--cacert", "gatehouse-root.pem"}
	if args, input := shell(t, string(script)); !slices.Equal(args, want) || input != "" {
		t.Errorf("%q %q", args, input)
	}
	zipped := call(compressed(said), answer)
	zipped.Intent.Header = []flow.Header{{Name: "Content-Encoding", Value: "gzip"}}
	if script, err = export.Curl(zipped, export.CurlOptions{}); err != nil {
		t.Fatal(err)
	}
	if args, input := shell(t, string(script)); input != said || slices.Contains(args, "Content-Encoding: gzip") || !slices.Contains(args, "Content-Type:") {
		t.Errorf("%q %q", args, input)
	}
	tunnel, left := call("", ""), call(said, "")
	tunnel.Intent.Entrance = flow.Tunnel
	left.Bodies[0] = export.Body{What: export.Request, Left: "retention removed it"}
	for name, f := range map[string]*export.Flow{"a message": socket(), "a tunnel": tunnel, "a body that is left out": left} {
		if script, err := export.Curl(f, export.CurlOptions{}); !errors.Is(err, export.ErrNoCall) {
			t.Errorf("%s: %s %v", name, script, err)
		}
	}
}

// FuzzCurl: whatever stands in a flow, the shell gets these words and this input,
// and does nothing else.
func FuzzCurl(f *testing.F) {
	f.Add([]byte(hostile), "a'b", "/v1/messages?x='$(touch pwned)'")
	f.Add([]byte("-n"), "!\"`", "/?k=fp_0123456789abcdef'fp_")
	f.Add([]byte("\n\n"), "-H", "/\n")
	f.Fuzz(func(t *testing.T, body []byte, value, path string) {
		if len(body) > 60_000 || len(value)+len(path) > 60_000 {
			t.Skip() // the words of a command have an end
		}
		x := call(string(body), answer)
		x.Intent.Header = []flow.Header{{Name: "X-A", Value: value}}
		x.Intent.Path = path
		script, err := export.Curl(x, export.CurlOptions{Base: "http://h"})
		if err != nil {
			t.Fatal(err)
		}
		args, input := shell(t, string(script))
		if input != string(body) {
			t.Errorf("body %q, want %q\n%s", input, body, script)
		}
		if len(args) < 6 || !strings.HasPrefix(args[5], "http://h") {
			t.Errorf("%q\n%s", args, script)
		}
		if i := slices.Index(args, "X-A: "+value); i < 0 && value != "" && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) && !strings.HasPrefix(value, "fp_") && !strings.Contains(value, "=fp_") {
			t.Errorf("no header %q in %q", value, args)
		}
	})
}

// FuzzQuote: a word stays a word.
func FuzzQuote(f *testing.F) {
	f.Add(hostile)
	f.Add("'")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 60_000 {
			t.Skip()
		}
		c := exec.Command("sh", "-c", "printf %s "+export.Quote(s)+" END")
		c.Dir = t.TempDir() // for what a word that is none would do
		out, err := c.Output()
		if want := strings.ReplaceAll(s, "\x00", "") + "END"; err != nil || string(out) != want {
			t.Errorf("%q, want %q, %v", out, want, err)
		}
	})
}
