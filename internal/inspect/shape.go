package inspect

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// longest is the number of bytes of a pattern's longest match; -1: no bound.
func longest(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return utf8.UTFMax * len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return widest(re)
	case syntax.OpStar, syntax.OpPlus:
		return -1
	case syntax.OpRepeat:
		if re.Max < 0 {
			return -1
		}
		return times(longest(re.Sub[0]), re.Max)
	case syntax.OpConcat, syntax.OpAlternate, syntax.OpCapture, syntax.OpQuest:
		return longestOf(re)
	}
	return 0
}

func widest(re *syntax.Regexp) int {
	if re.Op == syntax.OpCharClass && len(re.Rune) > 0 && re.Rune[len(re.Rune)-1] < utf8.RuneSelf {
		return 1
	}
	return utf8.UTFMax
}

func times(n, m int) int {
	if n < 0 || n > 1<<20 || m > 1<<20 {
		return -1
	}
	return n * m
}

func longestOf(re *syntax.Regexp) int {
	sum := 0
	for _, sub := range re.Sub {
		n := longest(sub)
		switch {
		case n < 0:
			return -1
		case re.Op == syntax.OpConcat:
			sum += n
		default:
			sum = max(sum, n)
		}
	}
	return sum
}

// maxPrefixes bounds how many ways a pattern may begin and still be known to
// begin with an anchor.
const maxPrefixes = 256

// beginsWithAnchor reports whether every match of the pattern begins with one of
// the rule's anchors.
func (c *rule) beginsWithAnchor(re *syntax.Regexp) bool {
	list := prefixes(re)
	if len(list) == 0 {
		return false
	}
	for _, p := range list {
		if !c.isAnchored(p.text) {
			return false
		}
	}
	return true
}

func (c *rule) isAnchored(text string) bool {
	for _, a := range c.Anchors {
		if len(text) >= len(a) && (text[:len(a)] == a || !c.CaseAnchors && strings.EqualFold(text[:len(a)], a)) {
			return true
		}
	}
	return false
}

// prefix is one way in which a match begins. It is whole when the text that
// follows may still be appended to it.
type prefix struct {
	text  string
	whole bool
}

// prefixes gives the ways in which matches begin; none when there are too many,
// or nothing is known. Case is that of the pattern.
func prefixes(re *syntax.Regexp) []prefix {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpWordBoundary, syntax.OpNoWordBoundary, syntax.OpBeginLine, syntax.OpBeginText, syntax.OpEndLine, syntax.OpEndText:
		return []prefix{{"", true}}
	case syntax.OpLiteral:
		return []prefix{{string(re.Rune), true}}
	case syntax.OpCapture:
		return prefixes(re.Sub[0])
	case syntax.OpCharClass:
		return classPrefixes(re)
	case syntax.OpConcat:
		return concatPrefixes(re.Sub)
	case syntax.OpAlternate:
		return alternatePrefixes(re.Sub)
	case syntax.OpQuest:
		return append(prefixes(re.Sub[0]), prefix{"", true})
	case syntax.OpPlus:
		return cut(prefixes(re.Sub[0]))
	}
	return []prefix{{"", false}}
}

func classPrefixes(re *syntax.Regexp) []prefix {
	var list []prefix
	for i := 0; i+1 < len(re.Rune); i += 2 {
		if int(re.Rune[i+1]-re.Rune[i])+len(list) > 64 {
			return []prefix{{"", false}}
		}
		for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
			list = append(list, prefix{string(r), true})
		}
	}
	return list
}

func alternatePrefixes(subs []*syntax.Regexp) []prefix {
	var list []prefix
	for _, sub := range subs {
		list = append(list, prefixes(sub)...)
	}
	if len(list) > maxPrefixes {
		return []prefix{{"", false}}
	}
	return list
}

func concatPrefixes(subs []*syntax.Regexp) []prefix {
	list := []prefix{{"", true}}
	for _, sub := range subs {
		tails := prefixes(sub)
		size, open := 0, 0
		for _, p := range list {
			if p.whole && len(p.text) < maxAnchor {
				open++
				size += len(tails)
			} else {
				size++
			}
		}
		if open == 0 || size > maxPrefixes {
			return cut(list)
		}
		next := make([]prefix, 0, size)
		for _, p := range list {
			if !p.whole || len(p.text) >= maxAnchor {
				next = append(next, prefix{p.text, false})
				continue
			}
			for _, t := range tails {
				next = append(next, prefix{p.text + t.text, t.whole})
			}
		}
		list = next
	}
	return list
}

func cut(list []prefix) []prefix {
	for i := range list {
		list[i].whole = false
	}
	return list
}
