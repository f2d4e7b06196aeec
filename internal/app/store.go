package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/workingagents/gatehouse/internal/allow"
	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/console/door"
	"github.com/workingagents/gatehouse/internal/console/saved"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/vault"
	"github.com/workingagents/gatehouse/web"
)

// store is an opened data folder: locked, recovered, its ledger running.
type store struct {
	config  *config.Config
	dir     string
	log     *slog.Logger
	ledger  *ledger.Ledger
	keys    *identity.Keys
	allowed *allow.Store
	door    *door.Door
	views   *saved.Store
	rules   *rules
	detect  *detectors
	vault   *vault.Vault
	release func() error
	stop    context.CancelFunc
	done    chan error // what ledger.Run returned
}

// openStore takes the folder's lock first: nobody but its holder writes there.
func openStore(c *config.Config, log *slog.Logger) (_ *store, err error) {
	s := &store{config: c, dir: c.Data, log: log}
	if s.release, err = ledger.Lock(c.Data, ledger.Holder{}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	o, err := ledgerOptions(c, log)
	if err != nil {
		return nil, err
	}
	if s.ledger, err = ledger.Open(o); err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	if s.keys, err = identity.OpenKeys(c.Data, s.ledger.Subkey("access key"), time.Now); err != nil {
		return nil, errors.Join(err, s.ledger.Close())
	}
	if s.allowed, err = allow.Open(c.Data, time.Now); err != nil {
		return nil, errors.Join(err, s.ledger.Close())
	}
	if s.door, err = door.Open(c.Data, time.Now); err != nil {
		return nil, errors.Join(err, s.ledger.Close())
	}
	if s.views, err = saved.Open(c.Data); err != nil {
		return nil, errors.Join(err, s.ledger.Close())
	}
	s.rules = newRules(c, s.allowed, s.ledger.Admin, log)
	s.detect = newDetectors(c, s.ledger.Subkey("registered value"), s.ledger.Admin, log)
	s.vault = vault.New(s.ledger)
	ctx, stop := context.WithCancel(context.Background())
	s.stop, s.done = stop, make(chan error, 1)
	go func() { s.done <- s.ledger.Run(ctx) }()
	return s, nil
}

func ledgerOptions(c *config.Config, log *slog.Logger) (ledger.Options, error) {
	kek, err := c.KEK()
	if err != nil {
		return ledger.Options{}, fmt.Errorf("reading the key-encryption key: %w", err)
	}
	l, mode := c.Ledger, ledger.Strict
	if l.Mode == "bounded" {
		mode = ledger.Bounded
	}
	return ledger.Options{
		Dir: c.Data, KEK: kek, Mode: mode, Window: time.Duration(l.Window), StrictResponse: l.StrictResponse,
		SegmentBytes: int64(l.SegmentSize), MaxBytes: int64(l.MaxSize), MaxAge: time.Duration(l.MaxAge),
		Reserve: int64(l.Reserve), Log: log,
	}, nil
}

// close ends the ledger's work, closes it and gives the folder back.
func (s *store) close() error {
	s.stop()
	err := <-s.done
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return errors.Join(err, s.ledger.Close(), s.release())
}

// admin makes the console of the folder. asked judges texts for other gateways; nil
// where none runs.
func (s *store) admin(a About, m *console.Metrics, version string, hosts []string, ready func() error, asked http.Handler) (*console.Console, error) {
	token, err := console.Token(s.dir)
	if err != nil {
		return nil, err
	}
	return console.New(console.Options{
		Flows: s.ledger, Talk: s.ledger, Ledger: s.ledger, Keys: s.keys, Policy: s.rules, Rules: s.detect, Allowances: s.allowed, Import: &importer{s, s.config},
		Metrics: m, Views: s.views, Archive: s.ledger, Address: s.address, Page: web.New(), Offline: web.Offline, Door: s.door, Guardrail: asked, Ready: ready, Token: token, Hosts: hosts, Log: s.log,
		About: console.About{
			Version: version, PID: a.PID, Started: time.Now(), Listen: a.Listen, Console: a.Console,
			Data: s.dir, Custody: flow.SameUser, Intercept: a.Intercept, Kept: kept(s.config),
		},
	}), nil
}

// kept tells how much is kept, and for how long.
func kept(c *config.Config) console.Kept {
	k := console.Kept{Capture: []console.Capture{}, MaxDays: time.Duration(c.Ledger.MaxAge).Hours() / 24, MaxBytes: int64(c.Ledger.MaxSize)}
	for _, rule := range c.Capture {
		k.Capture = append(k.Capture, console.Capture{Principal: rule.Principal, Level: rule.Level})
	}
	return k
}

// address is where the API of a flow's provider is, for flows that came by a base
// URL of ours.
func (s *store) address(in *flow.Intent) string {
	own := s.config.Upstreams[string(in.Provider)].URL
	for _, b := range besides {
		if b.provider == in.Provider && strings.HasPrefix(in.Path, b.prefix) && own == config.Default().Upstreams[string(in.Provider)].URL {
			return b.url
		}
	}
	return own
}

// announce opens the folder's socket and writes into its lock where the holder
// can be reached.
func (s *store) announce(a About) (net.Listener, error) {
	socket, err := console.Listen(s.dir)
	if err != nil {
		return nil, err
	}
	holder := ledger.Holder{PID: os.Getpid(), Listen: a.Listen, Console: a.Console, Intercept: a.Intercept, Socket: socket.Addr().String()}
	if err := ledger.Announce(s.dir, holder); err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	return socket, nil
}

// hasKey reports whether the folder has a valid access key, without opening the
// folder.
func hasKey(dir string) (bool, error) {
	keys, err := identity.OpenKeys(dir, nil, time.Now)
	if err != nil {
		return false, err
	}
	list, err := keys.List()
	if err != nil {
		return false, err
	}
	for _, k := range list {
		if k.Revoked.IsZero() {
			return true, nil
		}
	}
	return false, nil
}

// Offline serves the admin API of a folder that no gateway runs on, over the
// same socket that a gateway would use, until ctx ends: reading commands go one
// way whether a server runs or not. ready is called with the socket's path.
func Offline(ctx context.Context, o Options, ready func(socket string)) error {
	s, err := openStore(o.Config, o.Log)
	if err != nil {
		return err
	}
	defer s.close()
	_ = s.rules.Begin() // who only reads is not stopped by a policy file; the status tells of it
	admin, err := s.admin(About{PID: os.Getpid()}, console.NewMetrics(s.ledger.Stats), o.Version, nil, s.ledger.Ready, nil)
	if err != nil {
		return err
	}
	socket, err := s.announce(About{})
	if err != nil {
		return err
	}
	ready(socket.Addr().String())
	return admin.Serve(ctx, socket)
}
