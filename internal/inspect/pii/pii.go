package pii

import (
	"embed"
	"io/fs"

	"github.com/workingagents/gatehouse/internal/inspect"
)

//go:embed rules/*.yaml
var files embed.FS

// version changes with the detectors and checks in this package.
const version = "2"

// Set gives the family's rules, those of all files together. The error is one of
// a file's text.
func Set() (*inspect.Set, error) {
	names, err := fs.Glob(files, "rules/*.yaml")
	if err != nil {
		return nil, err
	}
	all := &inspect.Set{Family: "pii", Version: version, File: "built-in/pii"}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		set, err := inspect.Parse("built-in/pii/"+name[len("rules/"):], text)
		if err != nil {
			return nil, err
		}
		all.Version += " " + set.Version
		all.Rules = append(all.Rules, set.Rules...)
	}
	return all, nil
}

// Library gives the detectors and checks that the rules name. Operators' rules
// may use them, too.
func Library() inspect.Library {
	lib := inspect.Library{
		Detectors: map[string]inspect.Detector{
			"email": email, "phone": phone, "phone-grouped": phoneGrouped, "phone-form": phoneForm, "iban": iban, "ipv4": ipv4, "ipv6": ipv6, "mac": mac, "mrz": mrz,
		},
		Checks: map[string]inspect.Check{"near": near, "not-near": notNear, "upper": upper, "date": dated, "test-card": testCard, "not-test-card": notTestCard, "mac-pairs": func(text []byte, start, end int, _ string) bool { return isMAC(text[start:end]) }},
	}
	for name, valid := range numbers {
		lib.Checks[name] = func(text []byte, start, end int, _ string) bool {
			var buf [maxNumber]byte
			n := compact(buf[:0], text[start:end])
			return n != nil && valid(n)
		}
	}
	return lib
}

// maxNumber is the length of the longest number, without separators.
const maxNumber = 40

// compact appends the letters, in upper case, and the digits of a value; nil when
// there are too many.
func compact(into, value []byte) []byte {
	for _, c := range value {
		switch {
		case c >= 'a' && c <= 'z':
			c -= 'a' - 'A'
		case c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c == '&':
		default:
			continue
		}
		if len(into) == maxNumber {
			return nil
		}
		into = append(into, c)
	}
	return into
}
