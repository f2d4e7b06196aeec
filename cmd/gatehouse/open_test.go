//go:build unix

package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

var pageLink = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)/login#(ghl_\S+)`)

// enter opens a link as a page does, and gives the status.
func enter(t *testing.T, link string) int {
	t.Helper()
	m := pageLink.FindStringSubmatch(link)
	if m == nil {
		t.Fatalf("no link in %q", link)
	}
	resp, err := http.Post("http://"+m[1]+"/api/v1/login", "application/json", strings.NewReader(`{"token":"`+m[2]+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func TestOpenPrintsALinkThatOpensOnce(t *testing.T) {
	p := newPlace(t)
	p.start("key", "add", "any").Wait() // makes the folder
	g := p.start("open")
	if got := code(g.Wait()); got != 1 || !strings.Contains(g.errs.String(), "gatehouse up") {
		t.Errorf("without a gateway: %d, %s", got, g.errs)
	}
	up := p.start("up", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", "--intercept", "off")
	if line, err := up.out.ReadString('\n'); err != nil || strings.Contains(line, "ghl_") {
		t.Fatalf("up: %q, %v: %s", line, err, up.errs)
	}
	g = p.start("open")
	link, _ := g.out.ReadString('\n')
	if got := code(g.Wait()); got != 0 {
		t.Fatalf("open: %d, %s", got, g.errs)
	}
	if got := enter(t, link); got != 200 {
		t.Errorf("the link answers %d, want 200", got)
	}
	if got := enter(t, link); got != 401 {
		t.Errorf("the second time it answers %d, want 401", got)
	}
}
