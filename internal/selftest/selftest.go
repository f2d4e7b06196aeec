// Package selftest tries the forward proxy on this machine, as it is built and
// as the environment changes it: a gateway of its own, on loopback and in a
// temporary folder, before providers that must not be trusted, and clients that
// ask for what they must not get. It never uses a data folder or a certificate
// authority that is somebody's, and never reaches a network.
package selftest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/workingagents/gatehouse/internal/badcert"
)

// Line is one case, and what came of it.
type Line struct {
	Case      string `json:"case"`
	Refused   string `json:"refused"`         // with what, as the client was told; "": it went through
	Forwarded int64  `json:"forwarded_bytes"` // that the provider got inside of TLS
	OK        bool   `json:"ok"`
	Fault     string `json:"fault,omitempty"` // what is not as it must be
}

// limit is how long one case may take.
const limit = 20 * time.Second

// Run runs all cases. An error says that they could not be run.
func Run(ctx context.Context) ([]Line, error) {
	set, err := badcert.New(time.Now())
	if err != nil {
		return nil, fmt.Errorf("making certificates: %w", err)
	}
	return run(ctx, set)
}

func run(ctx context.Context, set badcert.Set) (lines []Line, err error) {
	dir, err := os.MkdirTemp("", "gatehouse-selftest-")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	p, err := newProvider()
	if err != nil {
		return nil, err
	}
	defer p.close()
	b, err := start(ctx, dir, p, set.Roots)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	for _, c := range set.Cases {
		lines = append(lines, b.try(ctx, c.Name, func(ctx context.Context) (Line, error) { return b.upstream(ctx, c) }))
	}
	for _, c := range clients() {
		lines = append(lines, b.try(ctx, c.name, func(ctx context.Context) (Line, error) { return b.client(ctx, c) }))
	}
	for _, c := range authority() {
		lines = append(lines, b.try(ctx, c.name, func(ctx context.Context) (Line, error) {
			told, err := c.check(ctx, b)
			return Line{Refused: told}, err
		}))
	}
	return lines, ctx.Err()
}

// try runs one case in its time. An error is the line's fault.
func (b *bench) try(ctx context.Context, name string, run func(context.Context) (Line, error)) Line {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	line, err := run(ctx)
	line.Case, line.OK = name, err == nil
	if err != nil {
		line.Fault = err.Error()
	}
	return line
}
