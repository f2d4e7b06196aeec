package action

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/workingagents/gatehouse/internal/flow"
)

// place is what a path means to who would harm.
type place int

const (
	nowhere     place = iota
	secretPlace       // keys, password stores, cloud credentials
	weakSecret        // may hold some: .env, an editor's history
	startPlace        // what is there runs by itself
	rightsPlace       // says who may do what
	logPlace          // tells what happened
	histPlace         // a shell's history
	guardPlace        // rules of a firewall, of auditing, of protection
	trustPlace        // who is trusted: certificates, hosts
	gatePlace         // ours
	agentPlace        // an agent's settings
	diskPlace         // a device
	kernelPlace       // a switch of the kernel
	systemPlace       // the machine doesn't work without
	memoryPlace       // other processes' memory
	dataPlace         // where a data base keeps what it has
)

var places = []struct {
	place   place
	pattern string
}{
	{gatePlace, `(^|/)(\.local/share/gatehouse|\.config/gatehouse|var/lib/gatehouse|etc/gatehouse|application support/gatehouse|appdata/(local|roaming)/gatehouse)(/|$)|(^|/)gatehouse\.(ya?ml|db)$`},
	{agentPlace, `(^|/)\.claude(\.json$|/(settings(\.local)?\.json|hooks/|plugins/)|/\.credentials\.json)|(^|/)\.codex/(config\.toml|rules/|hooks|auth\.json)|(^|/)\.gemini/(settings\.json|policies/|trustedfolders\.json|hooks)|(^|/)\.mcp\.json$|(^|/)\.cursor/(mcp\.json|hooks|cli-config\.json|permissions\.json)|(^|/)opencode\.jsonc?$|(^|/)\.aider\.conf\.yml$|managed-settings\.json$|claude_desktop_config\.json$|(^|/)\.copilot/(config|mcp-config)\.json`},
	{startPlace, `(^|/)\.(bash_profile|bash_login|bash_logout|bashrc|profile|zshrc|zprofile|zshenv|zlogin|zlogout|kshrc|cshrc|tcshrc|login|xprofile|xinitrc|xsession|shrc)$|/etc/(profile|bash\.bashrc|bashrc|zshrc|zprofile|zshenv|rc\.local|rc\.common|rc\.conf|crontab|anacrontab|inittab|environment|login\.conf|csh\.(login|cshrc)|launchd\.conf|at\.allow|cron\.allow|emond\.d|ttys)(\.local)?($|/)|/etc/(profile\.d|cron\.[a-z]+|init\.d|rc[0-9s]?\.d|systemd/|xdg/autostart|update-motd\.d|udev/rules\.d|modules-load\.d|modprobe\.d|apt/apt\.conf\.d|ld\.so\.conf\.d|network/if-up\.d|networkmanager/dispatcher\.d|periodic|binfmt\.d|dracut)|/(usr/)?lib/(systemd/(system|user)|udev/rules\.d)/|/var/spool/(cron|at)|\.config/(autostart|systemd/user|fish/config\.fish)|/library/(launchdaemons|launchagents|startupitems|scripts/com\.apple|input methods|quicklook|preferences/com\.apple\.loginwindow)|(^|/)ld\.so\.preload$|(^|/)sitecustomize\.py$|(^|/)usercustomize\.py$|site.packages[^/]*/[^/]*\.pth$|(^|/)\.git/hooks/|(^|/)\.vimrc$|(^|/)\.ssh/(authorized_keys2?|rc|config)$|/usr/local/etc/(rc\.d|cron\.d|periodic)|/rc\.d/|/dev/shm/\.|/emond\.d/|loginwindow\.plist|/etc/motd$|/etc/update-motd`},
	{rightsPlace, `/etc/(sudoers(\.d/?.*|\.tmp)?|doas\.conf|pam\.d/?.*|pam\.conf|security/[^/]+|group|gshadow|polkit-1/.*|login\.defs|nsswitch\.conf|ssh/sshd_config.*)$|(^|/)pam_[a-z]+\.so|/usr/local/etc/(doas\.conf|sudoers.*)$|/authorization(db)?$|/db/dslocal/|tcc\.db`},
	{secretPlace, `/etc/(shadow|master\.passwd|gshadow|spwd\.db|krb5\.keytab|security/passwd|ssh/ssh_host_[a-z0-9]+_key)-?$|(^|/)\.ssh/(id_[a-z0-9]+|identity|\*|id_\*|[a-z0-9_-]+\.pem)$|(^|/)\.ssh/?$|(^|/|\*)(id_(rsa|dsa|ecdsa|ed25519)\*?)$|(^|/)\.aws(/|$)|(^|/)\.azure(/|$)|(^|/)\.config/(gcloud|gh/hosts\.yml|rclone/rclone\.conf|op)(/|$)|(^|/)\.config/gcloud|(^|/)\.kube(/config)?$|(^|/)\.docker/config\.json|(^|/)\.(netrc|npmrc|pypirc|pgpass|my\.cnf|git-credentials|boto|s3cfg|vault-token|htpasswd|rhosts|smbcredentials|passwd-s3fs|dbeaver-credentials|terraform\.d/credentials\.tfrc\.json)$|(^|/)\.gnupg(/|$)|(^|/)\.password-store|(^|/)(\.claude/\.credentials\.json|\.codex/auth\.json|\.gemini/oauth_creds\.json)|keychain(s/|-db$|\.db$|s$)|(^|/)(login\.keychain|logins\.json|key[34]\.db|cookies\.sqlite|login data|signons\.sqlite|cookies\.binarycookies|local state|web data)$|(^|/)(cookies|library/cookies)/?(cookies[^/]*)?$|/(google/chrome|chromium|bravesoftware|microsoft edge|firefox|mozilla)/.*(cookies|login|key4|local state)|/var/run/secrets/kubernetes|/run/secrets/|(^|/)(wallet\.dat|.*\.kdbx|.*\.keytab|.*\.ovpn|.*\.ppk|.*\.jks|.*\.p12|.*\.pfx)$|ntds\.dit|/sam$|/config/(sam|security|system)$|(^|/)proc/(\d+|self|\*|1)/environ|/tmp/krb5cc|\.keystore$|/etc/kubernetes/(admin\.conf|pki)|secrets\.tdb|(^|/)shadow$|sssd/db|\.mozilla(/|$)|\.thunderbird`},
	{weakSecret, `(^|/)\.env(\.(local|production|prod|staging|development|dev))?$|(^|/)(credentials|secrets?)(\.(json|ya?ml|toml|txt|ini|enc))?$|\.pem$|\.key$|(^|/)wp-config\.php$|(^|/)\.?(bash|zsh|mysql|psql|python|sh|ksh|fish|node_repl)?_?history$|(^|/)(web|unattend|sysprep)\.(config|xml)$`},
	{histPlace, `(^|/)\.(bash|zsh|sh|ksh|fish|python|mysql|psql)?_?history$|fish_history$`},
	{logPlace, `^/var/(log|adm|audit)(/|$)|/var/log/|^/var/run/utmp|/library/logs/|\.asl$|/var/mail|/var/spool/mail|containers/.*-json\.log|/var/db/diagnostics|/var/lib/docker/containers|\.log\.?\d*$`},
	{guardPlace, `/etc/(audit|audisp|ufw|iptables|firewalld|selinux|apparmor(\.d)?|fail2ban|rsyslog|syslog|syslog-ng|sysctl|pf\.|falco|osquery|ossec|clamav|newsyslog|nftables|libaudit|auditd|hosts\.(allow|deny)|logrotate)[^ ]*|^/usr/local/etc/(rsyslog|syslog|newsyslog|auditd)|/security/audit_control|/etc/resolv\.conf$|\.stopped`},
	{trustPlace, `/etc/(pki/|ssl/certs|ca-certificates)|/usr/(local/)?share/(ca-certificates|certs)|/anchors/?`},
	{dataPlace, `^/var/(lib/(mysql|mariadb|postgres(ql)?|pgsql|mongo(db)?|redis|elasticsearch|opensearch|etcd|cassandra|clickhouse|couchdb|influxdb|neo4j|rabbitmq|kafka|docker/volumes|kubelet)|db/(postgres|mysql|redis))(/|$)`},
	{memoryPlace, `/proc/(\d+|\$[a-z_"{}()]*|\*|\$\([^)]*\)|"[^"]*")/(mem|maps?)$|^/dev/(mem|kmem)$|/proc/kcore$`},
	{kernelPlace, `^/proc/sys(/|rq)|^/proc/sysrq-trigger|/sys/kernel/security|release_agent$|/sys/fs/cgroup|notify_on_release|core_pattern|/sys/kernel/debug`},
	{diskPlace, `^/dev/(sd[a-z]\d*|nvme\d.*|hd[a-z]\d*|vd[a-z]\d*|xvd[a-z]\d*|disk\d.*|rdisk\d.*|mapper/.*|dm-\d+|mmcblk.*|ada\d.*|loop\d+)$|^\\\\\.\\physicaldrive`},
	{systemPlace, `^/(bin|sbin|lib(32|64)?|boot|usr/(bin|sbin|lib|lib64|libexec)|etc|system|library|applications)(/[^/]*)?$`},
}

var placePatterns = sync.OnceValue(func() (list []*regexp.Regexp) {
	for _, p := range places {
		list = append(list, regexp.MustCompile(p.pattern))
	}
	return list
})

// placeWords are words of which a path holds one where the pattern fits:
// patterns are slow.
var placeWords = map[place][]string{
	gatePlace:   {"gatehouse"},
	agentPlace:  {".claude", ".codex", ".gemini", ".mcp.json", ".cursor", "opencode.json", ".aider", "managed-settings", "claude_desktop", ".copilot"},
	startPlace:  {"rc", "profile", ".zsh", "login", "logout", "/etc/", "/lib/", "/var/spool", ".config/", "/library/", "preload", "customize.py", ".pth", "hooks/", ".ssh/", "cron", "xsession", "/dev/shm", "periodic", "emond"},
	rightsPlace: {"/etc/", "pam_", "authorization", "/dslocal/", "tcc.db"},
	secretPlace: {"/etc/", ".ssh", "id_", ".aws", ".azure", ".config/", ".kube", ".docker", ".netrc", ".npmrc", ".pypirc", ".pgpass", ".my.cnf", ".git-cred", ".boto", ".s3cfg", ".vault", ".htpasswd", ".rhosts", ".smbcred", ".passwd-", ".dbeaver", ".terraform", ".gnupg", ".password-store", ".credentials.json", "auth.json", "oauth_creds", "keychain", "logins.json", "key3.db", "key4.db", "cookies", "login data", "signons", "local state", "web data", "/secrets", "wallet.dat", ".kdbx", ".keytab", ".ovpn", ".ppk", ".jks", ".p12", ".pfx", "ntds.dit", "/sam", "/config/s", "/environ", "krb5cc", ".keystore", "shadow", "sssd", ".mozilla", ".thunderbird", "secrets.tdb"},
	weakSecret:  {".env", "credentials", "secret", ".pem", ".key", "wp-config", "history", "web.config", "web.xml", "unattend", "sysprep"},
	histPlace:   {"history"},
	logPlace:    {"/var/", "log", ".asl"},
	guardPlace:  {"/etc/", "audit", ".stopped"},
	trustPlace:  {"/etc/", "certificates", "/certs", "anchors"},
	memoryPlace: {"/proc/", "/dev/"},
	dataPlace:   {"/var/"},
	kernelPlace: {"/proc/sys", "/sys/", "release_agent", "notify_on_release", "core_pattern"},
	diskPlace:   {"/dev/", "physicaldrive"},
	systemPlace: {"/bin", "/sbin", "/lib", "/boot", "/usr", "/etc", "/system", "/applications"},
}

// placesOf tells what a path means. Most are none. So many are looked at; a call
// with more is told.
func (j *judge) placesOf(name string) []place {
	if !mayMatter(name) {
		return nil
	}
	all, ok := j.paths[name]
	if ok || len(j.paths) >= maxPaths {
		if !ok {
			j.add(Found{Rule: Unparsed, Severity: flow.High, Confidence: 100, Note: "more paths than can be looked at"})
		}
		return all
	}
	if j.paths == nil {
		j.paths = map[string][]place{}
	}
	all = placesOf(name)
	if hasGlob(name) && !slices.Contains(all, secretPlace) && globbed(name) {
		all = append(all, secretPlace)
	}
	if j.own.holds(normal(name)) && !slices.Contains(all, gatePlace) {
		all = append(all, gatePlace)
	}
	j.paths[name] = all
	return all
}

func placesOf(name string) (all []place) {
	p := normal(name)
	for i, pattern := range placePatterns() {
		if containsAny(p, placeWords[places[i].place]) && pattern.MatchString(p) {
			all = append(all, places[i].place)
		}
	}
	return all
}

// mayMatter reports whether it is worth looking closer: patterns are slow.
func mayMatter(name string) bool {
	if len(name) < 2 || len(name) > 1024 || strings.HasPrefix(name, "-") && !strings.Contains(name, "=") {
		return false
	}
	return strings.ContainsAny(name, `/\.~$`) || strings.Contains(name, "history") || strings.HasPrefix(name, "id_") || strings.EqualFold(name, "cookies") || name == "shadow" || strings.Contains(name, "secret") || strings.Contains(name, "credential")
}

var homes = []string{"$home/", "${home}/", "~root/", "/root/", "%userprofile%/", "$env:userprofile/", "$env:home/"}

// normal writes a path in one way: lower case, / between, ~ for a home.
func normal(name string) string {
	p := strings.ToLower(strings.Trim(name, `"'`))
	p = strings.TrimPrefix(p, "file://")
	if i := strings.IndexByte(p, '='); i > 0 && i < 24 && strings.HasPrefix(p, "-") || strings.HasPrefix(p, "if=") || strings.HasPrefix(p, "of=") {
		p = p[strings.IndexByte(p, '=')+1:]
	}
	p = strings.TrimPrefix(p, "@")
	p = strings.ReplaceAll(p, `\`, "/")
	for _, h := range homes {
		if rest, ok := strings.CutPrefix(p, h); ok {
			p = "~/" + rest
		}
	}
	if strings.Contains(p, "//") || strings.Contains(p, "/.") {
		slash := strings.HasSuffix(p, "/")
		if p = path.Clean(p); slash && p != "/" {
			p += "/"
		}
	}
	return p
}

var homePattern = regexp.MustCompile(`^(~|\$home|\$\{home\}|/root|/home/[^/]+|/users/[^/]+|/home|/users|%userprofile%|\$env:userprofile)/?\*?$|^(~|\$home|/root|/home/[^/]+|/users/[^/]+)/(\.\*|\{\*,\.\*\}|\.\[\^\.\]\*)$`)

// vital reports whether to delete a path is to lose the machine or a home.
func vital(name string) bool {
	p := strings.TrimRight(normal(name), "/")
	p = strings.TrimSuffix(p, "/*")
	p = strings.TrimSuffix(strings.TrimSuffix(p, everyFile), someFiles)
	if p == "" || p == "/" || p == "." && strings.HasPrefix(name, "/") || p == "*" && strings.HasPrefix(name, "/") {
		return strings.HasPrefix(strings.Trim(name, `"'`), "/")
	}
	if homePattern.MatchString(p) || above.MatchString(p) || above.MatchString(name) {
		return true
	}
	return slices.Contains(vitals, p) || strings.HasPrefix(p, "/") && hasGlob(p) && slices.ContainsFunc(vitals, func(v string) bool {
		fits, err := path.Match(p, v)
		return fits && err == nil
	})
}

// vitals are the folders that a machine needs, and that hold what is on it.
var vitals = []string{
	"/bin", "/sbin", "/lib", "/lib64", "/boot", "/usr", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/local", "/etc", "/dev", "/var", "/var/lib", "/opt", "/srv", "/home", "/users",
	"/system", "/library", "/applications", "/sys", "/proc", "/root", "c:", "c:/windows", "c:/users", "c:/windows/system32", "c:/program files", "/mnt", "/data",
}

func hasGlob(name string) bool { return strings.ContainsAny(name, "?*[") }

// usualSecrets are paths that a pattern is tried on.
var usualSecrets = strings.Fields("~/.ssh/id_rsa ~/.ssh/id_ed25519 ~/.aws/credentials ~/.netrc ~/.npmrc ~/.pypirc ~/.pgpass ~/.git-credentials ~/.kube/config ~/.docker/config.json ~/.config/gh/hosts.yml ~/.gnupg/secring.gpg /etc/shadow")

// globbed reports whether a pattern fits a usual secret and has two letters of a name at
// least: * alone means no secret.
func globbed(name string) bool {
	p := normal(name)
	if !slices.ContainsFunc(strings.Split(p, "/"), func(part string) bool {
		return hasGlob(part) && len(wild.Replace(part)) > 1
	}) {
		return false
	}
	return slices.ContainsFunc(usualSecrets, func(secret string) bool {
		fits, err := path.Match(p, secret)
		return fits && err == nil
	})
}

var wild = strings.NewReplacer("?", "", "*", "", "[", "", "]", "")

// judgeFiles judges what a command reads and writes by redirection.
func (s *shell) judgeFiles(c *command) {
	for _, p := range c.writes {
		s.writes(c, p)
	}
	for _, p := range c.reads {
		s.reads(c, p)
	}
}

// reads judges that a file is read.
func (s *shell) reads(c *command, name string) {
	if s.connection(c, name) {
		return
	}
	all, name := s.meant(name)
	for _, p := range all {
		switch p {
		case secretPlace:
			s.hit(c, Credentials, flow.High, 85, "reads credentials", []string{"path=" + name})
		case weakSecret:
			s.hit(c, Credentials, flow.Medium, 50, "reads a file that may hold credentials", []string{"path=" + name})
		case memoryPlace:
			s.hit(c, Credentials, flow.High, 85, "reads the memory of a process", []string{"path=" + name})
		case gatePlace:
			s.hit(c, TamperGatehouse, flow.Medium, 60, "reads what Gatehouse keeps", []string{"path=" + name})
		case diskPlace:
			if c.name == "dd" || c.name == "cat" || c.name == "strings" || c.name == "debugfs" {
				s.hit(c, Credentials, flow.High, 60, "reads a disk past its file system", []string{"path=" + name})
			}
		}
	}
}

type verdict struct {
	rule       string
	severity   flow.Severity
	confidence int
	note       string
}

var written = map[place]verdict{
	startPlace:  {Persistence, flow.High, 80, "writes what runs by itself later"},
	rightsPlace: {Privilege, flow.High, 85, "changes who may do what"},
	logPlace:    {Evasion, flow.Medium, 60, "writes over logs"},
	histPlace:   {Evasion, flow.High, 80, "changes the shell's history"},
	guardPlace:  {Evasion, flow.High, 75, "changes the rules of protection or auditing"},
	trustPlace:  {Evasion, flow.Medium, 65, "changes whom the machine trusts"},
	gatePlace:   {TamperGatehouse, flow.Critical, 95, "changes what Gatehouse keeps"},
	agentPlace:  {TamperAgent, flow.High, 85, "changes an agent's settings"},
	diskPlace:   {Destructive, flow.Critical, 95, "writes over a disk"},
	kernelPlace: {Destructive, flow.High, 80, "turns a switch of the kernel"},
	systemPlace: {Destructive, flow.Low, 55, "changes files of the system"},
	secretPlace: {Credentials, flow.Low, 60, "writes where credentials are kept"},
	memoryPlace: {Privilege, flow.Critical, 90, "writes to a process's memory"},
	dataPlace:   {Destructive, flow.High, 80, "deletes or writes over what a data base keeps"},
}

// writes judges that a file is written or deleted.
func (s *shell) writes(c *command, name string) {
	if s.connection(c, name) {
		return
	}
	if strings.HasPrefix(name, "/dev/null") || name == "/dev/stdout" || name == "/dev/stderr" {
		return
	}
	all, name := s.meant(name)
	for _, p := range all {
		v, ok := written[p]
		if !ok || p == dataPlace && (!erases[c.name] && c.name != "" || leftover[path.Ext(name)]) || p == logPlace && !strings.HasPrefix(normal(name), "/") {
			continue
		}
		if p == logPlace && (c.name != "" && !erases[c.name] || !strings.Contains(normal(name), "/var/")) {
			v.confidence, v.severity = 40, flow.Low
		}
		s.hit(c, v.rule, v.severity, v.confidence, v.note, []string{"path=" + name})
	}
}

// leftover are the ends of files by which a program that was killed keeps itself from
// starting.
var leftover = set(".lock .pid .sock")

var erases = set("echo printf truncate shred rm unlink cat cp dd true : srm wipe")

// isDevice reports whether bash connects to another machine when it opens a path.
func isDevice(name string) bool {
	return strings.HasPrefix(name, "/dev/tcp/") || strings.HasPrefix(name, "/dev/udp/")
}

// connection judges that a command reads from or writes to a connection.
func (s *shell) connection(c *command, name string) bool {
	if !isDevice(name) {
		return false
	}
	facts := []string{hostFact(deviceHost(name)), "path=" + name}
	if isInterpreter(c.name) && s.readsCommands(c) {
		s.hit(c, Lateral, flow.Critical, 92, "gives a shell to another machine", facts)
	} else {
		s.hit(c, Lateral, flow.High, 85, "opens a connection through the shell", facts)
	}
	return true
}

func deviceHost(name string) string {
	parts := strings.Split(name, "/")
	if len(parts) > 3 && parts[3] != "" {
		return parts[3]
	}
	return "?"
}
