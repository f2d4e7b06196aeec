package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/workingagents/gatehouse/internal/agents"
	"github.com/workingagents/gatehouse/internal/ca"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/simulate"
)

// Limits of what the doctor waits for.
const (
	versionWait = 20 * time.Second // an agent's --version
	callWait    = 90 * time.Second // a headless call
)

// checkup is what the doctor found out about one agent.
type checkup struct {
	Agent    string           `json:"agent"`
	Title    string           `json:"title"`
	Path     string           `json:"path,omitempty"` // "": it is not installed
	Version  string           `json:"version,omitempty"`
	Checked  string           `json:"checked"`      // version that Gatehouse was checked with
	Known    bool             `json:"known"`        // they are the same
	CA       string           `json:"ca,omitempty"` // what is wrong with the gateway's certificate authority
	Settings []agents.Setting `json:"settings,omitempty"`
	Trust    []trusted        `json:"trust,omitempty"`
	Proxy    proxies          `json:"proxy"`
	Calls    []probe          `json:"calls,omitempty"`
	Refused  []refusedFor     `json:"refused,omitempty"` // what the gateway turned away of late, whoever called
}

// trusted is a variable by which the agent's runtime is told whom to trust.
type trusted struct {
	Name string `json:"name"`
	File string `json:"file,omitempty"`
	Root bool   `json:"root"` // the file has the gateway's root
	Why  string `json:"why,omitempty"`
}

// proxies are what the environment says of them.
type proxies struct {
	Address string   `json:"address,omitempty"` // of HTTPS_PROXY, without a user
	Past    []string `json:"past,omitempty"`    // the agent's hosts that NO_PROXY leads past it
}

// probe is one real call of the agent, and whether it came.
type probe struct {
	Entrance flow.Entrance `json:"entrance"`
	Arrived  bool          `json:"arrived"`
	MS       int64         `json:"ms"`
	Why      string        `json:"why,omitempty"` // why not
}

// refusedFor are the calls and connections that a gateway refused for one reason,
// which no policy gave.
type refusedFor struct {
	Why   string    `json:"why"`
	Flows int       `json:"flows"`
	Last  time.Time `json:"last"`
	Host  string    `json:"host,omitempty"` // of the last
}

// Limits of what is told of them.
const (
	refusedSince = 7 * 24 * time.Hour
	maxRefused   = 20 // reasons; those that came last
)

// runDoctor says of each agent whether its calls can be seen, and tries it.
func runDoctor(ctx context.Context, args []string, std streams) error {
	fs := newFlags("doctor", "[AGENT…] [--data DIR] [--json] [--no-call]\nexit code: 0 all calls came; 1 one did not", std)
	data := dataFlag(fs)
	asJSON := fs.Bool("json", false, "one JSON object for each agent")
	noCall := fs.Bool("no-call", false, "make no calls")
	names, err := parseWords(fs, args)
	if err != nil {
		return err
	}
	list, err := patients(names)
	if err != nil {
		return err
	}
	dir, err := dataDir(*data)
	if err != nil {
		return err
	}
	cwd, _ := os.Getwd() // unknown is fine: then no folder's settings are looked at
	d := &doctor{roots: rootsOf(dir), authority: soundCA(dir), gateway: agents.Gateway{Env: os.Environ(), Dir: cwd, Read: os.ReadFile}}
	if d.refused, err = refusals(ctx, dir, time.Now()); err != nil {
		fmt.Fprintln(std.err, "gatehouse: note: what was refused of late can't be read:", plain(err.Error()))
	}
	if !*noCall && slices.ContainsFunc(list, func(a agents.Agent) bool { return installed(a) != "" }) {
		if err := d.open(ctx); err != nil {
			return err
		}
		defer d.close()
	}
	failed := false
	for _, a := range list {
		c := d.examine(ctx, a)
		failed = failed || slices.ContainsFunc(c.Calls, func(p probe) bool { return !p.Arrived })
		if *asJSON {
			err = json.NewEncoder(std.out).Encode(c)
		} else {
			err = c.print(std.out)
		}
		if err != nil {
			return err
		}
	}
	if !*asJSON {
		if err := d.print(std.out, dir); err != nil {
			return err
		}
	}
	if failed {
		return exitError{1, ""}
	}
	return nil
}

// refusals reads what a data folder's gateway refused of late, the newest first. A
// folder without a ledger has nothing to tell.
func refusals(ctx context.Context, dir string, now time.Time) (list []refusedFor, err error) {
	if _, err := os.Stat(filepath.Join(dir, "segments")); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	b, err := openBackend(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	at := map[string]int{} // reason → its place in list
	q := url.Values{"q": {"state:refused"}, "since": {now.Add(-refusedSince).UTC().Format(time.RFC3339)}}
	err = b.lines(ctx, "GET", "/flows?"+q.Encode(), func(line []byte) error {
		var v flow.View
		if err := json.Unmarshal(line, &v); err != nil {
			return err
		}
		if !ownRefusal(v.Rules) {
			return nil
		}
		i, known := at[v.Why]
		if !known {
			i = len(list)
			at[v.Why], list = i, append(list, refusedFor{Why: v.Why})
		}
		list[i].Flows, list[i].Last, list[i].Host = list[i].Flows+1, v.Started, v.Host
		return nil
	})
	slices.SortFunc(list, func(a, b refusedFor) int { return b.Last.Compare(a.Last) })
	return list[:min(len(list), maxRefused)], err
}

// ownRefusal reports whether the gateway itself refused, and no rule of the policy.
func ownRefusal(rules []string) bool {
	return slices.ContainsFunc(rules, func(r string) bool { return strings.HasPrefix(r, "limit:") || strings.HasPrefix(r, "blind:") })
}

// patients are the named agents, else all.
func patients(names []string) (list []agents.Agent, err error) {
	if len(names) == 0 {
		return agents.All(), nil
	}
	for _, name := range names {
		a, ok := agents.For(name)
		if !ok {
			return nil, exitError{2, fmt.Sprintf("there is no agent %q: %s", name, agentNames())}
		}
		list = append(list, a)
	}
	return list, nil
}

// installed is the path of an agent's program; "": there is none.
func installed(a agents.Agent) string {
	path, err := exec.LookPath(a.Name)
	if err != nil {
		return ""
	}
	return path
}

// doctor examines agents, with a gateway of its own before a simulated provider:
// nothing of a call leaves the machine, and no log-in of the user's is used.
type doctor struct {
	roots     []*x509.Certificate // of the user's gateway
	authority string              // what is wrong with its certificate authority
	refused   []refusedFor        // by the user's gateway
	gateway   agents.Gateway

	use  target // the doctor's gateway; zero: no calls are made
	back *backend
	seen *witness
	stop func()
}

// rootsOf are the roots of a data folder's certificate authority; none when it has
// none.
func rootsOf(dir string) []*x509.Certificate {
	all, err := ca.List(dir)
	if err != nil {
		return nil
	}
	return ca.Roots(all, time.Now())
}

// soundCA says what is wrong with a data folder's certificate authority, such as a
// key that others can read. None is not wrong: the gateway makes it.
func soundCA(dir string) string {
	if _, err := ca.Open(dir, time.Now); err != nil && !errors.Is(err, ca.ErrNone) {
		return err.Error()
	}
	return ""
}

// witness is the simulated provider, which notes what was sent to it.
type witness struct {
	mu    sync.Mutex
	texts bytes.Buffer
	next  http.Handler
}

// witnessed is how much is noted: more than an agent's first call has.
const witnessed = 4 << 20

func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	r.Body = &overheard{r.Body, w}
	w.next.ServeHTTP(rw, r)
}

func (w *witness) has(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Contains(w.texts.Bytes(), []byte(text))
}

type overheard struct {
	io.ReadCloser
	w *witness
}

func (o *overheard) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	o.w.texts.Write(p[:min(n, max(0, witnessed-o.w.texts.Len()))])
	return n, err
}

// open starts the doctor's gateway in a folder of its own.
func (d *doctor) open(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "gatehouse-doctor-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	var done chan error
	d.stop = func() {
		stop()
		if done != nil {
			<-done
		}
		os.RemoveAll(dir)
	}
	defer func() {
		if err != nil {
			d.stop()
		}
	}()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("starting the simulated provider: %w", err)
	}
	d.seen = &witness{next: simulate.New(simulate.Options{NoWebSocket: true})} // so that bodies are all that is said
	go serveSimulate(ctx, ln, d.seen)
	c := simulated(dir, "http://"+ln.Addr().String())
	c.Intercept.Listen, c.Intercept.Others = "127.0.0.1:0", "refuse" // an agent that calls home gets no further
	about, ended, err := startGateway(ctx, c)
	if err != nil {
		return err
	}
	done = ended
	d.use = target{url: "http://" + about.Listen, data: dir, holder: ledger.Holder{Intercept: about.Intercept}}
	d.back, err = openBackend(ctx, dir)
	return err
}

func (d *doctor) close() {
	d.back.Close()
	d.stop()
}

func (d *doctor) examine(ctx context.Context, a agents.Agent) checkup {
	c := checkup{Agent: a.Name, Title: a.Title, Checked: a.Checked, Path: installed(a), CA: d.authority, Refused: d.refused}
	if c.Path == "" {
		return c
	}
	c.Version = versionOf(ctx, c.Path)
	c.Known = c.Version == a.Checked
	c.Settings, c.Trust, c.Proxy = a.Settings(d.gateway), d.trust(a), d.proxies(a)
	if d.back != nil {
		c.Calls = []probe{d.try(ctx, a, c.Path, flow.Redirect), d.try(ctx, a, c.Path, flow.Intercept)}
	}
	return c
}

var versionNumber = regexp.MustCompile(`\d+\.\d+(\.\d+)?(-[\w.]+)?`)

// versionOf asks a program for its version; "": it does not say.
func versionOf(ctx context.Context, path string) string {
	ctx, cancel := context.WithTimeout(ctx, versionWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return string(versionNumber.Find(out))
}

// trust looks at the files that the agent's runtime is given.
func (d *doctor) trust(a agents.Agent) (list []trusted) {
	for _, name := range a.TrustVars() {
		t := trusted{Name: name, File: os.Getenv(name)}
		switch text, err := os.ReadFile(t.File); {
		case t.File == "":
			t.Why = "not set"
		case err != nil:
			t.Why = "it can't be read"
		case len(d.roots) == 0:
			t.Why = "this gateway has no certificate authority yet"
		default:
			if t.Root = holdsRoot(text, d.roots); !t.Root {
				t.Why = "it does not have the gateway's root"
			}
		}
		list = append(list, t)
	}
	return list
}

// holdsRoot reports whether a PEM file has one of some certificates.
func holdsRoot(text []byte, roots []*x509.Certificate) bool {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if slices.ContainsFunc(roots, func(r *x509.Certificate) bool { return bytes.Equal(r.Raw, block.Bytes) }) {
			return true
		}
	}
	return false
}

// proxies looks at the environment's proxy, and at what leads past it.
func (d *doctor) proxies(a agents.Agent) (p proxies) {
	address := cmp.Or(os.Getenv("HTTPS_PROXY"), os.Getenv("https_proxy"), os.Getenv("ALL_PROXY"), os.Getenv("all_proxy"))
	if address == "" {
		return p
	}
	p.Address = agents.Shown(address)
	for _, host := range a.Hosts {
		if agents.Past(cmp.Or(os.Getenv("NO_PROXY"), os.Getenv("no_proxy")), host) {
			p.Past = append(p.Past, host)
		}
	}
	return p
}

// dummyKeys let agents start: they are good for the simulated provider only.
var dummyKeys = []string{"ANTHROPIC_API_KEY", "OPENAI_API_KEY", "CODEX_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"}

// try has the agent make one call that says something nobody else says, and looks
// whether it came by an entrance.
func (d *doctor) try(ctx context.Context, a agents.Agent, path string, by flow.Entrance) (p probe) {
	p.Entrance = by
	nonce := "gatehouse-" + rand.Text()
	g := d.gateway
	g.URL, g.Args = d.use.url, append(slices.Clone(a.Headless), "say: "+nonce)
	g.Env = slices.Clone(g.Env)
	for _, name := range dummyKeys {
		g.Env = append(g.Env, name+"=sk-gatehouse-doctor-0000000000000000")
	}
	launch := a.Launch(g)
	if by == flow.Intercept {
		proxy, err := interceptor(d.use)
		if err != nil {
			p.Why = err.Error()
			return p
		}
		launch = a.Intercept(g, proxy)
	}
	ctx, cancel := context.WithTimeout(ctx, callWait)
	defer cancel()
	began := time.Now()
	cmd := exec.CommandContext(ctx, path, launch.Args...)
	cmd.Env, cmd.WaitDelay = launch.Env, 2*time.Second
	out, err := cmd.CombinedOutput()
	p.MS = time.Since(began).Milliseconds()
	switch came, other := d.came(by, began); {
	case came && d.seen.has(nonce):
		p.Arrived = true
	case ctx.Err() != nil:
		p.Why = fmt.Sprintf("it did not end within %s", callWait)
	case other != "":
		p.Why = "its call came by " + string(other)
	case err != nil:
		p.Why = "it ended with " + err.Error() + ": " + lastLine(out)
	default:
		p.Why = "it made no model call through the gateway: " + lastLine(out)
	}
	if !p.Arrived && len(launch.Notes) > 0 {
		p.Why += "; " + strings.Join(launch.Notes, "; ")
	}
	return p
}

// came reports whether a model call came by an entrance since then, or by which
// other one.
func (d *doctor) came(by flow.Entrance, since time.Time) (came bool, other flow.Entrance) {
	q := url.Values{"since": {since.UTC().Format(time.RFC3339)}}
	err := d.back.lines(context.Background(), "GET", "/flows?"+q.Encode(), func(line []byte) error {
		var v flow.View
		if err := json.Unmarshal(line, &v); err != nil {
			return err
		}
		if !v.API.Generates() || v.Started.Before(since) {
			return nil
		}
		if v.Entrance == by {
			came = true
		} else {
			other = v.Entrance
		}
		return nil
	})
	return came && err == nil, other
}

// lastLine is the end of what a program said, as much as a line can show.
func lastLine(out []byte) string {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	text := string(bytes.TrimSpace(lines[len(lines)-1]))
	if text == "" {
		return "it said nothing"
	}
	return clip(plain(text), 200)
}

func (c *checkup) print(w io.Writer) error {
	var b strings.Builder
	row := func(name, format string, args ...any) { doctorRow(&b, name, format, args...) }
	if c.Path == "" {
		_, err := fmt.Fprintf(w, "%s: not installed\n", c.Title)
		return err
	}
	fmt.Fprintf(&b, "%s %s   %s\n", c.Title, cmp.Or(c.Version, "of an unknown version"), plain(c.Path))
	if !c.Known {
		row("version", "Gatehouse was checked with %s", c.Checked)
	}
	for _, s := range c.Settings {
		said := ""
		switch {
		case s.Ignored:
			said = "   (this agent does not read it)"
		case !s.Holds:
			said = "   (outranked)"
		}
		row("set", "%s = %s   in %s%s", plain(s.Name), plain(s.Value), plain(s.Where), said)
	}
	if len(c.Settings) == 0 {
		row("set", "nothing: it calls its provider itself, unless it is started by gatehouse run")
	}
	for _, t := range c.Trust {
		if t.Root {
			row("trust", "%s has the gateway's root", t.Name)
		} else {
			row("trust", "%s: %s", t.Name, t.Why)
		}
	}
	if c.Proxy.Address != "" {
		row("proxy", "%s", plain(c.Proxy.Address))
	}
	for _, host := range c.Proxy.Past {
		row("proxy", "NO_PROXY leads calls to %s past it", plain(host))
	}
	for _, p := range c.Calls {
		if p.Arrived {
			row("call", "arrived by %s, %d ms", p.Entrance, p.MS)
		} else {
			row("call", "did NOT arrive by %s: %s", p.Entrance, p.Why)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// print tells what is wrong with the user's gateway itself, if anything is.
func (d *doctor) print(w io.Writer, dir string) error {
	if d.authority == "" && len(d.refused) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "The gateway of %s\n", plain(dir))
	if d.authority != "" {
		doctorRow(&b, "trust", "its certificate authority: %s", plain(d.authority))
	}
	for _, r := range d.refused {
		doctorRow(&b, "refused", "%d in seven days, the last at %s%s: %s", r.Flows, r.Last.Local().Format("2006-01-02 15:04"), toText(r.Host), plain(r.Why))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func doctorRow(w io.Writer, name, format string, args ...any) {
	fmt.Fprintf(w, "  %-9s "+format+"\n", append([]any{name}, args...)...)
}
