package secret

import "bytes"

// passwords reports what is assigned to a password: the value may be weak,
// but it must not be a word of the program or of a sentence.
func passwords(text []byte, at, end int, report func(start, end int)) {
	f, ok := assignment(text, at, end)
	if !ok || nameKind(f.name) != aPassword || !f.quoted && equalFold(f.name, "pass") || isWorkingFolder(f.name) {
		return
	}
	v := text[f.start:f.end]
	if isPassword(f, v) {
		report(f.start, f.end)
	}
}

func isPassword(f found, v []byte) bool {
	if len(v) < 4 || len(v) > 256 || isDummy(v) || isPath(v) || sameWords(f.name, v) || hasSpace(v) {
		return false
	}
	s := measure(v)
	if f.double && s.letters == len(v) {
		return f.quoted && len(v) > 5 && s.wordy == 0
	}
	if f.op == '(' || f.op == ',' || f.double {
		return s.isRandom() || s.letters > 3 && s.digits > 0 && s.others > 0 && s.wordy == 0
	}
	if !f.quoted {
		return isBarePassword(f, v, s)
	}
	switch {
	case s.letters == 0:
		return len(v) >= 6 && !s.isSequence()
	case s.digits == 0 && s.others == 0:
		return s.wordy*2 < s.letters || len(v) > 4 && s.uppers == 0 && !isKnown(v)
	case s.digits == 0:
		return !isIdentifier(v)
	}
	return !isIdentifier(v) || s.uppers > 0 && s.digits > 1
}

// isWorkingFolder tells the PWD and OLDPWD of a shell from a password.
func isWorkingFolder(name []byte) bool { return string(name) == "PWD" || string(name) == "OLDPWD" }

// isBarePassword judges a value without quotes: in a program it would be a
// variable.
func isBarePassword(f found, v []byte, s shape) bool {
	environment := isShouted(f.name)
	switch {
	case isIdentifier(v):
		return false
	case s.letters == 0:
		return len(v) >= 6 && !s.isSequence() && f.op != ' ' && s.digits > 0
	case s.digits == 0 && s.others == 0:
		return s.wordy*2 < s.letters && (len(v) >= 6 || environment)
	case f.op == ' ':
		return s.isRandom() || s.digits > 0 && s.others > 0
	}
	for i, c := range v {
		if c == '(' || c == '[' || c == '.' && i > 0 && s.digits == 0 {
			return false
		}
	}
	return s.wordy*2 < s.letters || s.digits > 0 && s.others > 0
}

// secrets reports what is assigned to a secret, token or API key: a value
// that nobody could have chosen by hand.
func secrets(text []byte, at, end int, report func(start, end int)) {
	f, ok := assignment(text, at, end)
	if !ok {
		return
	}
	if afterScheme(text, &f); f.end-f.start < 8 {
		return
	}
	if k := nameKind(f.name); k != aSecret && k != aToken {
		return
	}
	v := text[f.start:f.end]
	if len(v) > 16 && (v[0] == '{' || v[0] == '[') && f.quoted {
		inside(text, f, report)
		return
	}
	if isDummy(v) || isPath(v) || hasSpace(v) || isHash(text, f.start) {
		return
	}
	if isSecret(f, v, measure(v)) {
		report(f.start, f.end)
	}
}

func isSecret(f found, v []byte, s shape) bool {
	if _, password, ok := basic(v); ok && isPlain(password) {
		return false // Basic dXNlcjpw…, user:password
	}
	switch {
	case isUUID(v):
		return true
	case s.isSequence():
		return false
	case s.digits == 0 && !f.quoted: // in a program it would be a variable
		return f.tight && len(v) >= 12 && s.isRandom() && s.wordy*10 < s.letters*3
	}
	return s.isRandom() || f.quoted && len(v) >= 10 && s.digits > 2 && s.islands > 0 && s.others == 0 && s.known*2 < s.letters
}

// keys reports a random value that is assigned to what is only called a key,
// a signature, a cookie.
func keys(text []byte, at, end int, report func(start, end int)) {
	f, ok := assignment(text, at, end)
	if !ok || f.end-f.start < 16 || f.op == '(' || f.op == ' ' || f.double || nameKind(f.name) != aKey {
		return
	}
	v := text[f.start:f.end]
	if isDummy(v) || isPath(v) || hasSpace(v) || isUUID(v) || isHash(text, f.start) {
		return
	}
	if s := measure(v); s.isRandom() && !s.isSequence() && s.digits >= 2 && s.entropy >= 3 && s.wordy*3 < s.letters {
		report(f.start, f.end)
	}
}

// afterScheme moves the start of a value behind "Bearer " and the like.
func afterScheme(text []byte, f *found) {
	for _, scheme := range []string{"bearer ", "basic ", "token ", "apikey ", "sso-key ", "ssws ", "digest "} {
		if startsWith(text[f.start:f.end], scheme) {
			f.start += len(scheme)
		}
	}
	if n := bytes.IndexByte(text[f.start:f.end], ' '); f.quoted && n > 2 && n < 12 && f.end-f.start-n > 24 && isPrefixPart(text[f.start:f.start+n]) {
		f.start += n + 1 // a scheme of the provider's own: "FlyV1 …"
	}
	if !f.quoted && f.end-f.start < 8 {
		for _, scheme := range []string{"bearer", "basic", "token", "ssws"} {
			if equalFold(text[f.start:f.end], scheme) && f.end < len(text) && isSpace(text[f.end]) {
				f.start = f.end + 1
				f.end = bare(text, f.start, f.op)
				return
			}
		}
	}
}

// inside reports the random runs in a value that is itself JSON.
func inside(text []byte, f found, report func(start, end int)) {
	for i := f.start; i < f.end; {
		if !isAlnum(text[i]) {
			i++
			continue
		}
		j := i
		for j < f.end && (isAlnum(text[j]) || text[j] == '-' || text[j] == '_' || text[j] == '+' || text[j] == '/') {
			j++
		}
		if s := measure(text[i:j]); j-i >= 16 && s.isRandom() && !isDummy(text[i:j]) {
			report(i, j)
		}
		i = j
	}
}

// sameWords reports whether a value only says its name again.
func sameWords(name, v []byte) bool {
	if len(v) > len(name)+2 {
		return false
	}
	i := 0
	for _, c := range v {
		if !isAlnum(c) {
			continue
		}
		for i < len(name) && lower(name[i]) != lower(c) {
			i++
		}
		if i == len(name) {
			return false
		}
		i++
	}
	return true
}

func hasSpace(v []byte) bool {
	for _, c := range v {
		if isSpace(c) || isBreak(c) {
			return true
		}
	}
	return false
}

// isShouted reports whether a name is written in capitals, as environment
// variables are.
func isShouted(name []byte) bool {
	for _, c := range name {
		if isLower(c) {
			return false
		}
	}
	return true
}
