package action

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// wrappers start the command that follows their own options. The value lists
// options that take the next argument.
var wrappers = map[string]string{
	"sudo": "-u -g -h -p -C -T -U -D -R -r -t --user --group --chdir --host --prompt", "doas": "-u -C", "run0": "-u",
	"env": "-u -C -S --unset --chdir --split-string", "nohup": "", "nice": "-n --adjustment", "ionice": "-c -n -p", "time": "-f -o", "command": "", "builtin": "", "exec": "-a",
	"setsid": "", "stdbuf": "-i -o -e", "timeout": "-s -k --signal --kill-after", "gtimeout": "-s -k", "busybox": "", "toybox": "", "strace": "-e -o -p -s", "ltrace": "-e -o",
	"xargs": "-I -i -n -P -L -d -E -s -a --max-args --max-procs --delimiter --arg-file --replace", "unshare": "", "nsenter": "-t -S -G", "chroot": "", "caffeinate": "-t -w",
	"watch": "-n -d --interval", "systemd-run": "-u -p --unit --property", "proxychains": "-f", "proxychains4": "-f", "torify": "", "torsocks": "", "fakeroot": "", "taskset": "", "chrt": "", "firejail": "",
	"rlwrap": "", "unbuffer": "", "script": "", "parallel": "-j --jobs", "flock": "", "sshpass": "-p -f", "start": "",
}

// operands are how many arguments a wrapper takes before the command.
var operands = map[string]int{"timeout": 1, "gtimeout": 1, "chroot": 1, "taskset": 1, "chrt": 1, "flock": 1}

// tabled are the wrappers that the table knows: they do something by themselves, not
// only what they start.
var tabled = set("nsenter unshare exec systemd-run")

// shells read commands; interpreters read code.
var (
	shells       = set("sh bash zsh dash ksh ash fish csh tcsh rbash mksh")
	interpreters = set("python python2 python3 perl ruby node nodejs php lua pwsh powershell osascript deno bun tclsh Rscript")
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

func isInterpreter(name string) bool {
	return shells[name] || interpreters[name] || strings.HasPrefix(name, "python") && len(name) < 11
}

// unwrap makes c the command that its wrappers start, and judges what it starts
// beside that.
func (s *shell) unwrap(c *command) (inner []*command) {
	for range 8 {
		options, ok := wrappers[c.name]
		if !ok {
			break
		}
		if c.name == "sudo" || c.name == "doas" {
			c.sudo = true
		}
		if c.name == "sshpass" {
			s.hit(c, Lateral, flow.Medium, 55, "logs in with a password that stands in the clear", nil)
		}
		if !s.shift(c, options) {
			break
		}
	}
	switch {
	case c.name == "unset":
		for _, name := range c.args {
			s.unsets(c, name)
		}
	case c.name == "cd" || c.name == "pushd" || c.name == "popd":
		s.moves(c)
	case shells[c.name] || c.name == "su" || c.name == "runuser":
		inner = s.shellArgs(c)
	case c.name == "eval", c.name == "trap":
		s.nested(strings.Join(c.args, " "), c)
	case c.name == "alias", c.name == "set", c.name == "read", c.name == "mapfile", c.name == "readarray", c.name == "printf":
		s.names(c)
	case c.name == "find" || c.name == "fd" || c.name == "fdfind":
		inner = s.findArgs(c)
	case c.name == "ssh" || c.name == "autossh":
		if i := sshCommand(c.args); i > 0 {
			s.nested(strings.Join(c.args[i:], " "), c)
		}
	case c.name == "docker" || c.name == "podman" || c.name == "kubectl" || c.name == "nerdctl" || c.name == "lxc" || c.name == "oc":
		inner = s.containerArgs(c)
	case isInterpreter(c.name):
		s.codeArgs(c)
	case c.name == "awk" || c.name == "gawk" || c.name == "mawk" || c.name == "vim" || c.name == "vi" || c.name == "ed":
		text := strings.Join(c.args, "\n")
		s.calls(text, c)
		if strings.Contains(text, "/inet/") && s.afford(len(text)) {
			s.patterns(text, c)
		}
	case c.name == "tar":
		for i, a := range c.args {
			if v, ok := strings.CutPrefix(a, "--checkpoint-action=exec="); ok {
				s.nested(v, c)
			} else if v, ok := strings.CutPrefix(a, "--to-command="); ok {
				s.nested(v, c)
			} else if a == "-I" && i+1 < len(c.args) {
				s.nested(c.args[i+1], c)
			}
		}
	case c.name == "cmd" || c.name == "cmd.exe":
		s.windows(strings.Join(c.args, " "))
	}
	return inner
}

// shift drops a wrapper with its options. It reports whether a command was left.
func (s *shell) shift(c *command, options string) bool {
	takes := strings.Fields(options)
	i := 0
	for i < len(c.args) {
		a := c.args[i]
		if a == "--" {
			i++
			break
		}
		if c.name == "env" && (a == "-S" || a == "--split-string") && i+1 < len(c.args) {
			s.nested(strings.Join(c.args[i+1:], " "), c)
			return false
		}
		if name, value, ok := strings.Cut(a, "="); ok && i < len(c.args) && (c.name == "env" || c.name == "sudo") && !strings.HasPrefix(a, "-") {
			s.variable(name, value, nil)
			i++
			continue
		}
		if !strings.HasPrefix(a, "-") || a == "-" {
			break
		}
		if slices.Contains(takes, a) {
			if i++; i < len(c.args) && (a == "-u" || a == "--unset") && c.name == "env" {
				s.unsets(c, c.args[i])
			}
		}
		i++
	}
	i += operands[c.name]
	if i >= len(c.args) {
		return false
	}
	if tabled[c.name] {
		s.table(&command{name: c.name, line: c.name + " " + strings.Join(c.args[:i], " "), start: c.start, end: c.end})
	}
	words := c.words[i:]
	if c.name == "xargs" {
		words = s.fed(words, replaced(c.args[:i]))
	}
	if len(words) == 1 && strings.ContainsAny(words[0].text, " \t") && (c.name == "watch" || c.name == "script" || c.name == "parallel") {
		s.nested(words[0].text, c)
		return false
	}
	s.name(c, words)
	return true
}

// fed puts the files that a pipe names where xargs does: at the end, or for the text
// that they replace.
func (s *shell) fed(words []word, mark string) (list []word) {
	if mark == "" {
		list = slices.Clone(words)
		for _, f := range s.stdin {
			list = append(list, word{text: f})
		}
		return list
	}
	for _, w := range words {
		for _, f := range s.stdin {
			if strings.Contains(w.text, mark) {
				list = append(list, word{text: strings.ReplaceAll(w.text, mark, f)})
			}
		}
		if len(s.stdin) == 0 || !strings.Contains(w.text, mark) {
			list = append(list, w)
		}
	}
	return list
}

// replaced is the text that xargs replaces; "" when it adds its input at the end.
func replaced(options []string) string {
	for i, o := range options {
		switch {
		case o == "-I" && i+1 < len(options):
			return options[i+1]
		case strings.HasPrefix(o, "-I"):
			return o[2:]
		case strings.HasPrefix(o, "-i"), strings.HasPrefix(o, "--replace"):
			return "{}"
		}
	}
	return ""
}

// shellArgs judges what a shell is told to run: -c, a here-document, or a script
// that was written or fetched before.
func (s *shell) shellArgs(c *command) []*command {
	for i, a := range c.args {
		flag := strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "--") && strings.HasSuffix(a, "c")
		if (flag || a == "--command" || a == "--session-command") && i+1 < len(c.args) {
			before := s.params
			s.params = slices.Clone(c.args[min(i+3, len(c.args)):])
			s.nested(c.args[i+1], c)
			s.params = before
			return nil
		}
		if text, ok := strings.CutPrefix(a, "--command="); ok {
			s.nested(text, c)
		}
		if text, ok := strings.CutPrefix(a, "--session-command="); ok {
			s.nested(text, c)
		}
	}
	if c.input != "" {
		s.nested(c.input, c)
	}
	return nil
}

// findArgs judges the commands after -exec, and what -delete deletes.
func (s *shell) findArgs(c *command) (all []*command) {
	for i := 0; i < len(c.args); i++ {
		switch c.args[i] {
		case "-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec":
			end := i + 1
			for end < len(c.args) && c.args[end] != ";" && c.args[end] != "+" {
				end++
			}
			if words := c.args[i+1 : end]; len(words) > 0 {
				in := &command{start: c.start, end: c.end, sudo: c.sudo}
				in.dyn = true
				if len(words) == 1 && shells[programName(words[0])] {
					s.hit(c, Privilege, flow.High, 65, "opens a shell out of another program", nil)
				}
				list := make([]word, len(words))
				for k, w := range words {
					list[k] = word{text: strings.ReplaceAll(w, "{}", findRoot(c))}
				}
				all = append(all, s.run(in, list)...)
			}
			i = end
		}
	}
	return all
}

// everyFile is the end of what stands for all that find finds below a folder, someFiles
// for what it takes of that by other than their names.
const (
	everyFile = "/**/{}"
	someFiles = "/**/{…}"
)

// findRoot names what find finds, by where it looks and for which name.
func findRoot(c *command) string {
	root, files := ".", everyFile
	if sieved(c) {
		files = someFiles
	}
	if len(c.args) > 0 && !strings.HasPrefix(c.args[0], "-") {
		root = c.args[0]
	}
	for i, a := range c.args {
		if (a == "-name" || a == "-iname") && i+1 < len(c.args) {
			files = "/**/" + c.args[i+1]
		}
	}
	return strings.TrimSuffix(root, "/") + files
}

// sshCommand gives the index of the command that ssh is told to run on the other
// machine; 0 when there is none.
func sshCommand(args []string) int {
	host := false
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case strings.HasPrefix(a, "-") && !host:
			if len(a) == 2 && strings.Contains("-b-c-D-E-e-F-I-i-J-L-l-m-O-o-p-Q-R-S-W-w-B", a) {
				i++
			}
		case !host:
			host = true
		default:
			return i
		}
	}
	return 0
}

// containerArgs judges the command that is run in a container.
func (s *shell) containerArgs(c *command) []*command {
	i := slices.IndexFunc(c.args, func(a string) bool { return a == "exec" || a == "run" })
	if i < 0 {
		return nil
	}
	for k := i + 1; k < len(c.args); k++ {
		name := programName(c.args[k])
		if c.args[k] == "--" && k+1 < len(c.args) || shells[name] || name == "chroot" || name == "nsenter" {
			if c.args[k] == "--" {
				k++
			}
			in := &command{start: c.start, end: c.end}
			words := make([]word, 0, len(c.args)-k)
			for _, a := range c.args[k:] {
				words = append(words, word{text: a})
			}
			return s.run(in, words)
		}
	}
	return nil
}

// codeArgs judges code that an interpreter is given as an argument or by a
// here-document.
func (s *shell) codeArgs(c *command) {
	for i, a := range c.args {
		if i+1 < len(c.args) && (a == "-c" || a == "-e" || a == "-r" || a == "-E" || a == "--eval" || a == "-p" || a == "-pe" || a == "-ne" || a == "eval" ||
			strings.EqualFold(a, "-command") || strings.EqualFold(a, "-EncodedCommand") || strings.EqualFold(a, "-enc")) {
			s.code(c.args[i+1], c)
		}
	}
	if c.input != "" {
		s.code(c.input, c)
	}
	if c.name == "powershell" || c.name == "pwsh" {
		s.windows(c.line)
	}
}

// decoders undo an encoding of what they read.
func decodes(c *command) bool {
	switch c.name {
	case "base64", "gbase64", "base32", "basenc":
		return has(c.args, "-d", "-D", "--decode", "-di", "-id")
	case "b64decode", "uudecode", "b32decode":
		return true
	case "openssl":
		return has(c.args, "base64", "enc", "-base64") && has(c.args, "-d")
	case "xxd":
		return slices.ContainsFunc(c.args, func(a string) bool { return strings.HasPrefix(a, "-") && strings.Contains(a, "r") })
	case "rev", "tr", "rot13":
		return true
	}
	return false
}

// decoded gives what known text becomes after decoders.
func decoded(text string, by []*command) (string, bool) {
	for _, c := range by {
		if !decodes(c) {
			return "", false
		}
		switch c.name {
		case "base64", "gbase64", "openssl", "b64decode":
			raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
			if err != nil {
				return "", false
			}
			text = string(raw)
		case "xxd":
			raw, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
			if err != nil {
				return "", false
			}
			text = string(raw)
		case "rev":
			r := []rune(strings.TrimRight(text, "\n"))
			slices.Reverse(r)
			text = string(r)
		default:
			return "", false
		}
	}
	return text, len(by) > 0
}

func has(args []string, any ...string) bool {
	return slices.ContainsFunc(args, func(a string) bool { return slices.Contains(any, a) })
}

// maxRow is how many commands of a pipeline are looked at together.
const maxRow = 16

// pipe judges what flows from commands into others.
func (s *shell) pipe(left, right []*command, start, end int) {
	if len(left) == 0 || len(right) == 0 {
		return
	}
	left, right = left[max(0, len(left)-maxRow):], right[:min(len(right), maxRow)]
	span := &command{start: start, end: end, name: left[0].name, line: left[0].line}
	facts := func() (f []string) {
		for _, c := range append(slices.Clone(left), right...) {
			f = addFacts(f, s.facts(c))
		}
		return f
	}
	sink := right[0]
	if reads := s.readsCommands(sink); reads {
		s.pipedCode(left, sink, span, facts)
	}
	if stops[sink.name] && slices.ContainsFunc(left, func(c *command) bool { return strings.Contains(c.line, "gatehouse") }) {
		s.hit(span, TamperGatehouse, flow.Critical, 92, "stops or removes Gatehouse", nil)
	}
	if shells[left[len(left)-1].name] && s.readsCommands(left[len(left)-1]) && connects(sink) {
		s.hit(span, Lateral, flow.Critical, 92, "gives a shell to another machine", facts())
	}
	secret := s.mostSecret(left)
	for _, c := range right {
		made := c.writes
		if c.name == "tee" {
			made = append(slices.Clone(made), c.operands()...)
		}
		for _, f := range made {
			s.becomes(f, secret)
		}
		if !sends(c) {
			continue
		}
		if localHost(c) {
			continue
		}
		s.way(Way{Out: true, Start: s.at(start), End: s.at(end), Facts: facts()})
		switch {
		case secret != notSecret:
			s.leak(span, secret, facts())
		case slices.ContainsFunc(left, func(c *command) bool {
			return packs(c) || c.name == "env" || c.name == "printenv" || c.name == "history"
		}):
			s.hit(span, Exfiltration, flow.High, 75, "files or the environment are packed and sent to another machine", facts())
		}
	}
	if (sink.name == "at" || sink.name == "batch" || sink.name == "crontab") && left[len(left)-1].name == "echo" {
		s.nested(printed(left[len(left)-1]), span)
	}
}

// connects reports whether a command is a bare connection.
func connects(c *command) bool {
	switch c.name {
	case "nc", "ncat", "netcat", "telnet", "socat":
		return true
	case "openssl":
		return has(c.args, "s_client")
	}
	return false
}

// readsCommands reports whether a command runs what comes in at its standard
// input.
func (s *shell) readsCommands(c *command) bool {
	if c.name == "source" || c.name == "." {
		return len(c.args) > 0 && (c.args[0] == "/dev/stdin" || c.args[0] == "-")
	}
	if !isInterpreter(c.name) && c.name != "iex" {
		return false
	}
	for _, a := range c.args {
		if a == "-" || a == "-s" || a == "/dev/stdin" {
			return true
		}
		if a == "-c" || a == "-e" || strings.HasPrefix(a, "-m") && !shells[c.name] || !strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "+") {
			return false
		}
	}
	return true
}

// pipedCode judges what is run from a pipe, by where it comes from.
func (s *shell) pipedCode(left []*command, sink, span *command, facts func() []string) {
	last := left[len(left)-1]
	switch {
	case slices.ContainsFunc(left, fetches):
		s.hit(span, DownloadRun, flow.Critical, 95, "what is fetched is run at once", facts())
	case last.name == "echo" || last.name == "printf":
		if shells[sink.name] {
			s.nested(printed(last), span)
		} else {
			s.code(printed(last), span)
		}
	case slices.ContainsFunc(left, decodes):
		if text, ok := pipeText(left); ok {
			if shells[sink.name] {
				s.nested(text, span)
			} else {
				s.code(text, span)
			}
			s.hit(span, HiddenRun, flow.High, 80, "encoded commands are run", facts())
		} else {
			s.hit(span, HiddenRun, flow.High, 90, "what is run is encoded", facts())
		}
	case last.name == "cat" && last.input != "":
		s.nested(last.input, span)
	}
}

// pipeText is what comes out of echo and decoders.
func pipeText(left []*command) (string, bool) {
	first := left[0]
	text := printed(first)
	switch {
	case first.name != "echo" && first.name != "printf" && first.input != "":
		return decoded(first.input, left)
	case first.name != "echo" && first.name != "printf":
		return "", false
	}
	return decoded(text, left[1:])
}

// fetches reports whether a command brings something from another machine to its
// standard output.
func fetches(c *command) bool {
	switch c.name {
	case "curl", "wget", "fetch", "aria2c", "lwp-request", "get", "lynx", "w3m", "http", "https", "axel", "nc", "ncat", "netcat", "socat", "telnet", "dig", "nslookup", "host", "scp", "ftp", "tftp":
		return true
	case "openssl":
		return has(c.args, "s_client")
	case "bash", "python3", "python", "perl", "ruby":
		return strings.Contains(c.line, "/dev/tcp/") || strings.Contains(c.line, "urlopen") || strings.Contains(c.line, "requests.get")
	}
	return strings.Contains(c.line, "/dev/tcp/") || slices.ContainsFunc(c.reads, isDevice)
}

// packs reports whether a command writes many files into one stream.
func packs(c *command) bool {
	switch c.name {
	case "tar", "zip", "cpio", "mysqldump", "pg_dump", "pg_dumpall", "mongodump", "7z", "rar", "dump":
		return !has(c.args, "-x", "x", "-xf", "xf", "-xzf", "xzf", "-xvzf", "-xvf", "xvf")
	}
	return false
}
