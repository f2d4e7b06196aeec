package secret

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/inspect"
)

//go:embed rules/secret.yaml
var rules []byte

// prefixRule is the rule that gets the prefixes of all token rules for its
// anchors.
const prefixRule = "documented-token"

// Set gives the family's rules. The error is one of the file's text.
func Set() (*inspect.Set, error) {
	set, err := inspect.Parse("built-in/secret.yaml", rules)
	if err != nil {
		return nil, err
	}
	prefixes := tokenPrefixes(set.Rules)
	for i := range set.Rules {
		if set.Rules[i].ID == prefixRule {
			set.Rules[i].Anchors = prefixes
		}
	}
	return set, nil
}

// tokenPrefixes gives the anchors with which a token of its provider begins:
// those that stand at the start of a pattern.
func tokenPrefixes(rules []inspect.Rule) []string {
	var all []string
	for _, r := range rules {
		for _, a := range r.Anchors {
			if r.Pattern != "" && (len(a) > 4 || !isAlnum(a[len(a)-1])) && isAlnum(a[0]) && beginsLike(r.Pattern, a) && !isPlainPrefix(a) {
				all = append(all, a)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// isPlainPrefix reports whether a prefix is a word that any name may begin
// with: "app-", "test_".
func isPlainPrefix(prefix string) bool {
	letters := []byte(strings.TrimRight(prefix, "-_."))
	return prefix[0] == prefix[1] || isKnown(letters)
}

// beginsLike reports whether a pattern begins with the first letters of a
// prefix: `\b(ghp_` or `\b((?:live|test)_`, but not a word nearby.
func beginsLike(pattern, prefix string) bool {
	return strings.HasPrefix(pattern, `\b(`+prefix[:2]) || strings.HasPrefix(pattern, `\b((?:`)
}

// Library gives the detectors and checks that the rules name.
func Library() inspect.Library {
	return inspect.Library{
		Detectors: map[string]inspect.Detector{
			"password":         passwords,
			"secret":           secrets,
			"key":              keys,
			"url":              urls,
			"header":           authHeaders,
			"curl":             curlUsers,
			"private-key":      privateKeys,
			"putty-key":        puttyKeys,
			"json-web-key":     webKeys,
			"json-web-token":   jwts,
			"otp-seed":         otpSeeds,
			"nats-seed":        natsSeeds,
			"wallet-phrase":    walletPhrases,
			"netrc":            netrc,
			"pgpass":           pgpass,
			"password-hash":    crypted,
			"docker-auth":      dockerAuths,
			"provider-key":     providerKeys,
			"near-key":         nearKeys,
			"documented":       documented,
			"documented-token": documentedTokens,
		},
		Checks: map[string]inspect.Check{
			"varied": varied,
			"random": random,
			"chosen": chosen,
			"mixed":  mixed,
		},
	}
}

// varied refuses placeholders: a value that repeats itself, counts through
// the alphabet or says that it is an example.
func varied(text []byte, start, end int, _ string) bool {
	v := text[start:end]
	for _, word := range []string{"xxxx", "example", "placeholder", "redacted", "yourtoken", "your_", "your-", "dummy", "....", "****"} {
		if contains(v, word) {
			return false
		}
	}
	s := measure(v)
	return s.distinct >= min(8, len(v)/2) && !s.isSequence()
}

// random asks for letters and digits that nobody chose.
func random(text []byte, start, end int, _ string) bool {
	return measure(text[start:end]).isRandom()
}

// chosen refuses placeholders and references; the value may be weak.
func chosen(text []byte, start, end int, _ string) bool {
	v := text[start:end]
	return !isDummy(v) && !isPath(v)
}

// mixed asks for something other than letters.
func mixed(text []byte, start, end int, _ string) bool {
	s := measure(text[start:end])
	return s.digits > 0 || s.others > 0 && s.wordy*2 < s.letters || s.wordy == 0
}
