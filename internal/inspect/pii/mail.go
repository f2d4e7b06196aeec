package pii

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// email finds the address around an "@". It leaves out what reaches nobody:
// domains of documents, senders that take no answer, and the user of an address
// of a machine (git@…, scheme://user@host, host:path).
func email(text []byte, at, _ int, report func(start, end int)) {
	start, end := at, at+1
	for start > 0 && at-start < 64 && inLocal(text[start-1]) {
		start--
	}
	for start < at && strings.IndexByte(".-+'%", text[start]) >= 0 {
		start++
	}
	for end < len(text) && end-at < 128 && (isWord(text[end]) && text[end] != '_' || text[end] == '-' || text[end] == '.') {
		end++
	}
	for end > at && (text[end-1] == '.' || text[end-1] == '-') {
		end--
	}
	if start == at || end-at < 5 && (end == len(text) || text[end] < utf8.RuneSelf) || at+1 == len(text) || text[at+1] == '.' || inURL(text, start) || isLocalOfMachine(text[start:at]) {
		return
	}
	if end+1 < len(text) && (text[end] == ':' && (isWord(text[end+1]) || text[end+1] == '/' || text[end+1] == '~') || text[end] == '@') {
		return // host:path
	}
	if isDomain(string(bytes.ToLower(text[at+1 : end]))) {
		report(start, end)
	} else if end < len(text) && text[end] >= utf8.RuneSelf {
		if end := wideDomain(text, at+1); end > 0 {
			report(start, end)
		}
	}
}

// wideDomain is the end of a domain in letters beyond ASCII (RFC 5890) that begins at
// a place; 0: there is none.
func wideDomain(text []byte, at int) int {
	end := at
	for end < len(text) && end-at < 128 {
		c, n := utf8.DecodeRune(text[end:])
		if !unicode.IsLetter(c) && !unicode.IsMark(c) && !unicode.IsDigit(c) && c != '-' && c != '.' {
			break
		}
		end += n
	}
	domain := bytes.ToLower(bytes.TrimRight(text[at:end], ".-"))
	_, top, _ := strings.Cut(string(domain[max(0, bytes.LastIndexByte(domain, '.')):]), ".")
	if strings.Contains(wideTops, " "+top+" ") && bytes.IndexByte(domain, '.') > 0 || top != "" && top[0] < utf8.RuneSelf && isDomain(string(domain)) {
		return at + len(domain)
	}
	return 0
}

// wideTops are top-level domains in other letters (IANA, root zone) that are in use.
const wideTops = " рф рус москва дети онлайн сайт орг ком укр бел срб мкд мон бг қаз ею ελ ευ 中国 中國 公司 网络 香港 台湾 台灣 新加坡 한국 ไทย भारत ভারত இந்தியா გე հայ " +
	"السعودية امارات مصر قطر عمان المغرب تونس ايران الاردن ישראל "

func inLocal(c byte) bool { return isWord(c) || strings.IndexByte(".-+'%", c) >= 0 || c >= 0x80 }

// inURL reports whether an address's user begins at a place.
func inURL(text []byte, start int) bool {
	if start == 0 || text[start-1] != ':' && text[start-1] != '/' {
		return false
	}
	from := start
	for from > 0 && start-from < 96 && text[from-1] > ' ' && text[from-1] != '"' && text[from-1] != '<' {
		from--
	}
	return bytes.Contains(text[from:start], []byte("//")) || text[start-1] == '/'
}

// isLocalOfMachine tells users that are no person.
func isLocalOfMachine(local []byte) bool {
	name := strings.NewReplacer("-", "", "_", "", ".", "").Replace(string(bytes.ToLower(local)))
	switch name {
	case "git", "noreply", "donotreply", "user", "username", "you", "your", "youremail", "yourname", "name", "email", "root", "postmaster", "mailerdaemon", "nobody", "someone", "example", "test", "hg", "svn":
		return true
	}
	return strings.HasSuffix(name, "noreply") || strings.HasPrefix(name, "noreply")
}

// longTops are top-level domains of more than two letters that are in wide use. A
// list of all would take names in code (self@x.method) for addresses.
const longTops = " com org net edu gov mil int biz info name pro mobi asia coop aero jobs travel cat post app dev cloud online site shop store tech blog xyz email " +
	"company agency digital solutions services group team world live life media news network software systems tools zone works academy center global health care clinic " +
	"law legal expert consulting finance bank money capital fund insurance design studio photo art music games club social community foundation church school university " +
	"international london paris berlin hamburg wien koeln tokyo nyc swiss bayern brussels amsterdam scot wales cymru bzh eus gal moscow "

// fileTops are endings of file names that are also countries, or look like it.
var fileTops = []string{"js", "ts", "cc", "hs", "pl", "so", "jsx", "tsx"}

func isDomain(domain string) bool {
	labels := strings.Split(domain, ".")
	if len(labels) < 2 || slices.Contains(labels, "") {
		return false
	}
	top := labels[len(labels)-1]
	for _, c := range []byte(top) {
		if c < 'a' || c > 'z' {
			return strings.HasPrefix(top, "xn--")
		}
	}
	if len(top) != 2 && !strings.Contains(longTops, " "+top+" ") || slices.Contains(fileTops, top) && len(labels) == 2 && len(labels[0]) < 3 {
		return false
	}
	second := labels[len(labels)-2]
	if len(labels) > 2 && len(second) <= 3 {
		second = labels[len(labels)-3] // example.co.uk
	}
	switch second {
	case "example", "domain", "yourdomain", "yourcompany", "email", "test", "host", "localhost":
		return false
	}
	return true
}
