package export

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// CurlOptions say where a call is repeated.
type CurlOptions struct {
	Base  string // the address that the path is appended to: the gateway's with a provider's prefix, or the provider's
	Proxy string // the gateway's forward proxy, that the call goes through; empty: none
	Key   bool   // the gateway asks for an access key
}

// ErrNoCall says that a flow is none that curl can repeat.
var ErrNoCall = errors.New("curl can't repeat it")

// Curl gives a shell command, for sh and whatever takes its words, that repeats a
// flow's call. Credentials are variables of the environment; no text of the flow
// means anything to the shell, or to a terminal that shows it.
func Curl(f *Flow, o CurlOptions) ([]byte, error) {
	in := f.Intent
	switch {
	case f.message() || in.API == flow.ResponsesSocket || flow.HeaderValue(in.Header, "Upgrade") != "":
		return nil, fmt.Errorf("%w: flow %s belongs to a WebSocket", ErrNoCall, in.Flow)
	case in.Entrance == flow.Guardrail:
		return nil, fmt.Errorf("%w: in flow %s another gateway asked", ErrNoCall, in.Flow)
	case in.Entrance == flow.Tunnel || in.Method == http.MethodConnect:
		return nil, fmt.Errorf("%w: flow %s is a tunnel, and what went through it is not known", ErrNoCall, in.Flow)
	}
	c := &command{provider: in.Provider}
	body, err := c.body(f)
	if err != nil {
		return nil, err
	}
	c.method(in.Method)
	c.add("--path-as-is --globoff", c.variables(escapePath(strings.TrimRight(o.Base, "/")+in.Path)))
	if o.Proxy != "" {
		c.note("It needs the gateway's root, too: gatehouse ca export --out gatehouse-root.pem")
		c.add("--proxy", Quote(o.Proxy), "--cacert gatehouse-root.pem")
	}
	c.headers(f, body != nil)
	if o.Key {
		c.need("GATEHOUSE_KEY")
		c.add("-H", `"X-Gatehouse-Key: $GATEHOUSE_KEY"`)
	}
	return c.text(f, body), nil
}

// command is a command line that grows.
type command struct {
	provider flow.Provider
	words    []string
	needs    []string // variables
	notes    []string
}

func (c *command) add(words ...string) { c.words = append(c.words, strings.Join(words, " ")) }

func (c *command) note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

func (c *command) need(name string) {
	for _, n := range c.needs {
		if n == name {
			return
		}
	}
	c.needs = append(c.needs, name)
}

// method is a token (RFC 9110 section 9.1): others can't have come.
func (c *command) method(m string) {
	switch {
	case m == http.MethodHead:
		c.add("curl --no-buffer --head")
	default:
		c.add("curl --no-buffer -X " + Quote(m))
	}
}

// body gives what is sent, free of its content coding; nil: nothing is.
func (c *command) body(f *Flow) ([]byte, error) {
	b := f.sent()
	switch {
	case f.Intent.RequestBytes == 0:
		return nil, nil
	case b == nil:
		return nil, fmt.Errorf("%w: the body of flow %s is not given out", ErrNoCall, f.Intent.Flow)
	case b.Left != "":
		return nil, fmt.Errorf("%w: the body of flow %s is left out: %s", ErrNoCall, f.Intent.Flow, b.Left)
	case b.What == Forwarded:
		c.note("The body is what the provider got: some values in it are pseudonyms.")
	}
	if b.Masks > 0 {
		c.note("%d stretches of the body are masked.", b.Masks)
	}
	body := b.whole()
	if e := f.coding(b.What); e != "" && !b.Plain {
		text, ok := plain(body, e)
		if !ok {
			return nil, fmt.Errorf("%w: the body of flow %s can't be decoded", ErrNoCall, f.Intent.Flow)
		}
		body = text
		c.note("The body was compressed; here it is not.")
	}
	return body, nil
}

// made are headers that curl makes, or that belong to the connection, or that are
// about the coding of the body.
var made = map[string]bool{
	"host": true, "content-length": true, "transfer-encoding": true, "connection": true, "keep-alive": true, "te": true, "trailer": true,
	"upgrade": true, "expect": true, "proxy-connection": true, "proxy-authorization": true, "accept-encoding": true, "content-encoding": true, "x-gatehouse-key": true,
}

func (c *command) headers(f *Flow, body bool) {
	typed := false
	for _, h := range f.Intent.Header {
		name := strings.ToLower(h.Name)
		typed = typed || name == "content-type"
		switch {
		case name == "accept-encoding":
			c.add("--compressed")
		case made[name]:
		case !isToken(h.Name) || !printable(h.Value):
			c.note("A header is left out: it can't stand in a command.")
		case h.Value == "":
			c.add("-H", Quote(h.Name+";"))
		case isFingerprint(h.Value):
			c.credential(h.Name)
		default:
			c.add("-H", c.variables(h.Name+": "+h.Value))
		}
	}
	if body && !typed {
		c.add("-H", "'Content-Type:'") // or curl makes one up
	}
}

// credential puts a variable where a credential stood. Of an Authorization only
// what is behind the scheme is known to be a secret; Bearer is what agents send.
func (c *command) credential(header string) {
	variable, scheme := c.variable(header), ""
	if strings.EqualFold(header, "Authorization") {
		scheme = "Bearer "
	}
	c.need(variable)
	c.add("-H", Quote(header+": "+scheme)+`"$`+variable+`"`)
}

// variable names the environment variable that agents and SDKs keep a credential
// in.
func (c *command) variable(name string) string {
	switch n := strings.ToLower(name); {
	case n == "authorization" && c.provider == flow.Anthropic:
		return "ANTHROPIC_AUTH_TOKEN"
	case n == "api-key":
		return "AZURE_OPENAI_API_KEY"
	case n != "authorization" && n != "x-api-key" && n != "x-goog-api-key" && n != "key":
		return strings.Map(func(r rune) rune {
			switch {
			case r >= 'a' && r <= 'z':
				return r - 'a' + 'A'
			case r >= '0' && r <= '9':
				return r
			}
			return '_'
		}, "secret_"+n)
	}
	switch c.provider {
	case flow.Anthropic:
		return "ANTHROPIC_API_KEY"
	case flow.OpenAI:
		return "OPENAI_API_KEY"
	case flow.Gemini:
		return "GEMINI_API_KEY"
	}
	return "API_KEY"
}

// variables quotes a text. Fingerprints in it, those in a query, become variables.
func (c *command) variables(s string) string {
	var b strings.Builder
	for s != "" {
		i := strings.Index(s, "=fp_")
		if i < 0 || len(s) < i+4+16 || !isFingerprint(s[i+1:i+4+16]) {
			if i >= 0 {
				b.WriteString(Quote(s[:i+1]))
				s = s[i+1:]
				continue
			}
			b.WriteString(Quote(s))
			break
		}
		name := s[:i]
		if at := strings.LastIndexAny(name, "?&"); at >= 0 {
			name = name[at+1:]
		}
		variable := c.variable(name)
		c.need(variable)
		b.WriteString(Quote(s[:i+1]) + `"$` + variable + `"`)
		s = s[i+4+16:]
	}
	return b.String()
}

// text puts it all together.
func (c *command) text(f *Flow, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Flow %s again, as it came.", f.Intent.Flow)
	if len(c.needs) > 0 {
		fmt.Fprintf(&b, " It needs $%s.", strings.Join(c.needs, ", $"))
	}
	b.WriteByte('\n')
	for _, note := range c.notes {
		fmt.Fprintf(&b, "# %s\n", note)
	}
	if body != nil {
		c.add("--data-binary @-")
		b.WriteString("printf " + quoteBytes(body) + " |\n")
	}
	b.WriteString(strings.Join(c.words, " \\\n  "))
	b.WriteByte('\n')
	return b.Bytes()
}

// escapePath writes the bytes of an address that are no visible ASCII as percent
// escapes.
func escapePath(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x7f {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

func isToken(s string) bool {
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
