package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// side is one of the two that are compared, as a process.
type side struct {
	name    string
	addr    string
	console string // of a gatehouse
	data    string // its folder
	cmd     *exec.Cmd
	log     *bytes.Buffer // its standard error
}

// field is everything that runs during a measurement.
type field struct {
	upstream, proxy, gatehouse *side
	pprof                      string // address of gatehouse's profiles
	idle                       map[string]int64
}

func setUp(o options, data string) (f *field, err error) {
	f = &field{}
	defer func() {
		if err != nil {
			f.tearDown()
		}
	}()
	self, err := os.Executable()
	if err != nil {
		return f, fmt.Errorf("finding this program: %w", err)
	}
	addrs, err := freeAddrs(6)
	if err != nil {
		return f, err
	}
	f.pprof = addrs[4]
	lean := fmt.Sprintf("-lean=%t", o.lean)
	f.upstream = newSide("upstream", addrs[0], self, "-role", "upstream", "-listen", addrs[0], lean)
	// Both gateways get the same path; the yardstick needs no prefix cut, its
	// upstream answers any path.
	f.proxy = newSide("proxy", addrs[1], self, "-role", "proxy", "-listen", addrs[1], "-target", "http://"+addrs[0])
	upstream := "anthropic=http://" + addrs[0]
	f.gatehouse = newGatehouse("gatehouse", o.gatehouse, data, addrs[2], addrs[3], upstream)
	if o.against != "" {
		f.proxy = newGatehouse("other", o.against, data+"-other", addrs[1], addrs[5], upstream)
	}
	if o.profile != "" {
		f.gatehouse.cmd.Env = append(os.Environ(), "GATEHOUSE_PPROF="+f.pprof)
	}
	for _, s := range []*side{f.upstream, f.proxy, f.gatehouse} {
		if err := s.start(); err != nil {
			return f, err
		}
	}
	time.Sleep(2 * time.Second) // idle means: nothing of the start is left
	f.idle = map[string]int64{"proxy": f.proxy.rss(), "gatehouse": f.gatehouse.rss()}
	return f, nil
}

func (f *field) tearDown() {
	for _, s := range []*side{f.gatehouse, f.proxy, f.upstream} {
		if s != nil {
			s.stop()
		}
	}
}

// freeAddrs finds loopback addresses that nobody listens on.
func freeAddrs(n int) ([]string, error) {
	var addrs []string
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("finding a free port: %w", err)
		}
		defer ln.Close()
		addrs = append(addrs, ln.Addr().String())
	}
	return addrs, nil
}

func newSide(name, addr, program string, args ...string) *side {
	s := &side{name: name, addr: addr, log: new(bytes.Buffer)}
	s.cmd = exec.Command(program, args...)
	s.cmd.Stderr = s.log
	return s
}

func newGatehouse(name, program, data, addr, console, upstream string) *side {
	s := newSide(name, addr, program, "up", "--data", data, "--listen", addr, "--console", console, "--intercept", "off", "--upstream", upstream)
	s.console, s.data = console, data
	return s
}

// start runs the process until it takes connections.
func (s *side) start() error {
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", s.name, err)
	}
	for range 200 {
		if conn, err := net.Dial("tcp", s.addr); err == nil {
			conn.Close()
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("starting %s: it does not listen on %s: %s", s.name, s.addr, s.log)
}

func (s *side) stop() {
	if s.cmd.Process == nil {
		return
	}
	s.cmd.Process.Signal(syscall.SIGTERM)
	ended := time.AfterFunc(20*time.Second, func() { s.cmd.Process.Kill() })
	s.cmd.Wait()
	ended.Stop()
}

// cpu gives the processor time that the process has used. Linux counts it in
// hundredths of a second; elsewhere it is 0.
func (s *side) cpu() time.Duration {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), "stat"))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// rss gives the resident memory in bytes; 0 where the system does not tell.
func (s *side) rss() int64 {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.cmd.Process.Pid), "status"))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kb, _ := strconv.ParseInt(strings.Fields(rest + " 0")[0], 10, 64)
	return kb << 10
}

// onDiskBytes is the size of the ledger's folder.
func (f *field) onDiskBytes() int64 {
	var total int64
	filepath.Walk(f.gatehouse.data, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
		return nil
	})
	return total
}

// profile runs each scenario on gatehouse alone and writes its profiles of CPU and
// allocations; with readers of the live stream when those are asked for.
func profile(ctx context.Context, o options, f *field, chosen []scenario) error {
	if err := os.MkdirAll(o.profile, 0o755); err != nil {
		return fmt.Errorf("making the profiles' folder: %w", err)
	}
	if o.live {
		v, err := watch(ctx, f.gatehouse, o.viewers)
		if err != nil {
			return err
		}
		defer func() { fmt.Print(v.end()) }()
	}
	for _, s := range chosen {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		name := filepath.Join(o.profile, s.name+".pprof")
		failed := make(chan error, 2)
		go func() { failed <- fetch(f.pprof, "profile", o.length, name) }()
		go func() { failed <- fetch(f.pprof, "allocs", o.length, allocsName(name)) }()
		got, err := profiled(o, f.gatehouse, s)
		if err := errors.Join(err, <-failed, <-failed); err != nil {
			return fmt.Errorf("profiling %s: %w: %s", s.name, err, f.gatehouse.log)
		}
		fmt.Printf("%s: %.0f calls/s; go tool pprof -top %s %s\n", s.name, got.rate(), o.gatehouse, name)
	}
	return nil
}

// profiled runs what is profiled, for a second longer.
func profiled(o options, s *side, load scenario) (figures, error) {
	t, length := target{addr: s.addr, lean: o.lean}, o.length+time.Second
	if !o.live {
		return closedLoop(t, load, 1, length)
	}
	all, err := openLoop(t, liveRate, 1, length)
	return figures{calls: len(all), elapsed: length}, err
}

func allocsName(name string) string { return strings.TrimSuffix(name, ".pprof") + ".allocs.pprof" }

func fetch(addr, kind string, length time.Duration, name string) error {
	resp, err := http.Get(fmt.Sprintf("http://%s/debug/pprof/%s?seconds=%d", addr, kind, max(1, int(length.Seconds()))))
	if err != nil {
		return fmt.Errorf("fetching the profile: %w", err)
	}
	defer resp.Body.Close()
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("writing the profile: %w", err)
	}
	defer file.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("fetching the profile: %s", resp.Status)
	}
	_, err = file.ReadFrom(resp.Body)
	return err
}
