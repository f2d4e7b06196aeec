package secret

import (
	"bytes"
	"encoding/base64"
)

// authHeaders reports the credential after an authentication scheme:
// "Basic dXNlcjpwYXNz", "Bearer …", "Token token=…", SSWS, Negotiate. The
// anchor is the scheme's name.
func authHeaders(text []byte, at, end int, report func(start, end int)) {
	if at > 0 && isAlnum(text[at-1]) || end >= len(text) || !isSpace(text[end]) && text[end] != ':' && text[end] != '%' && text[end] != '+' {
		return
	}
	p := end + 1
	if startsWith(text[end:], "%20") {
		p = end + 3
	}
	for p < len(text) && p-end < 8 && (isSpace(text[p]) || text[p] == '"' || text[p] == '\'') {
		p++
	}
	stop := p
	for stop < len(text) && stop-p < maxValue && (isAlnum(text[stop]) || bytes.IndexByte([]byte("+/=-_.~:|"), text[stop]) >= 0) {
		stop++
	}
	for stop > p && (text[stop-1] == '.' || text[stop-1] == ':') {
		stop--
	}
	v := text[p:stop]
	if stop < len(text) && (text[stop] == '{' || text[stop] == '$' || text[stop] == '(' || text[stop] == '<') {
		return
	}
	if equalFold(text[at:end], "basic") && isBasic(v) || !equalFold(text[at:end], "basic") && isBearer(text, at, end, v) {
		report(p, stop)
	}
}

// isBasic reports whether v is base64 of user:password, and not those of
// every handbook.
func isBasic(v []byte) bool {
	user, password, ok := basic(v)
	if !ok || isPlain(password) || len(password) > 0 && bytes.Equal(user, password) {
		return false
	}
	return len(password) > 0 || len(user) > 12
}

// basic decodes base64 of user:password.
func basic(v []byte) (user, password []byte, ok bool) {
	if len(v) < 8 || len(v) > 512 {
		return nil, nil, false
	}
	text, err := base64.StdEncoding.DecodeString(string(v))
	if err != nil {
		if text, err = base64.RawStdEncoding.DecodeString(string(v)); err != nil {
			return nil, nil, false
		}
	}
	for _, c := range text {
		if c < 0x20 {
			return nil, nil, false
		}
	}
	return bytes.Cut(text, []byte(":"))
}

func isBearer(text []byte, at, end int, v []byte) bool {
	before := text[:at]
	if len(v) < 10 || isDummy(v) || isPath(v) {
		return false
	}
	s := measure(v)
	header := contains(before[max(0, len(before)-32):], "auth")
	if scheme := text[at:end]; !header && (equalFold(scheme, "token") || equalFold(scheme, "apikey")) {
		return false
	}
	return s.isRandom() && !s.isSequence() && (s.digits > 0 || header) || isUUID(v) || header && len(v) >= 16 && s.digits > 1 && !isIdentifier(v)
}

// curlUsers reports the password in -u user:password. The anchor is the
// flag, or the command that has it.
func curlUsers(text []byte, at, end int, report func(start, end int)) {
	stop := min(len(text), end+1024)
	for p := end; p+4 < stop && text[p] != '\n' || p > 0 && p < stop && text[p] == '\n' && text[p-1] == '\\'; p++ {
		if !isSpace(text[p]) {
			continue
		}
		q := p + 1
		switch rest := text[q:stop]; {
		case bytes.HasPrefix(rest, []byte("-u")) || bytes.HasPrefix(rest, []byte("-U")):
			q += 2
		case bytes.HasPrefix(rest, []byte("--user")) && len(rest) > 6 && (isSpace(rest[6]) || rest[6] == '='):
			q += 7
		case bytes.HasPrefix(rest, []byte("--proxy-user")) && len(rest) > 12:
			q += 13
		default:
			continue
		}
		if s, e, ok := userPassword(text[:stop], q); ok {
			report(s, e)
		}
	}
}

// userPassword reads user:password at p, quoted or not, and gives the
// password's span.
func userPassword(text []byte, p int) (start, end int, ok bool) {
	for p < len(text) && (isSpace(text[p]) || text[p] == '=') {
		p++
	}
	quote := byte(0)
	if p < len(text) && (text[p] == '"' || text[p] == '\'') {
		quote, p = text[p], p+1
	}
	colon, i := -1, p
	for ; i < len(text) && i-p < 256; i++ {
		c := text[i]
		if colon == i-1 && i > p && quote == 0 && (c == '"' || c == '\'') { // user:'password'
			quote = c
			continue
		}
		if quote != 0 && c == quote || quote == 0 && (isSpace(c) || c == '"' || c == '\'' || c == '\\') || isBreak(c) {
			break
		}
		if c == ':' && colon < 0 {
			colon = i
		}
	}
	if colon < 0 || i == colon {
		return 0, 0, false
	}
	user, v := text[p:colon], bytes.TrimLeft(text[colon+1:i], "\"'")
	if len(v) == 0 { // "-u TOKEN:" as many APIs want it
		s := measure(user)
		return p, colon, (len(user) >= 16 && s.isRandom() || len(user) >= 10 && s.others > 0 && s.digits > 1 && s.wordy == 0) && !isDummy(user)
	}
	if len(v) < 3 || isReference(v) || isDummy(v) || bytes.Contains(v, []byte("//")) || isReference(user) && len(v) < 6 {
		return 0, 0, false
	}
	s := measure(v)
	return i - len(v), i, s.letters > 0 && (s.digits > 0 || s.others > 0 || s.wordy*2 < s.letters) || s.digits >= 6 && !s.isSequence()
}
