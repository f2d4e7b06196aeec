// Package route says from method, path and headers alone which provider a
// request is meant for, and which of its operations it is. It takes the paths
// that the providers use, and all of them under a prefix. It never rewrites a
// path: what it can't take literally it refuses.
package route

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Route is where a request goes.
type Route struct {
	Provider flow.Provider
	API      flow.API
	Path     string // what follows the address of the provider's API, escaped as the client did; begins with "/"
	Login    bool   // it takes and gives credentials, and no conversation
}

// prefixes name a provider at the start of a path. The other gateways' prefix
// /llm-gateway may stand before each of them, and before a provider's own paths.
var prefixes = []struct {
	prefix   string
	provider flow.Provider
}{
	{"/anthropic", flow.Anthropic},
	{"/openai", flow.OpenAI},
	{"/gemini", flow.Gemini},
}

const gateway = "/llm-gateway"

// Match finds the route of a request. The path is escaped as the client sent
// it, and has no access key in it any more. It is false for a path that belongs
// to no provider, and for one that another server could read in another way
// (dot segments, empty segments, backslashes, in whatever escaping).
func Match(method, path string, h http.Header, query url.Values) (Route, bool) {
	path, _ = cut(path, gateway)
	var named flow.Provider
	for _, p := range prefixes {
		if rest, ok := cut(path, p.prefix); ok {
			path, named = rest, p.provider
			break
		}
	}
	return at(named, method, path, h, query)
}

// At finds the operation of a request to a host that is a provider's own: the
// whole path is the provider's. It is false as Match is.
func At(provider flow.Provider, method, path string, h http.Header, query url.Values) (Route, bool) {
	return at(provider, method, path, h, query)
}

// Plain reports whether every server reads an escaped path in the same way.
func Plain(path string) bool {
	_, ok := literal(path)
	return ok
}

func at(named flow.Provider, method, path string, h http.Header, query url.Values) (Route, bool) {
	plain, ok := literal(path)
	if !ok {
		return Route{}, false
	}
	r := request{method, strings.ToLower(plain), h, query}
	if named == "" {
		named = r.provider()
	}
	if named == "" {
		return Route{}, false
	}
	api := r.api(named)
	return Route{Provider: named, API: api, Path: path, Login: api == flow.Opaque && r.login()}, true
}

// cut takes a prefix off the path.
func cut(path, prefix string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, prefix)
	switch {
	case !ok || rest != "" && rest[0] != '/':
		return path, false
	case rest == "":
		return "/", true
	}
	return rest, true
}

// literal gives what an escaped path means, if there is no doubt about it.
func literal(path string) (plain string, ok bool) {
	plain, err := url.PathUnescape(path)
	if err != nil || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#") {
		return "", false
	}
	twice, err := url.PathUnescape(plain) // some servers do
	if err != nil {
		twice = plain
	}
	return plain, clean(plain) && clean(twice)
}

// clean reports whether a path has only segments that every server takes for
// names. The root has none.
func clean(path string) bool {
	if strings.ContainsFunc(path, func(c rune) bool { return c < ' ' || c == 0x7f || c == '\\' }) {
		return false
	}
	if path == "/" {
		return true
	}
	for segment := range strings.SplitSeq(path[1:], "/") {
		name, _, _ := strings.Cut(segment, ";") // "..;x" is a dot segment to servers that know parameters
		if name == "" || name == "." || name == ".." {
			return false
		}
	}
	return true
}
