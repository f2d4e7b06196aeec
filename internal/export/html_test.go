package export_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/export"
)

const ending = "</script><!--<script>alert(1)</script>\u2028]]>\x00"

// TestHTML: what was captured stays data; the policy names the script and the
// style by what they are, and nothing can be asked for.
func TestHTML(t *testing.T) {
	var b bytes.Buffer
	p := export.Page{Title: "s1" + ending, Script: []byte("document.title='x'<1"), Style: []byte("a>b{}"), Data: map[string]string{ending: ending}}
	if err := export.HTML(&b, p); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if n := strings.Count(page, "</script"); n != 2 || strings.Contains(page, "<!--") || strings.Count(page, "<script") != 2 {
		t.Errorf("%d ends of scripts: %s", n, page)
	}
	m := regexp.MustCompile(`(?s)id="data">(.*?)</script>`).FindStringSubmatch(page)
	var data map[string]string
	if err := json.Unmarshal([]byte(m[1]), &data); err != nil || data[ending] != ending {
		t.Errorf("%v %q", err, data)
	}
	for _, text := range [][]byte{p.Script, p.Style} {
		sum := sha256.Sum256(text)
		if !strings.Contains(page, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.Contains(page, ">"+string(text)+"</") {
			t.Errorf("%s is not let in: %s", text, page)
		}
	}
	if policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page); policy == nil || !strings.HasPrefix(policy[1], "default-src 'none'; ") || strings.Contains(policy[1], "http") || strings.Contains(policy[1], "unsafe") || strings.Contains(policy[1], "self") {
		t.Errorf("policy %q", policy)
	}
	if strings.Index(page, "Content-Security-Policy") > strings.Index(page, "<style") {
		t.Error("the policy comes after what it is for")
	}
	for _, p := range []export.Page{{Script: []byte("'</SCRIPT>'")}, {Script: []byte("a<!--b")}, {Style: []byte("a{}</Style>")}, {Script: []byte("a\r\nb")}, {Data: func() {}}} {
		if err := export.HTML(&b, p); err == nil {
			t.Errorf("%q was written", p.Script)
		}
	}
}
