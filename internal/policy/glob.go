package policy

import (
	"slices"
	"strings"
)

// match reports whether a pattern fits the whole of s: * stands for any run of
// bytes, also none, ? for one. Its time is at most len(pattern)·len(s).
func match(pattern, s string) bool {
	star, mark := -1, 0 // the last * and what it had swallowed up to
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, mark = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || pattern[i] == s[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}

// matchAny reports whether one of the patterns fits. No pattern fits all.
func matchAny(patterns []string, s string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return match(p, s) })
}

func isWild(pattern string) bool { return strings.ContainsAny(pattern, "*?") }

// matchPath reports whether a pattern's segments fit a path's: each segment one
// of the path's, ** any number of them. Like match, but of whole names.
func matchPath(pattern, path []string) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(path) {
		switch {
		case i < len(pattern) && pattern[i] == "**":
			star, mark = i, j
			i++
		case i < len(pattern) && match(pattern[i], path[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return !slices.ContainsFunc(pattern[i:], func(s string) bool { return s != "**" })
}
