package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// gen makes things up, always the same from the same seed.
type gen struct{ *rand.Rand }

func newGen(seed uint64) gen { return gen{rand.New(rand.NewPCG(seed, 0x67617465))} }

func (g gen) of(list []string) string { return list[g.IntN(len(list))] }

// between gives a number from low up to and without high, small ones oftener.
func (g gen) between(low, high int) int {
	f := g.Float64()
	return low + int(f*f*float64(high-low))
}

func (g gen) chars(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[g.IntN(len(alphabet))]
	}
	return string(b)
}

func (g gen) hex(n int) string { return g.chars("0123456789abcdef", n) }

func (g gen) base62(n int) string {
	return g.chars("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", n)
}

func (g gen) base64(n int) string {
	return g.chars("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", n)
}

func (g gen) uuid() string {
	return fmt.Sprintf("%s-%s-4%s-a%s-%s", g.hex(8), g.hex(4), g.hex(3), g.hex(3), g.hex(12))
}

func (g gen) words(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = g.of(words)
	}
	return strings.Join(list, " ")
}

// sentence reads like English from afar: common words, the commonest far
// oftener, with names and phrases of the trade between them.
func (g gen) sentence() string {
	list := []string{g.of(openings)}
	for range g.between(4, 20) {
		switch g.IntN(12) {
		case 0:
			list = append(list, "`"+g.ident()+"`")
		case 1:
			list = append(list, g.of(phrases))
		case 2:
			list = append(list, g.of(nouns))
		case 3:
			list = append(list, g.of(nouns)+g.of([]string{"s", ",", "."}))
		default:
			list = append(list, g.common())
		}
	}
	return strings.Join(list, " ") + g.of([]string{".", ".", ".", ".", ":", "?", "!"})
}

// common is a word drawn as Zipf found them to be used.
func (g gen) common() string {
	f := g.Float64()
	return words[int(f*f*float64(len(words)))]
}

func (g gen) paragraph() string {
	list := make([]string, 1+g.IntN(5))
	for i := range list {
		list[i] = g.sentence()
	}
	return strings.Join(list, " ")
}

// prose is what people and models write: paragraphs, lists, headings, fenced
// code.
func (g gen) prose() string {
	var b strings.Builder
	for i := range 1 + g.IntN(4) {
		if i > 0 {
			b.WriteString("\n\n")
		}
		switch g.IntN(6) {
		case 0:
			for range 2 + g.IntN(4) {
				fmt.Fprintf(&b, "- **%s**: %s\n", g.title(), g.sentence())
			}
		case 1:
			for n := range 2 + g.IntN(3) {
				fmt.Fprintf(&b, "%d. %s\n", n+1, g.sentence())
			}
		case 2:
			fmt.Fprintf(&b, "## %s\n\n%s", g.title(), g.paragraph())
		case 3:
			lang := g.of(languages)
			fmt.Fprintf(&b, "```%s\n%s```", lang, g.code(lang))
		default:
			b.WriteString(g.paragraph())
		}
	}
	return b.String()
}

func (g gen) title() string {
	w := g.of(words)
	return strings.ToUpper(w[:1]) + w[1:] + " " + g.of(nouns)
}

// ident is a name as programs have them.
func (g gen) ident() string {
	a, b := g.of(nouns), g.of(nouns)
	switch g.IntN(6) {
	case 0:
		return a + "_" + b
	case 1:
		return g.of(verbs) + cap1(a)
	case 2:
		return cap1(g.of(verbs)) + cap1(a)
	case 3:
		return g.of(verbs) + "_" + a
	case 4:
		return cap1(a) + cap1(b)
	}
	return a
}

func cap1(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (g gen) dir() string {
	return g.of([]string{"/home/user/project", "/srv/app", "/Users/dev/src/app", "/workspace", "/home/dev/code/service", "/repo"})
}

func (g gen) path() string {
	ext := g.of([]string{".go", ".py", ".ts", ".tsx", ".js", ".rs", ".md", ".json", ".yaml", "_test.go", ".test.ts", ".java", ".sql", ".sh"})
	return g.of([]string{"internal/", "src/", "pkg/", "lib/", "tests/", "src/components/", "cmd/", "app/", "docs/", "src/utils/", "scripts/", ""}) +
		g.of([]string{"", "", g.of(nouns) + "/"}) + g.of(nouns) + ext
}

var languages = []string{"go", "python", "typescript", "rust", "bash", "json", "yaml", "javascript", "java", "sql", "html", "diff"}

var nouns = strings.Fields(`config client server request response handler error result value key user
session token message content file path name type data item list index buffer reader writer stream
event state status context option options field record entry table query cache queue worker job task
test case input output parser node tree graph element component page view model schema service
manager factory builder store storage database connection pool limit size count total offset length
timeout interval retry policy rule role account order product price invoice payment customer address
email password login route router middleware controller template module package import export
version update change commit branch merge release build deploy cluster container image volume network
port host url header body payload format encoding hash signature certificate secret logger metric
trace span report summary detail section line column block chunk segment frame`)

var verbs = strings.Fields(`get set add remove delete create update find load save read write open
close start stop run parse format validate check handle process send receive fetch render build make
new init register resolve apply merge split join filter map sort group compare convert encode decode
is has can should test assert expect print log wait retry cancel flush reset`)

var words = strings.Fields(`the to a of and is in for that this it with you be on as are if or not by from can
will an have use your when all we at which has but do was should must any only one no they then other more there
what their so its into than these also may i been up out about new time how like just them some each before make
same between need such following after using used does first where through want were get now without while because
default set add over two very well even most both many here example change files function code value name test
change error check first last next same different several multiple single current previous available possible
necessary important specific existing missing invalid correct simple complete required optional public private
internal external local remote whether within against during another however therefore although already always
never every second under could would might instead rather actually currently probably directly correctly together
usually exactly returns return returned called calls call given gives takes take contains contain provides provide
supports support requires require allows allow creates create created updates update updated removes remove removed
replaces replace modifies modify implements implement implementation defines define defined definition includes
include including ensures ensure verifies verify handles handle handling works work working looks look looking finds
find found shows show keeps keep comes come runs run running adds added fixes fix fixed passes pass passed fails fail
failed failure writes write written writing reads read reading tests tested testing builds build built building
class method interface variable parameter argument string number integer boolean array object property instance
library package dependency directory folder command terminal output problem issue feature behavior performance
memory thread process system user access permission security information documentation reference solution approach
structure pattern condition statement expression operation execution exception warning debug production development
environment configuration application database connection request response server client network message content
header session context component module service template everything something anything nothing automatically
especially successfully properly completely additional multiple particular general common empty entire main own
still since until unless once again back down off long large small great good best better less least too much few
part point way line type data list case start end make sure note see below above however people place right`)

var phrases = strings.Split(`the following|in order to|make sure that|such as|for example|as well as|in the same way|does not|
should be|must be|can be used to|is used to|will be|have been|there is a|this is the|you can|if you want to|instead of|
at the end of|the number of|a list of|one of the|each of the|based on the|in addition|as follows|with the|from the|to the|
of the|in the|on the|for the|and the|that the|by the|it is|is not|it's|don't|doesn't|isn't|I'll|let's|we need to|
command line|source code|default value|return value|error message|environment variable|working directory|
test suite|entry point|API key|data type|file path|user input|best practices|edge case|root cause|git commit|pull request|
backwards compatible|note that|by default|at least|up to|no longer|so that|because of|according to`, "|")

var openings = strings.Split(`I'll|Let me|Now let me|I need to|First,|You should|Please|It looks like|This|We|The|The problem is|
I've updated|I've added|Now I'll|Next,|To fix this,|If you|If the|Note that|Make sure|Do not|When|Before|After|There is|Here is|
I can see|Great!|Perfect.|The user wants me to|Looking at|Based on|Use this tool to|Returns|The path to|Whether to|Optional.|
IMPORTANT:|ALWAYS|NEVER|You must|You can|You are|A|An|In|For|All|Each|Use|Run|Read|Update|Check|Add|Fix|Create|Remove|Set`, "|")

func init() {
	for _, list := range [][]string{phrases, openings} {
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
	}
}
