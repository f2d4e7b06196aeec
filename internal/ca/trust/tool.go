package trust

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/workingagents/gatehouse/internal/ca"
)

// Setting is a variable that makes a tool trust the roots.
type Setting struct{ Name, Value string }

// kind is what kind of file a variable names.
type kind int

const (
	more  kind = iota // further roots, beside the tool's own
	whole             // all roots that the tool trusts
	store             // the same as a Java trust store, in the arguments of its runtime
)

// tools are the variables by which each tool is told.
var tools = []struct {
	name string
	vars []variable
}{
	{"node", []variable{{"NODE_EXTRA_CA_CERTS", more}}},
	{"codex", []variable{{"CODEX_CA_CERTIFICATE", whole}, {"SSL_CERT_FILE", whole}}},
	{"python", []variable{{"REQUESTS_CA_BUNDLE", whole}, {"SSL_CERT_FILE", whole}}},
	{"openssl", []variable{{"SSL_CERT_FILE", whole}}},
	{"curl", []variable{{"CURL_CA_BUNDLE", whole}}},
	{"git", []variable{{"GIT_SSL_CAINFO", whole}}},
	{"java", []variable{{"JAVA_TOOL_OPTIONS", store}}},
}

type variable struct {
	name string
	kind kind
}

// Tools are the names that Variables takes.
func Tools() (names []string) {
	for _, t := range tools {
		names = append(names, t.name)
	}
	return names
}

// Agents are the variables for whatever an agent is and starts: all but Java's,
// whose runtime prints that it was told, into what an agent reads.
func Agents() (names []string) {
	for _, t := range tools {
		for _, v := range t.vars {
			if v.kind != store && !slices.Contains(names, v.name) {
				names = append(names, v.name)
			}
		}
	}
	return names
}

// Variables are those of a tool; none when there is no such tool.
func Variables(tool string) (names []string) {
	for _, t := range tools {
		for _, v := range t.vars {
			if t.name == tool {
				names = append(names, v.name)
			}
		}
	}
	return names
}

// Settings writes the files that variables name, and gives what they are to be
// set to. What the environment names already stays trusted.
func Settings(data string, names []string, getenv func(string) string, roots []*x509.Certificate) (all []Setting, err error) {
	for _, name := range names {
		value, err := setting(data, name, getenv(name), roots)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, Setting{name, value})
	}
	return all, nil
}

func setting(data, name, old string, roots []*x509.Certificate) (string, error) {
	old, _ = Without(data, name, old)
	switch {
	case kindOf(name) == store:
		return javaSetting(data, old, roots)
	case old != "":
		if _, err := write(data, name+was, []byte(old)); err != nil {
			return "", err
		}
		return BundleFile(data, name+".pem", old, roots)
	case kindOf(name) == more:
		return RootsFile(data, roots)
	}
	return BundleFile(data, "bundle.pem", "", roots)
}

// was ends the name of the file that says what a variable named before.
const was = ".was"

// Without gives a variable's value without our part, which is what it was before;
// ours is false when it has none.
func Without(data, name, value string) (rest string, ours bool) {
	if kindOf(name) == store {
		rest = strings.TrimSpace(strings.ReplaceAll(value, javaOptions(data), ""))
		return rest, rest != strings.TrimSpace(value)
	}
	switch file := filepath.Join(data, ca.Folder, Folder, name); {
	case value == file+".pem":
		before, _ := os.ReadFile(file + was) // none: nothing is known of it
		return string(before), true
	case strings.HasPrefix(value, filepath.Dir(file)+string(filepath.Separator)):
		return "", true
	}
	return value, false
}

// Sharers are the other tools that are told by a variable of one.
func Sharers(tool, name string) (names []string) {
	for _, t := range tools {
		if t.name != tool && slices.ContainsFunc(t.vars, func(v variable) bool { return v.name == name }) {
			names = append(names, t.name)
		}
	}
	return names
}

// Remove removes the files of one tool. What others may read as well stays, until
// Clean.
func Remove(data, tool string) error {
	var errs []error
	for _, name := range Variables(tool) {
		files := []string{name + ".pem", name + was}
		switch kindOf(name) {
		case more:
			files = append(files, "roots.pem")
		case store:
			files = append(files, storeFile)
		}
		if len(Sharers(tool, name)) > 0 {
			continue
		}
		for _, file := range files {
			if err := os.Remove(filepath.Join(data, ca.Folder, Folder, file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, fmt.Errorf("removing the roots to trust: %w", err))
			}
		}
	}
	return errors.Join(errs...)
}

func kindOf(name string) kind {
	for _, t := range tools {
		for _, v := range t.vars {
			if v.name == name {
				return v.kind
			}
		}
	}
	return whole
}

// javaPassword protects nothing: a trust store holds no secret, but Java
// wants one to check it by.
const javaPassword = "changeit"

// storeFile is the trust store for Java.
const storeFile = "roots.p12"

// javaOptions are what makes a Java runtime read the trust store.
func javaOptions(data string) string {
	file := filepath.Join(data, ca.Folder, Folder, storeFile)
	if strings.ContainsAny(file, " \t") {
		file = `"` + file + `"` // the runtime takes the quotes away
	}
	return "-Djavax.net.ssl.trustStore=" + file +
		" -Djavax.net.ssl.trustStoreType=PKCS12 -Djavax.net.ssl.trustStorePassword=" + javaPassword
}

// javaSetting keeps the options that there are. Of two that set the same, Java takes
// the last: a trust store that they name is not read.
func javaSetting(data, old string, roots []*x509.Certificate) (string, error) {
	base, err := SystemRoots()
	if err != nil {
		return "", err
	}
	text, err := TrustStore(base, roots)
	if err != nil {
		return "", err
	}
	if _, err := write(data, storeFile, text); err != nil {
		return "", err
	}
	return strings.TrimSpace(old + " " + javaOptions(data)), nil
}

// TrustStore makes a PKCS #12 trust store of the roots and those of a PEM text,
// with the password "changeit".
func TrustStore(base []byte, roots []*x509.Certificate) ([]byte, error) {
	all := slices.Clone(roots)
	for block, rest := pem.Decode(base); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil { // an odd one is of no use to Java either
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no root is to be trusted")
	}
	text, err := pkcs12.Modern2023.EncodeTrustStore(all, javaPassword)
	if err != nil {
		return nil, fmt.Errorf("making a trust store: %w", err)
	}
	return text, nil
}
