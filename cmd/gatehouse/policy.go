package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/policy"
)

const policyUsage = "[flags] init | check [FILE] | test [FILE] | explain RULE | explain --tool TOOL [--field FIELD] | reload"

// policyFlags are the flags of policy. The case is what explain asks about.
type policyFlags struct {
	data, file *string
	json       *bool
	severity   *string
	tool       *string
	field      *string
	fixed      *bool
	words      map[string]*string // of a case, by the flag's name
	confidence *int
}

func newPolicyFlags(fs *flag.FlagSet) *policyFlags {
	f := &policyFlags{data: dataFlag(fs), words: map[string]*string{}}
	f.file = fs.String("file", "", "explain this policy `FILE` instead of the policy in force")
	f.json = fs.Bool("json", false, "explain as JSON")
	for _, w := range []struct{ name, usage string }{
		{"channel", "explain: whose words: system, user, assistant, tool_definition, tool_call, tool_result, file, envelope, provider (`CHANNEL`)"},
		{"direction", "explain: request or answer (`DIRECTION`; default request)"},
		{"principal", "explain: the `NAME` of who acts"},
		{"provider", "explain: anthropic, openai or gemini (`NAME`)"},
		{"model", "explain: the `MODEL` that is asked"},
		{"fact", "explain: a fact of a proposed action (`FACT`: host=example.com)"},
		{"name", "explain: the tool type or field of a provider act (`NAME`, for provider.…)"},
		{"finding", "explain: the `ID` of a finding, for allowances"},
	} {
		f.words[w.name] = fs.String(w.name, "", w.usage)
	}
	f.severity = fs.String("severity", "", "explain: low, medium, high or critical (`SEVERITY`; default high)")
	f.confidence = fs.Int("confidence", 100, "explain: the finding's confidence, 1 to 100 `PERCENT`")
	f.fixed = fs.Bool("fixed", false, "explain: it stands where nothing can be replaced, in a signed part or a header")
	f.tool = fs.String("tool", "", "explain whether values are restored in an argument of this `TOOL`; text: in the text of answers")
	f.field = fs.String("field", "", "the argument, `FIELD`: content, edits.0.old_string; empty: free text")
	return f
}

// runPolicy works on policy files, which needs no gateway, and on the policy in
// force.
func runPolicy(ctx context.Context, args []string, std streams) error {
	fs := newFlags("policy", policyUsage, std)
	f := newPolicyFlags(fs)
	words, err := parseWords(fs, args)
	if err != nil {
		return err
	}
	verb, arg := "", ""
	if len(words) > 0 {
		verb = words[0]
	}
	if len(words) > 1 {
		arg = words[1]
	}
	switch {
	case len(words) > 2:
	case verb == "init" && arg == "":
		_, err := std.out.Write(policy.Recommended())
		return err
	case verb == "check":
		return f.check(ctx, arg, std)
	case verb == "test":
		return f.test(arg, std)
	case verb == "explain" && (arg == "") != (*f.tool == ""):
		return f.explain(ctx, arg, std)
	case verb == "reload" && arg == "":
		return f.reload(ctx, std)
	}
	fs.Usage()
	return exitError{2, ""}
}

// open parses a policy file; without a name the data folder's. What is wrong
// with it is printed, a line for each problem, as FILE:LINE:COLUMN: PROBLEM.
func (f *policyFlags) open(file string, w io.Writer) (policy.Policy, string, error) {
	if file == "" {
		dir, err := dataDir(*f.data)
		if err != nil {
			return policy.Policy{}, "", err
		}
		file = filepath.Join(dir, "policy.yaml")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return policy.Policy{}, file, fmt.Errorf("reading the policy: %w", err)
	}
	p, err := policy.Parse(file, text)
	if err != nil {
		fmt.Fprintln(w, err)
		return p, file, exitError{1, ""}
	}
	return p, file, nil
}

func (f *policyFlags) check(ctx context.Context, file string, std streams) error {
	p, file, err := f.open(file, std.err)
	if err != nil {
		return err
	}
	f.strays(ctx, p, std.err)
	n, _ := p.Test(time.Now())
	fmt.Fprintf(std.out, "%s is sound: mode %s, version %s, %d tests (gatehouse policy test runs them)\n", file, p.Mode(), p.Version(), n)
	return nil
}

// strays warns of names that no rule has: such a line never decides.
func (f *policyFlags) strays(ctx context.Context, p policy.Policy, w io.Writer) {
	names := f.ruleNames(ctx, w)
	if names == nil {
		return
	}
	for _, line := range p.Strays(names) {
		fmt.Fprintln(w, "warning:", line)
	}
}

// stray warns when no rule has a name: what is explained never happens.
func (f *policyFlags) stray(ctx context.Context, rule string, w io.Writer) {
	names := f.ruleNames(ctx, w)
	if names == nil {
		return
	}
	if why := policy.Stray(rule, names); why != "" {
		fmt.Fprintln(w, "warning:", plain(why))
	}
}

// ruleNames gives the names of all rules; nil, and a warning, when they can't be read.
func (f *policyFlags) ruleNames(ctx context.Context, w io.Writer) []string {
	dir, err := dataDir(*f.data)
	var names []string
	if err == nil {
		names, err = ruleNames(ctx, dir)
	}
	if err != nil {
		fmt.Fprintf(w, "warning: the rules can't be read, so that the names of rules were not checked:\n%v\n", err)
		return nil
	}
	return names
}

func (f *policyFlags) test(file string, std streams) error {
	p, file, err := f.open(file, std.err)
	if err != nil {
		return err
	}
	n, failures := p.Test(time.Now())
	for _, t := range failures {
		fmt.Fprintf(std.out, "%s: got %s, want %s: %s\n", t.Line, t.Got, t.Want, t.Why)
	}
	fmt.Fprintf(std.out, "%s: %d of %d tests pass\n", file, n-len(failures), n)
	if len(failures) > 0 {
		return exitError{1, ""}
	}
	return nil
}

func (f *policyFlags) reload(ctx context.Context, std streams) error {
	b, err := f.backend(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	if !b.live {
		return fmt.Errorf("no gateway runs on this data folder; it reads the policy when it starts")
	}
	resp, err := b.do(ctx, http.MethodPost, "/policy/reload", nil)
	if err != nil {
		return fmt.Errorf("the old policy is still in force:\n%w", err)
	}
	defer resp.Body.Close()
	var now struct{ Version, Mode string }
	if err := json.NewDecoder(resp.Body).Decode(&now); err != nil {
		return fmt.Errorf("reading the gateway's answer: %w", err)
	}
	fmt.Fprintf(std.err, "gatehouse: the policy %s is in force, mode %s\n", now.Version, now.Mode)
	return nil
}

func (f *policyFlags) backend(ctx context.Context) (*backend, error) {
	dir, err := dataDir(*f.data)
	if err != nil {
		return nil, err
	}
	return openBackend(ctx, dir)
}

// explain asks a file, or the policy in force.
func (f *policyFlags) explain(ctx context.Context, rule string, std streams) error {
	if err := f.known(); err != nil {
		return err
	}
	var e policy.Explanation
	var r policy.Restoring
	var err error
	if *f.file != "" {
		e, r, err = f.explainFile(rule, std)
	} else {
		e, r, err = f.explainForce(ctx, rule)
	}
	if err == nil && *f.tool == "" {
		f.stray(ctx, rule, std.err)
	}
	switch {
	case err != nil:
		return err
	case *f.json && *f.tool != "":
		return json.NewEncoder(std.out).Encode(r)
	case *f.json:
		return json.NewEncoder(std.out).Encode(e)
	case *f.tool != "":
		printRestoring(std.out, r)
	default:
		printExplanation(std.out, rule, e)
	}
	return nil
}

// known refuses words that no policy can mean.
func (f *policyFlags) known() error {
	if *f.confidence < 1 || *f.confidence > 100 {
		return exitError{2, "--confidence is 1 to 100"}
	}
	c := f.asked("x")
	if err := c.Check(); err != nil {
		return exitError{2, err.Error()}
	}
	if *f.severity != "" {
		if err := c.Severity.UnmarshalText([]byte(*f.severity)); err != nil {
			return exitError{2, err.Error()}
		}
	}
	return nil
}

// asked is the case that the flags say.
func (f *policyFlags) asked(rule string) policy.Case {
	c := policy.Case{
		Rule: rule, Channel: flow.Channel(*f.words["channel"]), Direction: *f.words["direction"], Principal: *f.words["principal"],
		Provider: flow.Provider(*f.words["provider"]), Model: *f.words["model"], Name: *f.words["name"], Finding: *f.words["finding"],
		Confidence: *f.confidence, Fixed: *f.fixed,
	}
	if fact := *f.words["fact"]; fact != "" {
		c.Facts = []string{fact}
	}
	c.Severity.UnmarshalText([]byte(*f.severity)) // known has judged it; empty: as Explain has it
	return c
}

func (f *policyFlags) explainFile(rule string, std streams) (e policy.Explanation, r policy.Restoring, err error) {
	p, _, err := f.open(*f.file, std.err)
	if err != nil {
		return e, r, err
	}
	if *f.tool != "" {
		return e, p.ExplainRestore(*f.tool, *f.field), nil
	}
	return p.Explain(f.asked(rule), time.Now()), r, nil
}

func (f *policyFlags) explainForce(ctx context.Context, rule string) (e policy.Explanation, r policy.Restoring, err error) {
	b, err := f.backend(ctx)
	if err != nil {
		return e, r, err
	}
	defer b.Close()
	q := url.Values{"confidence": {strconv.Itoa(*f.confidence)}}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, value := range f.words {
		set(name, *value)
	}
	set("rule", rule)
	set("severity", *f.severity)
	set("tool", *f.tool)
	set("field", *f.field)
	if *f.fixed {
		q.Set("fixed", "1")
	}
	if *f.tool != "" {
		return e, r, b.get(ctx, "/policy/explain?"+q.Encode(), &r)
	}
	return e, r, b.get(ctx, "/policy/explain?"+q.Encode(), &e)
}

// printExplanation tells the action first, then the line, then what was passed
// over.
func printExplanation(w io.Writer, rule string, e policy.Explanation) {
	fmt.Fprintf(w, "%s: %s\n", plain(rule), e.Action)
	fmt.Fprintf(w, "  decides  %s, %s\n", plain(e.Line), plain(e.Key))
	fmt.Fprintf(w, "  why      %s\n", plain(e.Why))
	fmt.Fprintf(w, "  mode     %s: a call with this alone gets the verdict %s\n", e.Mode, e.Verdict)
	for _, s := range e.PassedOver {
		fmt.Fprintf(w, "  not      %s, %s: its %s\n", plain(s.Line), plain(s.Key), plain(s.Why))
	}
	fmt.Fprintf(w, "  policy   %s\n", e.Version)
}

func printRestoring(w io.Writer, r policy.Restoring) {
	word := map[bool]string{true: "restored", false: "kept as pseudonyms"}[r.Restores]
	fmt.Fprintf(w, "values are %s\n  line     %s\n  why      %s\n  policy   %s\n", word, plain(r.Line), plain(strings.TrimSpace(r.Why)), r.Version)
}
