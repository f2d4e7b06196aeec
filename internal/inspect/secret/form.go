package secret

import (
	"bytes"
	"strings"
)

// Bounds of a token's form, in bytes: the prefix that says whose it is, and the
// random text behind it.
const (
	maxForm    = 512 // that are looked at, to each side
	maxSegment = 12  // of a part of a prefix
	maxPrefix  = 32  // of all parts, with the signs between
	leastMark  = 16  // of random text behind a prefix that names a credential
	leastMixed = 20  // of the same in letters of both cases, in runs of any length
	leastForm  = 30  // behind a prefix that says nothing
	mostForm   = 200 // what is longer is compressed or minified
)

// marks are the parts of a prefix with which providers say that a token is
// a credential: sk_live_…, dckr_pat_…, acme-key-…
var marks = setOf("sk rk ak pat tok tkn token key keys apikey api secret sec live prod priv private auth oat access cred pw skey bearer oauth")

// namesOfThings are the parts of a prefix that stand before ids, hashes and names of
// machines.
var namesOfThings = setOf("id ids uuid sha sha1 sha256 sha384 sha512 md5 hash crc etag cid txn tx evt cus sub acct pi seti req res resp cmpl chatcmpl asst toolu srvtoolu rs fc ws ig ctc mcp msg thread run step vs batch ft img ami vol eni sg vpc subnet rtb igw nat eip snap lt tgw pod svc deploy rev ver pkg lib cache build job ci commit git http https www pk pub public anon cs ch in po price plan tr re src dp ba card file doc org proj usr user")

// tokenForms reports a token by its form alone: a short prefix of letters,
// a sign, and random text, as most providers write theirs. Nobody knows the
// provider, so it is reported with little confidence. What comes is a part of
// it: the prefix's mark, or a run with several digits.
func tokenForms(text []byte, at, end int, report func(start, end int)) {
	start, stop := at, end
	for start > 0 && at-start < maxForm && isForm(text[start-1]) {
		start--
	}
	for stop < len(text) && stop-end < maxForm && isForm(text[stop]) {
		stop++
	}
	if stop-start <= leastMark || !hasDigits(text[start:stop]) || !standsAlone(text, start, stop) {
		return
	}
	for stop > end && !isAlnum(text[stop-1]) {
		stop--
	}
	from, marked := prefixEnd(text[start:stop])
	if from > 0 && isTokenBody(text[start+from:stop], marked) && !isHash(text, start) {
		report(start, stop)
	}
}

func isForm(c byte) bool { return isAlnum(c) || c == '_' || c == '-' || c == '.' }

// standsAlone reports whether a run is a word of the text, no part of
// a path, an address or base64.
func standsAlone(text []byte, start, stop int) bool {
	if start > 0 && bytes.IndexByte([]byte("/+.%&@#~\\$"), text[start-1]) >= 0 || start > 0 && text[start-1] >= 0x80 {
		return false
	}
	if stop == len(text) {
		return true
	}
	return bytes.IndexByte([]byte("/+%@~("), text[stop]) < 0
}

// prefixEnd gives where the prefix of a token ends, 0 when it has none, and
// whether one of its parts says that the token is a credential.
func prefixEnd(v []byte) (end int, marked bool) {
	for i := 0; i < min(len(v), maxPrefix); {
		j := i
		for j < len(v) && isAlnum(v[j]) {
			j++
		}
		if j == len(v) || !isPrefixPart(v[i:j]) {
			break
		}
		name := string(bytes.ToLower(v[i:j]))
		if namesOfThings[name] {
			return 0, false
		}
		marked = marked || isMark(name)
		i = j + 1
		end = i
	}
	return end, marked
}

// isMark reports whether a part of a prefix names a credential, alone or as its
// end: "tskey", "glpat", "nvapi".
func isMark(part string) bool {
	if marks[part] {
		return true
	}
	for _, end := range []string{"key", "pat", "api", "tok", "token", "secret", "sec"} {
		if strings.HasSuffix(part, end) && !words[part] {
			return true
		}
	}
	return false
}

// isPrefixPart reports whether a part is letters with hardly a digit.
func isPrefixPart(part []byte) bool {
	if len(part) < 2 || len(part) > maxSegment || !isLetter(part[0]) {
		return false
	}
	digits := 0
	for _, c := range part {
		if isDigit(c) {
			digits++
		}
	}
	return digits < 3
}

// isTokenBody judges what stands behind a prefix. Behind a mark it may count
// through the alphabet, as in documentation; behind a prefix that says nothing
// it must be long and of letters in both cases: ids and hashes are of one.
func isTokenBody(v []byte, marked bool) bool {
	if len(v) < leastMark || len(v) > mostForm || isDummy(v) || isFileName(v) {
		return false
	}
	s, run := measure(v), longestRun(v)
	both := s.uppers > 2 && s.letters-s.uppers > 2
	chance := s.isRandom() && !s.isSequence() && s.wordy*3 <= s.letters
	switch {
	case !marked:
		return both && chance && len(v) >= leastForm && s.digits > 2 && run >= leastMark
	case both && len(v) >= leastMixed:
		return chance && run >= leastMark/2 || s.isSequence() && s.distinct >= 6 && s.digits > 1
	}
	return run >= leastMark && s.digits > 1 && s.letters > 3 && s.distinct > 5 && (chance || s.isSequence())
}

// isFileName reports whether a value ends as files do: ".min.js", ".bfu".
func isFileName(v []byte) bool {
	dot := bytes.LastIndexByte(v, '.')
	if dot < 0 || len(v)-dot > 6 {
		return false
	}
	for _, c := range v[dot+1:] {
		if !isLetter(c) && len(v)-dot > 3 {
			return false
		}
	}
	return true
}

// longestRun is the length of the longest run of letters and digits.
func longestRun(v []byte) int {
	most, n := 0, 0
	for _, c := range v {
		n++
		if !isAlnum(c) {
			n = 0
		}
		most = max(most, n)
	}
	return most
}
