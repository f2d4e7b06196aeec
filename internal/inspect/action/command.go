package action

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/workingagents/gatehouse/internal/flow"
)

// hit notes what a command does.
func (s *shell) hit(c *command, rule string, severity flow.Severity, confidence int, note string, facts []string) {
	if s.cap > 0 && confidence > s.cap {
		confidence = s.cap
	}
	all := []string{}
	if c.name != "" {
		all = append(all, "cmd="+c.name)
	}
	s.add(Found{Rule: rule, Severity: severity, Confidence: confidence, Start: s.at(c.start), End: s.at(c.end), Facts: addFacts(all, facts), Note: note})
}

// facts are the hosts that a command speaks to, and itself.
func (s *shell) facts(c *command) (list []string) {
	if c.name != "" {
		list = append(list, "cmd="+c.name)
	}
	for _, h := range hosts(c) {
		list = append(list, hostFact(h))
	}
	return list
}

// maxHosts is how many addresses in one argument are looked at; behind them is ?.
const (
	maxHosts    = 8
	maxHostText = 2048 // bytes of an argument
)

// sends reports whether a command carries what it reads to another machine.
func sends(c *command) bool {
	switch c.name {
	case "nc", "ncat", "netcat", "socat", "telnet", "ssh", "sftp", "ftp", "tftp", "mail", "mailx", "mutt", "sendmail", "msmtp", "swaks":
		return true
	case "curl", "wget":
		return uploads(c)
	case "http", "https", "xh":
		return posts(c)
	case "lftp":
		return puts.MatchString(c.line)
	case "aws", "gsutil", "az", "rclone", "gh", "gcloud", "s3cmd", "mc":
		return stores(c)
	case "openssl":
		return has(c.args, "s_client")
	case "nslookup", "dig", "host", "ping":
		return c.dyn
	case "xargs":
		return false
	}
	return slices.ContainsFunc(c.writes, isDevice)
}

// stores reports whether a command of a cloud puts something there. What it only
// asks or sets up there is no sending.
func stores(c *command) bool {
	list := c.operands()
	if len(list) == 0 {
		return false
	}
	switch c.name {
	case "gh":
		return has(list, "gist", "release", "issue", "pr") && has(list, "create", "upload", "comment", "edit", "review")
	case "az":
		return has(list, "upload", "upload-batch", "copy", "put")
	case "aws":
		if has(list, "put-object", "upload-part") {
			return true
		}
	}
	last := list[len(list)-1]
	return has(list, "cp", "mv", "sync", "rsync", "copy", "copyto", "move", "moveto", "put", "mirror", "upload", "rcat") &&
		(strings.Contains(last, "://") || strings.Contains(last, ":") && c.name == "rclone" || c.name == "mc") && !strings.Contains(list[len(list)-2], "://")
}

var (
	puts     = regexp.MustCompile(`\bm?put\b|mirror .*(-R|--reverse)`)
	sendings = regexp.MustCompile(`^(POST|PUT|PATCH)$`)
	items    = regexp.MustCompile(`^[^:/=@]*(:=@?|=@?|@)[^=]|^@`)
)

// posts reports whether HTTPie sends a body.
func posts(c *command) bool {
	list := c.operands()
	return len(c.reads) > 0 || c.input != "" || slices.ContainsFunc(list, sendings.MatchString) || len(list) > 1 && slices.ContainsFunc(list[1:], items.MatchString)
}

// uploads reports whether curl or wget sends a body.
func uploads(c *command) bool {
	for i, a := range c.args {
		switch {
		case has([]string{a}, "-d", "-F", "-T", "--data", "--form", "--upload-file", "--data-binary", "--data-raw", "--data-urlencode", "--json", "--form-string"):
			return true
		case strings.HasPrefix(a, "--data"), strings.HasPrefix(a, "--form"), strings.HasPrefix(a, "--upload-file"), strings.HasPrefix(a, "--post-"), strings.HasPrefix(a, "--body-"):
			return true
		case a == "-XPOST" || a == "-XPUT" || a == "-XPATCH":
			return true
		case len(a) > 2 && (strings.HasPrefix(a, "-d") || strings.HasPrefix(a, "-F") || strings.HasPrefix(a, "-T")) && c.name == "curl":
			return true
		case (a == "-X" || a == "--request") && i+1 < len(c.args) && (c.args[i+1] == "POST" || c.args[i+1] == "PUT" || c.args[i+1] == "PATCH"):
			return true
		case c.name == "curl" && len(a) > 1 && a[0] == '-' && a[1] != '-' && strings.ContainsAny(a[len(a)-1:], "dTF"):
			return true
		}
	}
	return false
}

// harmless are commands that may name a secret's file without reading it to
// anybody.
var harmless = set("ls stat test [ file chmod chown mkdir touch ssh-add ssh-keygen ssh ssh-copy-id du find which echo printf rm rmdir cd pushd basename dirname realpath readlink git exec export alias type command true false : sleep kill kubectl helm docker df lsof gpg md5 md5sum sha256sum umask nohup source .")

// writers write to their arguments; the value says to which: all, or the last.
var writers = map[string]string{
	"tee": "all", "cp": "last", "mv": "last", "install": "last", "ln": "last", "rsync": "last", "touch": "all", "truncate": "all", "rm": "all", "unlink": "all", "shred": "all", "srm": "all", "wipe": "all",
	"chmod": "all", "chown": "all", "chgrp": "all", "chattr": "all", "nano": "all", "vim": "all", "vi": "all", "visudo": "all", "ed": "all", "ex": "all", "patch": "all", "rmdir": "all", "ditto": "last", "mkdir": "all", "setfacl": "all", "chflags": "all", "sponge": "all",
	"dd": "of", "curl": "-o", "wget": "-O", "sed": "-i", "perl": "-i", "sqlite3": "all", "emacs": "all", "mkfifo": "all", "scp": "last", "unzip": "-d", "plutil": "all", "defaults": "all", "gcc": "-o", "clang": "-o", "cc": "-o", "openssl": "-out", "sort": "-o", "xattr": "all", "code": "all",
}

// judgeCommand judges a command by tables and by what it reads, writes and
// speaks to.
func (s *shell) judgeCommand(c *command) {
	s.judgeFiles(c)
	s.substituted(c)
	s.operandsOf(c)
	s.deletes(c)
	s.fetched(c)
	s.written(c)
	s.disguise(c)
	s.table(c)
	s.speaks(c)
	s.ours(c)
}

// substituted judges what is done with the output of other commands.
func (s *shell) substituted(c *command) {
	if len(c.subs) == 0 {
		return
	}
	facts := s.facts(c)
	for _, sub := range c.subs {
		facts = addFacts(facts, s.facts(sub))
	}
	runs := c.name == "eval" || c.name == "source" || c.name == "." || isInterpreter(c.name) || strings.HasPrefix(c.program, "$(")
	fetched := slices.ContainsFunc(c.subs, fetches)
	switch {
	case runs && fetched:
		s.hit(c, DownloadRun, flow.Critical, 95, "what is fetched is run at once", facts)
	case runs && slices.ContainsFunc(c.subs, decodes):
		s.hit(c, HiddenRun, flow.High, 85, "what is run is encoded", facts)
	}
}

// leak judges that something so secret goes to another machine.
func (s *shell) leak(c *command, secret secrecy, facts []string) {
	switch secret {
	case isSecret:
		s.hit(c, Exfiltration, flow.Critical, 92, "credentials are sent to another machine", facts)
	case mayBeSecret:
		s.hit(c, Exfiltration, flow.Medium, 60, "what may hold credentials is sent to another machine", facts)
	}
}

// readers are commands to which any word is the name of a file.
var readers = set("cat less more head tail tac nl bat xxd od hexdump strings base64 gbase64 base32 cut sort cp mv install tar zip gzip gpg openssl awk sed jq yq vim vi nano")

// namesFile reports whether an argument may name a file: to most commands a word
// without a slash or a dot is a topic or a subcommand.
func namesFile(c *command, a string) bool {
	if c.name == "gh" && !stores(c) { // its operands are repositories
		return false
	}
	return pathLike(a) || (readers[c.name] || writers[c.name] == "all" || writers[c.name] == "last") && !strings.Contains(a, "://")
}

// identities are the options by which a command that reaches others is told how to log
// in.
var identities = set("-e -E -i --rsh --cert --key --cacert --capath --private-key --certificate --ca-certificate --cert-key --proxy-cert --proxy-key --netrc-file -cert -key -CAfile")

// loginFiles are the places among the arguments of what a command logs in with.
func loginFiles(c *command) map[int]bool {
	if !network[c.name] {
		return nil
	}
	m := map[int]bool{}
	for _, a := range arguments(c) {
		if identities[a.option] {
			m[a.at] = true
		}
	}
	return m
}

// operandsOf judges the files that a command is given.
func (s *shell) operandsOf(c *command) {
	if c.name == "echo" || c.name == "printf" {
		return
	}
	how := writers[c.name]
	last := -1
	for i := len(c.args) - 1; i >= 0; i-- {
		if !strings.HasPrefix(c.args[i], "-") {
			last = i
			break
		}
	}
	inPlace := slices.ContainsFunc(c.args, func(a string) bool {
		return strings.HasPrefix(a, "-i") || strings.HasPrefix(a, "--in-place") || c.name == "perl" && strings.HasPrefix(a, "-") && strings.Contains(a, "i")
	})
	logins := loginFiles(c)
	for i, a := range c.args {
		if !mayMatter(a) || !namesFile(c, a) || logins[i] {
			continue
		}
		written := how == "all" || how == "last" && i == last && len(c.args) > 1 || how == "-i" && inPlace ||
			how == "of" && strings.HasPrefix(a, "of=") || i > 0 && (how == "-o" || how == "-O" || how == "-out" || how == "-d") && (c.args[i-1] == how || how == "-o" && c.args[i-1] == "--output" || how == "-out" && c.args[i-1] == "-keyout")
		switch {
		case written:
			if c.name == "chmod" || c.name == "chown" || c.name == "chgrp" || c.name == "mkdir" || c.name == "touch" || c.name == "rmdir" {
				s.attributes(c, a)
				continue
			}
			s.writes(c, operand(a))
		case !harmless[c.name] || c.name == "gpg" && has(c.args, "--export-secret-keys"):
			s.reads(c, operand(a))
		}
	}
}

// operand is the file in an argument such as of=FILE, @FILE or --file=FILE.
func operand(a string) string {
	if i := strings.IndexByte(a, '='); i > 0 && i < 24 && !strings.ContainsAny(a[:i], "/.") {
		a = a[i+1:]
	}
	return strings.TrimPrefix(a, "@")
}

// attributes judges that a file's rights or times are changed: of few files that
// matters.
func (s *shell) attributes(c *command, a string) {
	all, a := s.meant(a)
	for _, p := range all {
		switch p {
		case startPlace, rightsPlace, guardPlace:
			if c.name == "mkdir" || c.name == "touch" || strings.Contains(normal(a), "/hooks/") || strings.Contains(normal(a), "/.ssh/") {
				continue
			}
			s.hit(c, written[p].rule, flow.Medium, 55, "changes rights of "+map[place]string{startPlace: "what runs by itself", rightsPlace: "what says who may do what", guardPlace: "rules of protection"}[p], []string{"path=" + a})
		case gatePlace:
			s.hit(c, TamperGatehouse, flow.Critical, 90, "changes rights of what Gatehouse keeps", []string{"path=" + a})
		case secretPlace:
			if slices.ContainsFunc(c.args, func(m string) bool {
				return m == "777" || m == "666" || m == "644" || strings.HasSuffix(m, "a+r") || strings.HasSuffix(m, "o+r")
			}) && strings.Contains(a, "shadow") {
				s.hit(c, Credentials, flow.High, 85, "lets everybody read credentials", []string{"path=" + a})
			}
		}
	}
}

// deletes judges what is deleted for good.
func (s *shell) deletes(c *command) {
	switch c.name {
	case "rm", "srm", "grm", "unlink", "shred":
		s.removes(c)
	case "chmod", "chown", "chgrp":
		if has(c.args, "-R", "--recursive", "-Rf", "-fR", "-Rv", "-vR") {
			for _, a := range c.args {
				if a = s.from(a); vital(a) && !ownFolder.MatchString(normal(a)) {
					s.hit(c, Destructive, flow.Critical, 90, "changes rights of the whole system", []string{"path=" + a})
				}
			}
		}
	case "find":
		root := "."
		if len(c.args) > 0 && !strings.HasPrefix(c.args[0], "-") {
			root = c.args[0]
		}
		root = s.from(root)
		if has(c.args, "-delete") && sieved(c) && strings.Trim(root, "/") == "" {
			s.hit(c, Destructive, flow.Medium, 55, "deletes files all over the machine", []string{"path=" + root})
		}
		if has(c.args, "-delete") && vital(root) && !sieved(c) {
			s.hit(c, Destructive, flow.Critical, 90, "deletes all below a folder of the system or a home", []string{"path=" + root})
		}
	case "mv":
		list := c.operands()
		for _, from := range list[:max(0, len(list)-1)] {
			if from = s.from(from); vital(from) && !kept.MatchString(normal(from)) {
				s.hit(c, Destructive, flow.Critical, 90, "moves the system or a home away", []string{"path=" + from})
			}
		}
	case "rsync":
		s.mirrors(c)
	}
}

// kept are folders that are vital only as far as something is kept there.
var kept = regexp.MustCompile(`^/(opt|srv|mnt|data|var/lib|usr/local)(/|$)`)

// mirrors judges rsync --delete, which leaves in a folder only what its source has.
func (s *shell) mirrors(c *command) {
	list := c.operands()
	if len(list) < 2 || !slices.ContainsFunc(c.args, func(a string) bool { return strings.HasPrefix(a, "--del") }) {
		return
	}
	to := s.from(list[len(list)-1])
	if remoteHost(to) != "" || !vital(to) || kept.MatchString(normal(to)) {
		return
	}
	severity, confidence := flow.High, 75
	if strings.Contains(list[0], "empty") || strings.HasPrefix(s.from(list[0]), "/tmp/") || list[0] == "/dev/null" {
		severity, confidence = flow.Critical, 90
	}
	s.hit(c, Destructive, severity, confidence, "deletes from the system or a home what its source has not", []string{"path=" + to})
}

// ownFolder are vital folders whose rights people do change: homes, and where they keep what is
// theirs.
var ownFolder = regexp.MustCompile(`^(/opt|/var|/usr/local|/srv|/mnt|/data)|` + homePattern.String())

// removes judges what rm deletes.
func (s *shell) removes(c *command) {
	recursive := false
	var targets []string
	for i, a := range c.args {
		switch {
		case strings.HasPrefix(a, "--"):
			recursive = recursive || a == "--recursive"
		case strings.HasPrefix(a, "-"):
			recursive = recursive || strings.ContainsAny(a, "rR")
		default:
			targets = append(append(targets, a), c.words[i].outs...)
		}
	}
	if has(c.args, "--no-preserve-root") {
		s.hit(c, Destructive, flow.Critical, 98, "deletes the root of the file system", nil)
	}
	for _, t := range targets {
		if t = s.from(t); vital(t) && (recursive || strings.HasSuffix(t, everyFile)) {
			s.hit(c, Destructive, flow.Critical, 95, "deletes the system or a home", []string{"path=" + t})
		}
	}
}

// secrecy is how sure it is that something is a secret.
type secrecy int

const (
	notSecret secrecy = iota
	mayBeSecret
	isSecret
)

// secrecy tells how secret a file is, by where it lies.
func (s *shell) secrecy(file string) secrecy {
	if held := s.secrets[fileKey(file)]; held != notSecret {
		return held
	}
	p, file := s.meant(file)
	switch {
	case slices.Contains(p, secretPlace) && !strings.HasSuffix(file, ".pub"):
		return isSecret
	case slices.Contains(p, weakSecret):
		return mayBeSecret
	}
	return notSecret
}

// secretInput tells how secret is what a command puts out.
func (s *shell) secretInput(c *command) (most secrecy) {
	if c.name == "echo" || c.name == "printf" {
		for _, w := range c.words {
			if most = max(most, w.holds); len(w.keys) > 0 {
				most = max(most, mayBeSecret)
			}
		}
		return most
	}
	if harmless[c.name] && c.name != "gpg" || c.name == "tail" && has(c.args, "-f") {
		return notSecret
	}
	if c.name == "security" && strings.Contains(c.line, "find-") || c.name == "gpg" && has(c.args, "--export-secret-keys") {
		return isSecret
	}
	for _, a := range c.args {
		if namesFile(c, a) {
			most = max(most, s.secrecy(operand(a)))
		}
	}
	for _, f := range c.reads {
		most = max(most, s.secrecy(f))
	}
	return max(most, c.holds)
}

// mostSecret tells how secret is what the most secret of some commands puts out.
func (s *shell) mostSecret(list []*command) (most secrecy) {
	for _, c := range list {
		most = max(most, s.secretInput(c))
	}
	return most
}

// speaks judges what a command carries out of the machine by itself.
func (s *shell) speaks(c *command) {
	list := hosts(c)
	facts := make([]string, 0, len(list))
	for _, h := range list {
		facts = append(facts, hostFact(h))
		if metadata[strings.ToLower(h)] {
			s.hit(c, Credentials, flow.High, 90, "asks the cloud for this machine's credentials", []string{hostFact(h)})
		}
	}
	local := localHost(c)
	sending := sends(c)
	if (c.name == "scp" || c.name == "rsync") && remoteLast(c) {
		sending = true
	}
	what := c.says()
	sending = sending || what.holds != notSecret || what.files || len(what.keys) > 0
	s.reaches(c, sending)
	secret := what.holds
	for _, f := range c.files() {
		secret = max(secret, s.secrecy(f))
	}
	if (c.name == "curl" || c.name == "wget" || c.name == "dig" || c.name == "nslookup" || c.name == "ping") && slices.ContainsFunc(c.args, func(a string) bool { return computedHost.MatchString(a) }) {
		s.hit(c, Exfiltration, flow.Medium, 50, "the name of the host that is asked carries data", facts)
	}
	switch {
	case !sending || local:
	case secret == isSecret:
		s.hit(c, Exfiltration, flow.Critical, 92, "sends credentials to another machine", facts)
	case slices.ContainsFunc(list, dropHost):
		s.hit(c, Exfiltration, flow.High, 80, "sends to a place for anonymous uploads or for collecting requests", facts)
	case c.dyn && fileish(c) && (c.name == "curl" || c.name == "wget" || c.name == "dig" || c.name == "nslookup" || c.name == "ping" || c.name == "host"):
		s.hit(c, Exfiltration, flow.Medium, 65, "sends the output of a command to another machine", facts)
	case c.name == "curl" && slices.ContainsFunc(c.args, sysFile):
		s.hit(c, Exfiltration, flow.High, 80, "sends a file of the system to another machine", facts)
	case (c.name == "curl" || c.name == "wget") && slices.ContainsFunc(c.args, func(a string) bool {
		return strings.Contains(a, "@") && !strings.Contains(a, "://") && fileUpload.MatchString(a)
	}):
		s.hit(c, Exfiltration, flow.Medium, 55, "sends a file to another machine", facts)
	case secret == mayBeSecret:
		s.hit(c, Exfiltration, flow.Medium, 60, "sends what may hold credentials to another machine", facts)
	case foreign(what.keys, list):
		s.hit(c, Exfiltration, flow.Medium, 60, "an address carries a key to somebody else", facts)
	case c.name != "ssh":
		s.hit(c, Egress, flow.Low, 60, "sends data to another machine", facts)
	}
	if publishes(c) {
		if len(facts) == 0 {
			facts = []string{"host=?"}
		}
		s.hit(c, Egress, flow.Low, 90, "publishes what is here", append(facts, remote(c)...))
	}
}

var fileUpload = regexp.MustCompile(`^@|=@|^-[dF]@|@/`)

func sysFile(a string) bool {
	f := fileOperand(a)
	return f != a && (strings.HasPrefix(f, "/etc/") || strings.HasPrefix(f, "/var/") || strings.HasPrefix(f, "/proc/"))
}

// fileOperand is the file in an argument of curl: @FILE, name=@FILE.
func fileOperand(a string) string {
	if i := strings.IndexByte(a, '@'); i >= 0 && !strings.Contains(a, "://") {
		f, _, _ := strings.Cut(a[i+1:], ";")
		return f
	}
	return operand(a)
}

// nameOutput is the output of what tells this machine's name or the time.
var nameOutput = regexp.MustCompile(`^\$\((hostname|uname|date|nproc|seq|echo)?\)`)

func fileish(c *command) bool {
	return slices.ContainsFunc(c.args, func(a string) bool {
		i := strings.Index(a, "$(")
		return i >= 0 && !nameOutput.MatchString(a[i:])
	})
}

// stops are the commands that end a program, or take it off the machine.
var stops = set("kill pkill killall systemctl service launchctl sc taskkill docker supervisorctl apt apt-get brew dpkg fuser stop-process stop-service")

// ours judges what is done to this gateway.
func (s *shell) ours(c *command) {
	line := c.line
	for _, sub := range c.subs {
		line += " " + sub.line
	}
	if !strings.Contains(line, "gatehouse") && !slices.ContainsFunc(s.own.ports(), func(port string) bool { return strings.Contains(line, port) }) {
		return
	}
	switch {
	case c.name == "gatehouse":
		if len(c.args) > 0 && has(c.args[:1], "allow", "policy", "rules", "key") && !has(c.args, "check", "explain", "test", "--list", "list", "init") {
			s.hit(c, TamperGatehouse, flow.Critical, 95, "changes what Gatehouse allows", nil)
		}
	case stops[c.name]:
		s.stops(c, line)
	case c.name == "curl", c.name == "wget", c.name == "http", c.name == "nc":
		if s.own.console(line) && localHost(c) {
			s.hit(c, TamperGatehouse, flow.High, 90, "asks or changes Gatehouse through its console", s.facts(c))
		}
	case replaces[c.name]:
		for _, a := range c.args {
			if fileKey(a) == "gatehouse" && strings.Contains(a, "/bin/") {
				s.hit(c, TamperGatehouse, flow.Critical, 90, "replaces or removes Gatehouse's program", []string{"path=" + a})
			}
		}
	}
}

var replaces = set("rm mv chmod truncate shred unlink cp ln")

// kills are those of stops that do nothing else; the others do it by these words.
var (
	kills  = set("kill pkill killall taskkill stop-process stop-service")
	ending = set("stop disable mask kill down rm rmi remove purge uninstall autoremove unload bootout delete erase prune pause -r -e -k -P --purge --remove --now")
)

// stops judges that this gateway, or what listens on its ports, is ended.
func (s *shell) stops(c *command, line string) {
	port := slices.ContainsFunc(s.own.ports(), func(port string) bool {
		return strings.Contains(line, port+"/tcp") || len(c.subs) > 0 && strings.Contains(line+" ", ":"+port+" ")
	})
	switch {
	case !kills[c.name] && !slices.ContainsFunc(c.args, func(a string) bool { return ending[a] }):
	case strings.Contains(line, "gatehouse"):
		s.hit(c, TamperGatehouse, flow.Critical, 92, "stops or removes Gatehouse", nil)
	case port && (c.name == "fuser" || c.name == "kill"):
		s.hit(c, TamperGatehouse, flow.Critical, 90, "stops what listens on Gatehouse's ports", nil)
	}
}

// unsets judges that a variable loses its value.
func (s *shell) unsets(c *command, name string) {
	if agentURL.MatchString(name) {
		s.hit(c, TamperAgent, flow.High, 75, "leads an agent's calls elsewhere", []string{"host=?"})
	}
	delete(s.vars, name)
}

// variables that change what programs do or where agents call.
var (
	hijack   = regexp.MustCompile(`^(LD_PRELOAD|LD_LIBRARY_PATH|LD_AUDIT|DYLD_INSERT_LIBRARIES|DYLD_LIBRARY_PATH|BASH_ENV|PROMPT_COMMAND|GIT_SSH_COMMAND|GIT_EXTERNAL_DIFF|PERL5OPT|NODE_OPTIONS|PYTHONSTARTUP|COR_PROFILER)$`)
	histVars = regexp.MustCompile(`^(HISTFILE|HISTSIZE|HISTFILESIZE|HISTCONTROL|HISTIGNORE|SAVEHIST|HISTTIMEFORMAT)$`)
	agentURL = regexp.MustCompile(`^(ANTHROPIC_(BASE_URL|UNIX_SOCKET|API_URL)|OPENAI_(BASE_URL|API_BASE)|GOOGLE_(GEMINI|VERTEX)_BASE_URL|CODE_ASSIST_ENDPOINT|CLAUDE_CODE_USE_[A-Z]+|CLAUDE_CODE_API_BASE_URL|COPILOT_PROVIDER_BASE_URL)$`)
)

// variable judges that a variable gets a value.
func (s *shell) variable(name, value string, n syntax.Node) {
	s.leads(name, value)
	c := &command{name: "export"}
	if n != nil {
		c.start, c.end = int(n.Pos().Offset()), int(n.End().Offset())
	}
	switch {
	case len(name) < 6:
	case hijack.MatchString(name) && (name != "LD_LIBRARY_PATH" || strings.HasPrefix(value, "/tmp") || strings.HasPrefix(value, ".")) && (name != "DYLD_LIBRARY_PATH") && (name != "GIT_SSH_COMMAND" || !plainSSH(value)) && (name != "NODE_OPTIONS" || strings.Contains(value, "-r") || strings.Contains(value, "--import")) && (name != "PROMPT_COMMAND" || strings.Contains(value, "/") || strings.Contains(value, "curl")):
		s.hit(c, HiddenRun, flow.High, 70, "has other programs load or run something", []string{"path=" + value})
	case histVars.MatchString(name) && histOff.MatchString(value):
		s.hit(c, Evasion, flow.High, 80, "keeps the shell from writing its history", nil)
	case name == "NODE_TLS_REJECT_UNAUTHORIZED" && value == "0":
		s.hit(c, Evasion, flow.Medium, 50, "has any certificate pass", nil)
	case agentURL.MatchString(name):
		s.hit(c, TamperAgent, flow.High, 75, "leads an agent's calls elsewhere", []string{hostFact(hostIn(value))})
	}
}

var histOff = regexp.MustCompile(`^(0|/dev/null|/dev/zero|ignore(both|space).*|-1|.*\*.*|)$`)
