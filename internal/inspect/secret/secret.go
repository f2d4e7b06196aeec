package secret

import (
	_ "embed"
	"regexp/syntax"
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
		r := &set.Rules[i]
		if r.ID == prefixRule {
			r.Anchors = prefixes
			continue
		}
		r.Anchors = lengthened(r.Anchors, r.Pattern)
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
				all = append(all, fourBytes(a)...)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// lengthened replaces each anchor of three bytes by those of four that the
// pattern allows: a scan looks for three bytes and then for four, and takes any
// fourth behind an anchor of three.
func lengthened(anchors []string, pattern string) []string {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return anchors // Compile says what is wrong with it
	}
	parts := flat(tree.Simplify(), nil)
	var all []string
	for _, a := range anchors {
		next := after(parts, a)
		if len(a) != 3 || next == nil {
			all = append(all, a)
			continue
		}
		all = append(all, withNext(a, next)...)
	}
	return all
}

// withNext gives a followed by each rune of a class, as far as that is ASCII.
func withNext(a string, class []rune) (all []string) {
	for i := 0; i < len(class); i += 2 {
		for c := class[i]; c <= min(class[i+1], '~'); c++ {
			all = append(all, a+string(c))
		}
	}
	return all
}

// after gives the class of what follows an anchor with which a pattern
// begins, as pairs of first and last rune; nil when that isn't known.
func after(parts []*syntax.Regexp, anchor string) []rune {
	for _, p := range parts {
		switch {
		case p.Op == syntax.OpWordBoundary:
		case p.Flags&syntax.FoldCase != 0:
			return nil
		case p.Op == syntax.OpLiteral:
			if rest, ok := strings.CutPrefix(anchor, string(p.Rune)); ok {
				anchor = rest
				continue
			}
			return nil
		case p.Op == syntax.OpPlus && p.Sub[0].Op == syntax.OpCharClass && anchor == "":
			return p.Sub[0].Rune
		case p.Op != syntax.OpCharClass:
			return nil
		case anchor == "":
			return p.Rune
		case !within(p.Rune, rune(anchor[0])):
			return nil
		default:
			anchor = anchor[1:]
		}
	}
	return nil
}

func within(class []rune, c rune) bool {
	for i := 0; i < len(class); i += 2 {
		if class[i] <= c && c <= class[i+1] {
			return true
		}
	}
	return false
}

// flat gives the parts of a concatenation, those of groups included.
func flat(re *syntax.Regexp, list []*syntax.Regexp) []*syntax.Regexp {
	if re.Op != syntax.OpConcat && re.Op != syntax.OpCapture {
		return append(list, re)
	}
	for _, sub := range re.Sub {
		list = flat(sub, list)
	}
	return list
}

// fourBytes gives a prefix, or when it has only three bytes, those that letters
// and digits make of it.
func fourBytes(prefix string) []string {
	if len(prefix) > 3 {
		return []string{prefix}
	}
	return withNext(prefix, []rune("09AZaz"))
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
			"airtable-token":   airtableTokens,
			"docker-auth":      dockerAuths,
			"provider-key":     providerKeys,
			"near-key":         nearKeys,
			"documented":       documented,
			"documented-token": documentedTokens,
			"token-form":       tokenForms,
		},
		Checks: map[string]inspect.Check{
			"varied":     varied,
			"random":     random,
			"chosen":     chosen,
			"chosen-url": chosenURL,
			"tenant":     tenant,
			"mixed":      mixed,
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

// chosenURL refuses addresses with a gap instead of the secret.
func chosenURL(text []byte, start, end int, _ string) bool {
	v := text[start:end]
	return !isStandIn(v) && !isReference(v) && measure(v).distinct > 12
}

// tenant refuses the host names that belong to the provider itself, and those
// of documentation.
func tenant(text []byte, start, end int, _ string) bool {
	for _, word := range []string{"www.", "docs.", "help.", "login.", "developer.", "status.", "trust.", "test.", "support.", "trailhead.", "example", "your", "mydomain"} {
		if startsWith(text[start:end], word) {
			return false
		}
	}
	return true
}
