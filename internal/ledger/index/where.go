package index

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"unicode"

	"github.com/workingagents/gatehouse/internal/flow"
)

// Cond is a condition on a flow.
type Cond struct {
	Op     Op
	Conds  []Cond // All, Any; Not: one
	Column Column // In, Range, Known

	Set []uint64 // In

	Min, Max         float64 // Range; what has no value is in none
	MinOpen, MaxOpen bool    // that bound itself is outside

	IDs  []flow.ID // IsID
	Like []string  // LikeID: what stands between wildcards; ASCII letters in either case, others stand for any one
}

// Op says what a condition is.
type Op int

// The conditions. The zero Cond holds for every flow, and Any of nothing for
// none.
const (
	All Op = iota
	Any
	Not
	In
	Range
	Known // has a value
	IsID
	LikeID
)

// Column is what a condition asks for.
type Column int

// The columns.
const (
	Key Column = iota
	About
	Path
	Ending
	Agent
	Started // Unix ms
	Turn
	Retry // 0 or 1
	Cost
	Input
	Output
	CacheRead
	CacheWrite
	Reasoning
	Tokens // all but reasoning, which is in Output
	RequestBytes
	ResponseBytes
	Duration  // microseconds
	FirstByte // microseconds
)

// exprs are null where there is no value.
var exprs = [...]string{
	Key: "key", About: "about", Path: "path", Ending: "ending", Agent: "agent", Started: "started", Turn: "NULLIF(turn, 0)", Retry: "retry", Cost: "cost",
	Input: "input", Output: "output", CacheRead: "cache_read", CacheWrite: "cache_write", Reasoning: "reasoning",
	Tokens: "input + output + cache_read + cache_write", RequestBytes: "request_bytes", ResponseBytes: "response_bytes",
	Duration: "CASE WHEN outcome <> 0 THEN duration END", FirstByte: "NULLIF(first_byte, 0)",
}

// write appends the condition's text, which is 0 or 1 and never null, so that
// it may be negated.
func (c *Cond) write(b *strings.Builder, args []any) []any {
	switch c.Op {
	case All, Any:
		return c.join(b, args)
	case Not:
		b.WriteString("NOT ")
		return c.Conds[0].write(b, args)
	case In:
		return c.in(b, args)
	case Range:
		return c.span(b, args)
	case Known:
		fmt.Fprintf(b, "(%s IS NOT NULL)", exprs[c.Column])
	case IsID:
		fmt.Fprint(b, "(id IN (SELECT value FROM json_each(?)))")
		return append(args, quoteIDs(c.IDs))
	case LikeID:
		fmt.Fprint(b, `(id LIKE ? ESCAPE '\')`)
		return append(args, like(c.Like))
	}
	return args
}

func (c *Cond) join(b *strings.Builder, args []any) []any {
	word, none := " AND ", "1"
	if c.Op == Any {
		word, none = " OR ", "0"
	}
	if len(c.Conds) == 0 {
		b.WriteString(none)
		return args
	}
	for i := range c.Conds {
		b.WriteString([]string{"(", word}[min(i, 1)])
		args = c.Conds[i].write(b, args)
	}
	b.WriteByte(')')
	return args
}

// inline is how many numbers stand in the text. More are one argument.
const inline = 32

func (c *Cond) in(b *strings.Builder, args []any) []any {
	if len(c.Set) > inline {
		fmt.Fprintf(b, "(%s IN (SELECT value FROM json_each(?)))", exprs[c.Column])
		return append(args, "["+numbers(c.Set)+"]")
	}
	fmt.Fprintf(b, "(%s IN (%s))", exprs[c.Column], numbers(c.Set))
	return args
}

func numbers(set []uint64) string {
	list := make([]string, len(set))
	for i, n := range set {
		list[i] = fmt.Sprint(int64(n))
	}
	return strings.Join(list, ",")
}

func like(pieces []string) string {
	list := make([]string, len(pieces))
	for i, p := range pieces {
		list[i] = strings.Map(func(r rune) rune {
			if r > unicode.MaxASCII {
				return '\x00'
			}
			return r
		}, p)
		list[i] = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`, "\x00", "_").Replace(list[i])
	}
	return strings.Join(list, "%")
}

// quoteIDs writes a JSON array.
func quoteIDs(ids []flow.ID) string {
	text, err := json.Marshal(ids)
	if err != nil {
		panic(err) // strings always have a JSON form
	}
	return string(text)
}

func (c *Cond) span(b *strings.Builder, args []any) []any {
	bound := func(op string, open bool, n float64) {
		if !open {
			op += "="
		}
		fmt.Fprintf(b, " AND %s %s ?", exprs[c.Column], op)
		args = append(args, n)
	}
	fmt.Fprintf(b, "(%s IS NOT NULL", exprs[c.Column])
	if !math.IsInf(c.Min, -1) {
		bound(">", c.MinOpen, c.Min)
	}
	if !math.IsInf(c.Max, 1) {
		bound("<", c.MaxOpen, c.Max)
	}
	b.WriteByte(')')
	return args
}

// where is the filter as a condition on flows.
func (f Filter) where() (string, []any) {
	var b strings.Builder
	since := f.Since
	if f.After != nil {
		since = max(since, f.After.Started)
	}
	args := []any{since}
	b.WriteString("started >= ?")
	if f.After != nil {
		b.WriteString(" AND (started, id) > (?, ?)")
		args = append(args, f.After.Started, string(f.After.ID))
	}
	if f.Upto != 0 {
		b.WriteString(" AND intent <= ?")
		args = append(args, int64(f.Upto))
	}
	if f.Before != nil {
		b.WriteString(" AND (started, id) < (?, ?)")
		args = append(args, f.Before.Started, string(f.Before.ID))
	}
	if f.Keys != nil {
		b.WriteString(" AND ")
		args = (&Cond{Op: In, Column: Key, Set: f.Keys}).write(&b, args)
	}
	if f.Where != nil {
		b.WriteString(" AND ")
		args = f.Where.write(&b, args)
	}
	return b.String(), args
}

// sessions is the filter as a condition on sessions.
func (f Filter) sessions() (string, []any) {
	if f.Where != nil || f.Before != nil || f.After != nil || f.Upto != 0 {
		where, args := f.where()
		return "key IN (SELECT key FROM flows WHERE " + where + ")", args
	}
	var b strings.Builder
	args := []any{f.Since}
	b.WriteString("last >= ?")
	if f.Keys != nil {
		b.WriteString(" AND ")
		args = (&Cond{Op: In, Column: Key, Set: f.Keys}).write(&b, args)
	}
	return b.String(), args
}
