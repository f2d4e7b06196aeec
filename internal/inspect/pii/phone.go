package pii

import "strings"

// call is a telephone number as it stands in a text.
type call struct {
	start, end int
	digits     [maxPhone]byte
	runs       [maxPhone]int
	number     []byte // its digits, without an extension, in digits
	groups     []int  // how many digits stand together, in runs
	plus       bool
	paren      bool
	extension  bool
	slash      bool // behind the area code
	dots       int
	spaces     int
}

const maxPhone = 32 // bytes

// phone finds a number that may be a telephone's around a token of digits: words
// near it must say that it is one.
func phone(text []byte, at, end int, report func(start, end int)) {
	var c call
	if c.find(text, at, end) && c.plausible() {
		report(c.start, c.end)
	}
}

// phoneGrouped is phone for numbers that are written in groups.
func phoneGrouped(text []byte, at, end int, report func(start, end int)) {
	var c call
	if c.find(text, at, end) && c.plausible() && (len(c.groups) > 1 && !c.emptyGroup() || c.plus) {
		report(c.start, c.end)
	}
}

// phoneForm finds numbers that look like a telephone's and like nothing else.
func phoneForm(text []byte, at, end int, report func(start, end int)) {
	var c call
	if c.find(text, at, end) && c.plausible() && c.evident(text) {
		report(c.start, c.end)
	}
}

// find reads the number that holds the token's first digits, if there is one.
func (c *call) find(text []byte, at, end int) bool {
	for at < end && !isDigit(text[at]) {
		at++
	}
	if at == end || at > 0 && isLetter(upperOf(text[at-1])) {
		return false
	}
	c.start = callStart(text, at)
	c.number, c.groups = c.digits[:0], c.runs[:0]
	if c.start > 0 {
		switch b := text[c.start-1]; {
		case isWord(b), strings.IndexByte("#$%&*=./-:", b) >= 0 && c.start > 1 && text[c.start-2] != ' ' && b != ':' && b != '=', b == '$', b == '#':
			return false
		}
	}
	c.read(text)
	return len(c.number) > 0
}

// callStart goes back over area codes in parentheses or before a slash, and a plus.
func callStart(text []byte, at int) int {
	start := at
	for i := at - 1; i >= 0 && at-i < 16; i-- {
		switch b := text[i]; {
		case i > 1 && string(text[i-1:i+2]) == " / ", b == ' ' && i > 2 && string(text[i-2:i+1]) == " / ":
		case b == ' ' && text[i+1] == '/' && isDigit(text[i-1]):
		case b == '(' && i+1 < len(text) && (isDigit(text[i+1]) || text[i+1] == '+'), isDigit(b):
			start = i
		case b == '+':
			return i
		case b == ')' || (b == ' ' || b == '-' || b == '.') && i > 0 && (isDigit(text[i-1]) || text[i-1] == ')'):
		default:
			return start
		}
	}
	return start
}

// read takes digits, single separators and an extension from the start on. What
// goes on too far leaves no number.
func (c *call) read(text []byte) {
	i, run, open := c.start, 0, false
	stop := min(len(text), c.start+maxPhone)
	for ; i < stop; i++ {
		b := text[i]
		if isDigit(b) {
			c.number = append(c.number, b)
			c.end = i + 1
			run++
			continue
		}
		c.group(&run)
		if width := c.slashed(text, i); width > 0 {
			c.slash = true
			i += width - 1
			continue
		}
		switch {
		case b == '(' && !open:
			open = true
		case b == ')' && open:
			open, c.paren = false, true
		case !c.separates(text, i):
			stop = i
		}
		if stop == i {
			break
		}
	}
	c.group(&run)
	if open && text[c.start] == '(' {
		c.start++ // a remark in parentheses
		open = false
	}
	switch {
	case open || i < len(text) && isDigit(text[i]):
		c.number = nil
	case i < len(text) && i == stop:
		c.tail(text, i)
	}
}

// group ends a run of digits.
func (c *call) group(run *int) {
	if *run > 0 {
		c.groups = append(c.groups, *run)
		*run = 0
	}
}

// separates reports whether text[i] is the plus, or stands between two groups.
func (c *call) separates(text []byte, i int) bool {
	b := text[i]
	if b == '+' && i == c.start {
		c.plus = true
		return true
	}
	if i == c.start || i+1 == len(text) || !isDigit(text[i+1]) && text[i+1] != '(' {
		return false
	}
	switch b {
	case '.':
		c.dots++
	case ' ':
		c.spaces++
	case '-':
	default:
		return false
	}
	return true
}

// slashed is the length of a slash, perhaps with spaces, behind an area code, as
// Germans and Austrians write it: 089 / 123456, +49 (0)170/5554433.
func (c *call) slashed(text []byte, i int) int {
	width := 1
	if text[i] == ' ' && i+2 < len(text) && text[i+2] == ' ' {
		i, width = i+1, 3
	}
	area := c.plus && len(c.groups) > 1 || len(c.groups) == 1 && c.groups[0] >= 3 && c.groups[0] <= 6 && c.number[0] == '0'
	if c.slash || !area || i+3 >= len(text) || text[i] != '/' {
		return 0
	}
	for _, b := range text[i+1+width/2 : min(len(text), i+3+width/2)] {
		if !isDigit(b) {
			return 0
		}
	}
	return width
}

// tail reads an extension, or what makes it no telephone's number.
func (c *call) tail(text []byte, i int) {
	rest := text[i:min(len(text), i+12)]
	if strings.IndexByte(" xXeE", rest[0]) >= 0 && c.extended(rest, i) {
		return
	}
	if len(rest) > 1 && (isLetter(upperOf(rest[0])) || strings.IndexByte("_%", rest[0]) >= 0 || strings.IndexByte(":/=,", rest[0]) >= 0 && isDigit(rest[1])) {
		c.number = nil
	}
}

// extended takes the extension with which the rest of the text begins.
func (c *call) extended(rest []byte, i int) bool {
	word := strings.TrimLeft(strings.ToLower(string(rest)), " ")
	for _, x := range []string{"ext. ", "ext.", "ext ", "x"} {
		number, ok := strings.CutPrefix(word, x)
		n := 0
		for n < len(number) && isDigit(number[n]) {
			n++
		}
		if ok && n > 0 && n < 7 && (n == len(number) || !isWord(number[n])) {
			c.extension = true
			c.end = i + len(rest) - len(number) + n
			return true
		}
	}
	return false
}

// emptyGroup reports whether one of the groups is of naughts only.
func (c *call) emptyGroup() bool {
	n := c.number
	for _, g := range c.groups {
		if g > 1 && n[0] == '0' && same(n[:g]) {
			return true
		}
		n = n[g:]
	}
	return false
}

// plausible tells a number from a date, an address of a network and an amount.
func (c *call) plausible() bool {
	n := len(c.number)
	if n < 6 || n > 15 || len(c.groups) == 0 || len(c.groups) == 1 && n < 7 || same(c.number) {
		return false
	}
	for i, g := range c.groups {
		if g == 1 && i > 0 && !c.plus || g > 11 && i > 0 {
			return false
		}
	}
	return !c.dateLike() && !c.fiction() && !(c.dots == 3 && len(c.groups) == 4 && n <= 12 && !c.plus) && !(c.dots == 1 && len(c.groups) == 2)
}

// fiction: 555-0100 to 555-0199 of each area is nobody's (NANPA, 555 line numbers).
func (c *call) fiction() bool {
	n := c.number
	switch len(n) {
	case 8, 11:
		if n[0] != '1' {
			return false
		}
	case 7, 10:
		if c.plus {
			return false
		}
	default:
		return false
	}
	return string(n[len(n)-7:len(n)-2]) == "55501"
}

// dateLike: 2026-11-25, 25.11.2026, 11-25-26, with an hour behind it perhaps.
func (c *call) dateLike() bool {
	if c.plus || c.paren || len(c.groups) < 3 || len(c.groups) == 4 && c.groups[3] > 2 || len(c.groups) > 4 {
		return false
	}
	g, n := c.groups, c.number
	switch {
	case g[0] == 4 && g[1] == 2 && g[2] == 2:
		return (n[0] == '1' && n[1] == '9' || n[0] == '2' && n[1] == '0') && number(n[4:6]) <= 12
	case g[0] == 2 && g[1] == 2 && g[2] == 4:
		return number(n[:2]) <= 31 && number(n[2:4]) <= 31 && (n[4] == '1' || n[4] == '2')
	}
	return false
}

// evident: an international prefix, or the form of the North American plan.
func (c *call) evident(text []byte) bool {
	n := len(c.number)
	grouped := len(c.groups) > 1
	switch {
	case c.plus:
		atLine := c.start == 0 || text[c.start-1] == '\n'
		return n >= 8 && isCountry(c.number) && (grouped || n >= 10 && !atLine)
	case c.number[0] == '0' && c.number[1] == '0' && c.number[2] != '0':
		return n >= 11 && grouped && c.groups[0] >= 3 && c.groups[0] <= 5 && isCountry(c.number[2:])
	}
	k := len(c.groups)
	if k < 3 || c.groups[k-1] != 4 || c.groups[k-2] != 3 || c.groups[k-3] != 3 || k > 3 && (k > 4 || c.number[0] != '1' || c.groups[0] != 1) {
		return false
	}
	area, exchange := c.number[n-10], c.number[n-7]
	return c.extension || c.paren || area >= '2' && exchange >= '2' && c.spaces < 2
}

// isCountry reports whether a number begins with a code that is assigned (ITU-T,
// list of E.164 country codes).
func isCountry(n []byte) bool {
	two, three := " "+string(n[:2])+" ", " "+string(n[:3])+" "
	const pairs = " 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 "
	const missing = " 210 214 215 217 219 259 280 281 282 283 284 285 286 287 288 289 292 293 294 295 296 379 384 388 422 424 425 426 427 428 429 " +
		"693 694 695 696 697 698 699 801 802 803 804 805 806 807 809 851 854 857 858 859 871 872 873 874 875 876 877 879 884 885 887 889 969 978 990 991 997 999 "
	switch {
	case n[0] == '1' || n[0] == '7' || strings.Contains(pairs, two):
		return true
	case n[0] == '0':
		return false
	}
	return !strings.Contains(missing, three)
}
