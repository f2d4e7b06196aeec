package secret

import "bytes"

// maxBlock bounds a key block: a 16384-bit RSA key is 12,7 KB, hardly used;
// 8192 bits in PEM take 6.4 KB.
const maxBlock = 8 << 10

// privateKeys reports PEM, OpenSSH and PGP private key blocks, header and end
// line included. A block whose end isn't in sight counts as far as its base64
// goes. The anchor is "-----BEGIN", or "---- BEGIN" of SSH2.
func privateKeys(text []byte, at, end int, report func(start, end int)) {
	line := text[end:min(len(text), end+64)]
	mark := bytes.Index(line, []byte("PRIVATE KEY"))
	if mark < 0 || bytes.IndexByte(line[:mark], '\n') >= 0 || contains(line[:mark], "public") {
		return
	}
	body := end + mark + len("PRIVATE KEY")
	stop := blockEnd(text, body)
	if isKeyBody(text[body:stop]) {
		report(at, stop)
	}
}

// blockEnd gives the end of the block's END line, or of what still looks
// like base64 in lines, in string literals or with escaped line ends.
func blockEnd(text []byte, body int) int {
	limit := min(len(text), body+maxBlock)
	if n := bytes.Index(text[body:limit], []byte("END")); n >= 0 {
		stop := body + n
		for stop < limit && !isBreak(text[stop]) && text[stop] != '"' && text[stop] != '\'' && text[stop] != '<' && text[stop] != '\\' && text[stop] != '`' && stop-body-n < 60 {
			stop++
		}
		return stop
	}
	stop := body
	for stop < limit && (isAlnum(text[stop]) || bytes.IndexByte([]byte("+/=-\r\n\t \\\"'.,:%"), text[stop]) >= 0) {
		stop++
	}
	return stop
}

// isKeyBody asks for key material: a run of base64 that is no placeholder.
func isKeyBody(body []byte) bool {
	if bytes.Contains(body, []byte("...")) || bytes.Contains(body, []byte("…")) || bytes.Contains(body, []byte("EXAMPLE")) {
		return false
	}
	for i := 0; i < len(body); {
		j := i
		for j < len(body) && (isAlnum(body[j]) || body[j] == '+' || body[j] == '/' || body[j] == '=') {
			j++
		}
		if run := body[i:j]; len(run) >= 20 {
			s := measure(run)
			if s.distinct >= 8 && s.wordy*3 < len(run)*2 && !contains(run, "xxxx") {
				return true
			}
		}
		i = j + 1
	}
	return false
}

// puttyKeys reports the private lines of a PuTTY key file. The anchor is
// "Private-Lines:".
func puttyKeys(text []byte, at, end int, report func(start, end int)) {
	start := end
	for start < len(text) && !isBreak(text[start]) {
		start++
	}
	for start < len(text) && isBreak(text[start]) {
		start++
	}
	stop := start
	for stop < len(text) && stop-start < maxBlock && (isAlnum(text[stop]) || bytes.IndexByte([]byte("+/=\r\n"), text[stop]) >= 0) {
		stop++
	}
	if n := bytes.Index(text[start:stop], []byte("Private")); n > 0 {
		stop = start + n
	}
	if isKeyBody(text[start:stop]) {
		report(start, stop)
	}
}

// webKeys reports the private member of a JSON Web Key: d of RSA, EC and
// OKP, k of a symmetric one. The anchor is "kty" in quotes.
func webKeys(text []byte, at, end int, report func(start, end int)) {
	left, right := objectAround(text, at)
	private := bytes.Contains(text[left:right], []byte(`"oct"`))
	for i := left; i+6 < right; i++ {
		if text[i] != '"' || text[i+2] != '"' || text[i+1] != 'd' && !(text[i+1] == 'k' && private) {
			continue
		}
		p := i + 3
		for p < right && (isSpace(text[p]) || isBreak(text[p]) || text[p] == ':') {
			p++
		}
		if p >= right || text[p] != '"' {
			continue
		}
		stop := closing(text[:right], p, 1)
		if v := text[p+1 : stop]; len(v) >= 16 && measure(v).distinct >= 8 && !isDummy(v) {
			report(p+1, stop)
		}
	}
}

// objectAround gives the JSON object that holds the byte at at, as far as
// the bound goes.
func objectAround(text []byte, at int) (int, int) {
	left, right := at, at
	for depth := 0; left > 0 && at-left < 4096; left-- {
		if text[left-1] == '}' {
			depth++
		}
		if text[left-1] == '{' {
			if depth == 0 {
				break
			}
			depth--
		}
	}
	for depth := 0; right < len(text) && right-at < 4096; right++ {
		if text[right] == '{' {
			depth++
		}
		if text[right] == '}' {
			if depth == 0 {
				break
			}
			depth--
		}
	}
	return left, right
}
