package intercept_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/proxy/intercept"
)

// outer is the proxy that leads out of a network: it knows CONNECT, and sends
// all to one host, which speaks first.
func outer(t *testing.T, status int, asked chan<- *http.Request) *url.URL {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r
		if status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Odd: 1\r\n\r\nthe host speaks first\n")
		io.Copy(c, c)
	}))
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("us", "pass:word")
	return u
}

// TestTunnelsThroughAnotherProxy: not a byte is lost between the two, and what
// is not public is not asked for.
func TestTunnelsThroughAnotherProxy(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusForbidden} {
		asked := make(chan *http.Request, 10)
		way := outer(t, status, asked)
		p := newProxy(t, func(o *intercept.Options) {
			o.Proxy = func(*url.URL) (*url.URL, error) { return way, nil }
			o.Own = func(netip.AddrPort) bool { return false }
		})
		dial := func(target string) (int, net.Conn, *bufio.Reader) {
			c, err := net.Dial("tcp", p.addr)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\n\r\n", target)
			read := bufio.NewReader(c)
			resp, err := http.ReadResponse(read, &http.Request{Method: http.MethodConnect})
			if err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode, c, read
		}
		got, c, read := dial("other.example.net:443") // a name that this machine could not resolve
		r := <-asked
		if name, password, _ := basic(r); r.Host != "other.example.net:443" || name != "us" || password != "pass:word" {
			t.Errorf("the proxy is asked for %s by %s", r.Host, name)
		}
		if status != http.StatusOK {
			if out := <-p.ended; got != http.StatusBadGateway || out.State != flow.Refused {
				t.Errorf("a proxy that refuses: %d, %+v", got, out)
			}
			continue
		}
		line, err := read.ReadString('\n')
		if err != nil || line != "the host speaks first\n" {
			t.Errorf("%q %v", line, err)
		}
		io.WriteString(c, "and gets an answer\n")
		if line, err = read.ReadString('\n'); err != nil || line != "and gets an answer\n" {
			t.Errorf("%q %v", line, err)
		}
		c.Close()
		if out := <-p.ended; out.State != flow.Done || out.SentBytes != 19 || out.ResponseBytes != 22+19 {
			t.Errorf("on record: %+v", out)
		}
		if got, _, _ := dial("169.254.169.254:443"); got != http.StatusForbidden || len(asked) != 0 {
			t.Errorf("metadata: %d, the proxy was asked %d times", got, len(asked))
		}
	}
}

// basic reads the credentials that a proxy was given.
func basic(r *http.Request) (name, password string, ok bool) {
	r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
	return r.BasicAuth()
}
