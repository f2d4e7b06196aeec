//go:build !linux && !darwin && !windows

package identity

import (
	"errors"
	"net/netip"
)

// certain says that a caller which this system does not tell is refused. Here it
// is unknown instead: better no name than no service.
const certain = false

type tracer struct{}

func newTracer() *tracer { return &tracer{} }

func (t *tracer) trace(remote, local netip.AddrPort) (process, error) {
	return process{}, errors.New("this system does not tell whose a loopback connection is")
}
