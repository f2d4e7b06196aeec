package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/workingagents/gatehouse/internal/filter"
)

// parseFilter reads flags, and a filter from all that is none.
func parseFilter(fs *flag.FlagSet, args []string) (*filter.Filter, error) {
	words, err := filterWords(fs, args)
	if err != nil {
		return nil, err
	}
	return readFilter(words)
}

// filterWords reads flags, and gives all that is none. A word that begins with -
// is of the filter when it can't be a flag: "-model:claude*".
func filterWords(fs *flag.FlagSet, args []string) (words []string, err error) {
	var flags []string
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--":
			words = append(words, args[i+1:]...)
			i = len(args)
		case !strings.HasPrefix(arg, "-") || denies(arg):
			words = append(words, arg)
		default:
			flags = append(flags, arg)
			if takesValue(fs, arg) && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
			}
		}
	}
	return words, parse(fs, flags)
}

func readFilter(words []string) (*filter.Filter, error) {
	text := strings.Join(words, " ")
	f, err := filter.Parse(text, time.Now())
	var wrong *filter.Error
	if errors.As(err, &wrong) {
		return nil, exitError{2, pointAt(text, wrong)}
	}
	return f, err
}

// denies reports whether a word that begins with - is a filter's negation.
func denies(word string) bool {
	return !strings.HasPrefix(word, "--") && strings.ContainsAny(word, `:<>"(*`)
}

// takesValue reports whether a flag's value is the next word.
func takesValue(fs *flag.FlagSet, arg string) bool {
	f := fs.Lookup(strings.TrimLeft(arg, "-"))
	if f == nil {
		return false
	}
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return !ok || !b.IsBoolFlag()
}

// pointAt shows where a filter is wrong.
func pointAt(text string, wrong *filter.Error) string {
	const most = 60 // characters of a long filter that are shown before the column
	line := []rune(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if hostile(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text))
	at, before := min(wrong.Column-1, len(line)), ""
	if at > most {
		line, at, before = line[at-most:], most, "…"
	}
	after := ""
	if len(line) > 2*most {
		line, after = line[:2*most], "…"
	}
	return fmt.Sprintf("%s\n  %s%s%s\n  %s^", plain(wrong.Error()), before, string(line), after, strings.Repeat(" ", at+len([]rune(before))))
}
