package console

import (
	"net/http"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/agents"
	"github.com/workingagents/gatehouse/internal/export"
	"github.com/workingagents/gatehouse/internal/flow"
)

// Setup says how agents are pointed at the gateway, and which did call a model
// through it.
type Setup struct {
	Agents []SetupAgent `json:"agents"`
}

// SetupAgent is one agent, or, without a name, any other program.
type SetupAgent struct {
	Name    string      `json:"name"`
	Title   string      `json:"title"`
	Checked string      `json:"checked,omitempty"` // the version that this was checked with
	Ways    []SetupWay  `json:"ways"`
	Seen    []FirstCall `json:"seen"`
}

// SetupWay is one way to point an agent at the gateway.
type SetupWay struct {
	Entrance flow.Entrance `json:"entrance"`
	Title    string        `json:"title"`
	Text     string        `json:"text"` // for a shell, to be copied
}

// FirstCall is the first model call of an agent that came by an entrance.
type FirstCall struct {
	Agent    string        `json:"agent"`
	Entrance flow.Entrance `json:"entrance"`
	Flow     flow.ID       `json:"flow"`
	At       time.Time     `json:"at"`
}

func (c *Console) setup(w http.ResponseWriter, _ *http.Request) error {
	seen, err := c.o.Flows.FirstCalls()
	if err != nil {
		return err
	}
	var all Setup
	for _, a := range append(agents.All(), agents.Agent{Title: "Another program, an SDK"}) {
		s := SetupAgent{Name: a.Name, Title: a.Title, Checked: a.Checked, Ways: c.ways(a), Seen: []FirstCall{}}
		for _, f := range seen {
			if f.Agent == a.Name {
				s.Seen = append(s.Seen, FirstCall(f))
			}
		}
		all.Agents = append(all.Agents, s)
	}
	return writeJSON(w, http.StatusOK, all)
}

// ways are the simplest first.
func (c *Console) ways(a agents.Agent) []SetupWay {
	data, name := " --data "+quoted(c.o.About.Data), a.Name
	if name == "" {
		name = "COMMAND"
	}
	list := []SetupWay{
		{flow.Redirect, "Start it with everything set", "gatehouse run" + data + " -- " + name},
		{flow.Redirect, "Set what it needs in a shell", `eval "$(gatehouse env` + strings.TrimRight(data+" "+a.Name, " ") + `)"`},
		{flow.Redirect, "By its base URL", strings.Join(c.baseURL(a), "\n")},
	}
	if c.o.About.Intercept == "" {
		return list
	}
	return append(list, SetupWay{flow.Intercept, "Without a base URL, through the forward proxy", "gatehouse run" + data + " --intercept -- " + name})
}

// baseURL is what an agent's own start needs: variables, or arguments.
func (c *Console) baseURL(a agents.Agent) (lines []string) {
	addr := dialled(c.o.About.Listen)
	l := a.Launch(agents.Gateway{URL: "http://" + addr})
	for _, line := range l.Set {
		name, value, _ := strings.Cut(line, "=")
		if strings.Contains(value, addr) && !strings.EqualFold(name, "NO_PROXY") {
			lines = append(lines, "export "+name+"="+quoted(value))
		}
	}
	if len(l.Added) > 0 {
		words := []string{a.Name}
		for _, arg := range l.Added {
			words = append(words, quoted(arg))
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return lines
}

// quoted is a word as a POSIX shell reads it.
func quoted(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,@%+", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return export.Quote(s)
}
