package action

import (
	"regexp"
	"slices"
	"strings"
)

// argument is an option of a command, with its value if it takes one, or an operand.
type argument struct {
	option string // "": an operand
	text   string
	at     int // of the text, among the command's arguments
}

// valued are the options that take a value, of commands that reach other machines:
// what stands behind one is neither a host nor a file of its own. An option that is
// not here counts as one without: what follows it is looked at.
var valued = map[string]map[string]bool{
	"curl":    set("-A -b -c -C -d -D -e -E -F -h -H -K -m -o -P -Q -r -t -T -u -U -w -x -X -y -Y -z --abstract-unix-socket --alt-svc --aws-sigv4 --cacert --capath --cert --cert-type --ciphers --config --connect-timeout --connect-to --continue-at --cookie --cookie-jar --create-file-mode --crlfile --curves --data --data-ascii --data-binary --data-raw --data-urlencode --delegation --dns-interface --dns-ipv4-addr --dns-ipv6-addr --dns-servers --doh-url --dump-header --engine --etag-compare --etag-save --expect100-timeout --form --form-string --ftp-account --ftp-method --ftp-port --header --hsts --interface --json --keepalive-time --key --key-type --libcurl --limit-rate --local-port --login-options --mail-auth --mail-from --mail-rcpt --max-filesize --max-redirs --max-time --netrc-file --noproxy --oauth2-bearer --output --output-dir --parallel-max --pass --pinnedpubkey --preproxy --proto --proto-default --proto-redir --proxy --proxy-cacert --proxy-cert --proxy-header --proxy-key --proxy-pass --proxy-user --proxy1.0 --pubkey --quote --range --rate --referer --request --request-target --resolve --retry --retry-delay --retry-max-time --service-name --socks4 --socks4a --socks5 --socks5-hostname --speed-limit --speed-time --stderr --telnet-option --time-cond --tls-max --trace --trace-ascii --unix-socket --upload-file --url --url-query --user --user-agent --write-out"),
	"wget":    set("-a -A -B -D -e -i -I -l -o -O -P -Q -R -t -T -U -w -X --accept --append-output --base --body-data --body-file --ca-certificate --ca-directory --certificate --certificate-type --config --connect-timeout --cut-dirs --default-page --dns-timeout --domains --exclude-directories --exclude-domains --execute --header --http-password --http-user --include-directories --input-file --level --limit-rate --load-cookies --max-redirect --method --output-document --output-file --password --post-data --post-file --private-key --private-key-type --progress --proxy-password --proxy-user --quota --read-timeout --referer --reject --reject-regex --save-cookies --secure-protocol --timeout --tries --user --user-agent --wait --waitretry"),
	"http":    set("-a -A -o -p -s -h --auth --auth-type --boundary --cert --cert-key --ciphers --default-scheme --format-options --history-print --max-headers --max-redirects --output --path-as-is --pretty --print --proxy --raw --response-charset --response-mime --session --session-read-only --ssl --style --timeout --verify"),
	"ssh":     set("-b -B -c -D -e -E -F -i -I -J -l -L -m -o -O -p -P -Q -R -S -w -W"),
	"scp":     set("-c -D -F -i -J -l -o -P -S -X"),
	"sftp":    set("-b -B -c -D -F -i -J -l -o -P -R -s -S -X"),
	"rsync":   set("-e -f -B -M -T --rsh --rsync-path --exclude --include --exclude-from --include-from --files-from --filter --password-file --log-file --bwlimit --backup-dir --suffix --compare-dest --copy-dest --link-dest --temp-dir --timeout --port --chmod --chown --max-size --min-size --partial-dir --info --out-format --remote-option --sockopts --address"),
	"nc":      set("-c -e -g -G -i -I -m -M -o -O -p -P -q -s -T -V -w -W -x -X --exec --sh-exec --proxy --proxy-auth --proxy-type --source --source-port --wait"),
	"openssl": set("-CAfile -CApath -alpn -bind -cafile -cert -connect -host -in -key -out -port -proxy -proxy_pass -proxy_user -servername -starttls -verify"),
	"mail":    set("-a -A -b -c -f -F -h -i -q -r -s -S -t -T -u --attach --body --from --header --server --subject --to"),
	"gh":      set("-b -B -f -F -H -R -t -X --base --body --body-file --field --header --hostname --input --method --notes --notes-file --raw-field --repo --title"),
	"aws":     set("--acl --body --bucket --cli-input-json --content-type --endpoint-url --exclude --include --key --output --profile --query --region --sse --storage-class"),
	"az":      set("-c -d -f -n -o -s --account-key --account-name --connection-string --container-name --destination --file --name --output --query --sas-token --source --subscription"),
	"gcloud":  set("--account --configuration --format --project"),
	"gsutil":  set("-h -o -u"),
	"rclone":  set("--config --exclude --filter --include"),
	"git":     set("-C -c -o --branch --config-env --depth --exec --exec-path --from --git-dir --namespace --origin --push-option --receive-pack --subject --to --upload-pack --work-tree"),
	"lftp":    set("-c -e -f -p -u --user"),
}

// alike are commands that take another one's options.
var alike = map[string]string{
	"https": "http", "xh": "http", "autossh": "ssh", "mosh": "ssh", "ncat": "nc", "netcat": "nc", "telnet": "nc",
	"mailx": "mail", "mutt": "mail", "sendmail": "mail", "msmtp": "mail", "swaks": "mail",
}

// arguments tells options, their values and operands apart.
func arguments(c *command) (list []argument) {
	name := c.name
	if other, ok := alike[name]; ok {
		name = other
	}
	takes := valued[name]
	for i := 0; i < len(c.args); i++ {
		a := c.args[i]
		switch {
		case a == "--":
			for i++; i < len(c.args); i++ {
				list = append(list, argument{"", c.args[i], i})
			}
		case len(a) < 2 || a[0] != '-':
			list = append(list, argument{"", a, i})
		case takes[a] && i+1 < len(c.args):
			i++
			list = append(list, argument{a, c.args[i], i})
		case strings.HasPrefix(a, "--"):
			option, value, _ := strings.Cut(a, "=")
			list = append(list, argument{option, value, i})
		default:
			option, value := cluster(a, takes)
			if value == "" && takes[option] && i+1 < len(c.args) {
				i++
				value = c.args[i]
			}
			list = append(list, argument{option, value, i})
		}
	}
	return list
}

// cluster gives the option that ends a row of short ones, such as -sSo, and what of
// its value stands in the row.
func cluster(a string, takes map[string]bool) (option, value string) {
	for k := 1; k < len(a); k++ {
		if option = "-" + a[k:k+1]; takes[option] {
			return option, a[k+1:]
		}
	}
	return a, ""
}

// operands are the arguments that belong to no option.
func (c *command) operands() (list []string) {
	for _, a := range arguments(c) {
		if a.option == "" {
			list = append(list, a.text)
		}
	}
	return list
}

// bodies are the options of curl and wget whose value is sent, or names a file that is.
var bodies = set("-d --data --data-ascii --data-binary --data-urlencode --json -F --form -T --upload-file --post-file --body-file")

// files are the files that a command which sends is told to send.
func (c *command) files() (list []string) {
	list = slices.Clone(c.reads)
	switch c.name {
	case "curl", "wget":
		for _, a := range arguments(c) {
			if bodies[a.option] {
				list = append(list, bodyFile(a.option, a.text))
			}
		}
	case "http", "https", "xh":
		for _, item := range c.operands() {
			if _, file, ok := strings.Cut(item, "@"); ok && !strings.Contains(item, "://") {
				list = append(list, file)
			}
		}
	case "scp", "rsync", "sftp":
		for _, o := range c.operands() {
			if remoteLast(c) && remoteHost(o) == "" {
				list = append(list, o)
			}
		}
	case "mail", "mailx", "mutt", "sendmail", "msmtp", "swaks":
		for _, a := range arguments(c) {
			if a.option == "-a" || a.option == "-A" || a.option == "--attach" {
				list = append(list, a.text)
			}
		}
	case "aws", "gsutil", "gcloud", "az", "rclone", "s3cmd", "mc", "gh":
		for _, a := range arguments(c) {
			switch a.option {
			case "", "-f", "-F", "--file", "--body", "--body-file", "--notes-file", "--source", "--input":
				if pathLike(a.text) {
					list = append(list, a.text)
				}
			}
		}
	}
	return list
}

// bodyFile is the file that an option of curl or wget names; "" when its value is
// the text itself.
func bodyFile(option, value string) string {
	switch option {
	case "-T", "--upload-file", "--post-file", "--body-file":
		return value
	case "-F", "--form":
		_, value, _ = strings.Cut(value, "=")
		if value = strings.TrimLeft(value, `"`); strings.HasPrefix(value, "<") {
			value = "@" + value[1:]
		}
	}
	name, file, ok := strings.Cut(value, "@")
	if !ok || name != "" && option != "--data-urlencode" {
		return ""
	}
	file, _, _ = strings.Cut(file, ";")
	return strings.Trim(file, `"`)
}

// pathLike reports whether a word names a file, not a subcommand, a topic or an
// address.
func pathLike(a string) bool {
	return strings.ContainsAny(a, `/.\~`) && (!strings.Contains(a, "://") || strings.HasPrefix(a, "file:"))
}

// keyName is how variables are called that hold credentials.
var keyName = regexp.MustCompile(`(?i)(^|_)(key|token|secret|passwo?r?d|passwd|credentials?|pat)$`)

// said is what stands in a command's own words to another machine.
type said struct {
	holds secrecy  // how secret it is
	keys  []string // the variables in addresses that are named like credentials
	files bool     // the query of an address has the content of a file, or the environment
}

// says gives what a command says to another machine itself, beside the files that it
// sends. What it says in headers is how it logs in.
func (c *command) says() (what said) {
	if !network[c.name] && !sends(c) || len(c.words) != len(c.args) {
		return said{}
	}
	what.holds = c.holds
	for _, a := range arguments(c) {
		w := &c.words[a.at]
		if logIns[a.option] {
			continue
		}
		what.holds = max(what.holds, w.holds)
		if calls[c.name] && (a.option == "" || a.option == "--url" || a.option == "--url-query") {
			what.keys = append(what.keys, w.keys...)
			_, query, _ := strings.Cut(w.text, "?")
			what.files = what.files || strings.Contains(query, "$(") && slices.ContainsFunc(w.subs, func(c *command) bool { return shows[c.name] })
		}
	}
	return what
}

var (
	logIns = set("-H --header -u --user --oauth2-bearer -a --auth --password --http-password -i --cert --key")
	calls  = set("curl wget http https xh fetch aria2c")
	shows  = set("cat head tail base64 xxd od tar gzip env printenv history")
)

// generic are first words of variables that do not name whom a key is for.
var generic = set("api access app auth bearer client private refresh secret session my the user")

// foreign reports whether a key is said to hosts that its name does not name: most
// keys are called after whom they are for.
func foreign(keys, hosts []string) bool {
	for _, k := range keys {
		owner, _, named := strings.Cut(strings.ToLower(k), "_")
		if named && !generic[owner] && !slices.ContainsFunc(hosts, func(h string) bool { return namedAfter(owner, strings.ToLower(h)) }) {
			return true
		}
	}
	return false
}

// namedAfter reports whether a host has an owner in its name, or, in their order, the
// letters of a short one: gh, owm.
func namedAfter(owner, host string) bool {
	if strings.Contains(host, owner) || len(owner) > 4 {
		return strings.Contains(host, owner)
	}
	for _, c := range owner {
		i := strings.IndexRune(host, c)
		if i < 0 {
			return false
		}
		host = host[i+1:]
	}
	return true
}
