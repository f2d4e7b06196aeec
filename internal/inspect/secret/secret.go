package secret

import (
	_ "embed"

	"github.com/workingagents/gatehouse/internal/inspect"
)

//go:embed rules/secret.yaml
var rules []byte

// Set gives the family's rules. The error is one of the file's text.
func Set() (*inspect.Set, error) { return inspect.Parse("secret.yaml", rules) }

// Library gives the detectors and checks that the rules name.
func Library() inspect.Library {
	return inspect.Library{
		Detectors: map[string]inspect.Detector{
			"password":       passwords,
			"secret":         secrets,
			"key":            keys,
			"url":            urls,
			"header":         authHeaders,
			"curl":           curlUsers,
			"private-key":    privateKeys,
			"putty-key":      puttyKeys,
			"json-web-key":   webKeys,
			"json-web-token": jwts,
			"otp-seed":       otpSeeds,
			"nats-seed":      natsSeeds,
			"wallet-phrase":  walletPhrases,
			"netrc":          netrc,
			"pgpass":         pgpass,
			"password-hash":  crypted,
			"docker-auth":    dockerAuths,
			"provider-key":   providerKeys,
			"near-key":       nearKeys,
			"documented":     documented,
		},
		Checks: map[string]inspect.Check{
			"varied": varied,
			"random": random,
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
