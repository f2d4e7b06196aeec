package secret

import (
	"bytes"
	"encoding/base64"
)

// jwts reports JSON Web Tokens: header.payload.signature in base64url, where
// the header decodes to an object with "alg" or "enc", or (a token that
// somebody shortened or damaged) has the length and look of one. The anchor
// is "eyJ", the base64 of `{"`.
func jwts(text []byte, at, end int, report func(start, end int)) {
	if at > 0 && (isAlnum(text[at-1]) || text[at-1] == '_' || text[at-1] == '.') {
		return
	}
	first := base64URL(text, at)
	if first == len(text) || text[first] != '.' || first-at < 12 {
		return
	}
	second := base64URL(text, first+1)
	stop := second
	for parts := 2; stop < len(text) && text[stop] == '.' && parts < 6 && stop-at < maxBlock; parts++ {
		next := base64URL(text, stop+1)
		if next == stop+1 && parts > 2 {
			break
		}
		stop = next
	}
	header := decoded(text[at:first])
	named := bytes.Contains(header, []byte(`"alg"`)) || bytes.Contains(header, []byte(`"enc"`)) || bytes.Contains(header, []byte(`"typ"`)) || bytes.Contains(header, []byte(`"kid"`))
	if payload := second - first - 1; payload < 8 && stop-second < 20 {
		return
	}
	if v := text[at:stop]; contains(v, "xxxx") || !named && (stop-at < 60 || measure(text[first:stop]).distinct < 16) {
		return
	}
	report(at, stop)
}

func base64URL(text []byte, p int) int {
	from := p
	for p < len(text) && p-from < maxBlock && (isAlnum(text[p]) || text[p] == '-' || text[p] == '_' || text[p] == '=' || text[p] == '+' || text[p] == '/') {
		p++
	}
	return p
}

// decoded gives what of v decodes as base64url.
func decoded(v []byte) []byte {
	v = bytes.TrimRight(v, "=")
	v = v[:min(len(v)/4*4, 2048)]
	out := make([]byte, base64.RawURLEncoding.DecodedLen(len(v)))
	n, _ := base64.RawURLEncoding.Decode(out, v)
	return out[:n]
}
