package identity

import (
	"net/http"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Veiled lists what ScrubHeader and ScrubPath put fingerprints in the place of and
// that is no credential of the provider's by its name: whatever a header is called,
// the provider gets its value. The name of each is where it stood: a header's, or ""
// for the query.
func Veiled(h http.Header, path string) []flow.Header {
	var list []flow.Header
	for name, values := range h {
		for _, value := range values {
			list = append(list, veiledIn(name, value)...)
		}
	}
	slices.SortFunc(list, func(a, b flow.Header) int { return strings.Compare(a.Name+"\n"+a.Value, b.Name+"\n"+b.Value) })
	return append(list, veiledParams("", path)...)
}

func veiledIn(name, value string) []flow.Header {
	switch n := strings.ToLower(name); {
	case value == "", ordinary[name], theirs(n), n == "sec-websocket-protocol":
		return nil
	case sensitive(name), secretValue(value):
		return []flow.Header{{Name: name, Value: value}}
	case strings.Contains(value, "?"):
		return veiledParams(name, value)
	}
	return nil
}

// veiledParams lists those of an address.
func veiledParams(name, address string) (list []flow.Header) {
	_, query, _ := strings.Cut(address, "?")
	for pair := range strings.SplitSeq(query, "&") {
		param, value, _ := strings.Cut(pair, "=")
		n, plain := strings.ToLower(unescape(param)), unescape(value)
		if (sensitiveParam(n) || secretValue(plain)) && !theirs(n) && n != "key" && n != "access_token" && n != "sig" {
			list = append(list, flow.Header{Name: name, Value: plain})
		}
	}
	return list
}

// theirs reports whether a lower-case name of a header or parameter says that its
// value is a credential for who gets it. Providers that are called through another
// gateway have several.
func theirs(name string) bool {
	for _, word := range [...]string{"authorization", "api-key", "apikey", "api_key"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return strings.HasPrefix(name, "x-amz-") || strings.HasPrefix(name, "x-goog-")
}
