package secret

import "bytes"

// netrc reports the password in "machine HOST login USER password PASSWORD".
// The anchor is "machine ".
func netrc(text []byte, at, end int, report func(start, end int)) {
	if at > 0 && !isBreak(text[at-1]) && !isSpace(text[at-1]) && text[at-1] != '"' && text[at-1] != '\'' {
		return
	}
	stop := min(len(text), end+512)
	sawLogin, take := false, false
	fields(text, end, stop, func(s, e int) bool {
		word := text[s:e]
		switch {
		case take:
			if sawLogin && len(word) > 2 && !isReference(word) && !isDummy(word) {
				report(s, e)
			}
			return false
		case string(word) == "password" || string(word) == "passwd":
			take = true
		case string(word) == "login":
			sawLogin = true
		case string(word) == "machine":
			return false
		}
		return true
	})
}

// fields calls each with the span of each blank-separated word.
func fields(text []byte, from, stop int, each func(start, end int) bool) {
	for i := from; i < stop; {
		if isSpace(text[i]) || isBreak(text[i]) {
			i++
			continue
		}
		j := i
		for j < stop && !isSpace(text[j]) && !isBreak(text[j]) && text[j] != '"' && text[j] != '\'' {
			j++
		}
		if j > i && !each(i, j) {
			return
		}
		i = j + 1
	}
}

// lineAround gives the line, or the string in quotes, that holds at.
func lineAround(text []byte, at int) (int, int) {
	start, stop := at, at
	for start > 0 && at-start < 512 && !isBreak(text[start-1]) && text[start-1] != '"' {
		start--
	}
	for stop < len(text) && stop-at < 512 && !isBreak(text[stop]) && text[stop] != '"' {
		stop++
	}
	return start, stop
}

// pgpass reports the fifth field of host:port:database:user:password. The
// anchor is ":5432:", the port that such files nearly always name.
func pgpass(text []byte, at, end int, report func(start, end int)) {
	start, stop := lineAround(text, at)
	line := text[start:stop]
	if bytes.Count(line, []byte(":")) < 4 || bytes.IndexByte(line, ' ') >= 0 || bytes.Contains(line, []byte("//")) {
		return
	}
	p := start
	for range 4 {
		p += bytes.IndexByte(text[p:stop], ':') + 1
	}
	if v := text[p:stop]; len(v) > 2 && !isDummy(v) {
		report(p, stop)
	}
}

// crypted reports password hashes of crypt(3) as in /etc/shadow and htpasswd:
// $2y$…, $6$…, $apr1$…, $argon2id$…. The anchor is the scheme.
func crypted(text []byte, at, end int, report func(start, end int)) {
	stop := end
	for stop < len(text) && stop-at < 256 && (isAlnum(text[stop]) || bytes.IndexByte([]byte("./$=,+-"), text[stop]) >= 0) {
		stop++
	}
	if v := text[at:stop]; len(v) >= 26 && bytes.Count(v, []byte("$")) >= 3 && measure(v).distinct >= 12 && !contains(v, "xxxx") {
		report(at, stop)
	}
}

// dockerAuths reports "auth": "BASE64" in a Docker configuration: base64 of
// user:password. The anchor is `"auth"`.
func dockerAuths(text []byte, at, end int, report func(start, end int)) {
	p := end
	for p < len(text) && p-end < 16 && (isSpace(text[p]) || isBreak(text[p]) || text[p] == ':') {
		p++
	}
	if p >= len(text) || text[p] != '"' {
		return
	}
	stop := closing(text, p, 1)
	if isBasic(text[p+1 : stop]) {
		report(p+1, stop)
	}
}

// airtableTokens reports "pat", 14 letters and digits, a dot, 64 hexadecimal
// digits. The anchor is "pat", which stands in so many words that a pattern
// would cost more than all others together.
func airtableTokens(text []byte, at, end int, report func(start, end int)) {
	dot, stop := at+17, at+17+1+64
	if stop > len(text) || text[dot] != '.' || at > 0 && isAlnum(text[at-1]) || stop < len(text) && isAlnum(text[stop]) {
		return
	}
	for i := at; i < stop; i++ {
		if i < dot && !isAlnum(text[i]) || i > dot && !isHex(text[i]) {
			return
		}
	}
	if varied(text, at, stop, "") {
		report(at, stop)
	}
}
