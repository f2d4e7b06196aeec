package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/workingagents/gatehouse/internal/allow"
	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/policy"
)

// policyName is the policy file's name in the data folder.
const policyName = "policy.yaml"

// maxPolicy bounds what is read of a policy file.
const maxPolicy = 1 << 20

// rules is the policy in force with what is allowed beside it. A policy is
// swapped whole, after the ledger has its name; a file that can't be read or
// compiled changes nothing.
type rules struct {
	file    string // as configured, or the data folder's
	must    bool   // it was configured, or was in force before: its absence is an error
	record  func(kind, why string, attrs map[string]string) error
	log     *slog.Logger
	allowed *allow.Store

	current atomic.Pointer[policy.Policy] // without allowances

	mu     sync.Mutex // held while a file is loaded
	status atomic.Pointer[console.PolicyStatus]
}

func newRules(c *config.Config, allowed *allow.Store, record func(string, string, map[string]string) error, log *slog.Logger) *rules {
	r := &rules{file: c.Policy.File, must: c.Policy.File != "", record: record, log: log, allowed: allowed}
	if r.file == "" {
		r.file = filepath.Join(c.Data, policyName)
	}
	r.current.Store(&policy.Policy{}) // blocks, until one is loaded
	r.status.Store(&console.PolicyStatus{Version: policy.Policy{}.Version()})
	return r
}

// Policy gives the policy in force. It may be called at any time.
func (r *rules) Policy() policy.Policy { return r.current.Load().With(r.allowed.Index()) }

// Status tells which policy is in force, and what is wrong with the file.
func (r *rules) Status() console.PolicyStatus { return *r.status.Load() }

// Reload reads the file again. What is wrong with the file is a *flow.Refusal
// that names every problem; after any error the old policy is still in force,
// and log and status say why.
func (r *rules) Reload(why string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, file, err := r.read()
	if err != nil {
		err = &flow.Refusal{Status: http.StatusBadRequest, Kind: "policy", Text: err.Error()}
	} else if err = r.swap(p, file, why); err == nil {
		return nil
	}
	status := r.Status()
	status.Error = err.Error()
	r.status.Store(&status)
	r.complain(err)
	return err
}

// Begin takes the policy of the file as it stands, without an entry: whoever
// begins a ledger's run records it with the start. A file that is wrong leaves
// none, and the status says why.
func (r *rules) Begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, file, err := r.read()
	if err != nil {
		r.status.Store(&console.PolicyStatus{Version: p.Version(), File: r.file, Error: err.Error()})
		return err
	}
	r.put(p, file)
	return nil
}

// read gives the policy of the file as it stands now, and where it is from.
func (r *rules) read() (policy.Policy, string, error) {
	text, err := readPolicy(r.file)
	if errors.Is(err, fs.ErrNotExist) && !r.must {
		return policy.Default(), "", nil
	}
	if err != nil {
		return policy.Policy{}, "", fmt.Errorf("reading the policy: %w", err)
	}
	p, err := policy.Parse(r.file, text)
	return p, r.file, err
}

func readPolicy(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxPolicy {
		return nil, fmt.Errorf("%s has more than %d bytes", file, maxPolicy)
	}
	return os.ReadFile(file)
}

// swap records a policy, then puts it in force. r.mu is held.
func (r *rules) swap(p policy.Policy, file, why string) error {
	attrs := map[string]string{"version": p.Version(), "mode": string(p.Mode()), "file": file}
	if err := r.record("policy.load", why, attrs); err != nil {
		return fmt.Errorf("recording the policy: %w", err)
	}
	r.put(p, file)
	r.log.Info("policy", "version", p.Version(), "mode", p.Mode(), "file", file, "why", why)
	return nil
}

// put puts a policy in force. A file that was once there must stay: without it
// the built-in policy, which blocks nothing, would step in. r.mu is held.
func (r *rules) put(p policy.Policy, file string) {
	r.must = r.must || file != ""
	r.current.Store(&p)
	r.status.Store(&console.PolicyStatus{Version: p.Version(), Mode: string(p.Mode()), File: file, Loaded: time.Now()})
}

// tend reads the file again whenever asked, until ctx ends.
func (r *rules) tend(ctx context.Context, asked <-chan os.Signal, more func(why string) error) error {
	for {
		select {
		case <-asked:
			r.Reload("asked by a signal") // both tell their errors themselves
			more("asked by a signal")
		case <-ctx.Done():
			return nil
		}
	}
}

// complain logs what is wrong with the file, one line for each problem.
func (r *rules) complain(err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		r.log.Error("the policy file is not in force; the old policy is", "version", r.Status().Version, "err", line)
	}
}
