package intercept

import (
	"net/netip"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Check is what the guard says of an address, with ranges that may be reached.
func Check(private []netip.Prefix, own func(netip.AddrPort) bool, a netip.AddrPort) *flow.Refusal {
	return guard{private, own}.check(a)
}
