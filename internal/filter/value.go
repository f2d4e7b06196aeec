package filter

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Value is one of those that a test takes.
type Value struct {
	Unknown bool    // a flow that has no value
	Known   bool    // any value
	Min     float64 // numbers only, as Max: what the value lies in
	Max     float64
	MinOpen bool // Min itself is outside
	MaxOpen bool

	pieces []string // a text, cut at its wildcards
	text   string   // as String writes it
}

// Pieces gives a text cut at its wildcards, in lower case; nil: it is none.
func (w Value) Pieces() []string { return slices.Clone(w.pieces) }

func (w Value) hasNumber(list []float64) bool {
	switch {
	case w.Unknown:
		return len(list) == 0
	case w.Known:
		return len(list) > 0
	}
	return slices.ContainsFunc(list, w.holds)
}

func (w Value) holds(n float64) bool {
	above := n > w.Min || n == w.Min && !w.MinOpen
	below := n < w.Max || n == w.Max && !w.MaxOpen
	return above && below
}

func (w Value) hasText(list []string) bool {
	if w.Unknown && len(list) == 0 || w.Known && len(list) > 0 {
		return true
	}
	return len(w.pieces) > 0 && slices.ContainsFunc(list, w.fits)
}

func (w Value) fits(text string) bool {
	text = fold(text)
	first, last := w.pieces[0], w.pieces[len(w.pieces)-1]
	if len(w.pieces) == 1 {
		return text == first
	}
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, p := range w.pieces[1 : len(w.pieces)-1] {
		i := strings.Index(text, p)
		if i < 0 {
			return false
		}
		text = text[i+len(p):]
	}
	return true
}

// fold makes upper case lower. No other letter becomes one of ASCII, so that a
// database that folds only those never misses a match.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if l := unicode.ToLower(r); r < unicode.MaxASCII || l > unicode.MaxASCII {
			return l
		}
		return r
	}, s)
}

// raw is a value as it was written: its runes, and which of them are literal
// because they stood in quotes.
type raw struct {
	runes  []rune
	quoted []bool
	column int
}

// plain is the text of a value that has nothing quoted.
func (r raw) plain() (string, bool) {
	return string(r.runes), !slices.Contains(r.quoted, true)
}

// pieces cuts at wildcards.
func (r raw) pieces() []string {
	list, from := []string{}, 0
	for i, c := range r.runes {
		if c == '*' && !r.quoted[i] {
			list = append(list, string(r.runes[from:i]))
			from = i + 1
		}
	}
	list = append(list, string(r.runes[from:]))
	// Wildcards side by side are one.
	kept := list[:0]
	for i, p := range list {
		if p != "" || i == 0 || i == len(list)-1 {
			kept = append(kept, p)
		}
	}
	return kept
}

// value reads one value of a field.
func (d describe) value(f Field, r raw, op string, now time.Time) (Value, *Error) {
	text, bare := r.plain()
	if op == ":" && bare && text == "*" && d.kind != Moment {
		return Value{Known: true, text: "*"}, nil
	}
	if op == ":" && bare && strings.EqualFold(text, "unknown") && d.kind != Moment && !slices.Contains(d.choices, "unknown") {
		return Value{Unknown: true, pieces: unknownName(d.kind), text: "unknown"}, nil
	}
	switch d.kind {
	case Name:
		return nameValue(r), nil
	case Choice:
		return d.choice(f, r, text)
	case Moment:
		return d.moment(f, r, text, now)
	}
	return d.span(f, r, op, text)
}

// unknownName: a name may read so.
func unknownName(k Kind) []string {
	if k == Name {
		return []string{"unknown"}
	}
	return nil
}

func nameValue(r raw) Value {
	pieces := r.pieces()
	written := make([]string, len(pieces))
	for i, p := range pieces {
		written[i] = quoteValue(p, len(pieces) == 1)
		pieces[i] = fold(p)
	}
	return Value{pieces: pieces, text: strings.Join(written, "*")}
}

var yesAndNo = map[string]string{"true": "yes", "1": "yes", "false": "no", "0": "no"}

func (d describe) choice(f Field, r raw, text string) (Value, *Error) {
	text = strings.ToLower(text)
	if f == FieldRetry && yesAndNo[text] != "" {
		text = yesAndNo[text]
	}
	if !slices.Contains(d.choices, text) {
		return Value{}, d.noChoice(f, r)
	}
	return Value{pieces: []string{text}, text: text}, nil
}

func (d describe) noChoice(f Field, r raw) *Error {
	return &Error{r.column, fmt.Sprintf("%s can't be %s", f, string(r.runes)), near(string(r.runes), d.choices, list(d.choices))}
}

// span reads a number, a comparison with one, or from … to.
func (d describe) span(f Field, r raw, op, text string) (Value, *Error) {
	w := Value{Min: math.Inf(-1), Max: math.Inf(1)}
	if op != ":" {
		n, written, err := d.number(f, r, text)
		if err != nil {
			return w, err
		}
		w.text = op + written
		if op[0] == '>' {
			w.Min, w.MinOpen = n.low, op == ">"
			if op == ">" {
				w.Min = n.high
			}
		} else {
			w.Max, w.MaxOpen = n.high, op == "<"
			if op == "<" {
				w.Max = n.low
			}
		}
		return w, nil
	}
	from, to, isRange := strings.Cut(text, "..")
	if !isRange {
		n, written, err := d.number(f, r, text)
		w.Min, w.Max, w.text = n.low, n.high, written
		return w, err
	}
	if from == "" && to == "" {
		return w, d.noNumber(f, r)
	}
	if from != "" {
		n, written, err := d.number(f, r, from)
		if err != nil {
			return w, err
		}
		w.Min, from = n.low, written
	}
	if to != "" {
		n, written, err := d.number(f, r, to)
		if err != nil {
			return w, err
		}
		w.Max, to = n.high, written
	}
	if w.Min > w.Max {
		return w, &Error{r.column, "a range goes from the smaller to the larger", fmt.Sprintf("%s:%s..%s", f, to, from)}
	}
	w.text = from + ".." + to
	return w, nil
}

// bounds are what one number stands for: itself, or all of 4xx.
type bounds struct{ low, high float64 }

// number reads one number of a field's kind, and writes it in one way.
func (d describe) number(f Field, r raw, text string) (bounds, string, *Error) {
	var n float64
	ok := false
	switch d.kind {
	case Level:
		i := slices.Index(d.choices, strings.ToLower(text))
		if i < 0 {
			return bounds{}, "", d.noChoice(f, r)
		}
		return bounds{float64(i + 1), float64(i + 1)}, d.choices[i], nil
	case Status:
		if len(text) == 3 && strings.EqualFold(text[1:], "xx") && text[0] >= '1' && text[0] <= '9' {
			low := float64(text[0]-'0') * 100
			return bounds{low, low + 99}, text[:1] + "xx", nil
		}
		n, ok = decimal(text)
	case Money:
		n, ok = decimal(strings.TrimPrefix(text, "$"))
	case Size:
		n, ok = scaled(text, sizes)
	case Duration:
		return d.duration(f, r, text)
	default:
		n, ok = scaled(text, counts)
	}
	if !ok {
		return bounds{}, "", d.noNumber(f, r)
	}
	return bounds{n, n}, strconv.FormatFloat(n, 'f', -1, 64), nil
}

func (d describe) noNumber(f Field, r raw) *Error {
	what := map[Kind]string{Level: "a severity", Status: "an HTTP status", Size: "a size", Duration: "a time with its unit"}[d.kind]
	if what == "" {
		what = "a number"
	}
	return &Error{r.column, fmt.Sprintf("%s needs %s", f, what), d.example}
}

// decimal reads digits with at most one point.
func decimal(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

var (
	counts = map[string]float64{"": 1, "k": 1e3, "m": 1e6, "g": 1e9}
	sizes  = map[string]float64{"": 1, "b": 1, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
)

func scaled(s string, units map[string]float64) (float64, bool) {
	end := len(strings.TrimRightFunc(s, unicode.IsLetter))
	times, known := units[strings.ToLower(s[end:])]
	n, ok := decimal(s[:end])
	return n * times, ok && known && !math.IsInf(n*times, 0)
}

func (d describe) duration(f Field, r raw, text string) (bounds, string, *Error) {
	age, ok := duration(text)
	if !ok {
		return bounds{}, "", d.noNumber(f, r)
	}
	age = age.Round(time.Microsecond)
	us := float64(age.Microseconds())
	return bounds{us, us}, age.String(), nil
}

const (
	day     = 24 * time.Hour
	longest = 100 * 365 * day
)

// duration reads 90m, 1h30m, 1d, 2w.
func duration(s string) (time.Duration, bool) {
	for unit, times := range map[string]time.Duration{"d": day, "w": 7 * day} {
		if digits, ok := strings.CutSuffix(strings.ToLower(s), unit); ok {
			n, ok := decimal(digits)
			return time.Duration(n * float64(times)), ok && n*float64(times) <= float64(longest)
		}
	}
	if strings.ContainsAny(s, "+-") {
		return 0, false
	}
	age, err := time.ParseDuration(s)
	return age, err == nil && age <= longest && s != "0"
}

// moment reads since and until.
func (d describe) moment(f Field, r raw, text string, now time.Time) (Value, *Error) {
	w := Value{Min: math.Inf(-1), Max: math.Inf(1)}
	at, whole, ok := when(text, now)
	if !ok {
		return w, &Error{r.column, fmt.Sprintf("%s needs a time", f), fmt.Sprintf("%s:90m, %s:1d, %s:2026-01-02, %s:2026-01-02T15:04:05Z", f, f, f, f)}
	}
	if f == FieldUntil && whole {
		at = at.AddDate(0, 0, 1) // the day is in
	}
	if at.Year() < 1 || at.Year() > 9999 {
		return w, &Error{r.column, fmt.Sprintf("%s needs a time of a year from 1 to 9999", f), ""}
	}
	at = at.UTC().Truncate(time.Millisecond)
	w.text = at.Format(time.RFC3339Nano)
	if f == FieldSince {
		w.Min = float64(at.UnixMilli())
	} else {
		w.Max, w.MaxOpen = float64(at.UnixMilli()), true
	}
	return w, nil
}

// when reads a moment; whole: it is a day, and the moment its beginning.
func when(s string, now time.Time) (at time.Time, whole, ok bool) {
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch strings.ToLower(s) {
	case "today":
		return midnight, true, true
	case "yesterday":
		return midnight.AddDate(0, 0, -1), true, true
	}
	if at, err := time.ParseInLocation("2006-01-02", s, now.Location()); err == nil {
		return at, true, true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return at, false, true
		}
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return midnight.Add(t.Sub(t.Truncate(day))), false, true
		}
	}
	age, ok := duration(s)
	return now.Add(-age), false, ok
}
