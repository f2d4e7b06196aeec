package secret

import (
	"bytes"
	_ "embed"
	"strings"
)

// providers are the names of services that hand out keys, one a line, small
// letters and digits only.
//
//go:embed providers.txt
var providerList string

var providers = setOf(providerList)

// Bounds of a key that stands near its provider's name: "clarifai SECRET
// …", "MAPBOX_ACCESS_TOKEN: …".
const (
	nearBefore = 40 // from the provider's name to "key"
	nearAfter  = 32 // from "key" to the value
)

// providerKeys reports a value that stands soon after a provider's name and a
// word for a key. It takes values that documentation would use, too: the name
// says what they stand for. The anchor is the word for a key.
func providerKeys(text []byte, at, end int, report func(start, end int)) {
	if start, _ := nameAround(text, at, end); inResource(text, start) {
		return
	}
	if startsWith(text[at:end], "access") && end < len(text) && isLetter(text[end]) && !startsWith(text[end:], "key") && !startsWith(text[end:], "token") && !startsWith(text[end:], "secret") {
		return // an endpoint, a log, a point
	}
	if start, stop, ok := valueAfter(text, end); ok && providerBefore(text, at) && (isShouted(text[at:end]) || bytes.IndexByte(text[end:start], '\n') < 0) {
		report(start, stop)
	}
}

// providerBefore looks for a provider's name in the words before at: alone,
// or two or three words as one ("digital ocean", "web3").
func providerBefore(text []byte, at int) bool {
	left := at
	for left > 0 && at-left < nearBefore && !isBreak(text[left-1]) {
		left--
	}
	if left == at && at > 1 && isBreak(text[at-1]) {
		for left--; left > 0 && at-left < nearBefore && !isBreak(text[left-1]); {
			left--
		}
	}
	var words [12]string
	n := 0
	pieces(text[left:at], func(piece []byte) bool {
		if n == len(words) {
			copy(words[:], words[1:])
			n--
		}
		words[n] = strings.ToLower(string(piece))
		n++
		return true
	})
	for i := n - 1; i >= max(0, n-5); i-- {
		name := ""
		for j := i; j >= 0 && i-j < 3; j-- {
			name = words[j] + name
			if len(name) > 1 && providers[name] {
				return true
			}
		}
	}
	return false
}

// joiners are the words that may stand between a word for a key and the key.
var joiners = map[string]bool{"key": true, "token": true, "secret": true, "access": true, "private": true, "is": true, "value": true, "api": true, "code": true, "live": true, "test": true, "prod": true, "default": true, "string": true, "str": true}

// valueAfter gives the first run soon after p that could be a key. Between
// the two stand signs, words such as "token", and at most one other word.
func valueAfter(text []byte, p int) (start, stop int, ok bool) {
	if p < len(text) && isLower(text[p]) && isLower(text[p-1]) {
		return 0, 0, false // within a word
	}
	strange := 0
	for i := p; i < len(text) && i-p <= nearAfter; {
		if !isAlnum(text[i]) {
			if text[i] == ',' || text[i] == '(' || text[i] == '{' || text[i] == '<' || text[i] == '$' || text[i] == '[' && i+1 < len(text) && text[i+1] != '"' && text[i+1] != '\'' {
				return 0, 0, false
			}
			i++
			continue
		}
		j := i
		for j < len(text) && j-i < maxValue && isKeyByte(text[j]) && !assigns(text, j) {
			j++
		}
		for j > i && (text[j-1] == '.' || text[j-1] == '-') {
			j--
		}
		if startsWith(text[i:], "arn:") || startsWith(text[i:], "http") {
			return 0, 0, false
		}
		if isProviderValue(text[i:j]) && !isHash(text, i) && (strange == 0 || measure(text[i:j]).letters > 0) {
			return i, j, true
		}
		if v := text[i:j]; len(v) > 20 || equalFold(bytes.Trim(v, "_-"), "id") || bytes.HasPrefix(text[max(0, i-2):], []byte("--")) {
			return 0, 0, false
		} else if !isJoiner(v) {
			strange++
		}
		if strange > 1 {
			return 0, 0, false
		}
		i = max(j, i+1)
	}
	return 0, 0, false
}

// assigns reports whether the sign at p is an equals sign that stands before a
// value, and no padding behind one.
func assigns(text []byte, p int) bool {
	return text[p] == '=' && p+1 < len(text) && isAlnum(text[p+1])
}

func isJoiner(v []byte) bool {
	all := true
	pieces(v, func(piece []byte) bool {
		all = all && joiners[strings.ToLower(string(piece))]
		return all
	})
	return all
}

func isKeyByte(c byte) bool {
	return isAlnum(c) || c == '-' || c == '_' || c == '.' || c == '+' || c == '/' || c == '=' || c == '~' || c == '%'
}

// isProviderValue judges a run that stands where a provider's key would.
func isProviderValue(v []byte) bool {
	if len(v) < 12 || isPath(v) || isReference(v) || isStandIn(v) {
		return false
	}
	s := measure(v)
	switch {
	case s.distinct < 6:
		return false
	case isUUID(v):
		return true
	case s.letters == 0:
		return s.digits >= 14 && s.others == 0
	case s.digits == 0:
		return s.letters >= 20 && (s.others <= 1 || s.others < 5 && s.isSequence()) && (s.isSequence() || s.wordy*2 < s.letters)
	}
	return (s.digits > 2 || s.digits > 1 && s.others == 0) && (s.isSequence() || s.known*2 < s.letters)
}

// isStandIn is isDummy for values that may count through the alphabet.
func isStandIn(v []byte) bool {
	for _, word := range []string{"xxx", "...", "***", "changeme", "example", "placeholder", "redacted", "your_", "your-", "dummy", "insert", "replace", "_here"} {
		if contains(v, word) {
			return true
		}
	}
	return false
}

// nearKeys reports a value right after a word for a key: "the secret key is
// …", "fooPRIVATE …". The value must be random; after a word in capitals, or
// one joined to another, it may count through the alphabet, too. The anchor
// is the word.
func nearKeys(text []byte, at, end int, report func(start, end int)) {
	start, _ := nameAround(text, at, end)
	p := end
	if p < len(text) && isLower(text[p]) && isLower(text[p-1]) {
		return // within a word
	}
	marked := at > 0 && isLetter(text[at-1]) || isShouted(text[at:end]) || at > 0 && (text[at-1] == '_' || text[at-1] == '-')
	for _, word := range []string{"_key", "-key", " key", "key", " token", "-token", "_token", "token"} {
		if startsWith(text[p:], word) {
			p += len(word)
			break
		}
	}
	from, to, ok := nearValue(text, p)
	if !ok || to-from < 10 {
		if from, to, ok = lineBelow(text, p); !ok {
			return
		}
	}
	start = wordsBefore(text, start)
	if name := text[start:p]; nameKind(name) == noSecret && !(marked && (startsWith(text[at:], "private") || startsWith(text[at:], "access"))) {
		return
	}
	if besides[wordBefore(text, start)] || inResource(text, start) || to < len(text) && text[to] == '(' {
		return
	}
	v := text[from:to]
	if isLoneRandom(text, from, to) || isNamedRandom(text, text[start:p], from, to) || (marked || len(v) >= 32 && measure(v).others == 0) && isProviderValue(v) && !isHash(text, from) {
		report(from, to)
	}
}

// wordBefore gives the word before a position, in small letters; "" when
// there is none on the line.
func wordBefore(text []byte, p int) string {
	stop := p
	for stop > 0 && p-stop < 3 && isSpace(text[stop-1]) {
		stop--
	}
	from := stop
	for from > 0 && stop-from < 20 && isLetter(text[from-1]) {
		from--
	}
	return strings.ToLower(string(text[from:stop]))
}

// nearValue gives the run after a few signs or "is".
func nearValue(text []byte, p int) (from, to int, ok bool) {
	from = p
	for from < len(text) && from-p < 8 {
		c := text[from]
		if from > p && startsWith(text[from:], "is ") {
			from += 3
			continue
		}
		if !isSpace(c) && c != ':' && c != '=' && c != '"' && c != '\'' && c != '`' && c != '-' && !isBreak(c) {
			break
		}
		from++
	}
	to = from
	for to < len(text) && to-from < 512 && isKeyByte(text[to]) {
		to++
	}
	for to > from && (text[to-1] == '.' || text[to-1] == ':') {
		to--
	}
	return from, to, from > p && to > from && !bytes.Contains(text[p:from], []byte("--"))
}

// isNamedRandom judges a value after words that leave little doubt: "the refresh
// token …", "the root password …".
func isNamedRandom(text, name []byte, from, to int) bool {
	v := text[from:to]
	if len(v) < 10 || !hasDigits(v) {
		return false
	}
	k, several := nameKind(name), bytes.ContainsAny(name, " _-.")
	if k < aToken || isDummy(v) || isPath(v) || isHash(text, from) {
		return false
	}
	if isUUID(v) {
		return several || k == aSecret
	}
	s := measure(v)
	if s.isSequence() || s.others*6 >= len(v) || s.wordy*3 > s.letters || !s.isRandom() {
		return false
	}
	switch {
	case k == aPassword:
		return len(v) >= 10 && s.digits > 1 && s.islands > 1
	case several:
		return len(v) >= 16 && s.digits > 1
	}
	return len(v) >= 20 && s.digits > 1 && s.uppers > 1 && s.letters-s.uppers > 1
}

// hasDigits reports whether a value has two digits, as nearly all that is random
// has: words are told from it at a glance.
func hasDigits(v []byte) bool {
	n := 0
	for _, c := range v {
		if isDigit(c) {
			n++
		}
	}
	return n > 1
}

// isLoneRandom judges a value that has hardly anything around it to say what
// it is.
func isLoneRandom(text []byte, from, to int) bool {
	v := text[from:to]
	if len(v) < 20 || !hasDigits(v) {
		return false
	}
	s := measure(v)
	return s.isRandom() && !s.isSequence() && s.digits >= 3 && s.wordy*3 < s.letters && s.others*6 < len(v) &&
		!isDummy(v) && !isPath(v) && !isHash(text, from) && !isUUID(v)
}

// documented reports what an assignment gives a token or key that counts
// through the alphabet, as documentation does: no real secret as a rule, and
// reported with little confidence.
func documented(text []byte, at, end int, report func(start, end int)) {
	f, ok := assignment(text, at, end)
	if !ok || f.op == '(' || f.op == ' ' || f.double {
		return
	}
	afterScheme(text, &f)
	v := text[f.start:f.end]
	if len(v) < 14 || len(v) > 512 {
		return
	}
	if k := nameKind(f.name); k != aToken && k != aSecret && !(k == aKey && (len(f.name) > 5 || len(v) >= 32)) {
		return
	}
	if isStandIn(v) || isReference(v) || isPath(v) || hasSpace(v) {
		return
	}
	if s := measure(v); s.isSequence() && s.distinct >= 6 && s.distinct < 50 && s.letters > 0 && (s.digits > 2 || s.letters >= 20) {
		report(f.start, f.end)
	}
}

// documentedTokens reports a token with a provider's prefix whose rest counts
// through the alphabet or has another length than the provider's rule knows:
// most stand in documentation, some are of a form that is newer than the
// rules. The anchor is the prefix.
func documentedTokens(text []byte, at, end int, report func(start, end int)) {
	if at > 0 && (isAlnum(text[at-1]) || text[at-1] == '_' || text[at-1] == '/') {
		return
	}
	stop := end
	for stop < len(text) && stop-at < maxValue && isKeyByte(text[stop]) {
		stop++
	}
	for stop > end && !isAlnum(text[stop-1]) {
		stop--
	}
	v := text[at:stop]
	if len(v) < 24 || stop-end < 16 || isIdentifier(v) || isStandIn(v) || isPath(v) {
		return
	}
	if s := measure(text[end:stop]); s.distinct >= 6 && (s.isSequence() && s.digits > 0 || s.isRandom()) {
		report(at, stop)
	}
}
