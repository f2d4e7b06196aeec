package house_test

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// layers is the direction: a package imports only from layers below its own.
// Packages of one family (a folder and the folders in it) may import each
// other where a line allows it.
var layers = [][]string{
	{"cmd/gatehouse", "bench", "score"},
	{"internal/selftest"},
	{"internal/app"},
	{"internal/proxy", "internal/console"},
	{"internal/carry"},
	{"internal/gate", "internal/allow", "internal/rulebook"},
	{"internal/vault"},
	{"internal/identity", "internal/inspect", "internal/policy", "internal/price", "internal/coverage", "internal/conversation", "internal/export", "internal/ledger", "internal/remote"},
	{"web", "internal/upstream", "internal/agents", "internal/archive", "internal/config", "internal/simulate", "internal/ca"},
	{"internal/wire", "internal/filter", "internal/strict", "internal/atomicfile", "internal/badcert"},
	{"internal/flow"},
}

// line allows one import. A name that ends in /... means a folder and all in
// it.
type line struct{ from, to, why string }

// allowed is every import within the house. A new line needs a why, and its
// direction must hold.
var allowed = []line{
	{"internal/...", "internal/flow", "the words that all packages share"},
	{"cmd/gatehouse", "internal/flow", "lists and shows flows"},
	{"cmd/gatehouse", "internal/filter", "says what is wrong with a filter before anybody is asked"},

	{"cmd/gatehouse", "internal/app", "starts the gateway, or opens its folder"},
	{"cmd/gatehouse", "internal/config", "flags win over the file"},
	{"cmd/gatehouse", "internal/agents", "run and env point agents at the gateway"},
	{"cmd/gatehouse", "internal/simulate", "simulate and demo serve it"},
	{"cmd/gatehouse", "internal/console", "the API's answers in its words"},
	{"cmd/gatehouse", "internal/ledger", "who holds the folder; the API's answers in its words"},
	{"cmd/gatehouse", "internal/conversation", "prints sessions as people read them; the API's answers in its words"},
	{"cmd/gatehouse", "internal/policy", "checks, tests and explains policy files without a gateway"},
	{"cmd/gatehouse", "internal/inspect/...", "knows what a rule may be called"},
	{"cmd/gatehouse", "internal/coverage", "the report in its words; knows what a rule may be called"},
	{"cmd/gatehouse", "internal/rulebook", "checks rules files without a gateway"},
	{"cmd/gatehouse", "internal/wire/codec", "show reads bodies as conversations"},
	{"cmd/gatehouse", "internal/wire/coding", "show decodes compressed bodies"},

	{"cmd/gatehouse", "internal/selftest", "runs it and prints its table"},
	{"internal/selftest", "internal/app", "runs a gateway of its own"},
	{"internal/selftest", "internal/config", "says what that gateway does"},
	{"internal/selftest", "internal/ledger", "finds the gateway's socket, by which the record is read"},
	{"internal/selftest", "internal/ca", "looks at what inspected calls are signed with"},
	{"internal/selftest", "internal/policy", "knows the finding that must be on record"},
	{"internal/selftest", "internal/badcert", "has providers made that must not be trusted"},

	{"cmd/gatehouse", "internal/ca/...", "shows, hands out and rotates the roots; no gateway is needed for it"},
	{"cmd/gatehouse", "internal/atomicfile", "writes exported roots whole"},

	{"bench", "internal/ledger/disk", "measures what a sync takes, as the ledger does it"},

	{"score", "internal/inspect/...", "measures the engine with each family's rules"},
	{"score", "internal/flow", "severities of what is found"},
	{"score", "internal/gate", "sends ordinary texts the whole path"},
	{"score", "internal/ledger", "a gate needs one"},
	{"score", "internal/vault", "a gate needs one"},
	{"score", "internal/policy", "measures what the recommended one blocks"},
	{"score", "internal/wire/route", "knows whose a recorded request is"},
	{"score", "internal/wire/codec", "says how an answer comes"},
	{"score", "internal/rulebook", "measures the rules in the binary as they are in force"},

	{"internal/inspect/secret", "internal/inspect", "gives it rules, detectors and checks"},
	{"internal/inspect/injection", "internal/inspect", "gives it rules, detectors and checks"},
	{"internal/inspect/injection", "internal/inspect/injection/...", "asks its model"},
	{"internal/inspect", "internal/inspect/plain", "reads characters as people see them"},
	{"internal/inspect/injection", "internal/inspect/plain", "finds letters that imitate others"},
	{"internal/inspect/injection/linear", "internal/inspect/plain", "reads words as people see them"},

	{"internal/app", "internal/config", "cuts it up: each constructor gets its part"},
	{"internal/app", "internal/proxy/...", "wires the entrances"},
	{"internal/app", "internal/ca", "opens the authority that inspected calls are answered under"},
	{"internal/app", "internal/carry", "wires what the entrances share"},
	{"internal/app", "web", "gives the console its page"},
	{"internal/app", "internal/console", "wires the console"},
	{"internal/app", "internal/gate", "wires the one path"},
	{"internal/app", "internal/identity", "wires who is calling"},
	{"internal/app", "internal/policy", "wires what may pass"},
	{"internal/app", "internal/inspect/...", "compiles the rules that are in force"},
	{"internal/app", "internal/rulebook", "reads the operator's rules, registers values"},
	{"internal/app", "internal/atomicfile", "replaces the files of registered values whole"},
	{"internal/app", "internal/remote", "makes the detectors that the settings name"},
	{"internal/app", "internal/vault", "wires the values behind pseudonyms"},
	{"internal/app", "internal/allow", "opens what is allowed beside the policy"},
	{"internal/app", "internal/price", "reads prices that override the built-in ones"},
	{"internal/app", "internal/ledger", "locks, opens and runs it"},
	{"internal/app", "internal/upstream", "makes one for each provider"},

	{"internal/proxy/redirect", "internal/carry", "has its requests carried"},
	{"internal/proxy/redirect", "internal/identity", "asks who is calling"},
	{"internal/proxy/redirect", "internal/upstream", "knows where each provider is"},
	{"internal/proxy/redirect", "internal/wire/route", "finds a path's provider"},

	{"internal/proxy/intercept", "internal/ca", "reads lists of hosts as certificates do"},
	{"internal/proxy/intercept", "internal/carry", "has what it finds inside of TLS carried"},
	{"internal/proxy/intercept", "internal/gate", "records tunnels and refusals"},
	{"internal/proxy/intercept", "internal/identity", "asks who is calling"},
	{"internal/proxy/intercept", "internal/upstream", "knows where each inspected host is"},
	{"internal/proxy/intercept", "internal/wire/route", "finds a path's operation"},

	{"internal/carry", "internal/gate", "admits each message, watches each answer"},
	{"internal/carry", "internal/identity", "takes credentials out of what is recorded"},
	{"internal/carry", "internal/agents", "knows the headers by which agents name their sessions"},
	{"internal/carry", "internal/upstream", "forwards"},
	{"internal/carry", "internal/wire/...", "refuses in the provider's shape, cuts answers into messages"},

	{"internal/proxy/recorded", "internal/archive", "reads what other tools recorded"},
	{"internal/proxy/recorded", "internal/agents", "knows the headers by which agents name their sessions"},
	{"internal/proxy/recorded", "internal/carry", "reads headers as for what comes now"},
	{"internal/proxy/recorded", "internal/gate", "admits each message, watches each answer"},
	{"internal/proxy/recorded", "internal/identity", "takes credentials out of what is recorded"},
	{"internal/proxy/recorded", "internal/wire/...", "finds a path's provider, says how an answer comes"},

	{"internal/proxy/guardrail", "internal/gate", "has what it is asked about judged and recorded"},
	{"internal/proxy/guardrail", "internal/identity", "asks whose key it is; takes credentials out of what is recorded"},
	{"internal/proxy/guardrail", "internal/wire/peek", "reads what a question says of itself"},

	{"internal/app", "internal/console/door", "opens the visits of the data folder"},
	{"internal/app", "internal/console/saved", "opens the saved views of the data folder"},
	{"internal/console", "internal/console/schema", "describes the admin API by its types"},
	{"internal/console", "internal/remote", "tells how calls of detectors elsewhere ended, in its words"},
	{"internal/console", "internal/console/saved", "lists and saves views"},
	{"internal/console/saved", "internal/atomicfile", "replaces the file of views whole"},
	{"internal/console", "internal/console/door", "asks it who looks through a browser"},
	{"internal/console/door", "internal/atomicfile", "replaces the file of visits whole"},
	{"internal/console", "internal/agents", "says how each agent is pointed at the gateway"},
	{"internal/console", "internal/filter", "reads what a reader chooses, follows it live"},
	{"internal/console", "internal/conversation", "shows sessions and flows as people read them"},
	{"internal/console", "internal/coverage", "reports which way flows came"},
	{"internal/console", "internal/ledger", "shows flows, sessions and content, verifies"},
	{"internal/console", "internal/identity", "administers access keys"},
	{"internal/console", "internal/export", "writes flows for other tools"},
	{"internal/console", "internal/policy", "explains the policy, administers allowances"},

	{"internal/gate", "internal/coverage", "says what is new in how a call came and where it goes"},
	{"internal/gate", "internal/agents", "tells an agent's program from others"},
	{"internal/gate", "internal/ledger", "records: no record, no passage"},
	{"internal/gate", "internal/policy", "asks for the decision"},
	{"internal/gate", "internal/inspect", "has what is new scanned"},
	{"internal/gate", "internal/inspect/action", "has proposed tool calls judged"},
	{"internal/gate", "internal/inspect/taint", "follows what others wrote through a session"},
	{"internal/gate", "internal/remote", "has other people's detectors asked about what is new"},
	{"internal/gate", "internal/vault", "puts pseudonyms in the place of values, and back"},
	{"internal/gate", "internal/price", "prices the usage"},
	{"internal/gate", "internal/wire/...", "reads bodies: pieces, facts, answers"},

	{"internal/vault", "internal/ledger", "reloads the values that it knows; the ledger keeps them sealed"},
	{"internal/ca", "internal/atomicfile", "replaces its certificates and keys whole"},
	{"internal/ca/trust", "internal/ca", "hands its roots out"},
	{"internal/ca/trust", "internal/atomicfile", "replaces the files that tools read whole"},
	{"internal/config", "internal/strict", "reads settings, with the place of every problem"},
	{"internal/policy", "internal/strict", "reads the policy file, with the place of every problem"},

	{"internal/allow", "internal/policy", "keeps allowances in policy's words"},
	{"internal/allow", "internal/atomicfile", "replaces its file whole"},
	{"internal/identity", "internal/atomicfile", "replaces the file of access keys whole"},

	{"internal/inspect/action", "internal/wire/peek", "reads arguments, and what is left of them"},
	{"internal/rulebook", "internal/inspect/...", "compiles the operator's rules beside the built-in ones"},

	{"internal/conversation", "internal/wire/...", "reads blocks and answers as parts"},
	{"internal/export", "internal/wire/codec", "reads answers, to find and mask values in them"},
	{"internal/export", "internal/wire/coding", "takes content codings off"},
	{"internal/export", "internal/wire/peek", "decodes strings"},

	{"internal/coverage", "internal/agents", "knows where each agent was seen to call"},

	{"internal/identity", "internal/agents", "names the program of a calling process"},

	{"internal/ledger", "internal/ledger/...", "its parts"},
	{"internal/ledger", "internal/filter", "lists what a filter chooses"},
	{"internal/ledger", "internal/wire/...", "stores the pieces of a body, puts answers together for search"},
	{"internal/ledger/said", "internal/wire/...", "reads parts as people do"},
	{"internal/ledger/strand", "internal/ledger/object", "goes along the chains of nodes"},
	{"internal/ledger/strand", "internal/wire/...", "reads names in what stands between blocks; lays out a body that was read whole"},
	{"internal/ledger/keys", "internal/ledger/disk", "keys.db goes through the same faulty disk in tests"},
	{"internal/ledger/index", "internal/ledger/disk", "makes its file for its owner alone"},
	{"internal/ledger/text", "internal/ledger/disk", "makes its files for their owner alone"},

	{"internal/ledger/disk/disktest", "internal/ledger/disk", "a disk that fails, for tests"},

	{"internal/inspect/secret", "internal/inspect", "gives the engine its rules, detectors and checks"},
	{"internal/inspect/pii", "internal/inspect", "gives the engine its rules, detectors and checks"},
	{"score", "internal/gate", "sends ordinary texts the whole path"},
	{"score", "internal/ledger", "a gate needs one"},
	{"score", "internal/vault", "a gate needs one"},
	{"score", "internal/policy", "measures what the recommended one blocks"},
	{"score", "internal/wire/route", "knows whose a recorded request is"},
	{"score", "internal/wire/codec", "says how an answer comes"},
	{"score", "internal/rulebook", "measures the rules as they are in force"},
	{"score", "internal/inspect/...", "measures what the rules find"},

	{"internal/wire/codec", "internal/wire/...", "dispatches to the providers' codecs"},
	{"internal/wire/anthropic", "internal/wire/...", "reads JSON members, collects streamed parts"},
	{"internal/wire/openai", "internal/wire/...", "reads JSON members, collects streamed parts"},
	{"internal/wire/gemini", "internal/wire/...", "reads JSON members, collects streamed parts"},
	{"internal/wire/draft", "internal/wire/peek", "parts are collected from raw members"},
	{"internal/wire/act", "internal/wire/peek", "finds members and tells tools by them"},
	{"internal/wire/act", "internal/wire/split", "looks at what is new in a body only"},
	{"internal/wire/body", "internal/wire/split", "asks whether a line or a part is JSON"},
	{"internal/wire/rewrite", "internal/wire/...", "reads JSON members, refuses in the provider's shape"},
}

func (l line) covers(from, to string) bool { return under(from, l.from) && under(to, l.to) }

// under reports whether dir is the pattern, or lies in it when it ends in /...
func under(dir, pattern string) bool {
	folder, all := strings.CutSuffix(pattern, "/...")
	return dir == folder || all && strings.HasPrefix(dir, folder+"/")
}

// layer gives the number of a package's layer, counted from the top.
func layer(dir string) int {
	return slices.IndexFunc(layers, func(families []string) bool {
		return slices.ContainsFunc(families, func(f string) bool { return under(dir, f+"/...") })
	})
}

// family gives the layer's entry that a package belongs to.
func family(dir string) string {
	for _, families := range layers {
		for _, f := range families {
			if under(dir, f+"/...") {
				return f
			}
		}
	}
	return dir
}

func TestImportsPointOneWay(t *testing.T) {
	used := make([]bool, len(allowed))
	for _, f := range files(t) {
		if f.test || f.dir == "internal/house" {
			continue
		}
		if layer(f.dir) < 0 {
			t.Errorf("%s is in no layer: give it its place", f.dir)
		}
		for _, imported := range f.imports() {
			to, inside := strings.CutPrefix(imported, module+"/")
			if !inside {
				continue
			}
			i := slices.IndexFunc(allowed, func(l line) bool { return l.covers(f.dir, to) })
			if i < 0 {
				t.Errorf("%s imports %s, which no line allows", f.path, to)
				continue
			}
			for j, l := range allowed {
				used[j] = used[j] || l.covers(f.dir, to)
			}
			if layer(f.dir) >= layer(to) && family(f.dir) != family(to) {
				t.Errorf("%s imports %s, which is not below it", f.path, to)
			}
		}
	}
	for i, l := range allowed {
		if !used[i] {
			t.Errorf("nothing uses the line %s → %s: remove it", l.from, l.to)
		}
	}
}

func TestEntrancesDoNotKnowEachOther(t *testing.T) {
	for _, f := range files(t) {
		if f.test || !strings.HasPrefix(f.dir, "internal/proxy/") && !strings.HasPrefix(f.dir, "internal/ingest/") {
			continue
		}
		for _, imported := range f.imports() {
			to := strings.TrimPrefix(imported, module+"/")
			entrance := strings.HasPrefix(to, "internal/proxy/") || strings.HasPrefix(to, "internal/ingest/")
			if entrance && to != f.dir {
				t.Errorf("%s imports the entrance %s", f.path, to)
			}
		}
	}
}

// pure packages get bytes and give values: no I/O, no clock, no log.
var pure = []string{"internal/flow/...", "internal/wire/...", "internal/inspect/...", "internal/policy/...", "internal/price/...", "internal/coverage", "internal/conversation", "internal/export", "internal/filter", "internal/strict/..."}

// impure are the imports that do I/O or log. net/http is not among them: its
// Header is a word that codecs share; what it does is.
var impure = []string{"os", "os/exec", "net", "log", "log/slog", "syscall", "database/sql", "math/rand", "math/rand/v2", "testing", "io/ioutil", "golang.org/x/sys/unix"}

// acts are the functions of permitted packages that read the clock or do I/O.
var acts = map[string][]string{
	"time": {"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTimer", "NewTicker"},
	"http": {"Get", "Head", "Post", "PostForm", "Serve", "ListenAndServe", "NewRequest", "DefaultClient"},
	"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

func TestPurePackagesDoNoIO(t *testing.T) {
	for _, f := range files(t) {
		if f.test || !slices.ContainsFunc(pure, func(p string) bool { return under(f.dir, p) }) {
			continue
		}
		for _, imported := range f.imports() {
			if slices.Contains(impure, imported) {
				t.Errorf("%s is pure and imports %s", f.path, imported)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && slices.Contains(acts[pkg.Name], sel.Sel.Name) {
				t.Errorf("%s is pure and uses %s.%s", f.fset.Position(n.Pos()), pkg.Name, sel.Sel.Name)
			}
			return true
		})
	}
}

// tools are the packages that make tests say less than they check.
var tools = []string{"github.com/stretchr/", "github.com/onsi/", "github.com/golang/mock", "go.uber.org/mock", "gotest.tools/"}

func TestTestsUseTheStandardLibrary(t *testing.T) {
	for _, f := range files(t) {
		if !f.test {
			continue
		}
		for _, imported := range f.imports() {
			if slices.ContainsFunc(tools, func(p string) bool { return strings.HasPrefix(imported, p) }) {
				t.Errorf("%s imports %s: tests compare got and want themselves", f.path, imported)
			}
		}
		for _, at := range sleeps(f) {
			t.Errorf("%s sleeps: use testing/synctest or an injected clock", at)
		}
	}
}

func sleeps(f file) []string {
	var at []string
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" && !insideSynctest(f) {
				at = append(at, f.fset.Position(n.Pos()).String())
			}
		}
		return true
	})
	return at
}

// insideSynctest: within a bubble a sleep takes no time.
func insideSynctest(f file) bool { return slices.Contains(f.imports(), "testing/synctest") }
