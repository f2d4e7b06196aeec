package trust

import (
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/workingagents/gatehouse/internal/ca"
)

// anchors are the folders in which Linux systems take roots from an
// administrator, and the command that reads them anew.
var anchors = []struct {
	dir     string
	command []string
}{
	{"/usr/local/share/ca-certificates", []string{"update-ca-certificates"}},     // Debian, Alpine
	{"/etc/pki/ca-trust/source/anchors", []string{"update-ca-trust", "extract"}}, // Fedora, RHEL
	{"/etc/ca-certificates/trust-source/anchors", []string{"update-ca-trust"}},   // Arch
	{"/usr/share/pki/trust/anchors", []string{"update-ca-certificates"}},         // SUSE
}

// linkDir is where Debian's update-ca-certificates makes links to roots, and
// links to those that are named by hashes. It takes away neither when a root is
// gone, unless it makes all of them anew (--fresh). javaHook keeps the store of
// Debian's Java: it is told of each root by a line, + or - and its link, and of
// one that is gone by nobody.
const (
	linkDir  = "/etc/ssl/certs"
	javaHook = "/etc/ca-certificates/update.d/jks-keystore"
)

// System is the store that all programs of a machine read.
type System struct {
	OS     string                                                // as runtime.GOOS
	Prefix string                                                // stands before each path; "" but in tests
	Look   func(name string) (string, error)                     // finds a command; nil: exec.LookPath
	Run    func(input string, name string, args ...string) error // runs it; nil: for real
}

// named is how our files in a store of files are named.
const named = "gatehouse-"

// Install puts the roots of issuers into the store. Where only a command of the
// system can, it is given, one a line, and done is false: a person must run it.
func (s System) Install(issuers []ca.Issuer, file string) (commands []string, done bool, err error) {
	switch s.OS {
	case "darwin":
		return []string{"sudo security add-trusted-cert -d -r trustRoot -p ssl -k /Library/Keychains/System.keychain " + shell(file)}, false, nil
	case "windows":
		return []string{`certutil -addstore -f Root "` + file + `"`}, false, nil
	}
	dir, update, err := s.anchor()
	if err != nil {
		return nil, false, err
	}
	for _, i := range issuers {
		path := filepath.Join(dir, named+i.ID+".crt")
		if err := os.WriteFile(path, ca.PEM([]*x509.Certificate{i.Root}), 0o644); err != nil {
			return nil, false, asAdministrator(err)
		}
		commands = append(commands, path)
	}
	if err := s.run("", update); err != nil {
		return commands, false, err
	}
	return append(commands, strings.Join(update, " ")), true, nil
}

// Uninstall takes everything of ours out of the store, also what an earlier
// authority put there.
func (s System) Uninstall(issuers []ca.Issuer) (commands []string, done bool, err error) {
	switch s.OS {
	case "darwin", "windows":
		return s.removals(issuers), false, nil
	}
	dir, update, err := s.anchor()
	if err != nil {
		return nil, false, err
	}
	files, err := filepath.Glob(filepath.Join(dir, named+"*.crt"))
	if err != nil {
		return nil, false, err
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			return nil, false, asAdministrator(err)
		}
		commands = append(commands, file)
	}
	if len(files) == 0 {
		return nil, true, nil
	}
	if err := s.unlink(); err != nil {
		return commands, false, asAdministrator(err)
	}
	if err := s.run("", update); err != nil {
		return commands, false, err
	}
	commands = append(commands, strings.Join(update, " "))
	hook, err := s.tellJava(files)
	return append(commands, hook...), err == nil, err
}

// unlink removes the links to our roots, and the links to those.
func (s System) unlink() error {
	entries, err := os.ReadDir(s.Prefix + linkDir)
	if err != nil {
		return nil // not such a system
	}
	for _, e := range entries {
		path := filepath.Join(s.Prefix+linkDir, e.Name())
		target, err := os.Readlink(path)
		if base := filepath.Base(target); err != nil || !strings.HasPrefix(base, named) {
			continue
		}
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// tellJava has roots taken out of Debian's Java store, if there is one.
func (s System) tellJava(files []string) (commands []string, err error) {
	if _, err := os.Stat(s.Prefix + javaHook); err != nil {
		return nil, nil
	}
	var lines strings.Builder
	for _, file := range files {
		fmt.Fprintf(&lines, "-%s/%s.pem\n", linkDir, strings.TrimSuffix(filepath.Base(file), ".crt"))
	}
	return []string{javaHook}, s.run(lines.String(), []string{s.Prefix + javaHook})
}

// removals name each root by its SHA-1, which is how these commands find one.
func (s System) removals(issuers []ca.Issuer) (commands []string) {
	for _, i := range issuers {
		sum := sha1.Sum(i.Root.Raw)
		id := strings.ToUpper(hex.EncodeToString(sum[:]))
		if s.OS == "darwin" {
			commands = append(commands, "sudo security delete-certificate -t -Z "+id+" /Library/Keychains/System.keychain")
		} else {
			commands = append(commands, "certutil -delstore Root "+id)
		}
	}
	return commands
}

// anchor finds where this system takes roots from. The command must be there:
// the folder may be another program's.
func (s System) anchor() (dir string, update []string, err error) {
	look := s.Look
	if look == nil {
		look = exec.LookPath
	}
	for _, a := range anchors {
		info, err := os.Stat(s.Prefix + a.dir)
		if err != nil || !info.IsDir() {
			continue
		}
		if _, err := look(a.command[0]); err == nil {
			return s.Prefix + a.dir, a.command, nil
		}
	}
	return "", nil, errors.New("this system has no store of roots that Gatehouse knows (update-ca-certificates, update-ca-trust); \"gatehouse ca export\" writes the root for you to install")
}

func (s System) run(input string, command []string) error {
	run := s.Run
	if run == nil {
		run = execute
	}
	if err := run(input, command[0], command[1:]...); err != nil {
		return fmt.Errorf("running %s: %w", strings.Join(command, " "), err)
	}
	return nil
}

// execute runs a command; what it says is in the error.
func execute(input, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

func asAdministrator(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; the system's store is the administrator's: run the command as root, or trust the root in one tool alone (gatehouse ca install --for TOOL)", err)
	}
	return err
}

func shell(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }
