package secret

import "math"

// shape is what a value is made of.
type shape struct {
	letters, uppers, digits, others int // counts of bytes
	distinct                        int
	wordy                           int // letters that stand in what could be a word
	known                           int // letters that stand in words of the list
	steps                           int // bytes that follow their neighbour in the alphabet, up or down, or repeat it
	islands                         int // runs of digits that touch a letter
	entropy                         float64
}

// measure takes the shape of a value.
func measure(v []byte) shape {
	var s shape
	var counts [256]int
	for i, c := range v {
		counts[c]++
		s.count(v, i, c)
	}
	for _, n := range counts {
		if n > 0 {
			s.distinct++
			p := float64(n) / float64(len(v))
			s.entropy -= p * math.Log2(p)
		}
	}
	pieces(v, func(piece []byte) bool {
		if isDigit(piece[0]) || len(piece) < 3 {
			return true
		}
		if isKnown(piece) {
			s.known += len(piece)
		}
		if isWord(piece) {
			s.wordy += len(piece)
		}
		return true
	})
	return s
}

// count takes one byte into the shape.
func (s *shape) count(v []byte, i int, c byte) {
	switch {
	case isDigit(c):
		s.digits++
		if (i == 0 || !isDigit(v[i-1])) && touchesLetter(v, i) {
			s.islands++
		}
	case isLetter(c):
		s.letters++
		if isUpper(c) {
			s.uppers++
		}
	default:
		s.others++
	}
	if i > 0 && isAlnum(c) && isStep(v[i-1], c) {
		s.steps++
	}
}

// touchesLetter reports whether the run of digits that begins at i has a
// letter on either side.
func touchesLetter(v []byte, i int) bool {
	if i > 0 && isLetter(v[i-1]) {
		return true
	}
	for i < len(v) && isDigit(v[i]) {
		i++
	}
	return i < len(v) && isLetter(v[i])
}

func isStep(a, b byte) bool {
	return a == b || a+1 == b || b+1 == a || a == '9' && b == '0' || lower(a) == 'f' && b == '0'
}

// isSequence reports whether a value counts through the alphabet or repeats
// itself, as the values in documentation do.
func (s shape) isSequence() bool {
	n := s.letters + s.digits
	return n > 0 && s.steps*10 >= n*5
}

// isRandom reports whether nobody chose the letters: they are mixed with
// digits, or are no words.
func (s shape) isRandom() bool {
	n := s.letters + s.digits
	switch {
	case n < 8 || s.distinct < 5:
		return false
	case s.digits > 0 && s.letters > 0:
		return s.islands > 2 && s.wordy*10 < s.letters*8 || s.wordy*10 < s.letters*6 && (s.digits >= 3 || s.wordy*10 < s.letters*4)
	case s.letters == 0:
		return false
	}
	return s.wordy*10 < s.letters*4 && s.distinct >= 6
}

// dummies are values that stand for a value.
var dummies = []string{
	"xxx", "***", "...", "changeme", "change_me", "change-me", "changeit", "change_it", "example", "sample", "placeholder",
	"redacted", "dummy", "your_", "your-", "yourpass", "yourkey", "yourtoken", "yoursecret", "yourapi", "insert", "replace", "todo", "fixme", "omitted", "masked", "hidden",
	"not_set", "notset", "unset", "secret_here", "goes_here", "_here", "-here", "my_", "my-",
	"some_", "some-", "fake", "mock", "foobar", "invalid", "lorem", "testing", "test_", "test-", "_test", "-test", "12345678901234567890",
}

// plain are whole values that protect nothing, or are words of a program.
var plain = []string{
	"password", "passwd", "pass", "pwd", "secret", "token", "key", "value", "string", "admin", "root", "user", "username", "name",
	"test", "tests", "foo", "bar", "baz", "none", "null", "nil", "true", "false", "undefined", "empty", "default", "required", "optional",
	"yes", "no", "on", "off", "auto", "basic", "bearer", "digest", "text", "hash", "bytes", "number", "int", "bool", "boolean", "object",
	"array", "any", "str", "char", "varchar", "enabled", "disabled", "credential", "credentials", "login", "auth", "prompt", "stdin",
	"env", "file", "vault", "unknown", "new", "old", "current", "data", "abc", "abcd", "abc123", "pw", "p@ss", "val", "guest", "demo", "public", "private", "something", "anything", "nothing", "whatever", "passwort", "kennwort", "wachtwoord", "senha", "heslo", "parola", "lozinka", "salasana", "sandi",
	"mypass", "mypassword", "mysecret", "mytoken", "mykey", "myapikey", "secretpassword", "testpassword", "userpass", "dbpass", "testpass", "thepassword", "newpassword", "oldpassword", "adminpass",
}

// isDummy reports whether a value stands for a value, or protects nothing.
func isDummy(v []byte) bool {
	if len(v) == 0 {
		return true
	}
	if isPlain(v) {
		return true
	}
	for _, word := range dummies {
		if contains(v, word) {
			return true
		}
	}
	s := measure(v)
	return s.distinct < 3 || s.letters+s.digits == 0 || isNumber(v) || isEscaped(v) || len(v) < 12 && s.letters == 0 && s.isSequence() || isReference(v)
}

// isPlain reports whether a value is one of plain, digits behind it or not.
func isPlain(v []byte) bool {
	for len(v) > 1 && isDigit(v[len(v)-1]) {
		v = v[:len(v)-1]
	}
	for _, word := range plain {
		if equalFold(v, word) {
			return true
		}
	}
	return false
}

// isReference reports whether a value names a variable, a template's gap or
// a place to read from, rather than being the value.
func isReference(v []byte) bool {
	if len(v) == 0 {
		return false
	}
	switch v[0] {
	case '$', '<', '{', '[', '(', '@':
		if len(v) > 1 && (v[0] != '@' || isLetter(v[1])) && (v[0] != '$' || isLetter(v[1]) || v[1] == '{' || v[1] == '(' || v[1] == '_' || isDigit(v[1]) && len(v) < 4) {
			return true
		}
	case '%':
		if v[len(v)-1] == '%' || len(v) < 4 {
			return true
		}
	case '#':
		if len(v) > 1 && v[1] == '{' {
			return true
		}
	}
	for i := 0; i+1 < len(v); i++ {
		two := string(v[i : i+2])
		switch two {
		case "%s", "%d", "%v", "%q":
			if len(v) < 24 {
				return true
			}
		case "${", "$(", "#{", "{{", "}}", "<%", "%>", "%(", "()", "](", "[\"", "['", "::", "\\(", "]{", "]+", "]*":
			return true
		}
	}
	return false
}

// isIdentifier reports whether a value reads like a name in a program:
// words joined by signs or capitals, with hardly a digit.
func isIdentifier(v []byte) bool {
	s := measure(v)
	if s.letters == 0 {
		return false
	}
	for _, c := range v {
		if !isName(c) && c != '/' && c != ':' && c != ' ' && c < 0x80 {
			return false
		}
	}
	return s.digits*4 <= s.letters && s.wordy*10 >= s.letters*6
}

// How paths, addresses and resources begin, and how files' names end.
var (
	pathPrefixes = []string{"arn:", "urn:", "./", "../", "~/", "/dev/", "/etc/", "/var/", "/run/", "/home/", "/usr/", "/opt/", "c:\\"}
	pathSuffixes = []string{".pem", ".key", ".crt", ".json", ".yaml", ".yml", ".txt", ".p12", ".jks", ".env", ".conf", ".go", ".py", ".js", ".ts", ".html",
		".com", ".org", ".net", ".io", ".md", ".cer", ".php", ".sh", ".xml", ".properties", ".keytab", ".pub"}
)

// isPath reports whether a value is a path, an address or a file's name.
func isPath(v []byte) bool {
	if contains(v, "://") {
		return true
	}
	for _, prefix := range pathPrefixes {
		if startsWith(v, prefix) {
			return true
		}
	}
	for _, suffix := range pathSuffixes {
		if len(v) > len(suffix) && equalFold(v[len(v)-len(suffix):], suffix) {
			return true
		}
	}
	slashes, wordy := 0, measure(v)
	for _, c := range v {
		if c == '/' || c == '\\' {
			slashes++
		}
	}
	return slashes >= 2 && wordy.wordy*2 >= wordy.letters
}

// isNumber reports whether a value is a number of a program: 0x1f, -12.
func isNumber(v []byte) bool {
	if len(v) > 0 && v[0] == '-' {
		v = v[1:]
	}
	if len(v) > 18 || !startsWith(v, "0x") {
		return false
	}
	for _, c := range v[2:] {
		if !isHex(c) && c != '_' {
			return false
		}
	}
	return true
}

// isEscaped reports whether a value is written in escapes of a program: bytes
// rather than text.
func isEscaped(v []byte) bool {
	for i := 0; i+1 < len(v); i++ {
		if v[i] == '\\' && (v[i+1] == 'x' || v[i+1] == 'u' || v[i+1] == '0') {
			return true
		}
	}
	return false
}

// isUUID reports whether v is 8-4-4-4-12 hexadecimal digits.
func isUUID(v []byte) bool {
	if len(v) != 36 {
		return false
	}
	for i, c := range v {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && !isHex(c) {
			return false
		}
	}
	return true
}

// isHash reports whether the text before a value says that it is a digest, a
// commit or a checksum: "sha256:", "integrity", "commit".
func isHash(text []byte, start int) bool {
	before := text[max(0, start-24):min(len(text), start+8)]
	for _, word := range []string{"sha1", "sha256", "sha512", "sha384", "md5", "commit", "digest", "checksum", "integrity", "etag", "fingerprint", "revision", "srcrev"} {
		if contains(before, word) {
			return true
		}
	}
	return false
}
