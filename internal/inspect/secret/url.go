package secret

import "bytes"

// urls reports the password in scheme://user:password@host, and the token in
// scheme://token@host. The anchor is "://".
func urls(text []byte, at, end int, report func(start, end int)) {
	if at == 0 || !isAlnum(text[at-1]) {
		return
	}
	stop := min(len(text), end+1024)
	colon, last := -1, -1
	for i := end; i < stop; i++ {
		c := text[i]
		if c == '@' {
			last = i
			continue
		}
		if c == ':' && colon < 0 && last < 0 {
			colon = i
		}
		if isSpace(c) || isBreak(c) || bytes.IndexByte([]byte("\"'`<>|\\^,"), c) >= 0 && (c != '<' && c != '>' && c != '\'' && c != ',' || last >= 0) {
			break
		}
		if (c == '/' || c == '?' || c == '#') && (last >= 0 || colon < 0 || !credentialAhead(text[i:stop])) {
			break
		}
	}
	if colon < 0 && last > end && hostAhead(text[last+1:stop]) {
		if isURLToken(text[end:last]) {
			report(end, last)
		}
		return
	}
	if colon < 0 || last < colon+2 || !hostAhead(text[last+1:stop]) {
		return
	}
	if v := text[colon+1 : last]; isURLPassword(text[end:colon], v) {
		report(colon+1, last)
	}
}

// credentialAhead reports whether an @ follows before a space or a quote:
// passwords may hold a slash that nobody escaped.
func credentialAhead(text []byte) bool {
	for i, c := range text[:min(len(text), 64)] {
		if c == '@' {
			return i > 1
		}
		if !isAlnum(c) && bytes.IndexByte([]byte("/+=?#-_.!$%*"), c) < 0 {
			return false
		}
	}
	return false
}

func hostAhead(text []byte) bool {
	return len(text) > 0 && (isAlnum(text[0]) || bytes.IndexByte([]byte("[/$%{<(_"), text[0]) >= 0)
}

// isURLPassword leaves out the passwords of every handbook: user:pass, and
// those equal to the user.
func isURLPassword(user, v []byte) bool {
	if len(v) < 3 || len(v) > 256 || isReference(v) || isDummy(v) && len(v) < 24 || contains(v, "://") {
		return false
	}
	if v[0] == '*' || isPort(v) || allSame(v) || bytes.EqualFold(user, v) || equalFold(v, "user") {
		return false
	}
	s := measure(v)
	return s.letters == 0 || s.digits > 0 || s.others > 0 || !isKnown(v) && len(v) > 3
}

// isURLToken reports whether a user without a password is the secret itself, as
// in https://ghp_…@host, and the key in addresses of error trackers.
func isURLToken(user []byte) bool {
	s := measure(user)
	return len(user) >= 20 && len(user) <= 256 && s.digits >= 2 && s.others*6 < len(user) && s.isRandom() && !s.isSequence() && s.wordy*3 <= s.letters &&
		!isReference(user) && !isDummy(user)
}

// isPort tells host:8080/path@x from user:password@x.
func isPort(v []byte) bool {
	port, _, path := bytes.Cut(v, []byte("/"))
	for _, c := range port {
		if !isDigit(c) {
			return false
		}
	}
	return path && len(port) < 6
}

func allSame(v []byte) bool {
	for _, c := range v {
		if c != v[0] {
			return false
		}
	}
	return true
}
