package filter

import (
	"slices"
	"strings"
	"unicode"
)

// String writes the filter in its one form, which parses to the same filter.
// Ages have become times, shorthands what they stand for.
func (f *Filter) String() string {
	var b strings.Builder
	if n := f.Root(); n != nil {
		n.write(&b)
	}
	return b.String()
}

func (n *Node) write(b *strings.Builder) {
	switch n.Op {
	case All:
		n.join(b, " ")
	case Any:
		n.join(b, " OR ")
	case Not:
		b.WriteByte('-')
		n.inner(b, n.Nodes[0])
	case Brings:
		b.WriteString(n.Text.String())
	case Is:
		b.WriteString(string(n.Field))
		n.values(b)
	}
}

func (n *Node) join(b *strings.Builder, with string) {
	for i, m := range n.Nodes {
		if i > 0 {
			b.WriteString(with)
		}
		n.inner(b, m)
	}
}

// inner writes a node within another. All binds closer than Any.
func (n *Node) inner(b *strings.Builder, m *Node) {
	if m.Op != Any && (m.Op != All || n.Op == Any) {
		m.write(b)
		return
	}
	b.WriteByte('(')
	m.write(b)
	b.WriteByte(')')
}

func (n *Node) values(b *strings.Builder) {
	if first := n.Values[0].text; first[0] != '<' && first[0] != '>' {
		b.WriteByte(':')
	}
	for i, v := range n.Values {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(v.text)
	}
}

// String writes a text as a filter has it.
func (t Text) String() string {
	switch {
	case t.Phrase:
		return quote(t.Words)
	case t.Prefix:
		return t.Words + "*"
	}
	return t.Words
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// quoteValue writes a piece of a value: in quotes where it would be read
// otherwise. whole: there are no wildcards beside it.
func quoteValue(s string, whole bool) string {
	special := strings.ContainsAny(s, `"*(),`) || strings.ContainsFunc(s, unicode.IsSpace)
	if special || whole && strings.EqualFold(s, "unknown") || strings.HasPrefix(s, "<") || strings.HasPrefix(s, ">") || strings.HasPrefix(s, "=") {
		return quote(s)
	}
	return s
}

// meant are names that other tools have for our fields.
var meant = map[string]string{
	"user": "principal", "who": "principal", "cost_usd": "cost", "price": "cost", "latency": "duration", "time": "duration", "ttft": "first_byte",
	"request_bytes": "size", "bytes": "size", "response_bytes": "response_size", "after": "since", "from": "since", "before": "until", "to": "until",
	"code": "status", "client": "agent", "url": "path", "reason": "why", "detector": "finding", "secret": "finding", "type": "api",
}

func noField(column int, name, rest string) *Error {
	lower := strings.ToLower(name)
	hint := near(lower, fieldNames(), "")
	if m := meant[lower]; m != "" {
		hint = "did you mean " + m + "?"
	}
	if hint == "" {
		hint = "to search for a text that looks like a field, put it in quotes: " + quote(name+rest)
	}
	return &Error{column, "there is no field " + name, hint}
}

func fieldNames() []string {
	names := []string{string(isField)}
	for f := range table {
		names = append(names, string(f))
	}
	slices.Sort(names)
	return names
}

// near asks whether the nearest of the names was meant, if one is near.
func near(word string, names []string, otherwise string) string {
	best, least := "", max(2, len(word)/3+1)
	for _, name := range names {
		if n := distance(strings.ToLower(word), name); n < least {
			best, least = name, n
		}
	}
	if best == "" {
		return otherwise
	}
	if otherwise != "" {
		return "did you mean " + best + "? It can be " + otherwise
	}
	return "did you mean " + best + "?"
}

// list writes names as a sentence does.
func list(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// distance is the number of letters to insert, delete, replace or exchange
// with their neighbour.
func distance(a, b string) int {
	var older []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j]+cost, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], older[j-1]+1)
			}
		}
		older, row = row, next
	}
	return row[len(b)]
}
