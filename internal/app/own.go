package app

import (
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/workingagents/gatehouse/internal/inspect/action"
)

// places says where this gateway is, so that what a proposed call would do to it is
// known for that.
func (g *gateway) places() action.Own {
	o := action.Own{Ports: []string{"none"}} // no console
	if g.console != nil {
		o.Ports[0] = portOf(g.console)
	}
	for _, ln := range []net.Listener{g.agents, g.proxies} {
		if ln != nil {
			o.Ports = append(o.Ports, portOf(ln))
		}
	}
	home, _ := os.UserHomeDir() // unknown is fine: then commands name the folder in full
	for _, path := range []string{g.c.Data, g.c.Policy.File, g.c.Rules.Dir} {
		if path == "" {
			continue
		}
		whole, err := filepath.Abs(path)
		if err != nil {
			continue
		}
		o.Folders = append(o.Folders, whole)
		if rest, ok := strings.CutPrefix(whole, home+string(filepath.Separator)); ok && home != "" {
			o.Folders = append(o.Folders, "~/"+filepath.ToSlash(rest))
		}
		if real, err := filepath.EvalSymlinks(whole); err == nil && real != whole {
			o.Folders = append(o.Folders, real)
		}
	}
	return o
}

func portOf(ln net.Listener) string {
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return port
}
