package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/workingagents/gatehouse/internal/ca"
	"github.com/workingagents/gatehouse/internal/config"
	"github.com/workingagents/gatehouse/internal/console"
	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/gate"
	"github.com/workingagents/gatehouse/internal/identity"
	"github.com/workingagents/gatehouse/internal/policy"
	"github.com/workingagents/gatehouse/internal/price"
	"github.com/workingagents/gatehouse/internal/proxy/recorded"
)

// importer plays recordings of other tools past a gate of their own, whose clock
// is the recording's. It shares the ledger, the vault and the rules with the
// gateway, if one runs.
type importer struct {
	store  *store
	config *config.Config
}

// Import implements console.Importer. That a file was imported, which and by
// whom, is an entry of its own.
func (i *importer) Import(ctx context.Context, name, owner string, r io.Reader, told func(console.ImportReport)) (console.ImportReport, error) {
	if i.store.detect.Engine() == nil { // nobody needed the rules before
		if err := i.store.detect.Begin(); err != nil {
			return console.ImportReport{}, err
		}
	}
	prices, err := loadPrices(i.config.Prices)
	if err != nil {
		return console.ImportReport{}, err
	}
	sum := sha256.New()
	secret := identity.Fingerprint(i.store.ledger.Subkey("credential"))
	got, err := recorded.Play(io.TeeReader(reading{ctx, r}, sum), recorded.Options{
		Gate:     func(now func() time.Time) *gate.Gate { return i.gate(prices, now) },
		Provider: i.provider, Secret: secret, Custody: flow.SameUser, Now: time.Now(),
		Principal: flow.Principal{Name: owner + "/import", User: owner, Program: "import"},
	}, func(so recorded.Report) { told(console.ImportReport(reportOf(so))) })
	attrs := map[string]string{
		"file": name, "sha256": hex.EncodeToString(sum.Sum(nil)), "exchanges": strconv.Itoa(got.Exchanges), "flows": strconv.Itoa(got.Flows),
		"unreadable": strconv.Itoa(got.Unreadable), "undated": strconv.Itoa(got.Undated),
	}
	if noted := i.store.ledger.Admin("import", "asked by "+owner, attrs); err == nil && noted != nil {
		err = fmt.Errorf("recording the import: %w", noted)
	}
	return reportOf(got), err
}

func reportOf(r recorded.Report) console.ImportReport {
	return console.ImportReport{
		Exchanges: r.Exchanges, Flows: r.Flows, Skipped: r.Skipped,
		Unreadable: r.Unreadable, Reasons: r.Reasons, Undated: r.Undated,
	}
}

// gate makes the gate of one recording. Its policy never acts on what was long
// ago.
func (i *importer) gate(prices *price.Table, now func() time.Time) *gate.Gate {
	s := i.store
	return gate.New(gate.Options{
		Ledger: s.ledger, Vault: s.vault, Prices: prices, Now: now, Log: s.log, Rules: s.detect.Engine,
		Policy: func() policy.Policy { return s.rules.Policy().Observing() },
	})
}

// provider says whose a host is: those whose calls the forward proxy inspects.
func (i *importer) provider(host string) (flow.Provider, bool) {
	for _, h := range i.config.Intercept.Inspect {
		if ca.Listed([]string{h.Host}, host) {
			return h.Provider, true
		}
	}
	return "", false
}

// reading is a file that ends with a context.
type reading struct {
	ctx context.Context
	r   io.Reader
}

func (r reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
