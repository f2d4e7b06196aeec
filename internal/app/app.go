// Package app turns one configuration into the running gateway, and the same
// data folder into an offline reader. It wires and starts; what happens to a
// flow is decided elsewhere.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/user"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/workingagents/gatehouse/internal/ca"
	"github.com/workingagents/gatehouse/internal/carry"
	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/price"
	"github.com/workingagents/gatehouse/internal/proxy/guardrail"
	"github.com/workingagents/gatehouse/internal/proxy/intercept"
	"github.com/workingagents/gatehouse/internal/proxy/redirect"
	"github.com/workingagents/gatehouse/internal/upstream"
)

// Options are a configuration and what the process adds to it.
type Options struct {
	Config  *config.Config
	Version string
	Log     *slog.Logger
	Ready   func(About)      // called once, when both ports listen
	Reload  <-chan os.Signal // each asks to read the policy file again; nil: none
}

// About says where a running gateway can be reached.
type About struct {
	Listen, Console, Intercept, Data string
	Link                             string // lets one browser into the console, once; "": there is none
	PID                              int
}

// flushEvery is how often counted refusals become entries.
const flushEvery = time.Minute

// Run runs the gateway until ctx ends, then drains: running calls end, new
// ones get 503. It returns nil after an orderly stop.
func Run(ctx context.Context, o Options) error {
	g := &gateway{o: o, c: o.Config}
	defer g.close()
	for _, step := range []func() error{g.check, g.openStore, g.openCA, g.listen, g.wire} {
		if err := step(); err != nil {
			return err
		}
	}
	return g.serve(ctx)
}

type gateway struct {
	o Options
	c *config.Config

	store    *store
	agents   net.Listener
	console  net.Listener  // nil: none
	proxies  net.Listener  // of the forward proxy; nil: none
	ca       *ca.Authority // nil: nothing is inspected
	metrics  *console.Metrics
	gate     *gate.Gate
	carrier  *carry.Carrier
	entrance *redirect.Server
	proxy    *intercept.Server // nil: none
	issuers  struct {
		sync.Mutex
		known string // ids that are on record
	}
	admin   *console.Console
	closers []func() error
}

// close undoes the steps in reverse order.
func (g *gateway) close() {
	for i := len(g.closers) - 1; i >= 0; i-- {
		if err := g.closers[i](); err != nil && !errors.Is(err, net.ErrClosed) {
			g.o.Log.Error("stopping", "err", err)
		}
	}
}

// check refuses to listen where anybody could reach us without a key.
func (g *gateway) check() error {
	keys, err := hasKey(g.c.Data)
	if err != nil {
		return err
	}
	addrs := []string{g.c.Listen}
	if g.c.Intercept.On() {
		addrs = append(addrs, g.c.Intercept.Listen)
	}
	for _, addr := range addrs {
		if !isLoopback(addr) && !keys {
			return fmt.Errorf("listening on %s, which is beyond loopback, needs an access key first: run `gatehouse key add NAME --data %s`, then start again", addr, g.c.Data)
		}
	}
	return nil
}

func (g *gateway) openStore() error {
	s, err := openStore(g.c, g.o.Log)
	if err != nil {
		return err
	}
	g.store = s
	g.closers = append(g.closers, s.close)
	return nil
}

func (g *gateway) listen() (err error) {
	if g.agents, err = net.Listen("tcp", g.c.Listen); err != nil {
		return fmt.Errorf("listening for agents: %w", err)
	}
	g.closers = append(g.closers, g.agents.Close)
	if g.c.Console != "" && g.c.Console != "off" {
		if g.console, err = net.Listen("tcp", g.c.Console); err != nil {
			return fmt.Errorf("listening for the console: %w", err)
		}
		g.closers = append(g.closers, g.console.Close)
	}
	if g.c.Intercept.On() {
		if g.proxies, err = net.Listen("tcp", g.c.Intercept.Listen); err != nil {
			return fmt.Errorf("listening as a forward proxy (--intercept off: not at all): %w", err)
		}
		g.closers = append(g.closers, g.proxies.Close)
	}
	return nil
}

func (g *gateway) wire() error {
	prices, err := loadPrices(g.c.Prices)
	if err != nil {
		return err
	}
	ups, err := upstreams(g.c)
	if err != nil {
		return err
	}
	if err := g.store.rules.Begin(); err != nil {
		return err
	}
	if err := g.store.detect.Begin(); err != nil {
		return err
	}
	secret := identity.Fingerprint(g.store.ledger.Subkey("credential"))
	g.metrics = console.NewMetrics(g.store.ledger.Stats)
	elsewhere, err := detectorsElsewhere(g.c.Detectors, g.metrics)
	if err != nil {
		return err
	}
	g.closers = append(g.closers, elsewhere.Close)
	g.gate = gate.New(gate.Options{
		Ledger: g.store.ledger, Vault: g.store.vault, Policy: g.store.rules.Policy, Rules: g.store.detect.Engine, Remote: elsewhere, Own: g.places(), Prices: prices,
		Capture: g.capture, Log: g.o.Log, Ended: g.ended,
		Begun: func(in *flow.Intent) { g.metrics.Begun(in.Provider) }, Turned: g.metrics.Refused,
	})
	g.carrier = carry.New(carry.Options{
		Gate: g.gate, Secret: secret, Log: g.o.Log,
		MaxBody: int64(g.c.Limits.Body), MaxMemory: int64(g.c.Limits.Memory),
		ReadTimeout: time.Duration(g.c.Limits.ReadTimeout), IdleTimeout: time.Duration(g.c.Limits.IdleTimeout),
	})
	g.entrance = redirect.New(redirect.Options{
		Carrier: g.carrier, Upstreams: ups, Hosts: g.c.Hosts, Identity: g.resolver(secret, g.c.Listen),
	})
	if g.proxies != nil {
		if g.proxy, err = g.interceptor(secret, ups); err != nil {
			return err
		}
	}
	asked := guardrail.New(guardrail.Options{
		Gate: g.gate, Keys: g.store.keys, Secret: secret, MaxBody: int64(g.c.Limits.Body), Ready: g.ready, Log: g.o.Log,
	})
	g.admin, err = g.store.admin(g.about(), g.metrics, g.o.Version, g.c.Hosts, g.ready, asked)
	return err
}

// resolver tells callers of an address apart.
func (g *gateway) resolver(secret func([]byte) string, listen string) *identity.Resolver {
	return identity.New(identity.Options{
		Anonymous: g.c.Identity.Anonymous, Keys: g.store.keys, Fingerprint: secret, Required: !isLoopback(listen),
	})
}

func (g *gateway) about() About {
	a := About{Listen: g.agents.Addr().String(), Data: g.c.Data, PID: os.Getpid()}
	if g.console != nil {
		a.Console = g.console.Addr().String()
	}
	if g.proxies != nil {
		a.Intercept = g.proxies.Addr().String()
	}
	return a
}

// me is whose the process is: who gets in by the link that it prints.
func me() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "local"
}

// ready says whether new calls are taken.
func (g *gateway) ready() error {
	if g.carrier.Draining() {
		return errors.New("the gateway is stopping")
	}
	return g.store.ledger.Ready()
}

// capture is the level for a principal: the first rule that names it, else all.
func (g *gateway) capture(p flow.Principal) flow.Capture {
	for _, rule := range g.c.Capture {
		if rule.Principal == "*" || rule.Principal == p.Name {
			return rule.Level
		}
	}
	return flow.CaptureFull
}

// ended writes the access line, one for each flow, and counts it.
func (g *gateway) ended(in *flow.Intent, out *flow.Outcome) {
	view := flow.NewView(in, out)
	g.metrics.Ended(&view)
	g.o.Log.LogAttrs(context.Background(), slog.LevelInfo, "flow",
		slog.String("id", string(in.Flow)), slog.String("state", string(out.State)), slog.Int("status", out.Status),
		slog.String("verdict", in.Decision.Verdict.String()), slog.String("why", view.Why), slog.String("principal", in.Principal.Name),
		slog.String("provider", string(in.Provider)), slog.String("api", string(in.API)), slog.String("model", view.Model),
		slog.Int64("request_bytes", in.RequestBytes), slog.Int64("response_bytes", out.ResponseBytes), slog.Int64("ms", out.Duration.Milliseconds()))
}

// serve runs until ctx ends and everything has stopped in order.
func (g *gateway) serve(ctx context.Context) error {
	socket, err := g.store.announce(g.about())
	if err != nil {
		return err
	}
	if err := g.store.ledger.Admin("start", "the gateway starts", g.started()); err != nil {
		return fmt.Errorf("recording the start: %w", err)
	}
	background, stop := context.WithCancel(context.Background())
	defer stop()
	group, background := errgroup.WithContext(background)
	group.Go(func() error { return g.admin.Serve(background, socket) })
	if g.console != nil {
		group.Go(func() error { return g.admin.Serve(background, g.console) })
	}
	group.Go(func() error { return g.flushRefusals(background) })
	group.Go(func() error { return tendMemory(background) })
	group.Go(func() error { return g.store.rules.tend(background, g.o.Reload, g.store.detect.Reload) })
	servers := g.servers()
	failed := make(chan error, len(servers))
	for l, server := range servers {
		go func() { failed <- server.Serve(l) }()
	}
	if g.proxy != nil {
		group.Go(func() error { return g.proxy.Run(background) })
	}
	if g.o.Ready != nil {
		a := g.about()
		a.Link = g.admin.Link(me()).Link
		g.o.Ready(a)
	}
	select {
	case err = <-failed:
	case <-background.Done():
	case <-ctx.Done():
		g.drain(servers)
	}
	g.cut(servers)
	g.gate.Flush()
	stop()
	if stopped := group.Wait(); err == nil {
		err = stopped
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return g.store.ledger.Admin("stop", "the gateway stops", nil)
}

// servers are those of the agents' ports.
func (g *gateway) servers() map[net.Listener]*http.Server {
	server := func(h http.Handler, conn func(context.Context, net.Conn) context.Context) *http.Server {
		return &http.Server{
			Handler: h, ConnContext: conn,
			ReadHeaderTimeout: time.Duration(g.c.Limits.HeaderTimeout), MaxHeaderBytes: 256 << 10,
			ErrorLog: slog.NewLogLogger(g.o.Log.Handler(), slog.LevelDebug),
		}
	}
	all := map[net.Listener]*http.Server{g.agents: server(g.entrance, g.entrance.ConnContext)}
	if g.proxy != nil {
		all[g.proxies] = server(g.proxy, g.proxy.ConnContext)
	}
	return all
}

// started is what the ledger keeps of a start.
func (g *gateway) started() map[string]string {
	rules := g.store.rules.Status()
	detect := g.store.detect.Status()
	g.o.Log.Info("policy", "version", rules.Version, "mode", rules.Mode, "file", rules.File)
	g.o.Log.Info("rules", "version", detect.Version, "rules", detect.Number, "files", len(detect.Files))
	said := map[string]string{
		"version": g.o.Version, "listen": g.agents.Addr().String(),
		"policy": rules.Version, "mode": rules.Mode, "policy_file": rules.File,
		"detectors": strings.Join(names(g.c.Detectors), ", "),
		"rules":     detect.Version, "rules_number": strconv.Itoa(detect.Number), "rules_files": strings.Join(detect.Files, ", "),
	}
	if g.proxies != nil {
		said["intercept"], said["inspect"] = g.proxies.Addr().String(), strings.Join(g.c.Intercept.Hosts(), ", ")
	}
	if g.ca != nil {
		g.issuers.known = g.issuerIDs() // nothing is served yet
		said["issuers"] = g.issuers.known
	}
	return said
}

// drain lets running calls end; new ones get 503 meanwhile.
func (g *gateway) drain(servers map[net.Listener]*http.Server) {
	g.o.Log.Info("draining", "timeout", time.Duration(g.c.Limits.DrainTimeout))
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(g.c.Limits.DrainTimeout))
	defer cancel()
	if err := g.drained(ctx); err != nil {
		g.o.Log.Warn("draining: calls were cut", "err", err)
		return
	}
	for _, server := range servers {
		server.Shutdown(ctx)
	}
}

// drained returns when all that runs has ended, on all entrances.
func (g *gateway) drained(ctx context.Context) error {
	var all errgroup.Group
	all.Go(func() error { return g.carrier.Drain(ctx) })
	if g.proxy != nil {
		all.Go(func() error { return g.proxy.Drain(ctx) })
	}
	return all.Wait()
}

// cutTimeout is how long calls that are cut may take to be on record, sayTimeout how much
// of it clients have to take what they are told.
const (
	cutTimeout = 5 * time.Second
	sayTimeout = 2 * time.Second
)

// cut ends what still runs, and waits until that is on record.
func (g *gateway) cut(servers map[net.Listener]*http.Server) {
	g.carrier.Cut()
	if g.proxy != nil {
		g.proxy.Cut()
	}
	ctx, cancel := context.WithTimeout(context.Background(), cutTimeout)
	defer cancel()
	told, enough := context.WithTimeout(ctx, sayTimeout)
	g.drained(told)
	enough()
	for _, server := range servers {
		server.Close()
	}
	if err := g.drained(ctx); err != nil {
		g.o.Log.Warn("stopping: the ends of calls are not on record", "err", err)
	}
}

func (g *gateway) flushRefusals(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.gate.Flush()
		case <-ctx.Done():
			return nil
		}
	}
}

func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || (ip != nil && ip.IsLoopback())
}

func loadPrices(file string) (*price.Table, error) {
	table := price.Default()
	if file == "" {
		return table, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading prices: %w", err)
	}
	table, err = table.Merge(text)
	if err != nil {
		return nil, fmt.Errorf("reading prices in %s: %w", file, err)
	}
	return table, nil
}

// Some calls of a provider go to another of its addresses: those that an agent
// makes with a log-in instead of a key. Who moved the provider's address moved
// them, too.
var besides = []struct {
	provider    flow.Provider
	prefix, url string
}{
	{flow.OpenAI, "/backend-api/", "https://chatgpt.com"},
	{flow.Gemini, "/v1internal", "https://cloudcode-pa.googleapis.com"},
}

func upstreams(c *config.Config) ([]redirect.Upstream, error) {
	var ups []redirect.Upstream
	usual := config.Default().Upstreams
	add := func(p flow.Provider, prefix string, o config.Upstream) error {
		u, err := upstream.New(upstream.Options{URL: o.URL, Proxy: o.Proxy, CAFile: o.CAFile})
		if err != nil {
			return fmt.Errorf("upstream %s: %w", p, err)
		}
		ups = append(ups, redirect.Upstream{Provider: p, Prefix: prefix, Upstream: u})
		return nil
	}
	for _, b := range besides {
		o := c.Upstreams[string(b.provider)]
		if o.URL != usual[string(b.provider)].URL {
			continue
		}
		o.URL = b.url
		if err := add(b.provider, b.prefix, o); err != nil {
			return nil, err
		}
	}
	for name, o := range c.Upstreams {
		if err := add(flow.Provider(name), "/", o); err != nil {
			return nil, err
		}
	}
	return ups, nil
}
