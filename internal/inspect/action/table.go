package action

import (
	"regexp"
	"strings"
	"sync"

	"github.com/workingagents/gatehouse/internal/flow"
)

// row says what commands do when their line fits a pattern. The line is the name
// and the arguments, joined by blanks; no pattern fits all.
type row struct {
	names      string
	pattern    string
	rule       string
	severity   flow.Severity
	confidence int
	note       string
}

type compiled struct {
	*row
	pattern *regexp.Regexp
}

var tableOf = sync.OnceValue(func() map[string][]compiled {
	m := map[string][]compiled{}
	for i := range rows {
		r := compiled{row: &rows[i]}
		if r.row.pattern != "" {
			r.pattern = regexp.MustCompile("(?i)" + r.row.pattern)
		}
		for _, name := range strings.Fields(r.names) {
			m[name] = append(m[name], r)
		}
	}
	return m
})

// lineBytes is how much of a command's line the patterns look at.
const lineBytes = 4096

func (s *shell) table(c *command) {
	t := tableOf()
	list := t[c.name]
	if len(list) == 0 {
		s.named(c)
		return
	}
	line := c.line
	if len(line) > lineBytes {
		line = line[:lineBytes]
	}
	for _, r := range list {
		if r.pattern == nil || r.pattern.MatchString(line) {
			s.hit(c, r.rule, r.severity, r.confidence, r.note, s.facts(c)[min(1, len(s.facts(c))):])
		}
	}
}

// attackTools are programs that hardly anybody has for other work.
var attackTools = regexp.MustCompile(`^(mimikatz|lazagne|linpeas|winpeas|pspy(32|64)?|linux-exploit-suggester|linenum|lse|mimipenguin|pypykatz|rubeus|sharphound|bloodhound|crackmapexec|nxc|netexec|impacket-.*|secretsdump|psexec|wmiexec|smbexec|responder|hydra|medusa|ncrack|john|hashcat|kerbrute|evil-winrm|msfconsole|msfvenom|meterpreter|chisel|ligolo.*|xmrig|minerd|cpuminer|sqlmap|nikto|gobuster|aircrack-ng|ettercap|bettercap|dnscat2?|iodine|ptunnel.*|nanodump|procdump|stratus|pacu|peirates|deepce|kube-hunter|cdk|prowler|scoutsuite|trufflehog|keyscan|logkeys|rpivot|empire|sliver.*|cobaltstrike|phishery|pwncat.*|crunch|patator|enum4linux|nmap|masscan|rustscan|zmap|steghide|outguess)(\.(py|sh|exe|ps1|pl|elf))?$`)

var scouting = regexp.MustCompile(`^(nmap|masscan|rustscan|zmap|gobuster|nikto|enum4linux|prowler|scoutsuite|trufflehog)`)

// named judges a program by its name alone, and by where it lies.
func (s *shell) named(c *command) {
	switch {
	case scouting.MatchString(c.name):
		s.hit(c, Discovery, flow.Medium, 60, "looks for ways in", s.facts(c))
	case attackTools.MatchString(c.name):
		s.hit(c, Privilege, flow.High, 80, "a program for attacks", s.facts(c))
	case c.program != c.name && strings.HasPrefix(c.program, "/tmp/") || strings.HasPrefix(c.program, "/var/tmp/") || strings.HasPrefix(c.program, "/dev/shm/"):
		severity := flow.Low
		if c.sudo {
			severity = flow.Medium
		}
		s.hit(c, HiddenRun, severity, 50, "runs a program from a folder that everybody can write to", []string{"path=" + c.program})
	case len(strings.TrimSpace(c.name)) > 1 && strings.HasSuffix(c.name, " ") || strings.HasPrefix(c.name, ".") && len(c.name) > 2 && strings.Contains(c.program, "/."):
		s.hit(c, HiddenRun, flow.Medium, 55, "runs a hidden program", []string{"path=" + c.program})
	}
}

const (
	low      = flow.Low
	medium   = flow.Medium
	high     = flow.High
	critical = flow.Critical
)

var rows = []row{
	// Disks and file systems.
	{"mkfs mkfs.ext4 mkfs.ext3 mkfs.ext2 mkfs.xfs mkfs.btrfs mkfs.vfat mke2fs newfs mkswap wipefs blkdiscard", `/dev/`, Destructive, critical, 92, "makes a disk empty"},
	{"fdisk parted sgdisk sfdisk gdisk", `/dev/.*(mkpart|mklabel|rm |-d|--zap|-Z|-o\b)`, Destructive, high, 80, "changes a disk's partitions"},
	{"diskutil", `erase|partition|zerodisk|secureErase|reformat|deleteVolume|deleteContainer`, Destructive, critical, 90, "makes a disk empty"},
	{"dd", `of=/dev/(sd|nvme|hd|vd|xvd|disk|rdisk|mapper|mmcblk|mem|ada)`, Destructive, critical, 95, "writes over a disk"},
	{"dd", `if=/dev/(zero|u?random).*(of=|>>? ?)(/etc|/var|/usr|~|/home|/bin|\$HOME)`, Destructive, high, 75, "writes over files"},
	{"shred srm wipe", `(-[a-z]*u|--remove|--zero).*(/var|/etc|/home|~|/root|/usr|\$HOME)|/dev/|\.log\b|history`, Destructive, high, 75, "deletes so that nothing can be restored"},
	{"dd", `if=/dev/(zero|u?random).*bs=.*>>|if=/dev/(zero|u?random).*of=[^ ]*(evil|bin\b|exe\b)`, Evasion, medium, 45, "pads a file"},
	{"lvremove vgremove pvremove cryptsetup zpool zfs", `lvremove|vgremove|pvremove|luksFormat|luksErase|destroy`, Destructive, high, 85, "removes a volume"},
	{"debugfs", ``, Credentials, high, 60, "reads a disk past its file system"},

	// The machine.
	{"shutdown halt poweroff reboot init telinit", `shutdown|halt|poweroff|reboot|init [06]`, Destructive, medium, 60, "stops or restarts the machine"},
	{"systemctl", `\b(poweroff|reboot|halt|kexec|emergency|rescue)\b`, Destructive, medium, 60, "stops or restarts the machine"},
	{"kill", `-(9|KILL|SIGKILL) -1\b|-9 1$`, Destructive, high, 85, "kills all processes"},
	{"swapoff", `-a|/dev`, Evasion, medium, 60, "switches swap off"},
	{"sysctl", `-w.*(randomize_va_space|kptr_restrict|yama|core_pattern|sysrq|ip_forward|suid_dumpable|unprivileged|modules_disabled|dmesg_restrict|drop_caches)`, Evasion, high, 65, "switches a protection of the kernel"},
	{"stress stress-ng", ``, Destructive, medium, 55, "keeps the machine busy"},
	{"yes", `/dev/null`, Destructive, medium, 50, "keeps the machine busy"},
	{"crontab", `-r\b`, Destructive, medium, 70, "removes all of a user's timed jobs"},
	{"tmutil", `disable|delete|thinlocal|addexclusion`, Destructive, high, 75, "switches backups off or removes them"},
	{"vim-cmd esxcli esxcfg-vswitch", `vim-cmd .*(destroy|power\.(off|shutdown)|snapshot\.removeall|unregister)|esxcli (vm process kill|system (settings|syslog|account|auditrecords)|network firewall|software (vib|acceptance)|storage)`, Destructive, high, 75, "changes or stops a hypervisor"},
	{"esxcli vim-cmd", ``, Discovery, medium, 45, "asks or changes a hypervisor"},

	// Accounts.
	{"useradd adduser sysadminctl pw dscl", `useradd|adduser|-addUser|-create ?/users|\. -create|useradd|usermod|-append`, Persistence, high, 70, "makes or changes an account"},
	{"usermod gpasswd", `-[a-z]*G|-a |-aG|-l |-u 0|-o |--lock|-L|-U|-e |--expire|--unlock|-s `, Persistence, medium, 60, "changes an account"},
	{"dseditgroup", `-a`, Privilege, high, 75, "adds an account to a group"},
	{"userdel deluser groupdel", ``, Destructive, medium, 60, "removes an account"},
	{"dscl sysadminctl", `-delete|-deleteuser|IsHidden|-passwd|-change|-authonly|password`, Destructive, high, 70, "removes, hides or changes an account"},
	{"dscl", `-authonly|\. -(read|list).*(passw|ShadowHash)|ShadowHashData`, Credentials, high, 75, "asks for or tries passwords"},
	{"dsenableroot", ``, Persistence, high, 80, "switches the root account on"},
	{"passwd chpasswd", `-[dlue]\b|--(delete|lock|expire|unlock)|--stdin|^chpasswd|root`, Persistence, medium, 60, "changes a password or locks an account"},
	{"chage", ` -[EMmIWd]`, Persistence, medium, 50, "changes when a password ends"},
	{"passwd", ` -S| --status`, Discovery, low, 40, "asks about accounts"},

	// What runs by itself.
	{"crontab", `^crontab( -u \S+)? (-e|-|[^-]\S*)$|^crontab$`, Persistence, medium, 55, "changes timed jobs"},
	{"at batch", `now|:|tomorrow|\+|midnight|noon|-f|-t`, Persistence, medium, 60, "runs commands later"},
	{"launchctl", `\b(load|bootstrap|submit|enable|kickstart|setenv)\b`, Persistence, high, 70, "starts what runs by itself"},
	{"launchctl", `\b(unload|bootout|remove|disable|stop)\b`, Evasion, high, 70, "stops a service"},
	{"systemctl", `\b(enable|link|unmask|preset|edit|set-default)\b`, Persistence, medium, 55, "has a service start by itself"},
	{"update-rc.d chkconfig rc-update sysrc", ``, Persistence, medium, 55, "has a service start by itself"},
	{"systemd-run", `--on-|--timer|--uid`, Persistence, medium, 65, "runs commands later"},
	{"insmod modprobe kldload kextload kmutil rmmod", `insmod|kldload|kextload|load|modprobe [^-]|rmmod|-r`, Persistence, high, 75, "changes the kernel's modules"},
	{"osascript", `login item|make (new )?login|path to startup`, Persistence, high, 75, "adds a login item"},
	{"defaults", `write.*(loginwindow|LoginHook|LogoutHook|AutoLaunched|launchd|LSQuarantine|com\.apple\.(alf|screensaver|security)|Gatekeeper|TALLogoutSavesState|LaunchAgents|DisableAutomatic|AutomaticCheck|SoftwareUpdate|HiddenUsers|Hide500)`, Persistence, high, 75, "changes settings of logging in or of protection"},
	{"profiles", `install|-I|remove|-R`, Persistence, high, 70, "changes the machine's profiles"},
	{"git", `config.*(core\.(hooksPath|sshCommand|fsmonitor|pager|editor)|alias\.\S+ ['"]?!|credential\.helper|url\..*insteadOf|http\.(proxy|sslVerify) (false|http))|http\.sslVerify=false|-c (core\.(sshCommand|fsmonitor|pager)|protocol\.ext)`, Persistence, medium, 55, "has git run or call something else"},
	{"networksetup", `-set(web|secureweb|socks|auto|ftp)proxy|-setdnsservers`, Evasion, high, 70, "leads this machine's traffic elsewhere"},
	{"update-ca-certificates update-ca-trust certctl trust", `^update|rehash|anchor`, Evasion, medium, 70, "changes whose certificates are trusted"},
	{"security", `add-trusted-cert|authorizationdb write|trust-settings-import|delete-certificate|set-key-partition-list`, Evasion, high, 80, "changes whose certificates are trusted, or who may do what"},
	{"security", `(find|dump|export|unlock|show)-(generic|internet|keychain|certificate|identity|key)|dump-keychain|find-.*-password|export -|list-keychains|unlock-keychain`, Credentials, high, 85, "asks the keychain for passwords"},

	// Rights.
	{"chmod", `(^| )((u|ug|gu|a|)\+[a-z]*s|0?[4567][0-7]{3}|u=[a-z]*s)\b`, Privilege, high, 70, "has a program run with its owner's rights"},
	{"setcap", `cap_`, Privilege, high, 80, "gives a program rights of the kernel"},
	{"capsh", ``, Privilege, medium, 60, "changes rights of the kernel"},
	{"getcap", `-r`, Discovery, medium, 55, "looks for programs with special rights"},
	{"find", `-perm\s+[-/]?(\+?(u=s|g=s|[ug]\+s|0?[2467]000))|-perm -?/?\d?[2467]000`, Discovery, low, 60, "looks for programs that run with others' rights"},
	{"visudo", ``, Privilege, high, 70, "changes who may act as root"},
	{"nsenter", `(-t|--target)[ =]?1\b`, Privilege, critical, 90, "leaves its container"},
	{"docker podman nerdctl", `(run|create).*((-v|--volume)[ =]?/:|--privileged|--pid[ =]host|--cap-add[ =](all|sys_admin|sys_ptrace)|/var/run/docker\.sock|source=/,|--net[ =]host.*--pid)`, Privilege, high, 80, "a container that can reach all of this machine"},
	{"docker podman", `\bchroot\b`, Privilege, high, 70, "a container that acts on this machine"},
	{"mount", `cgroup|(-B|--bind|-o bind) /proc|/dev/(dm|sd|vd|nvme|xvd)\S* \S*(host)`, Privilege, medium, 60, "mounts a disk or another process's folder"},
	{"kubectl", `(create|apply).*(clusterrolebinding|rolebinding|clusterrole|serviceaccount|cronjob|daemonset)|clusterrolebinding|--as[ =]system:masters`, Privilege, high, 70, "gives rights in a cluster"},
	{"kubectl", `(get|describe|view) (-\S+ )*secrets?|config view.*--raw|create token|get serviceaccount`, Credentials, high, 70, "reads a cluster's secrets"},
	{"kubectl", `\bexec\b`, Lateral, medium, 45, "runs commands in another container"},
	{"kubectl", `delete .*(namespace|ns |--all\b|pv |clusterrole|node )|drain `, Destructive, high, 75, "deletes much of a cluster"},
	{"kubectl", `run .*(--overrides|hostPID|privileged)|debug node`, Privilege, high, 75, "a container that can reach its machine"},
	{"mount", `/dev/(dm|sd|vd|nvme|xvd|mapper)|-B |--bind|-o bind`, Privilege, low, 50, "mounts a disk or a folder"},
	{"sudo", `^sudo (-\S+ )*(-l|--list|-i|-s|-K|-k|su)\b`, Privilege, medium, 45, "asks what it may do as root, or becomes root"},
	{"sudo", `timestamp|tty_tickets|-p |sudoers|-S`, Privilege, medium, 50, "changes how root's rights are given"},
	{"unshare", `-[a-z]*[Ur]|--map-root|--user`, Privilege, medium, 55, "takes root's rights in a space of its own"},
	{"gdb", `(-p|--pid|attach)|sudo|shell`, Privilege, high, 65, "takes hold of another process"},
	{"gcore", ``, Credentials, high, 80, "reads the memory of a process"},
	{"pkexec", ``, Privilege, medium, 60, "acts as root"},
	{"csrutil spctl", `disable|--master-disable|--global-disable|--add|clear`, Evasion, high, 88, "switches the system's protection off"},
	{"tccutil", `reset|insert`, Privilege, high, 70, "changes what programs may see"},
	{"dscacheutil", `-flushcache`, Evasion, low, 40, "empties a cache"},

	// Traces and protection.
	{"history", `-c\b|-d|-cw`, Evasion, high, 80, "deletes the shell's history"},
	{"unset", `HIST`, Evasion, high, 80, "keeps the shell from writing its history"},
	{"set", `\+o history|-o histignorespace|\+H`, Evasion, high, 80, "keeps the shell from writing its history"},
	{"shopt", `-[su] (cmdhist|histappend|histverify)`, Evasion, low, 50, "changes how the shell's history is written"},
	{"ln", `/dev/null.*history`, Evasion, high, 85, "deletes the shell's history"},
	{"setenforce", `0|permissive`, Evasion, high, 85, "switches SELinux off"},
	{"aa-disable aa-teardown aa-complain", ``, Evasion, high, 80, "switches AppArmor off"},
	{"ufw", `disable|reset|delete|allow|logging off|--force`, Evasion, high, 70, "opens the firewall"},
	{"iptables ip6tables nft pfctl ipfw firewall-cmd", `-F|--flush|-X|-D |-P \w+ ACCEPT|flush|-d\b|delete|disable|-I |-A .*(ACCEPT|DROP|REDIRECT)|--add|--remove|--reload|-t nat|\badd\b`, Evasion, high, 65, "changes the firewall"},
	{"systemctl service rc-service invoke-rc.d sc launchctl", `(stop|disable|mask|kill|unload|onestop).*(ufw|firewall|iptables|audit|syslog|apparmor|selinux|falcon|crowdstrike|sentinel|defender|mdatp|clam|osquery|falco|wazuh|ossec|ds_agent|carbon|cbdaemon|cylance|sophos|esets?|mcafee|symantec|nessus|splunk|fluent|filebeat|auditbeat|elastic|td-agent|littlesnitch|santa|fail2ban|sysmon|journal|crond?|bluecoat|xagt|qualys|tanium|nids|rsyslog|cbagent|security|snort|suricata|tripwire|aide|rkhunter|chkrootkit|edr|av\b)`, Evasion, high, 85, "stops what protects or watches"},
	{"service systemctl rc-service", `(ufw|firewall\w*|iptables|audit\w*|r?syslog\w*|apparmor|falcon\S*|crowdstrike|clam\S*|osquery|falco|wazuh|fail2ban|cron\w*|cbdaemon|pf|ipfw)(\.service)? ?(stop|disable|onestop|kill)`, Evasion, high, 85, "stops what protects or watches"},
	{"kill pkill killall killall5", `(audit|syslog|falcon|crowdstrike|defender|mdatp|clam|osquery|falco|wazuh|ossec|cbdaemon|sophos|sentinel|esets|sysmon|journald|security|little ?snitch|santa|ufw|firewall|cron)`, Evasion, high, 80, "stops what protects or watches"},
	{"auditctl", `-e ?0|-D|-d |-b |-r |-W`, Evasion, high, 85, "switches auditing off"},
	{"augenrules", ``, Evasion, medium, 50, "changes auditing"},
	{"rpm apt apt-get yum dnf dpkg brew pkg", `(remove|purge|erase|uninstall|autoremove| -e |-r |delete).*(audit|syslog|falcon|crowdstrike|clam|osquery|falco|wazuh|apparmor|selinux|ufw|fail2ban|sentinel|mdatp|rkhunter|aide|tripwire|edr)`, Evasion, high, 80, "removes what protects or watches"},
	{"mdatp falconctl sentinelctl", `(config|exclusion|uninstall|disable|unload|threat|quiet|--value disabled|stop)`, Evasion, high, 85, "switches protection off"},
	{"journalctl", `--(vacuum|rotate|flush)`, Evasion, medium, 50, "deletes logs"},
	{"log", `\berase\b|config`, Evasion, high, 80, "deletes logs"},
	{"touch", `(^| )(-[acm]*[tr]|--reference|-A)\b`, Evasion, medium, 45, "changes when a file was written"},
	{"SetFile setfile", ``, Evasion, medium, 60, "changes a file's marks"},
	{"chattr chflags", `chattr [-+=]\w*[iau]|chflags.*(hidden|uchg|schg|simm|uimm|uappnd| 0 )`, Evasion, medium, 60, "protects or opens a file against changes"},
	{"xattr", `-[a-z]*[dc]\b.*|quarantine`, Evasion, high, 65, "takes off the mark of what was downloaded"},
	{"timedatectl date hwclock systemsetup", `set-time|set-ntp|set-timezone|-setusingnetworktime|-setremotelogin|-f on`, Evasion, medium, 45, "changes the clock, or remote access"},
	{"auditpol logman", ``, Evasion, high, 70, "changes auditing"},
	{"modprobe rmmod", `-r .*(audit|kvm|falcon|sysdig)`, Evasion, high, 75, "removes what protects or watches"},

	// Passwords and keys.
	{"grep egrep fgrep rg ag ack strings zgrep findstr select-string", `(password|passwd\b|pwd=|pass\b|secret|api[_-]?key|access[_-]?key|private key|BEGIN .*KEY|aws_|token|credential|authorization:|AKIA).*( /( |$)|/etc|/home|~|/root|/var|\$HOME|/users|history|\.ssh|/opt|/proc)`, Credentials, high, 60, "looks for passwords where it has no work"},
	{"grep egrep rg", `-[a-z]*[rR][a-z]* .*(-e |')?(password|passwd|secret|BEGIN RSA|PRIVATE KEY|api_?key)`, Credentials, low, 30, "looks for passwords"},
	{"find locate fd mdfind", `(?:-i?(?:name|path|wholename|regex)|^(?:locate|fd|mdfind)) .*(id_[rd]sa|id_ed25519|id_\*|\.pem\b|\.ppk|\.p12|\.pfx|\.kdbx|\.netrc|\.gnupg|\.aws|\.ssh\b|\.key\b|shadow\b|\.htpasswd|\.git-credentials|known_hosts|authorized_keys|wallet|credentials|\.jks|\.keychain|\.ovpn|\.pgp|\.gpg|\.asc|\.crt|\.cer\b|kubeconfig|\.azure|gcloud|\*pass\*|\*secret\*|\.(bash|zsh)_history)`, Credentials, medium, 55, "looks for keys and password files"},
	{"unshadow john hashcat hydra medusa ncrack patator", ``, Credentials, high, 85, "tries passwords"},
	{"tcpdump tshark dumpcap wireshark ngrep ettercap", ``, Credentials, medium, 55, "listens to the network"},
	{"getent", `shadow|gshadow`, Credentials, high, 85, "reads password hashes"},
	{"pam_tally2 faillock", `reset`, Evasion, medium, 55, "resets failed logins"},
	{"aws", `(secretsmanager get-secret|ssm get-parameters?.*decrypt|iam create-access-key|sts (get-session-token|assume-role|get-federation-token)|ecr get-login|configure get|kms decrypt|ec2 get-password-data|get-credentials|eks get-token|lambda get-function|export-credentials|get-secret-value)`, Credentials, high, 70, "asks a cloud for credentials"},
	{"aws", `(iam|organizations|sso-admin) (create|attach|put|add|update|delete)-`, Persistence, high, 70, "changes who may do what in a cloud"},
	{"aws", `(cloudtrail|configservice|guardduty|securityhub|logs|events|flow-logs|cloudwatch|macie2|detective|waf\S*|inspector\S*) (stop|delete|update|disable|put|deregister|disassociate)|delete-flow-logs|delete-log|put-event-selectors|leave-organization|put-bucket-lifecycle`, Evasion, high, 80, "switches a cloud's auditing off"},
	{"aws", `(ec2|lambda|ssm|s3api|rds|glue|sagemaker|ecs|eks|cloudformation|route53\S*|ses|sns) (create|modify|update|put|run|send|start|authorize|register|publish|invoke|attach|associate|share|import|export|copy|replace|enable|disable|revoke)-?`, Privilege, medium, 45, "changes a cloud"},
	{"aws gsutil gcloud az s3cmd", `s3 (rb|rm) .*(--recursive|--force)|delete-(bucket|table|db|volume|snapshot|stack|cluster|instances|objects)|terminate-instances|rb --force|storage rm -r|rm -r gs|projects delete|group delete|instances delete|schedule-key-deletion`, Destructive, high, 75, "deletes much of a cloud"},
	{"aws", `s3 (cp|sync|mv).*--no-sign-request|s3 (cp|sync) --recursive|s3 (cp|sync) s3://`, Collection, medium, 45, "copies much out of a cloud"},
	{"gcloud", `(iam|projects) .*(create|add-iam-policy-binding|keys create|roles create|set-iam-policy|update)|service-accounts`, Persistence, high, 65, "changes who may do what in a cloud"},
	{"gcloud", `logging .*(delete|update)|sinks (delete|update)|services disable|compute firewall-rules (create|delete|update)`, Evasion, high, 75, "switches a cloud's auditing off"},
	{"gcloud", `auth print-(access|identity)-token|secrets versions access|auth application-default print`, Credentials, high, 70, "asks a cloud for credentials"},
	{"gcloud", `compute (instances|disks|snapshots|images) create|functions deploy|compute ssh`, Privilege, medium, 45, "changes a cloud"},
	{"az", `(ad|role) .*(create|add|reset|update|assign)|ad sp|role assignment`, Persistence, high, 65, "changes who may do what in a cloud"},
	{"az", `(monitor|eventhubs?|diagnostic-settings|network (watcher|nsg|firewall|nic)|security|lock|sentinel) .*(delete|update|create|remove)|lock delete`, Evasion, high, 70, "switches a cloud's auditing off"},
	{"az", `account get-access-token|keyvault (secret|key|certificate) (show|download|backup)|storage account keys|acr credential|list-keys|credential`, Credentials, high, 70, "asks a cloud for credentials"},
	{"az", `(vm (run-command|extension|create|user)|snapshot create|automation|functionapp|runbook|disk)`, Privilege, medium, 50, "changes a cloud"},
	{"vault", `read|kv get|token create|operator`, Credentials, medium, 50, "reads a vault"},
	{"op pass gopass bw lpass secret-tool", `read|show|get|item|lookup|export|list`, Credentials, medium, 55, "asks a password store"},
	{"docker podman", `(inspect|config|history).*(env|secret)|secret inspect`, Credentials, medium, 40, "reads a container's secrets"},
	{"gpg gpg2", `--export-secret|--export-private`, Credentials, high, 85, "takes secret keys out of the key ring"},
	{"gpg gpg2 openssl ccrypt 7z zip rar", `(-c|--symmetric|--passphrase|enc |rsautl|smime|-P |--password|-p\S|-hp|-e\b).*(/etc|~|/home|/users|/root|/var|\$HOME|passwd|\./\*|\*|test\.txt|--batch|--passphrase)`, Collection, medium, 60, "packs or encrypts files under a password"},
	{"gpg gpg2 openssl ccrypt 7z zip", `-encrypt -|--batch --yes --passphrase|enc -|ccrypt|--password|-p['"]?\S`, Collection, medium, 50, "packs or encrypts files under a password"},
	{"tar zip 7z rar cpio ditto", `(^|\s)('|")?(/etc/?(\*|passwd|shadow)?|~/?|/home(/\*)?/?|/users(/\*)?/?|/root/?|\$HOME/?\*?(\.\w+)?)( |$|'|")`, Collection, medium, 50, "packs a home or the system's settings"},

	// Screen, keyboard, clipboard, sound.
	{"screencapture scrot xwd gnome-screenshot import maim spectacle flameshot fbgrab", ``, Collection, medium, 60, "takes a picture of the screen"},
	{"pbpaste xclip xsel wl-paste", `pbpaste|-o\b|--output|-out\b|wl-paste`, Collection, medium, 50, "reads the clipboard"},
	{"osascript", `clipboard|keystroke|display dialog|password|administrator privileges|hidden answer|do shell script|screenshot|System Events`, Credentials, high, 65, "asks for a password, or acts in others' windows"},
	{"xinput logkeys showkey script ttyrec", `test|logkeys|showkey|-[a-z]*q|-f |record`, Collection, medium, 55, "records keys or a terminal"},
	{"arecord ffmpeg sox rec imagesnap fswebcam", `arecord|avfoundation|x11grab|/dev/video|^rec |imagesnap|fswebcam|alsa|pulse|dshow|gdigrab`, Collection, medium, 55, "records sound or pictures"},
	{"auditctl", `-S (read|write|execve).*tty|TTY`, Collection, high, 65, "records what is typed"},

	// Other machines.
	{"nc ncat netcat socat", `(-[a-z]*[ec]|--exec|--sh-exec|EXEC:|SYSTEM:)[ =]?['"]?(\S*/)?(ba|z|k|da|c)?sh\b|(-[a-z]*[ec]|EXEC:) ?\S*(cmd|powershell|python|perl)`, Lateral, critical, 92, "gives a shell to another machine"},
	{"nc ncat netcat socat", `-[a-z]*l|listen`, Lateral, low, 50, "opens a port"},
	{"nc ncat netcat telnet", ` [\w.-]+ \d+`, Lateral, medium, 30, "connects to a port"},
	{"telnet", `\S+ \d+`, Lateral, medium, 40, "connects to a port"},
	{"mkfifo mknod", `/tmp/|backpipe`, Lateral, medium, 50, "a pipe in a folder that everybody can write to"},
	{"ssh autossh", `(^| )-[a-zA-Z]*[RDw] ?\S*\d|-o ?ProxyCommand|StrictHostKeyChecking[= ]no.*(-R|-D)|-o ?PermitLocalCommand`, Lateral, high, 60, "a tunnel through this machine"},
	{"sshpass expect", ``, Lateral, medium, 55, "logs in with a password that stands in the clear"},
	{"ssh", `\(cd /(etc|root|home|var)|tar .*(/etc|/root|/home)|'?cat /etc/(shadow|passwd)`, Collection, high, 70, "copies much from another machine"},
	{"ngrok cloudflared localtunnel lt bore frpc frps chisel gost tor devtunnel teleport tailscale zerotier-cli rathole", ``, Lateral, high, 65, "opens a way into this machine"},
	{"code", `\btunnel\b`, Lateral, high, 70, "opens a way into this machine"},
	{"teamviewer anydesk splashtop rustdesk vncserver x11vnc", ``, Lateral, high, 65, "remote control"},
	{"ssh-copy-id", ``, Persistence, low, 60, "leaves a key on another machine"},
	{"xmrig minerd cpuminer ethminer cgminer t-rex nbminer", ``, Destructive, high, 90, "makes coins"},
	{"smbclient rpcclient winexe wmic impacket-smbexec smbmap smbget", ``, Lateral, medium, 50, "speaks to Windows machines"},
	{"ansible ansible-playbook salt pssh pdsh", `-m (shell|command|raw)|cmd\.run`, Lateral, medium, 45, "runs commands on many machines"},
	{"hping3 slowloris ab wrk siege hammer", `--flood|slowloris`, Destructive, high, 65, "floods another machine"},
	{"arp arpspoof", `arpspoof|-s |-d `, Lateral, medium, 55, "changes who answers in the network"},
	{"route ip", `(route|rule|addr|link) (add|del|set|replace|flush)|promisc`, Evasion, medium, 40, "changes the network"},
	{"hostname hostnamectl scutil", `hostnamectl set|--set`, Evasion, low, 40, "changes the machine's name"},
	{"ftp tftp", ``, Egress, medium, 45, "an unsafe way to carry files"},
	{"rclone megacmd mega-put gdrive dropbox_uploader.sh", `copy|sync|move|put|upload`, Exfiltration, medium, 60, "copies files to a cloud"},
	{"curl", `(^| )(--doh-url|--preproxy)\b|\.onion`, Lateral, medium, 50, "calls through a detour"},
	{"curl wget", `(-A|--user-agent|-U)[ =]?['"]?(Mozilla|Httpbrowser|Opera|\*|Chrome)`, Lateral, medium, 40, "says to be another program"},
	{"curl wget", `--post-data|--post-file|-T \S|--upload-file`, Exfiltration, medium, 45, "sends data or a file to another machine"},
	{"docker", `system prune.*(-a|--volumes)|volume rm|volume prune|rm -f \$\(|rmi -f`, Destructive, medium, 50, "removes containers and their data"},
	{"docker kubectl", `--docker-host|-H tcp://|--server`, Lateral, medium, 40, "acts on another machine"},
	{"git", `push.*(--force\b|-f\b|--mirror|--delete)`, Destructive, medium, 55, "writes over what others see"},
	{"git", `clone .*(PEASS|mimikatz|impacket|LaZagne|exploit|payload|rootkit|keylogger|MITMf|nishang|PowerSploit|empire)`, Privilege, high, 60, "fetches a program for attacks"},
	{"git", `reset --hard|clean -[a-z]*f|branch -D|filter-branch|update-ref -d|reflog expire|stash clear`, Destructive, low, 40, "drops work"},
	{"gh glab", `repo delete`, Destructive, high, 80, "deletes a repository"},
	{"heroku fly flyctl doctl vercel netlify railway supabase wrangler", `\b(destroy|delete|rm|remove)\b|:(destroy|delete)`, Destructive, medium, 55, "deletes what runs in a cloud"},
	{"terraform pulumi tofu", `destroy`, Destructive, high, 70, "deletes much of a cloud"},
	{"pip pip3 npm gem cargo", `install .*(--index-url|--extra-index-url|--registry|-i ) ?http://|install .*https?://\d`, DownloadRun, medium, 50, "installs from an unusual place"},

	// Data bases.
	{"mysql psql sqlite3 mariadb mongo mongosh redis-cli sqlcmd clickhouse-client cockroach", `drop (database|schema|table)|truncate |dropDatabase|flushall|flushdb|delete from \S+;?['"]?$`, Destructive, high, 75, "deletes from a data base"},
	{"dropdb dropuser mysqladmin", `^drop|drop `, Destructive, high, 75, "deletes a data base"},
	{"mysql psql", `into (outfile|dumpfile)|load_file|copy .* (to|from) program|mysql\.user|pg_shadow|pg_authid|xp_cmdshell|grant all`, Privilege, high, 70, "reaches past the data base"},

	// What runs in disguise.
	{"trap", `\b(nohup|(ba|z|da)?sh|curl|wget|nc|python3?|perl)\b .*(exit|debug|err|sig|int|term|0)\b`, Persistence, medium, 50, "runs a program when the shell ends or is interrupted"},
	{"truncate", `(-s|--size)[ =]?\+`, Evasion, medium, 45, "pads a file"},
	{"claude", `--dangerously-skip-permissions|--permission-mode[= ]bypass`, TamperAgent, high, 70, "starts an agent that asks for nothing"},
	{"codex", `--dangerously-bypass|--yolo|danger-full-access`, TamperAgent, high, 70, "starts an agent that asks for nothing"},
	{"gemini qwen", `--yolo|(^| )-y\b|--approval-mode[= ]yolo`, TamperAgent, high, 70, "starts an agent that asks for nothing"},
	{"copilot", `--allow-all-(tools|paths)|--yolo`, TamperAgent, high, 70, "starts an agent that asks for nothing"},
	{"claude codex gemini", `mcp add`, TamperAgent, medium, 50, "gives an agent other tools"},
	{"shred srm", `(^| )-[a-z]*[uz]|--remove`, Destructive, medium, 45, "deletes so that nothing can be restored"},
	{"chsh", `-s|--shell`, Persistence, medium, 45, "changes what starts at log-in"},
	{"whois", `-h .*-p `, Lateral, medium, 50, "carries data through another service"},
	{"systemctl service brew rc-service", `(start|onestart|enable).*\b(tor|ngrok|teamviewer\S*|anydesk|cloudflared|frpc)\b|\b(tor|ngrok) (start|onestart)`, Lateral, high, 65, "opens a way into this machine"},
	{"openssl", `s_client.*-quiet`, Lateral, medium, 55, "an encrypted line that commands may come through"},
	{"systemd-detect-virt virt-what", ``, Discovery, medium, 45, "asks whether the machine is virtual"},
	{"grep egrep awk", `vmware|virtualbox|\bqemu|hypervisor|innotek|oracle vm|parallels`, Discovery, medium, 45, "asks whether the machine is virtual"},
	{"defaults", `AppleShowAllFiles|LSUIElement|com\.apple\.(screensharing|RemoteManagement|smb|launchservices)`, Evasion, medium, 55, "changes what the user sees"},
	{"kickstart ARDAgent", `-activate|-access`, Lateral, high, 75, "opens a way into this machine"},
	{"swift osascript", `CGEventTap|NSPasteboard|CGWindowList|keylog`, Collection, high, 65, "records keys, screen or clipboard"},
	{"upx", ``, HiddenRun, medium, 55, "packs a program so that it can't be recognised"},
	{"ssh-keygen", `-y .*-f|-p .*-N ''`, Credentials, low, 45, "reads or opens a private key"},
	{"ssh-add", `-D|-K`, Credentials, low, 40, "changes what keys are at hand"},
	{"pw usermod", `usermod .*(-g wheel|-G|-s |-L|lock|unlock)|pw (lock|unlock|usermod|userdel)`, Persistence, medium, 60, "changes an account"},
	{"rmuser", ``, Destructive, medium, 60, "removes an account"},
	{"onedrive gdrive megatools megacopy s3cmd b2 mc", `put|upload|copy|sync|cp`, Exfiltration, medium, 55, "copies files to a cloud"},
	{"cp mv ln install", `(^\S+ (-\S+ )*)/?(usr/)?(bin/|local/bin/)?\S*/(sh|bash|zsh|python\d?|nc|curl) (/tmp|/var/tmp|/dev/shm|\./|~/?|/usr/bin/|/etc|/home)`, HiddenRun, high, 65, "copies a shell under another name"},
	{"mkdir", `/(var/tmp|tmp|dev/shm|usr|etc|var)/\.[a-z]|\.\.\.|'\s|\s'$`, HiddenRun, medium, 45, "a hidden folder where everybody can write"},
	{"dlopen rundll32 regsvr32 mshta msiexec certutil bitsadmin wmic installutil", `http|javascript|scrobj|urlcache|transfer|process call`, HiddenRun, high, 80, "has Windows' own program fetch or run"},
	{"exec", `-a`, HiddenRun, medium, 55, "runs under another name"},
	{"perl ruby python3 python", `Process\.setproctitle|\$0 ?=|prctl`, HiddenRun, medium, 55, "runs under another name"},
	{"ld.so", ``, HiddenRun, medium, 55, "starts a program through the loader"},
	{"memfd_create fexecve ddexec", ``, HiddenRun, high, 80, "runs a program that is in no file"},
	{"gcc cc clang g++ tcc", `-shared|-fPIC|\.ko\b|rootkit|exploit|preload|LD_|-o /tmp|&&.*a\.out`, HiddenRun, medium, 40, "makes a library or a program to be loaded elsewhere"},
	{"dtrace bpftrace ptrace", ``, Collection, medium, 45, "watches other programs"},
	{"open", `--remote-debugging-port|remote-allow-origins`, Credentials, high, 75, "opens a browser's cookies to others"},
	{"google-chrome chrome chromium chromium-browser msedge brave", `--remote-debugging-port|remote-allow-origins|--load-extension|--disable-web-security`, Credentials, medium, 60, "opens a browser to others"},
	{"installer", `-pkg`, HiddenRun, medium, 50, "installs a package"},
	{"setfacl", `-[mbx]`, Evasion, low, 35, "changes rights"},
	{"chmod", `(-R|--recursive).*(777|a\+w|666|o\+w)`, Evasion, medium, 40, "lets everybody write"},
	{"ioreg system_profiler sw_vers systemd-detect-virt dmidecode virt-what lshw", `VMware|VirtualBox|hypervisor|Model Identifier|systemd-detect-virt|virt-what|boot-rom`, Discovery, medium, 45, "asks whether the machine is virtual"},
	{"sysctl", `hv_vendor|machdep\.cpu|hw\.model`, Discovery, medium, 40, "asks whether the machine is virtual"},
	{"mail sendmail mailx mutt swaks", `-a |-A |--attach`, Exfiltration, medium, 55, "sends a file by mail"},
	{"python python3 python2 ruby php busybox twistd", `-m (http\.server|SimpleHTTPServer|pyftpdlib|uploadserver)|-run -e httpd|-S \S+:\d+|httpd`, Lateral, low, 50, "serves files to others"},
	{"split", `-b`, Collection, low, 30, "cuts a file in pieces"},
}
