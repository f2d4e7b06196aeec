package remote

import (
	"unicode"
	"unicode/utf8"
)

// diffCells bounds the table of a comparison; what is larger counts as one change.
const diffCells = 1 << 20

// replaced gives the spans of a, in bytes, that are not in b: words, as far as they
// can be told apart by the longest sequence that both share.
func replaced(a, b string) (spans [][2]int) {
	x, y := tokens(a), tokens(b)
	first := 0
	for first < len(x) && first < len(y) && x[first].text == y[first].text {
		first++
	}
	last := 0
	for last < len(x)-first && last < len(y)-first && x[len(x)-1-last].text == y[len(y)-1-last].text {
		last++
	}
	x, y = x[first:len(x)-last], y[first:len(y)-last]
	kept := shared(x, y)
	for i := range x {
		if kept != nil && kept[i] {
			continue
		}
		start, end := x[i].at, x[i].at+len(x[i].text)
		if n := len(spans); n > 0 && spans[n-1][1] == start {
			spans[n-1][1] = end
		} else {
			spans = append(spans, [2]int{start, end})
		}
	}
	return spans
}

// token is a word, or one character that is in none.
type token struct {
	at   int
	text string
}

func tokens(text string) (list []token) {
	for at := 0; at < len(text); {
		end, word := at, false
		for end < len(text) {
			c, n := utf8.DecodeRuneInString(text[end:])
			letter := unicode.IsLetter(c) || unicode.IsDigit(c)
			if end > at && (!letter || !word) {
				break
			}
			end, word = end+n, letter
		}
		list = append(list, token{at, text[at:end]})
		at = end
	}
	return list
}

// shared says which tokens of x are in the longest sequence that x and y have in
// common; nil: that was not looked for. A space alone is nothing in common: it would
// cut a name in two.
func shared(x, y []token) []bool {
	if len(x) == 0 || len(y) == 0 || (len(x)+1)*(len(y)+1) > diffCells {
		return nil
	}
	width := len(y) + 1
	longest := make([]int32, (len(x)+1)*width)
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			n := max(longest[(i+1)*width+j], longest[i*width+j+1])
			if same(x[i], y[j]) {
				n = max(n, longest[(i+1)*width+j+1]+1)
			}
			longest[i*width+j] = n
		}
	}
	kept := make([]bool, len(x))
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch n := longest[i*width+j]; {
		case same(x[i], y[j]) && n == longest[(i+1)*width+j+1]+1:
			kept[i] = true
			i, j = i+1, j+1
		case n == longest[(i+1)*width+j]:
			i++
		default:
			j++
		}
	}
	return spaces(x, kept)
}

func same(a, b token) bool { return a.text == b.text && a.text != " " }

// spaces keeps those beside which something is kept.
func spaces(x []token, kept []bool) []bool {
	for i := range x {
		if x[i].text == " " {
			kept[i] = i == 0 || i == len(x)-1 || kept[i-1] || kept[i+1]
		}
	}
	return kept
}
