package price

import "strings"

// isVersion reports whether name is the model base itself or a version of it:
// what follows the base may only be marks of a version, never of another
// model. "gpt-5-2025-08-07" is a version of "gpt-5", "gpt-5-mini" is not.
func isVersion(name, base string) bool {
	rest, ok := strings.CutPrefix(name, base)
	for ok && rest != "" {
		rest, ok = cutMark(rest)
	}
	return ok
}

// cutMark takes one mark of a version from the front:
//
//	-20250929 @20250929 -2025-08-07   a date
//	-latest -001                      a pointer, a revision (Gemini)
//	-preview-05-06 -preview-09-2025   a dated preview (Gemini)
//	[1m]                              how Claude Code asks for its long context
func cutMark(s string) (rest string, ok bool) {
	for _, pattern := range []string{
		"-preview-##-####", "-preview-##-##", "-####-##-##", "-########", "@########", "-latest", "-###", "[1m]",
	} {
		if len(s) >= len(pattern) && fits(s[:len(pattern)], pattern) {
			return s[len(pattern):], true
		}
	}
	return "", false
}

// fits compares text with a pattern in which # is any digit.
func fits(s, pattern string) bool {
	for i := range len(s) {
		if digit := s[i] >= '0' && s[i] <= '9'; s[i] != pattern[i] && (pattern[i] != '#' || !digit) {
			return false
		}
	}
	return true
}
