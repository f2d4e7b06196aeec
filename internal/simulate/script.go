package simulate

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// words lists what a script can say, for Help.
var words = [][2]string{
	{"run: COMMAND", "call the client's shell tool with COMMAND; several lines are several rounds"},
	{"call: NAME JSON", "call the tool NAME with these arguments; a JSON string for a tool that takes free text"},
	{"say: TEXT", "answer TEXT"},
	{"{{found RE}}", "in those three: the last match (first group, if any) of RE in what the model saw; in JSON it must stand in a string"},
	{"[parallel]", "all calls in one answer"},
	{"[think]", "think first, signed"},
	{"[words N]", "answer N words"},
	{"[huge N]", "one event with N bytes of text"},
	{"[fail STATUS]", "answer this HTTP status in the provider's shape; add \"times N\" for only the first N requests with this text, \"retry-after S\" for the header"},
	{"[error N]", "an error event after N deltas (1) of a stream with status 200"},
	{"[cut N]", "break the connection after N deltas (1)"},
	{"[stall N]", "send nothing more after N deltas (1), until the client leaves"},
	{"[hang]", "do not even answer with headers, until the client leaves"},
	{"[crlf]", "end lines with CR LF"},
	{"[odd]", "add events and fields that no client knows"},
	{"[nousage]", "say nothing about tokens"},
	{"[empty]", "Responses: a final event without the output"},
	{"[bare]", "no Content-Type"},
	{"[pace D]", "pause D (such as 50ms) after each event"},
	{"[delta N]", "N characters in each delta, also inside of words"},
	{"[chunk N]", "write N bytes at a time, wherever events end"},
	{"[encode E]", "Content-Encoding gzip, deflate, br or zstd"},
}

// Help lists the words of a script, one a line.
func Help() string {
	var b strings.Builder
	for _, w := range words {
		fmt.Fprintf(&b, "  %-16s %s\n", w[0], w[1])
	}
	return b.String()
}

// script is what the last text of a person asks for.
type script struct {
	calls    []wanted
	say      string
	parallel bool
	think    bool
	words    int
	huge     int
	status   int    // fail with this HTTP status; 0: don't
	times    int    // only so often; 0: always
	retry    string // Retry-After
	fault    fault  // in the middle of the stream
	after    int    // deltas before it
	hang     bool
	crlf     bool
	odd      bool
	nousage  bool
	empty    bool
	bare     bool
	pace     time.Duration
	chunk    int
	delta    int // characters in one delta; 0: whole words
	encode   string
}

type fault string

const (
	failing  fault = "error"
	cutting  fault = "cut"
	stalling fault = "stall"
)

// wanted is one tool call that the script asks for. A command goes to
// whichever tool of the client runs commands.
type wanted struct {
	command string
	name    string
	args    string
}

var bracket = regexp.MustCompile(`\[([a-z-]+(?: [A-Za-z0-9._-]+)*)\]`)

// read finds the script in a text. What it does not know it leaves alone: the
// text is a prompt first.
func read(text string, pace time.Duration, chunk int) script {
	s := script{pace: pace, chunk: chunk}
	for line := range strings.Lines(text) {
		s.line(strings.TrimSpace(line))
	}
	return s
}

func (s *script) line(line string) {
	words := line
	for _, verb := range []string{"run: ", "say: ", "call: "} {
		before, after, ok := strings.Cut(line, verb)
		if ok && strings.TrimSpace(bracket.ReplaceAllString(before, "")) == "" {
			s.verb(verb, after)
			words = before
			break
		}
	}
	for _, m := range bracket.FindAllStringSubmatch(words, -1) {
		f := strings.Fields(m[1])
		s.word(f[0], f[1:])
	}
}

func (s *script) verb(verb, rest string) {
	switch verb {
	case "run: ":
		s.calls = append(s.calls, wanted{command: rest})
	case "say: ":
		s.say = strings.TrimSpace(s.say + "\n" + rest)
	case "call: ":
		name, args, _ := strings.Cut(rest, " ")
		s.calls = append(s.calls, wanted{name: name, args: args})
	}
}

func (s *script) word(name string, args []string) {
	switch name {
	case "parallel":
		s.parallel = true
	case "think":
		s.think = true
	case "words":
		s.words = number(args, 0, 100)
	case "huge":
		s.huge = number(args, 0, 1<<20)
	case "fail":
		s.fail(args)
	case string(failing), string(cutting), string(stalling):
		s.fault, s.after = fault(name), number(args, 0, 1)
	case "hang":
		s.hang = true
	default:
		s.manner(name, args)
	}
}

// manner reads the words that change the bytes and not what they say.
func (s *script) manner(name string, args []string) {
	switch name {
	case "crlf":
		s.crlf = true
	case "odd":
		s.odd = true
	case "nousage":
		s.nousage = true
	case "empty":
		s.empty = true
	case "bare":
		s.bare = true
	case "pace":
		if len(args) > 0 {
			s.pace, _ = time.ParseDuration(args[0])
		}
	case "chunk":
		s.chunk = number(args, 0, 1)
	case "delta":
		s.delta = number(args, 0, 1)
	case "encode":
		if len(args) > 0 {
			s.encode = args[0]
		}
	}
}

func (s *script) fail(args []string) {
	s.status = number(args, 0, 500)
	for i := 1; i+1 < len(args); i += 2 {
		switch args[i] {
		case "times":
			s.times = number(args, i+1, 1)
		case "retry-after":
			s.retry = args[i+1]
		}
	}
}

func number(args []string, i, otherwise int) int {
	if i >= len(args) {
		return otherwise
	}
	n, err := strconv.Atoi(args[i])
	if err != nil || n < 0 {
		return otherwise
	}
	return n
}
