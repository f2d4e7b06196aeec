package taint

import "bytes"

// Numbers are written in groups: +49 170 5554433, DE89 3704 0044 0532 0130 00,
// (415) 867-5309. As one word they are what they are without the gaps.

// groups finds the number in groups that begins at a place, where a row of characters
// does.
func groups(text []byte, start int, f func(Word)) {
	i, digits, count := start, 0, 0
	if text[i] == '+' {
		i++
	}
	letters := account(text[i:])
	var sizes [maxGroups]int
	end := i
	for count < maxGroups {
		n := group(text[i:], letters)
		if n == 0 || letters && (n > accountGroup || count > 1 && !isDigit(text[i+n-1])) {
			break
		}
		sizes[count], count, digits, end = n, count+1, digits+n, i+n
		gap := gapOf(text[end:])
		if gap == 0 || letters && n < accountGroup {
			break
		}
		i = end + gap
	}
	if count < 2 || digits < leastGrouped || digits > mostGrouped || isDate(text[start:end], sizes[:count]) {
		return
	}
	if end < len(text) && (isLetter(text[end]) || text[end] == '_') {
		return
	}
	f(Word{Number, start, end, text[start:end]})
}

// Bounds of a number in groups. Dates are shorter, or have a form of their own.
const (
	leastGrouped = 9
	mostGrouped  = 34 // the longest IBAN
	accountGroup = 4  // of an IBAN; its last one may be shorter
	maxGroups    = 12
)

// account reports whether a text begins as an IBAN does, whose groups hold letters, too.
func account(text []byte) bool {
	return len(text) > 4 && isUpper(text[0]) && isUpper(text[1]) && isDigit(text[2]) && isDigit(text[3])
}

// group is the length of the group that a text begins with.
func group(text []byte, letters bool) (n int) {
	for n < len(text) && (isDigit(text[n]) || letters && isUpper(text[n])) {
		n++
	}
	return n
}

// gapOf is the length of what stands between two groups: a blank, a sign, or
// brackets with them; also the 0 that is not dialled from abroad.
func gapOf(text []byte) (n int) {
	for _, g := range gaps {
		if bytes.HasPrefix(text, g) {
			return len(g)
		}
	}
	return 0
}

var gaps = func() (list [][]byte) {
	for _, g := range []string{" (0) ", " (0)", "(0) ", "(0)", ") ", " (", ")-", ")/", " / ", " - ", ")", "(", " ", "-", "/", "\u00a0", "\u202f"} {
		list = append(list, []byte(g))
	}
	return list
}()

// isDate reports whether groups are the year, month and day of a date, in either
// order, whatever follows them.
func isDate(text []byte, sizes []int) bool {
	if len(sizes) < 3 || sizes[1] > 2 {
		return false
	}
	first := string(text[:2])
	return sizes[0] == 4 && sizes[2] <= 2 && (first == "19" || first == "20") || sizes[2] == 4 && sizes[0] <= 2 && isDigit(text[0])
}

// joined is a number without its gaps.
func joined(text []byte) []byte {
	text = bytes.ReplaceAll(text, []byte("(0)"), nil)
	return bytes.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' {
			return c
		}
		return -1
	}, text)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
