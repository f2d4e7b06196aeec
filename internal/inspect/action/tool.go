package action

import (
	"regexp"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// What arguments are called, and what that says of them.
var (
	commandNames = set("command cmd commands script shell_command bash command_line commandline shell cmdline input_command bash_command argv run chars")
	pathNames    = set("file_path path filename file notebook_path absolute_path target_file filepath destination dest target source_path relative_path dir_path directory new_path old_path paths files file_paths output_path")
	urlNames     = set("url uri urls endpoint href link links webhook callback_url")
	codeNames    = set("code javascript python source_code js snippet program expression function new_source")
	sqlNames     = set("sql query statement statements queries q")
	contentNames = set("content new_string file_text contents text new_str replacement data body insert_text")
	dirNames     = set("workdir cwd working_directory")
	workNames    = set("workdir cwd working_directory description prompt pattern old_string explanation justification")
	packedNames  = set("args arguments input params parameters kwargs payload tool_input") // what a tool decodes itself
)

// Tools, by what their names say.
var (
	writeTool = regexp.MustCompile(`(?i)(write|edit|create|replace|append|save|insert|patch|update|put|move|rename|upload_file|overwrite|multiedit|notebookedit)`)
	dropTool  = regexp.MustCompile(`(?i)(delete|remove|unlink|rm_|trash|destroy)`)
	shellTool = regexp.MustCompile(`(?i)(^|[_.\-])(bash|shell|sh|exec|exec_command|run|command|terminal|powershell|pwsh|cmd|process)($|[_.\-])|run_?shell|shell_?command|execute_?(command|bash|shell)|run_?(command|terminal|in_terminal)|local_?shell|write_stdin|^(bash|sh|shell|exec|terminal|powershell|command_prompt|cmd)$`)
	codeTool  = regexp.MustCompile(`(?i)(python|javascript|jupyter|ipython|code_?(interpreter|execution|exec)|run_?code|execute_?code|eval|node_repl|repl)`)
	sqlTool   = regexp.MustCompile(`(?i)(sql|postgres|mysql|sqlite|database|\bdb\b|bigquery|snowflake|query)`)
	sendTool  = regexp.MustCompile(`(?i)(send|post|publish|upload|email|mail|slack|webhook|tweet|comment|message|push)`)
	winTool   = regexp.MustCompile(`(?i)^(powershell|pwsh|cmd|command_prompt)$`)
)

// values judges each argument by its name and the tool's.
func (j *judge) values(values []value) {
	tool := j.tool
	shellish := shellTool.MatchString(tool)
	for i := range values {
		if dirNames[values[i].name] {
			j.dir = values[i].text
		}
	}
	for i := 0; i < len(values); i++ {
		v := &values[i]
		switch {
		case len(v.text) < minText || workNames[v.name]:
			if v.name == "prompt" {
				j.urls(v)
			}
		case v.list > 0 && commandNames[v.name]:
			n := i
			for n < len(values) && values[n].list == v.list {
				n++
			}
			j.argv(values[i:n])
			i = n - 1
		case commandNames[v.name]:
			j.commandText(v.text, v.at)
		case shellish && (v.name == "" || v.name == "input" || v.name == "args" || codeNames[v.name]):
			j.commandOrScript(v.text, v.at)
		case urlNames[v.name]:
			j.urls(v)
		case pathNames[v.name]:
			j.path(v)
		case codeNames[v.name]:
			j.codeText(v.text, v.at)
		case sqlNames[v.name]:
			j.sql(v)
		case contentNames[v.name] || v.name == "input" || v.name == "patch" || v.name == "diff":
			j.content(v, values)
		default:
			j.urls(v)
		}
	}
}

// commandOrScript judges a text that is a shell's unless it is a script that
// calls tools. Which of them is the tool's to know: only of Codex's own it is
// known here, and a command that looks like both is judged as both.
func (j *judge) commandOrScript(text string, at func(int) int) {
	if isScript(text) {
		j.javascript(text, at)
		if j.tool == codexScript {
			return
		}
	}
	j.commandText(text, at)
}

// codexScript is Codex's tool that runs JavaScript, and nothing else.
const codexScript = "exec"

// commandText judges a text that a shell gets.
func (j *judge) commandText(text string, at func(int) int) {
	if winTool.MatchString(j.tool) {
		s := j.shell(at)
		s.parsed = strings.Contains(text, "curl")
		s.windows(text + " ")
		if len(j.found) == 0 && !looksWindows(text) || strings.EqualFold(j.tool, "command_prompt") || s.parsed {
			s.loose(text)
		}
		return
	}
	j.shellText(text, at, 0)
}

// argv judges a command that is a list of words.
func (j *judge) argv(list []value) {
	whole := func(o int) int {
		if o == 0 {
			return list[0].start
		}
		return list[len(list)-1].end
	}
	if len(list) == 1 || strings.ContainsAny(list[0].text, " \t\n") {
		for i := range list {
			j.commandText(list[i].text, list[i].at)
		}
		return
	}
	s := j.shell(whole)
	s.whole = true
	words := make([]word, len(list))
	for i := range list {
		words[i] = word{text: list[i].text}
	}
	s.run(&command{end: 1}, words)
	s.windows(join(words, " "))
}

// codeText judges code in an unknown language.
func (j *judge) codeText(text string, at func(int) int) {
	if isScript(text) {
		j.javascript(text, at)
	}
	s := j.shell(at)
	s.code(text, &command{end: len(text)})
	for _, line := range notebook.FindAllStringSubmatchIndex(text, 32) {
		off := line[2]
		j.shellText(text[line[2]:line[3]], func(o int) int { return at(off + o) }, 0)
	}
}

// notebook is a line of a notebook that a shell gets.
var notebook = regexp.MustCompile(`(?m)^\s*[!%](?:sh |bash |system )?(.+)$`)

// urls judges the addresses in a value.
func (j *judge) urls(v *value) {
	for _, m := range schemes.FindAllStringSubmatchIndex(v.text, 16) {
		h := hostOf(v.text[m[2]:m[3]])
		rest := v.text[m[0]:]
		if end := strings.IndexAny(rest, " \t\n\"'<>"); end >= 0 {
			rest = rest[:end]
		}
		f := Found{Start: v.at(m[0]), End: v.at(m[0] + len(rest)), Facts: []string{hostFact(h)}}
		if !isLocal(h) && !strings.HasPrefix(rest, "file:") {
			j.way(Way{Start: f.Start, End: f.End, Facts: f.Facts})
		}
		switch {
		case metadata[strings.ToLower(h)]:
			f.Rule, f.Severity, f.Confidence, f.Note = Credentials, flow.High, 90, "asks the cloud for this machine's credentials"
		case strings.HasPrefix(rest, "file:"):
			s := j.shell(v.at)
			s.reads(&command{end: len(v.text)}, rest)
			continue
		case isLocal(h) && j.own.console(rest):
			f.Rule, f.Severity, f.Confidence, f.Note = TamperGatehouse, flow.High, 90, "asks or changes Gatehouse through its console"
		case dropHost(h) && (sendTool.MatchString(j.tool) || strings.Contains(rest, "?")):
			f.Rule, f.Severity, f.Confidence, f.Note = Exfiltration, flow.High, 70, "an address where anonymous data is collected"
		case carries(rest):
			f.Rule, f.Severity, f.Confidence, f.Note = Exfiltration, flow.Medium, 55, "an address that carries much encoded data"
		default:
			continue
		}
		j.add(f)
	}
}

// carries reports whether an address's query is long and looks encoded.
func carries(address string) bool {
	_, query, ok := strings.Cut(address, "?")
	return ok && payload.MatchString(query)
}

var payload = regexp.MustCompile(`[A-Za-z0-9+/_-]{120,}|(%[0-9A-Fa-f]{2}){40,}`)

// path judges the file that a tool reads, writes or deletes.
func (j *judge) path(v *value) {
	s := j.shell(v.at)
	c := &command{end: len(v.text)}
	switch tool := j.tool; {
	case dropTool.MatchString(tool):
		c.name = "rm"
		s.writes(c, v.text)
		if vital(v.text) {
			s.hit(c, Destructive, flow.Critical, 92, "deletes the system or a home", []string{"path=" + v.text})
		}
	case writeTool.MatchString(tool):
		s.writes(c, v.text)
	default:
		s.reads(c, v.text)
	}
}

var sqlDanger = []struct {
	pattern *regexp.Regexp
	verdict
}{
	{regexp.MustCompile(`(?i)\bdrop\s+(database|schema|table|user|role)\b|\btruncate\s+(table\s+)?\w|\bdelete\s+from\s+[\w."` + "`" + `\[\]]+\s*(;|$)|\bupdate\s+[\w."]+\s+set\s[^;]*$`), verdict{Destructive, flow.High, 70, "deletes or changes much in a data base"}},
	{regexp.MustCompile(`(?i)\bdrop\s+(database|schema)\b`), verdict{Destructive, flow.High, 85, "deletes a data base"}},
	{regexp.MustCompile(`(?i)xp_cmdshell|copy\s+[^;]*\b(to|from)\s+program\b|into\s+(outfile|dumpfile)|load_file\s*\(|lo_import|sp_oacreate|load_extension`), verdict{Privilege, flow.High, 85, "has the data base run a program or reach files"}},
	{regexp.MustCompile(`(?i)\b(pg_shadow|pg_authid|mysql\.user|sys\.sql_logins|dba_users)\b`), verdict{Credentials, flow.High, 75, "reads a data base's password hashes"}},
	{regexp.MustCompile(`(?i)\b(grant\s+(all|super|dba)|alter\s+(user|role|login)|create\s+(user|login|role))\b`), verdict{Privilege, flow.Medium, 65, "changes who may do what in a data base"}},
}

// sql judges a text as statements for a data base.
func (j *judge) sql(v *value) {
	if !sqlTool.MatchString(j.tool) && v.name != "sql" && v.name != "statement" {
		return
	}
	text := v.text[:min(len(v.text), maxParse)]
	for _, d := range sqlDanger {
		at := d.pattern.FindStringIndex(text)
		if at == nil || d.rule == Destructive && strings.Contains(strings.ToLower(text), " where ") && !strings.Contains(strings.ToLower(text), "drop ") {
			continue
		}
		verb, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(text[at[0]:at[1]])), " ")
		j.add(Found{Rule: d.rule, Severity: d.severity, Confidence: d.confidence, Start: v.at(at[0]), End: v.at(at[1]), Facts: []string{"sql=" + verb}, Note: d.note})
	}
}

// content judges what is written to a file: a patch by the files that it names,
// a script by its commands, with less certainty than a command.
func (j *judge) content(v *value, values []value) {
	if strings.Contains(v.text, "*** Begin Patch") {
		j.patch(v.text, v.at)
		return
	}
	if v.name == "input" && isScript(v.text) {
		j.javascript(v.text, v.at)
		return
	}
	if sendTool.MatchString(j.tool) {
		j.urls(v)
	}
	if strings.HasPrefix(v.text, "#!") && strings.Contains(v.text[:min(len(v.text), 64)], "sh") || scriptPath(values) {
		j.shellText(v.text, v.at, scriptCap)
	}
}

// scriptCap is the confidence of findings in a script that is written and may
// never run.
const scriptCap = 60

func scriptPath(values []value) bool {
	for _, v := range values {
		if pathNames[v.name] && (strings.HasSuffix(v.text, ".sh") || strings.HasSuffix(v.text, ".bash") || strings.HasSuffix(v.text, ".ps1") || strings.HasSuffix(v.text, ".bat")) {
			return true
		}
	}
	return false
}

var patched = regexp.MustCompile(`(?m)^\*\*\* (Add File|Update File|Delete File|Move to): (.+)$`)

// patch judges the files that a patch writes and deletes.
func (j *judge) patch(text string, at func(int) int) {
	for _, m := range patched.FindAllStringSubmatchIndex(text, 200) {
		name := strings.TrimSpace(text[m[4]:m[5]])
		s := j.shell(at)
		c := &command{start: m[4], end: m[5]}
		if text[m[2]:m[3]] == "Delete File" {
			c.name = "rm"
		}
		s.writes(c, name)
	}
}

// freeText judges arguments that are no JSON.
func (j *judge) freeText(v *value) {
	text, at := v.text, v.at
	switch {
	case strings.Contains(text, "*** Begin Patch") && !strings.Contains(text, "tools."):
		j.patch(text, at)
	case j.tool == codexScript && (isScript(text) || scriptAlias.MatchString(text)):
		j.javascript(text, at)
	case codeTool.MatchString(j.tool):
		j.codeText(text, at)
	case sqlTool.MatchString(j.tool):
		v.name = "sql"
		j.sql(v)
	default:
		j.commandOrScript(text, at)
	}
}
