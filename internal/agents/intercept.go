package agents

import (
	"net/url"
	"slices"
	"strings"
)

// Proxy is a gateway's forward proxy, and what makes programs trust it.
type Proxy struct {
	URL   string   // "http://127.0.0.1:4001", with an access key in it where one is needed
	Hosts []string // that are inspected
	CA    []string // variables that name the roots to trust, "NAME=value"
	Java  string   // options that make a Java runtime trust them, behind what there were; "": it is not told
	Notes []string // what else the user should know
}

// proxyVars are the variables of proxies. Programs differ in which case they
// read.
var proxyVars = []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"}

// baseVars would lead an agent to an address that is not inspected.
var baseVars = []string{
	"ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE", "OPENAI_BASE_URL", "OPENAI_API_BASE",
	"GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL", "GEMINI_API_BASE", "CODE_ASSIST_ENDPOINT",
}

// loopback is how a program names its own machine, to which the forward proxy does
// not lead.
var loopback = []string{"localhost", "127.0.0.1", "::1"}

// Intercept gives the environment and arguments with which the agent calls its
// providers as if there were no gateway, through the forward proxy of one.
func (a Agent) Intercept(g Gateway, p Proxy) Launch {
	l := Launch{Env: slices.Clone(g.Env), Args: slices.Clone(g.Args)}
	for _, name := range baseVars {
		if g.env(name) != "" {
			l.note(name + " is set aside: the agent calls its provider itself, through the forward proxy")
		}
	}
	l.unset(baseVars...)
	for _, name := range proxyVars {
		l.set(name, p.URL)
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		l.set(name, g.direct(past(g.env("NO_PROXY", "no_proxy"), p.Hosts), loopback...))
	}
	l.set("NODE_USE_ENV_PROXY", "1") // Node's own fetch reads the proxy's variables only then
	for _, line := range p.CA {
		name, value, _ := strings.Cut(line, "=")
		l.set(name, value)
	}
	if p.Java != "" {
		l.set(JavaOptions, p.Java+" "+javaProxy(p.URL, g.env("NO_PROXY", "no_proxy"), p.Hosts))
	}
	l.Notes = append(l.Notes, p.Notes...)
	switch a.Name {
	case "claude":
		l.claudeInside(g)
	case "gemini":
		for _, name := range []string{"GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL", "CODE_ASSIST_ENDPOINT"} {
			l.set(name, "") // or the working folder's .env sets it
		}
	}
	return l
}

// JavaOptions is the variable with options for any Java runtime, which reads none of
// the others.
const JavaOptions = "JAVA_TOOL_OPTIONS"

// javaProxy gives a Java runtime the proxy, and who is called without it: its own
// list has names with and without a star, and no port.
func javaProxy(address, noProxy string, inspected []string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	direct := []string{"localhost", "127.*", "[::1]"}
	for entry := range strings.SplitSeq(past(noProxy, inspected), ",") {
		host, _, _ := strings.Cut(strings.TrimLeft(entry, "*."), ":")
		if host != "" && !slices.Contains(direct, host) && strings.Trim(host, hostLetters) == "" {
			direct = append(direct, host, "*."+host)
		}
	}
	var options []string
	for _, scheme := range []string{"https", "http"} {
		options = append(options, "-D"+scheme+".proxyHost="+u.Hostname(), "-D"+scheme+".proxyPort="+u.Port())
	}
	return strings.Join(append(options, "-Dhttp.nonProxyHosts="+strings.Join(direct, "|")), " ") // also for https (java.net, "Networking Properties")
}

// hostLetters are those of names and addresses of hosts.
const hostLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

// claudeInside gives Claude Code the same variables as --settings, which
// outranks the settings of a working folder as those outrank the environment.
func (l *Launch) claudeInside(g Gateway) {
	env := map[string]string{"ANTHROPIC_BASE_URL": "https://api.anthropic.com"}
	for _, line := range l.Set {
		// An access key may not stand among the arguments, which everybody on the
		// machine can read.
		if name, value, _ := strings.Cut(line, "="); !strings.Contains(value, "@") {
			env[name] = value
		}
	}
	for _, name := range append(claudeRoutes, claudeProviders...) {
		env[name] = ""
	}
	l.unset(append(claudeRoutes, claudeProviders...)...)
	l.claudeArgs(g, env)
}

// past gives a list of hosts that are called without a proxy, less what would
// lead past the inspection of a host.
func past(list string, hosts []string) string {
	entries := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
	entries = slices.DeleteFunc(entries, func(entry string) bool {
		domain := strings.ToLower(strings.TrimLeft(entry, "*."))
		domain, _, _ = strings.Cut(domain, ":")
		return domain == "" || slices.ContainsFunc(hosts, func(h string) bool {
			h = strings.TrimPrefix(h, "*.")
			return h == domain || strings.HasSuffix(h, "."+domain) || strings.HasSuffix(domain, "."+h)
		})
	})
	return strings.Join(entries, ",")
}
