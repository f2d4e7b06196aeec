package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The forward proxy is measured beside the barest relay that inspects TLS, and
// beside mitmdump: a client that knows only a proxy and whom it trusts calls the
// provider by its own name.

// interceptHost is the provider that is called.
const interceptHost = "api.anthropic.com"

// interceptRate is the open loop's calls a second: what mitmdump can take.
const interceptRate = 60

// through is a way to the provider through a forward proxy.
type through struct {
	proxy *url.URL
	roots *x509.CertPool
}

// contender is one proxy in the race.
type contender struct {
	*side
	name  string
	to    target
	runs  []figures
	quick [][2]time.Duration // p50 and p99 of each round
}

// intercepted runs the race and prints its tables.
func intercepted(ctx context.Context, o options, data string) error {
	list, tearDown, err := lineUp(o, data)
	defer tearDown()
	if err != nil {
		return err
	}
	s := scenarios[1]
	for _, c := range list { // warm up: it does not count
		if _, err := closedLoop(c.to, s, 0, o.length/3); err != nil {
			return fmt.Errorf("%s: %w: %s", c.name, err, c.log)
		}
	}
	for round := range o.rounds {
		for i := range list {
			c := list[(i+round)%len(list)]
			if ctx.Err() != nil {
				return ctx.Err()
			}
			before := c.cpu()
			got, err := closedLoop(c.to, s, uint64(round+1), o.length)
			if err != nil {
				return fmt.Errorf("%s: %w: %s", c.name, err, c.log)
			}
			got.cpu = c.cpu() - before
			all, err := openLoop(c.to, interceptRate, uint64(1000+round), o.length)
			if err != nil {
				return fmt.Errorf("%s: %w: %s", c.name, err, c.log)
			}
			slices.Sort(all)
			c.runs, c.quick = append(c.runs, got), append(c.quick, [2]time.Duration{quantile(all, 50), quantile(all, 99)})
			fmt.Fprintf(os.Stderr, "round %d: %s %.0f/s\n", round+1, c.name, got.rate())
		}
	}
	return printRace(list)
}

// lineUp starts the provider and the proxies: the relay first, gatehouse second.
func lineUp(o options, data string) (list []*contender, tearDown func(), err error) {
	var sides []*side
	tearDown = func() {
		for _, s := range sides {
			s.stop()
		}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, tearDown, fmt.Errorf("finding this program: %w", err)
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, tearDown, err
	}
	caFile := filepath.Join(data, "ca.pem")
	if err := newAuthority(caFile); err != nil {
		return nil, tearDown, err
	}
	addrs, err := freeAddrs(5 + len(o.mitmdump))
	if err != nil {
		return nil, tearDown, err
	}
	begin := func(s *side) error {
		sides = append(sides, s)
		return s.start()
	}
	if err := begin(newSide("upstream", addrs[0], self, "-role", "upstream", "-listen", addrs[0], "-ca", caFile)); err != nil {
		return nil, tearDown, err
	}
	enter := func(name, addr, roots string, s *side) error {
		if err := begin(s); err != nil {
			return err
		}
		way, err := newThrough(addr, roots)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, &contender{side: s, name: name, to: target{addr: interceptHost, through: way}})
		return nil
	}
	err = enter("relay", addrs[1], caFile, newSide("relay", addrs[1], self, "-role", "relay", "-listen", addrs[1], "-target", addrs[0], "-ca", caFile))
	if err != nil {
		return list, tearDown, err
	}
	config, folder, roots := filepath.Join(data, "gatehouse.yaml"), filepath.Join(data, "ledger"), filepath.Join(data, "gatehouse.pem")
	if err := os.WriteFile(config, []byte("upstreams:\n  anthropic: {url: \"https://"+addrs[0]+"\", ca_file: "+caFile+"}\n"), 0o600); err != nil {
		return list, tearDown, err
	}
	gatehouse := newSide("gatehouse", addrs[3], o.gatehouse, "up", "--data", folder, "--config", config, "--listen", addrs[2], "--console", "off", "--intercept", addrs[3])
	if err := begin(gatehouse); err != nil {
		return list, tearDown, err
	}
	if out, err := exec.Command(o.gatehouse, "ca", "export", "--data", folder, "--out", roots).CombinedOutput(); err != nil {
		return list, tearDown, fmt.Errorf("exporting the root: %w: %s", err, out)
	}
	way, err := newThrough(addrs[3], roots)
	if err != nil {
		return list, tearDown, err
	}
	list = append(list, &contender{side: gatehouse, name: "gatehouse", to: target{addr: interceptHost, through: way}})
	for i, program := range o.mitmdump {
		if err := enterMitmdump(program, addrs[4+i], addrs[0], caFile, filepath.Join(data, fmt.Sprint("mitm", i)), enter); err != nil {
			return list, tearDown, err
		}
	}
	return list, tearDown, nil
}

// enterMitmdump starts a mitmdump that reaches the provider where it is here.
func enterMitmdump(program, addr, provider, caFile, folder string, enter func(name, addr, roots string, s *side) error) error {
	out, err := exec.Command(program, "--version").Output()
	if err != nil {
		return fmt.Errorf("asking %s for its version: %w", program, err)
	}
	version, _, _ := strings.Cut(strings.TrimPrefix(string(out), "Mitmproxy: "), "\n")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	host, port, _ := strings.Cut(provider, ":")
	script := filepath.Join(folder, "there.py")
	text := fmt.Sprintf("def server_connect(data):\n    data.server.address = (%q, %s)\n", host, port)
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		return err
	}
	_, listen, _ := strings.Cut(addr, ":")
	s := newSide("mitmdump "+version, addr, program, "-q", "--listen-host", "127.0.0.1", "--listen-port", listen, "-s", script,
		"--set", "confdir="+folder, "--set", "connection_strategy=lazy", "--set", "ssl_verify_upstream_trusted_ca="+caFile)
	return enter(s.name, addr, filepath.Join(folder, "mitmproxy-ca-cert.pem"), s)
}

func newThrough(addr, roots string) (*through, error) {
	text, err := os.ReadFile(roots)
	if err != nil {
		return nil, fmt.Errorf("reading whom to trust: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", roots)
	}
	return &through{&url.URL{Scheme: "http", Host: addr}, pool}, nil
}

// newAuthority writes a certificate authority, with its key, for this run.
func newAuthority(file string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...)
	return os.WriteFile(file, text, 0o600)
}

// leafOf gives a certificate for the provider's name and this machine, from the
// run's authority, and whom that makes trusted.
func leafOf(file string) (tls.Certificate, *x509.CertPool, error) {
	authority, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		return authority, nil, fmt.Errorf("reading the authority: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: interceptHost}, DNSNames: []string{interceptHost}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	parent, err := x509.ParseCertificate(authority.Certificate[0])
	if err != nil {
		return authority, nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), authority.PrivateKey)
	if err != nil {
		return authority, nil, err
	}
	pool := x509.NewCertPool()
	pool.AddCert(parent)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool, nil
}

// serveRelay is the barest proxy that inspects TLS: it ends both connections and
// copies bytes. It reads no HTTP but the CONNECT.
func serveRelay(listen, provider, caFile string) error {
	leaf, roots, err := leafOf(caFile)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	for {
		conn, err := ln.Accept()
		if err != nil {
			return fmt.Errorf("accepting: %w", err)
		}
		go relay(conn, provider, leaf, roots)
	}
}

func relay(conn net.Conn, provider string, leaf tls.Certificate, roots *x509.CertPool) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	if r, err := http.ReadRequest(in); err != nil || r.Method != http.MethodConnect {
		return
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	client := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{leaf}})
	up, err := tls.Dial("tcp", provider, &tls.Config{ServerName: interceptHost, RootCAs: roots})
	if err != nil {
		return
	}
	defer up.Close()
	go func() {
		io.Copy(up, client)
		up.CloseWrite()
	}()
	io.Copy(client, up)
}

// printRace writes the tables: each proxy beside the relay and, where there is one,
// beside each mitmdump, within each round.
func printRace(list []*contender) error {
	var b strings.Builder
	fmt.Fprintf(&b, "| 2 KB calls over TLS, kept connections | calls/s | × the relay's | CPU ms per call | p50 at %d calls/s, ms | p99, ms |\n|---|---|---|---|---|---|\n", interceptRate)
	base := list[0]
	for _, c := range list {
		rate := newSpread(c.runs, func(f figures) float64 { return f.rate() })
		ratios := make([]float64, len(c.runs))
		for i := range ratios {
			ratios[i] = c.runs[i].rate() / base.runs[i].rate()
		}
		ratio := newSpread(ratios, func(v float64) float64 { return v })
		cpu := newSpread(c.runs, func(f figures) float64 { return f.cpuPerCall() })
		p50 := newSpread(c.quick, func(q [2]time.Duration) float64 { return ms(q[0]) })
		p99 := newSpread(c.quick, func(q [2]time.Duration) float64 { return ms(q[1]) })
		fmt.Fprintf(&b, "| %s | %s | %s | %.3f | %s | %s |\n", c.name, rate.text("%.0f"), ratio.text("%.2f"), cpu.median, p50.text("%.2f"), p99.text("%.2f"))
	}
	for _, c := range list[2:] {
		gatehouse := list[1]
		times, added := make([]float64, len(c.runs)), make([]float64, len(c.runs))
		for i := range times {
			times[i] = gatehouse.runs[i].rate() / c.runs[i].rate()
			added[i] = float64(gatehouse.quick[i][0]-base.quick[i][0]) / float64(max(c.quick[i][0]-base.quick[i][0], 1))
		}
		same := func(v float64) float64 { return v }
		fmt.Fprintf(&b, "\nBeside %s: %s × its calls/s, %s × what it adds to the relay's p50.\n", c.name, newSpread(times, same).text("%.1f"), newSpread(added, same).text("%.2f"))
	}
	_, err := os.Stdout.WriteString(b.String())
	return err
}
