package action

import (
	"regexp"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// fetched follows files from where they are fetched to where they are run.
func (s *shell) fetched(c *command) {
	s.ranFetched(c)
	var host string
	if list := hosts(c); len(list) > 0 {
		host = list[0]
	}
	switch c.name {
	case "curl", "wget", "fetch", "aria2c", "axel", "ftp", "tftp", "scp", "http", "rsync", "sftp":
	default:
		return
	}
	if uploads(c) && !has(c.args, "-o", "-O") {
		return
	}
	s.fetch["*"] = host
	for i, a := range c.args {
		switch {
		case i > 0 && has(c.args[i-1:i], "-o", "-O", "--output", "--output-document") && !strings.Contains(a, "://"):
			s.came(a, host)
		case strings.HasPrefix(a, "-o") && len(a) > 2, strings.HasPrefix(a, "--output="), strings.HasPrefix(a, "--output-document="):
			s.came(strings.TrimPrefix(a[strings.IndexByte(a, '=')+1:], "-o"), host)
		case strings.Contains(a, "://") && (c.name != "curl" || slices.ContainsFunc(c.args, func(o string) bool {
			return strings.HasPrefix(o, "-") && !strings.HasPrefix(o, "--") && strings.ContainsAny(o, "OJ") || o == "--remote-name"
		})):
			s.came(a[strings.LastIndexByte(a, '/')+1:], host)
		case (c.name == "scp" || c.name == "rsync" || c.name == "sftp") && i == len(c.args)-1 && !strings.Contains(a, ":") && strings.Contains(strings.Join(c.args[:i], " "), ":"):
			s.came(a, host)
		}
	}
	for _, w := range c.writes {
		s.came(w, host)
	}
}

func (s *shell) came(file, host string) {
	file = fileKey(file)
	if file != "" && file != "-" && len(s.fetch) < maxVars {
		s.fetch[file] = host
	}
}

// fileKey is what two ways to write a path have in common.
func fileKey(name string) string {
	name = strings.Trim(name, `"'`)
	name, _, _ = strings.Cut(name, "?")
	return strings.ToLower(name[strings.LastIndexAny(name, `/\`)+1:])
}

// What s.wrote holds of files whose text is not known.
const (
	wasDecoded = "\x00decoded"
	wasCopied  = "\x00copied"
)

// written follows files from where they are written to where they are run.
func (s *shell) written(c *command) {
	s.ranWritten(c)
	s.spreads(c)
	text := ""
	switch {
	case c.name == "echo" || c.name == "printf":
		text = printed(c) + "\n"
	case c.name == "cat" && c.input != "":
		text = c.input
	case decodes(c):
		text = wasDecoded
	case (c.name == "cp" || c.name == "mv" || c.name == "install" || c.name == "ln") && len(c.args) > 1:
		if to := c.args[len(c.args)-1]; strings.HasPrefix(to, "/tmp/") || strings.HasPrefix(to, "/var/tmp/") || strings.HasPrefix(to, "/dev/shm/") {
			s.keep(to, wasCopied)
		}
		return
	default:
		return
	}
	for _, w := range c.writes {
		s.keep(w, text)
	}
}

// spreads follows what is secret into the files that a command makes of it.
func (s *shell) spreads(c *command) {
	made := makes(c)
	if len(made) == 0 {
		return
	}
	secret := s.secretInput(c)
	for _, f := range made {
		s.becomes(f, secret)
	}
}

// makes are the files that a command makes of those that it reads.
func makes(c *command) []string {
	made := slices.Clone(c.writes)
	switch c.name {
	case "cp", "mv", "install", "ln", "rsync":
		made = append(made, c.operands()...)
	case "zip", "7z", "rar":
		list := c.operands()
		made = append(made, list[:min(len(list), 2)]...)
	case "tar", "gpg", "gpg2", "openssl":
		for i, a := range c.args[:max(0, len(c.args)-1)] {
			if a == "-o" || a == "--output" || a == "-out" || c.name == "tar" && strings.HasSuffix(a, "f") {
				made = append(made, c.args[i+1])
			}
		}
	}
	return made
}

// becomes remembers that a file holds what is secret.
func (s *shell) becomes(file string, secret secrecy) {
	if key := fileKey(file); key != "" && secret > s.secrets[key] {
		s.holds(key, secret)
	}
}

func (s *shell) keep(file, text string) {
	key := fileKey(file)
	if key != "" && len(s.wrote) < maxVars && len(s.wrote[key])+len(text) < maxParse {
		s.wrote[key] += text
	}
}

// ranWritten judges that a file is run which was written before.
func (s *shell) ranWritten(c *command) {
	if len(s.wrote) == 0 {
		return
	}
	file := ""
	switch {
	case strings.ContainsAny(c.program, "/"):
		file = c.program
	case isInterpreter(c.name) || c.name == "source" || c.name == ".":
		for _, a := range c.args {
			if !strings.HasPrefix(a, "-") {
				file = a
				break
			}
		}
	}
	text := s.wrote[fileKey(file)]
	switch {
	case text == "" || file == "":
	case strings.Contains(text, wasDecoded):
		s.hit(c, HiddenRun, flow.High, 85, "runs a file that was decoded before", []string{"path=" + file})
	case strings.Contains(text, wasCopied):
		s.hit(c, HiddenRun, flow.Medium, 50, "runs a program that was copied to where everybody can write", []string{"path=" + file})
	default:
		delete(s.wrote, fileKey(file)) // once is enough
		if interpreters[c.name] || strings.HasPrefix(c.name, "python") {
			s.code(text, c)
		} else {
			s.nested(text, c)
		}
	}
}

var doubleEnding = regexp.MustCompile(`(?i)\.(pdf|docx?|xlsx?|txt|jpe?g|png|mp[34]|csv)\.(sh|exe|py|js|pl|bat|scr|elf|command)$`)

// disguise judges names that hide what a program is.
func (s *shell) disguise(c *command) {
	switch {
	case doubleEnding.MatchString(c.program):
		s.hit(c, HiddenRun, flow.Medium, 60, "runs a program that is named like a document", []string{"path=" + c.program})
	case (c.name == "cp" || c.name == "mv" || c.name == "ln" || c.name == "install") && len(c.args) > 1:
		from, to := programName(c.args[len(c.args)-2]), programName(c.args[len(c.args)-1])
		inBin := !strings.Contains(c.args[len(c.args)-2], "/") || strings.Contains(c.args[len(c.args)-2], "bin/")
		if inBin && (shells[from] || strings.HasPrefix(from, "python") || from == "nc" || from == "curl") && from != to && !isInterpreter(to) && !strings.HasSuffix(c.args[len(c.args)-1], "/") {
			s.hit(c, HiddenRun, flow.High, 60, "copies a shell under another name", []string{"path=" + c.args[len(c.args)-1]})
		}
	case c.name == "dd" && strings.Contains(c.line, "if=/dev/") && len(c.writes) > 0 && !strings.HasPrefix(c.writes[0], "/dev/"):
		s.hit(c, Evasion, flow.Medium, 45, "pads a file", []string{"path=" + c.writes[0]})
	case c.name == "yes" && has(c.writes, "/dev/null"):
		s.hit(c, Destructive, flow.Medium, 50, "keeps the machine busy", nil)
	}
	if isInterpreter(c.name) {
		for _, a := range c.args {
			if !strings.HasPrefix(a, "-") {
				if attackTools.MatchString(programName(a)) {
					s.hit(c, Privilege, flow.High, 80, "a program for attacks", []string{"path=" + a})
				}
				break
			}
		}
	}
}

// ranFetched judges that a fetched file is run, or prepared for it.
func (s *shell) ranFetched(c *command) {
	if len(s.fetch) == 0 {
		return
	}
	try := func(file string, confidence int) bool {
		host, ok := s.fetch[fileKey(file)]
		if ok && fileKey(file) != "" && fileKey(file) != "*" {
			s.hit(c, DownloadRun, flow.High, confidence, "runs a file that was fetched before", []string{hostFact(host), "path=" + file})
			return true
		}
		return false
	}
	if strings.ContainsAny(c.program, `/\`) && try(c.program, 90) {
		return
	}
	switch {
	case isInterpreter(c.name), c.name == "source", c.name == ".", c.name == "open", c.name == "start", c.name == "insmod", c.name == "kextload", c.name == "installer", c.name == "dpkg", c.name == "rpm":
		for _, a := range c.args {
			if !strings.HasPrefix(a, "-") {
				try(a, 88)
				return
			}
		}
	case c.name == "chmod" && slices.ContainsFunc(c.args, func(a string) bool {
		return strings.Contains(a, "+x") || strings.Contains(a, "x") && strings.Contains(a, "=") || len(a) >= 3 && len(a) <= 4 && strings.Trim(a, "01234567") == "" && strings.ContainsAny(a, "1357")
	}):
		for _, a := range c.args {
			try(a, 75)
		}
	}
}
