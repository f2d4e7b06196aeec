package action

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/workingagents/gatehouse/internal/flow"
)

// calls finds in code what starts programs with a text that stands there.
var runs = regexp.MustCompile("(?s)\\b(?:system|popen2?|exec[lvpe]*|spawn\\w*|execSync|execFile\\w*|spawnSync|check_output|check_call|getoutput|shell_exec|passthru|proc_open|call|run|Popen|Command|Runtime\\.exec|do shell script|backticks)\\s*\\(?\\s*(?:\\[\\s*)?(?:f|r|b)?(\"(?:[^\"\\\\]|\\\\.)+\"|'(?:[^'\\\\]|\\\\.)+'|`[^`]+`)")

// code judges code of an interpreter by its literals and by patterns.
func (s *shell) code(text string, c *command) {
	if len(text) > maxParse {
		text = text[:maxParse]
	}
	if s.work += len(text); s.work > maxWork || !s.afford(len(text)) {
		return
	}
	s.calls(text, c)
	s.asks(text, c)
	s.patterns(text, c)
	for _, m := range pathLiteral.FindAllStringSubmatch(text, 32) {
		for _, p := range s.placesOf(m[1]) {
			if p == secretPlace || p == weakSecret || p == memoryPlace {
				s.reads(c, m[1])
			} else if opensToWrite.MatchString(text) {
				s.writes(c, m[1])
			}
		}
	}
	s.windows(text)
}

// patterns judges code by what it looks like.
func (s *shell) patterns(text string, c *command) {
	for _, p := range codePatterns() {
		if p.pattern.MatchString(text) {
			s.hit(c, p.rule, p.severity, p.confidence, p.note, codeHosts(text))
		}
	}
}

var bareShell = regexp.MustCompile(`^\s*(/usr)?(/bin/)?(ba|z|da|k)?sh(\s+-[ip]+)?(\s+&)?\s*$`)

// calls judges the commands that code starts.
func (s *shell) calls(text string, c *command) {
	for _, m := range runs.FindAllStringSubmatch(text, 32) {
		text := literal(m[1])
		if bareShell.MatchString(text) {
			s.hit(c, Privilege, flow.High, 65, "opens a shell out of another program", nil)
		}
		s.nested(text, c)
	}
	if c.name == "perl" || c.name == "ruby" || c.name == "php" {
		for _, m := range backquoted.FindAllStringSubmatch(text, 32) {
			s.nested(m[1], c)
		}
	}
	if i := strings.Index(text, ":!"); i >= 0 && (c.name == "vim" || c.name == "vi") {
		s.nested(strings.TrimSpace(text[i+2:]), c)
	}
}

// backquoted is a command in Perl, Ruby and PHP.
var backquoted = regexp.MustCompile("`([^`]+)`")

// literal takes the quotes and escapes off a string of code.
func literal(text string) string {
	if len(text) < 2 {
		return text
	}
	if text[0] == '`' {
		return text[1 : len(text)-1]
	}
	return ansi(text[1 : len(text)-1])
}

// What code calls that asks other machines, and what sends along something.
var (
	asking  = regexp.MustCompile(`\b(urlopen|urlretrieve|urllib3?|requests|httpx|aiohttp|fetch|axios|got|https?\.(get|request)|Net::HTTP|URI\.open|LWP|HttpClient|curl_exec|file_get_contents)\b`)
	sending = regexp.MustCompile(`(?i)\.(post|put|patch)\s*\(|["'](post|put|patch)["']|\burlopen\(.{0,200}\bdata\s*=`)
)

// asks notes the way of code that asks other machines, which are known where their
// addresses stand in it or in its arguments.
func (s *shell) asks(text string, c *command) {
	facts := codeHosts(text)
	for _, h := range hosts(c) {
		facts = append(facts, hostFact(h))
	}
	facts = slices.DeleteFunc(facts, func(f string) bool { return isLocal(strings.TrimPrefix(f, "host=")) })
	if len(facts) > 0 && asking.MatchString(text) {
		s.way(Way{Out: sending.MatchString(text), Start: s.at(c.start), End: s.at(c.end), Facts: addFacts(nil, facts)})
	}
}

func codeHosts(text string) (facts []string) {
	for _, m := range schemes.FindAllStringSubmatch(text, 6) {
		facts = append(facts, hostFact(hostOf(m[1])))
	}
	return facts
}

var (
	pathLiteral  = regexp.MustCompile(`["'` + "`" + `]((?:/|~|\.|\$HOME|[A-Za-z]:)[^"'` + "`" + `\s]{2,200})["'` + "`" + `]`)
	opensToWrite = regexp.MustCompile(`(?i)["'](w|a|wb|ab|w\+|a\+)["']|write_?(text|file|bytes|sync)|unlink|rmtree|os\.remove|appendFile|outfile|>>|copy|chmod|put_contents`)
)

type codePattern struct {
	pattern *regexp.Regexp
	verdict
}

var codePatterns = sync.OnceValue(func() (list []codePattern) {
	for _, p := range []struct {
		pattern string
		verdict
	}{
		{`(?is)\b(exec|eval|system|popen|subprocess|Function)\b.*(urlopen|requests\.get|urllib|http\.get|fetch\(|file_get_contents\(['"]http|Net::HTTP|LWP)|(urlopen|requests\.get|urllib\.request|LWP::|Net::HTTP).*\b(exec|eval|os\.system|popen|subprocess|chmod)\b`, verdict{DownloadRun, flow.High, 85, "code that runs what it fetches"}},
		{`(?is)\b(requests|urllib\d?|httpx|urlretrieve|aiohttp)\b.{0,800}\b(os\.system|subprocess|exec\(|popen|chmod)`, verdict{DownloadRun, flow.High, 75, "code that runs what it fetches"}},
		{`(?is)(https?["']?\)?\.get\(|\bfetch\(|axios\.get).*(\beval\s*\(|new Function\s*\(|\bvm\.run)|\beval\s*\(?\s*(get|URI\.open|open|URI\(|HTTP::Tiny|Net::HTTP|LWP::)\b.{0,80}https?:`, verdict{DownloadRun, flow.High, 85, "code that runs what it fetches"}},
		{`(?is)https?://[^"'` + "`" + `\s]{1,200}(["']\s*(\+|\.|%)\s*[^;\n]{0,40}(os\.environ|os\.getenv|process\.env|ENV\[|\$ENV\{|getenv\()|[$#]?\{\s*(os\.environ|os\.getenv|process\.env|ENV\[|getenv\())[^;\n]{0,20}(key|token|secret|passw)`, verdict{Exfiltration, flow.High, 70, "code that sends a key in an address"}},
		{`(?is)\b(bz2|gzip|zlib|zipfile|tarfile)\b.{0,300}["'](/etc/|/home|~|/Users|/root|/var/)`, verdict{Collection, flow.Medium, 55, "code that packs files of the system or a home"}},
		{`(?is)\b(exec|eval)\s*\(?.{0,80}(b64decode|base64|fromhex|unhexlify|atob\(|decode_base64|gzinflate|str_rot13|marshal\.loads|zlib\.decompress)`, verdict{HiddenRun, flow.High, 88, "encoded code is run"}},
		{`(?is)(socket|require\(["']net["']\)|net\.connect).{0,400}(dup2|["' ](/usr)?/bin/(ba|z|da|k)?sh\b|pty\.spawn|popen\(\s*\w+\s*\))|(fsockopen|TCPSocket).{0,300}(["' ](/usr)?/bin/(ba|z|da|k)?sh\b|[^>.\w](shell_exec|exec|popen|proc_open|passthru|system)\b\s*\(?\s*["'$]|IO\.popen\(\s*\w)|["']/inet/(tcp|udp)/.{0,200}getline.{0,200}\|`, verdict{Lateral, flow.Critical, 92, "gives a shell to another machine"}},
		{`(?is)socket.{0,400}(subprocess|exec\s*["'(])|/inet/(tcp|udp)/`, verdict{Lateral, flow.High, 60, "speaks to another machine and starts programs"}},
		{`(?is)(\brmtree|rmSync|rimraf|FileUtils\.rm_rf|remove_tree)\s*\(?\s*["'](/|~|/home/?|/etc/?|/usr/?|/var/?|/root/?|C:\\+)["']`, verdict{Destructive, flow.Critical, 92, "deletes the system or a home"}},
		{`(?is)\bpty\.spawn\(\s*["']/bin/(ba)?sh`, verdict{Lateral, flow.Medium, 60, "opens a terminal for a shell"}},
		{`(?is)(requests\.(post|put)|urlopen\(.*data|http\.client|fetch\(.*(POST|PUT)|smtplib|ftplib).{0,400}(open\(|readFile|environ|process\.env)|(open\(|readFile|os\.environ|process\.env).{0,400}(requests\.(post|put)|urlopen\(.*data|smtplib|ftplib|fetch\()`, verdict{Exfiltration, flow.High, 70, "code that sends files or the environment"}},
		{`(?is)\b(pynput|keyboard\.hook|GetAsyncKeyState|ImageGrab|pyautogui\.screenshot|pyperclip|CGEventTap)`, verdict{Collection, flow.High, 65, "code that records keys or the screen"}},
		{`(?is)(setuid\(0\)|POSIX::setuid|os\.setuid|Process::UID)`, verdict{Privilege, flow.High, 75, "code that becomes root"}},
		{`(?is)(ctypes|mmap|VirtualAlloc|memfd_create|prctl|LoadLibrary|dlopen)\b.{0,200}(PROT_EXEC|exec|shellcode|0x40|MFD_|inject|PR_SET_NAME)`, verdict{HiddenRun, flow.High, 75, "code that runs from memory or in disguise"}},
		{`(?is)\b(crypto|Fernet|AES)\b.{0,300}os\.walk|os\.walk.{0,400}(encrypt|Fernet|AES)`, verdict{Destructive, flow.High, 75, "code that encrypts many files"}},
	} {
		list = append(list, codePattern{regexp.MustCompile(p.pattern), p.verdict})
	}
	return list
})
