package action

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

func hostFact(h string) string {
	h = strings.TrimSuffix(h, ".")
	if h == "" || strings.ContainsAny(h, "$`(){}*[]") {
		return "host=?"
	}
	return "host=" + strings.ToLower(h)
}

// network are the commands whose arguments may name hosts without a scheme.
var network = set("curl wget ssh scp sftp rsync nc ncat netcat telnet ftp tftp socat git docker ping nmap dig nslookup host rclone fetch http https aria2c xh axel lftp mosh autossh openssl smbclient rdesktop xfreerdp")

var schemes = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://([^/\s"'?#]*)`)

// hosts finds the hosts that a command reaches. One that is only known when it runs,
// or that something may lead elsewhere, is "?".
func hosts(c *command) (list []string) {
	switch c.name {
	case "curl", "wget", "fetch", "http", "https", "xh", "aria2c", "axel":
		list = webHosts(c)
	case "ssh", "scp", "rsync", "sftp", "mosh", "autossh":
		list = loginHosts(c)
	case "git":
		list = gitHosts(c)
	case "nc", "ncat", "netcat", "telnet", "ftp", "tftp", "lftp":
		list = portHosts(c)
	case "ping", "nmap", "dig", "nslookup":
		for _, a := range c.args {
			if server := strings.TrimPrefix(a, "@"); looksHost(server) || strings.HasPrefix(server, "$") {
				list = append(list, server)
			}
		}
	case "openssl":
		list = addresses(c)
		for _, a := range arguments(c) {
			if a.option == "-connect" || a.option == "-proxy" || a.option == "-host" {
				list = append(list, urlHost(a.text))
			}
		}
	default:
		list = addresses(c)
	}
	if len(list) > 0 || publishes(c) || takes(c) {
		list = append(list, c.via...)
	}
	return list
}

// addresses are the hosts in the arguments that hold an address with a scheme.
func addresses(c *command) (list []string) {
	for _, a := range c.args {
		if !strings.Contains(a, "://") {
			continue
		}
		if len(a) > maxHostText {
			a = a[:maxHostText]
		}
		found := schemes.FindAllStringSubmatch(a, maxHosts)
		for _, m := range found {
			list = append(list, hostOf(m[1]))
		}
		if len(found) == maxHosts || len(a) == maxHostText {
			list = append(list, "?")
		}
	}
	return list
}

// Options of programs that call addresses: those that name a host, and those by which
// a call may go elsewhere than to the host that it names.
var (
	hostOptions = set("--url --proxy -x --preproxy --proxy1.0 --socks4 --socks4a --socks5 --socks5-hostname")
	leadOptions = set("--resolve --connect-to -K --config --dns-servers --doh-url -i --input-file -e --execute --variable --expand-url")
)

// webHosts are the hosts of a program of which each operand is an address. Of HTTPie
// only one is: data follows it.
func webHosts(c *command) (list []string) {
	items := c.name == "http" || c.name == "https" || c.name == "xh"
	takes := valued[c.name]
	for _, a := range arguments(c) {
		switch {
		case a.option == "" && items && (method.MatchString(a.text) || len(list) > 0):
		case a.option == "" && items && strings.HasPrefix(a.text, ":"):
			list = append(list, "localhost")
		case a.option == "" && strings.HasPrefix(a.text, "file:"):
		case a.option == "":
			list = append(list, urlHost(a.text))
		case c.name == "curl" && (a.option == "-i" || a.option == "-e"):
		case leadOptions[a.option] && a.text != "":
			list = append(list, "?")
		case hostOptions[a.option] && a.text != "":
			list = append(list, urlHost(a.text))
		case !takes[a.option] && (strings.Contains(a.text, "://") || looksHost(a.text)): // shortened, or not known
			list = append(list, urlHost(a.text))
		}
	}
	return list
}

var (
	method    = regexp.MustCompile(`^[A-Z]{3,}$`)
	urlScheme = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:/{1,3}`)
)

// urlHost is the host of an address with or without a scheme. What programs read in
// different ways is "?".
func urlHost(address string) string {
	address = address[:min(len(address), maxHostText)]
	address = strings.Trim(address[len(urlScheme.FindString(address)):], `"'`)
	if i := strings.IndexAny(address, "/?#"); i >= 0 {
		address = address[:i]
	}
	host := hostOf(address)
	if host == "" || strings.ContainsAny(address, `\%, `) {
		return "?"
	}
	return host
}

// loginHosts are the hosts of ssh and of what copies through it.
func loginHosts(c *command) (list []string) {
	copies := c.name == "scp" || c.name == "rsync"
	for _, a := range arguments(c) {
		switch a.option {
		case "":
			switch {
			case strings.Contains(a.text, "://"):
				list = append(list, urlHost(a.text))
			case copies || c.name == "sftp" && strings.Contains(a.text, ":"):
				if h := remoteHost(a.text); h != "" {
					list = append(list, h)
				} else if strings.HasPrefix(a.text, "$") {
					list = append(list, "?")
				}
			case len(list) == 0:
				return append(list, hostOf(a.text)) // what follows is run there
			}
		default:
			list = append(list, led(c.name, a)...)
		}
	}
	return list
}

// led are the hosts that an option of ssh, scp or rsync has the way go over.
func led(name string, a argument) []string {
	switch a.option {
	case "-J":
		var list []string
		for _, h := range strings.Split(a.text, ",") {
			list = append(list, urlHost(h))
		}
		return list
	case "-o":
		key, value, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(a.text), " ", "="), "=")
		switch strings.ToLower(key) {
		case "proxyjump", "hostname":
			return []string{urlHost(value)}
		case "proxycommand", "controlpath", "include":
			return []string{"?"}
		}
	case "-F", "-S":
		return []string{"?"}
	case "-e", "--rsh":
		if name == "rsync" && !plainSSH(a.text) {
			return []string{"?"}
		}
	}
	return nil
}

// plainSSH reports whether a command is ssh, and goes nowhere else than where it is
// told to.
func plainSSH(text string) bool {
	words := strings.Fields(text)
	if len(words) == 0 || programName(words[0]) != "ssh" {
		return false
	}
	c := &command{name: "ssh", args: words[1:]}
	return len(c.operands()) == 0 && len(loginHosts(c)) == 0
}

// gitLead are the settings of git by which it goes elsewhere, or has another program go.
var gitLead = regexp.MustCompile(`(?i)^(url\..*\.(push)?insteadof|core\.(sshcommand|gitproxy)|(https?|remote)\..*proxy|remote\..*\.(push)?url|http\.curloptresolve|include.*\.path)($|=)`)

// gitHosts are the hosts that a git command names: its remote is the first operand
// after the verb, the others are what goes there.
func gitHosts(c *command) []string {
	list := addresses(c)
	verb, after := "", 0
	for _, a := range arguments(c) {
		switch {
		case a.option == "-c" || a.option == "--config-env":
			if gitLead.MatchString(a.text) {
				list = append(list, "?")
			}
		case a.option != "":
		case verb == "":
			verb = a.text
		default:
			if h := remoteHost(a.text); h != "" && !strings.Contains(a.text, "://") && after == remotes[verb] {
				list = append(list, h)
			}
			after++
		}
	}
	if _, ok := remotes[verb]; !ok {
		return addresses(c)
	}
	return list
}

// remotes are the verbs of git that name a remote, and how many operands are before it.
var remotes = map[string]int{"push": 0, "fetch": 0, "pull": 0, "clone": 0, "ls-remote": 0, "archive": 0, "remote": 2, "submodule": 1, "send-email": 0}

// portHosts are the hosts of a program that is given a host and perhaps a port.
func portHosts(c *command) (list []string) {
	list = addresses(c)
	operands := 0
	for _, a := range arguments(c) {
		switch {
		case a.option == "-x" || a.option == "--proxy":
			list = append(list, urlHost(a.text))
		case c.name == "lftp" && a.option != "":
			list = append(list, "?")
		case a.option != "" || strings.Contains(a.text, "://"):
		case looksHost(a.text) || strings.HasPrefix(a.text, "$"), operands == 0 && strings.Trim(a.text, "0123456789") != "":
			list = append(list, urlHost(a.text))
			operands++
		case operands == 0 && len(c.args) > 1 && !slices.ContainsFunc(c.args, func(o string) bool { return strings.HasPrefix(o, "-") && strings.Contains(o, "l") }):
			list = append(list, a.text) // a number, which is an address
			operands++
		}
	}
	return list
}

// Variables that say over what a program goes.
var (
	proxyVars = regexp.MustCompile(`(?i)^(https?|all|ftp|rsync)_proxy$`)
	leadVars  = regexp.MustCompile(`^(GIT_(SSH|SSH_COMMAND|PROXY_COMMAND|EXEC_PATH|CONFIG|CONFIG_(COUNT|GLOBAL|SYSTEM|PARAMETERS|KEY_.*))|RSYNC_(RSH|CONNECT_PROG)|CURL_HOME|WGETRC)$`)
)

// leads remembers that a variable leads what follows over another machine.
func (s *shell) leads(name, value string) {
	switch {
	case value == "" || len(s.via) >= maxHosts:
	case proxyVars.MatchString(name):
		if h := urlHost(value); !isLocal(h) {
			s.via = append(s.via[:len(s.via):len(s.via)], h)
		}
	case leadVars.MatchString(name) && !plainSSH(value):
		s.via = append(s.via[:len(s.via):len(s.via)], "?")
	}
}

// settles remembers that git is set to go elsewhere.
func (s *shell) settles(c *command) {
	if c.name == "git" && has(c.args, "config") && slices.ContainsFunc(c.args, gitLead.MatchString) && len(s.via) < maxHosts {
		s.via = append(s.via[:len(s.via):len(s.via)], "?")
	}
}

// hostOf takes the user, the port and the path off an authority.
func hostOf(a string) string {
	a, _, _ = strings.Cut(a, "/")
	if i := strings.LastIndexByte(a, '@'); i >= 0 {
		a = a[i+1:]
	}
	if strings.HasPrefix(a, "[") {
		h, _, _ := strings.Cut(a[1:], "]")
		return h
	}
	if strings.Count(a, ":") == 1 {
		a, _, _ = strings.Cut(a, ":")
	}
	return a
}

var hostName = regexp.MustCompile(`^([a-zA-Z0-9_-]+\.)+[a-zA-Z]{2,}(:\d+)?(/|$)|^\d{1,3}(\.\d{1,3}){3}(:\d+)?(/|$)|^localhost\b`)

func looksHost(a string) bool { return hostName.MatchString(a) }

// localHost reports whether all hosts of a command are this machine.
func localHost(c *command) bool {
	list := hosts(c)
	return len(list) > 0 && !slices.ContainsFunc(list, func(h string) bool { return !isLocal(h) })
}

func isLocal(h string) bool {
	if h == "localhost" || strings.HasSuffix(h, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(h)
	return err == nil && (a.IsLoopback() || a.IsUnspecified())
}

// computedHost is a name below a domain of which the first part is computed.
var computedHost = regexp.MustCompile(`^([a-z]+://)?[^/]*(\$[A-Za-z_(]|\$\{)[^/.]*\.[a-z0-9-]+\.[a-z]{2,}`)

// remote names the remote of a git push.
func remote(c *command) []string {
	i := slices.Index(c.args, "push")
	for k := i + 1; k < len(c.args) && i >= 0; k++ {
		if !strings.HasPrefix(c.args[k], "-") {
			return []string{"remote=" + c.args[k]}
		}
	}
	return nil
}

func remoteLast(c *command) bool {
	return len(c.args) > 0 && remoteHost(c.args[len(c.args)-1]) != ""
}

// remoteHost is the host in user@host:path; "" when the path is of this machine.
func remoteHost(a string) string {
	h, _, ok := strings.Cut(a, ":")
	if !ok || strings.ContainsAny(h, `/\ `) {
		return ""
	}
	return h[strings.LastIndexByte(h, '@')+1:]
}

var metadata = set("169.254.169.254 metadata.google.internal 169.254.170.2 fd00:ec2::254 100.100.100.200 metadata")

var drops = regexp.MustCompile(`(?i)(^|\.)(webhook\.site|requestbin\.(com|net)|pipedream\.net|ngrok(-free)?\.(io|app|dev)|transfer\.sh|file\.io|0x0\.st|pastebin\.com|paste\.ee|hastebin\.com|termbin\.com|ix\.io|dpaste\.(com|org)|anonfiles\.com|gofile\.io|burpcollaborator\.net|oastify\.com|oast\.(fun|pro|live|site|online|me)|interact\.sh|requestcatcher\.com|beeceptor\.com|hookbin\.com|bashupload\.com|catbox\.moe|temp\.sh|filebin\.net|discord(app)?\.com|api\.telegram\.org|hooks\.slack\.com|trycloudflare\.com|localhost\.run|serveo\.net|mega\.(nz|io)|dropboxapi\.com|put\.io|sendspace\.com|nip\.io|xip\.io|dnslog\.cn|canarytokens\.com|ghostbin\.(com|co)|privatebin\.net|rentry\.co)$`)

func dropHost(h string) bool { return drops.MatchString(h) }

func hostIn(value string) string {
	if m := schemes.FindStringSubmatch(value); m != nil {
		return hostOf(m[1])
	}
	return "?"
}
