package identity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Fingerprint gives the function that fingerprints credentials under a key:
// "fp_" and 16 hex digits of an HMAC-SHA256. Without the key nobody can try
// guesses against it.
func Fingerprint(key []byte) func(secret []byte) string {
	key = slices.Clone(key)
	macs := sync.Pool{New: func() any { return hmac.New(sha256.New, key) }} // to key one takes longer than to use it
	return func(secret []byte) string {
		mac := macs.Get().(hash.Hash)
		defer macs.Put(mac)
		mac.Reset()
		mac.Write(secret)
		var sum [sha256.Size]byte
		return "fp_" + hex.EncodeToString(mac.Sum(sum[:0])[:8])
	}
}

// ordinary are names of headers that nearly every call has, as net/http spells
// them, and that carry no credential: they need not be looked through for
// words.
var ordinary = map[string]bool{}

func init() {
	for _, name := range []string{
		"Accept", "Accept-Encoding", "Accept-Language", "Anthropic-Beta", "Anthropic-Version", "Cache-Control", "Cf-Cache-Status",
		"Cf-Ray", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Conversation_id", "Date", "Openai-Beta", "Openai-Processing-Ms",
		"Openai-Version", "Originator", "Request-Id", "Retry-After", "Sec-Fetch-Mode", "Server", "Session_id", "Strict-Transport-Security", "Transfer-Encoding",
		"User-Agent", "Vary", "Via", "X-App", "X-Claude-Code-Session-Id", "X-Content-Type-Options", "X-Goog-Api-Client",
		"X-Request-Id", "X-Stainless-Arch", "X-Stainless-Helper-Method", "X-Stainless-Lang", "X-Stainless-Os", "X-Stainless-Package-Version",
		"X-Stainless-Retry-Count", "X-Stainless-Runtime", "X-Stainless-Runtime-Version", "X-Stainless-Timeout",
	} {
		ordinary[name] = !sensitive(name)
	}
}

// Sensitive reports whether a header of this name carries a credential: its
// value is recorded as a fingerprint only.
func Sensitive(header string) bool { return !ordinary[header] && sensitive(header) }

func sensitive(header string) bool {
	switch n := strings.ToLower(header); n {
	case "authorization", "proxy-authorization", "cookie", "set-cookie", "set-cookie2",
		"api-key", "apikey", "x-csrf", "x-amz-security-token", "x-auth", "authentication",
		"www-authenticate-token", "x-goog-iam-authorization-token", "x-goog-upload-url", "x-goog-upload-control-url":
		return true
	default:
		return secretWord(n)
	}
}

// plainNames end or contain words of secretWord and are none: they count or
// limit tokens.
var plainNames = []string{"ratelimit", "rate-limit", "token-count", "tokens", "max-token", "maxtoken", "pagetoken", "page-token", "page_token", "idempotency-key", "sec-websocket-key", "prompt_cache_key", "surrogate-key"}

// secretWord finds a word for a secret in a lower-case name.
func secretWord(name string) bool {
	for _, p := range plainNames {
		if strings.Contains(name, p) {
			return false
		}
	}
	for _, w := range []string{"token", "secret", "password", "passwd", "api-key", "api_key", "apikey", "credential", "signature", "authorization", "private-key", "access-key", "accesskey", "jwt", "session-cookie", "assertion", "attestation"} {
		if strings.Contains(name, w) {
			return true
		}
	}
	return strings.HasSuffix(name, "-key") || strings.HasSuffix(name, "_key")
}

// sensitiveParam reports whether a query parameter carries a credential.
func sensitiveParam(name string) bool {
	switch n := strings.ToLower(name); n {
	case "key", "code", "sig", "auth", "pwd", "upload_id", "code_verifier", "client_assertion", "assertion":
		return true
	default:
		return secretWord(n)
	}
}

// ScrubQuery replaces the values of credential parameters in a raw query
// (without "?") by fingerprints. Every other byte stays as it was.
func ScrubQuery(raw string, fingerprint func(secret []byte) string) string {
	if raw == "" {
		return raw
	}
	pairs := strings.Split(raw, "&")
	for i, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || value == "" {
			continue
		}
		if plain := unescape(value); sensitiveParam(unescape(name)) || secretValue(plain) {
			pairs[i] = name + "=" + fingerprint([]byte(plain))
		}
	}
	return strings.Join(pairs, "&")
}

// ScrubPath replaces credential parameters in a path with a query.
func ScrubPath(path string, fingerprint func(secret []byte) string) string {
	before, query, ok := strings.Cut(path, "?")
	if !ok {
		return path
	}
	return before + "?" + ScrubQuery(query, fingerprint)
}

// unescape decodes a query component; a malformed one is taken as it stands.
func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// ScrubHeader lists the lines of a header sorted by name, each credential
// replaced by its fingerprint: by the header's name, by the look of the value,
// and in the query of an address.
func ScrubHeader(h http.Header, fingerprint func(secret []byte) string) []flow.Header {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	lines := make([]flow.Header, 0, len(h))
	for _, name := range names {
		for _, value := range h[name] {
			lines = append(lines, flow.Header{Name: name, Value: scrubValue(name, value, fingerprint)})
		}
	}
	return lines
}

func scrubValue(name, value string, fingerprint func(secret []byte) string) string {
	switch {
	case value == "":
		return value
	case Sensitive(name):
		return fingerprint([]byte(bare(value)))
	case strings.EqualFold(name, "Sec-WebSocket-Protocol"):
		return scrubProtocols(value, fingerprint)
	case secretValue(value):
		return fingerprint([]byte(bare(value)))
	case strings.Contains(value, "?") && (strings.Contains(value, "://") || value[0] == '/'):
		return ScrubPath(value, fingerprint)
	}
	return value
}

// protocolKey is how browsers hand OpenAI's realtime API a key, for want of
// headers: as one of the offered WebSocket protocols.
const protocolKey = "openai-insecure-api-key."

func scrubProtocols(value string, fingerprint func(secret []byte) string) string {
	list := strings.Split(value, ",")
	for i, p := range list {
		if secret, ok := strings.CutPrefix(strings.TrimSpace(p), protocolKey); ok {
			list[i] = strings.Replace(p, secret, fingerprint([]byte(secret)), 1)
		}
	}
	return strings.Join(list, ",")
}

// secretValue reports whether a value looks like a credential under whatever
// name.
func secretValue(v string) bool {
	if len(v) < 16 {
		return false
	}
	for _, prefix := range []string{"sk-", "ghk_", "AIza", "eyJ", "ya29.", "sess-", "ek_", "AQ."} {
		if strings.HasPrefix(v, prefix) {
			return true
		}
	}
	return bare(v) != v
}

// bare takes the scheme off an Authorization value, so that a key has one
// fingerprint however it is presented.
func bare(v string) string {
	scheme, rest, ok := strings.Cut(v, " ")
	if ok && (strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "Basic")) {
		return strings.TrimSpace(rest)
	}
	return v
}

// credentialHeaders carry the providers' credentials.
var credentialHeaders = [...]string{"X-Api-Key", "Authorization", "X-Goog-Api-Key", "Api-Key"}

// Credential finds the provider credential of a request; "" when it has none.
func Credential(h http.Header, query url.Values) string {
	for _, name := range credentialHeaders {
		if v := h.Get(name); v != "" {
			return bare(v)
		}
	}
	for p := range strings.SplitSeq(h.Get("Sec-WebSocket-Protocol"), ",") {
		if secret, ok := strings.CutPrefix(strings.TrimSpace(p), protocolKey); ok {
			return secret
		}
	}
	for _, name := range []string{"key", "access_token"} {
		if v := query.Get(name); v != "" {
			return v
		}
	}
	return ""
}
