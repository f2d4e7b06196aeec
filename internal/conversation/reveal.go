package conversation

import (
	"errors"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
)

// revealMost is how many bytes are revealed at once.
const revealMost = 64 << 10

// ErrPlace says that there is nothing at a place.
var ErrPlace = errors.New("there is no value at that place of the flow")

// Reveal gives what stands at a place of a flow that has all its blocks: the bytes
// from start to end of the decoded request, of the text of the answer's part n, of a
// header, or of the query; as findings count.
func Reveal(f *Flow, place string, n, start, end int64) (string, error) {
	if start < 0 || end <= start || end-start > revealMost {
		return "", ErrPlace
	}
	name, isHeader := strings.CutPrefix(place, "header ")
	switch {
	case place == "":
		return asked(f, start, end)
	case place == "answer":
		read, _, _ := spoken(f)
		if n -= said; n < 0 || n >= int64(len(read)) {
			return "", ErrPlace
		}
		return cut(read[n].Text, start, end)
	case place == "query":
		return cut(f.Intent.Path, start, end)
	case isHeader:
		i := slices.IndexFunc(f.Intent.Header, func(h flow.Header) bool { return h.Name == name })
		if i >= 0 {
			return cut(f.Intent.Header[i].Value, start, end)
		}
	}
	return "", ErrPlace
}

// asked gives a stretch of a request, escapes undone.
func asked(f *Flow, start, end int64) (string, error) {
	if len(f.Text) > 0 {
		return cut(string(f.Text), start, end)
	}
	for i := range f.Blocks {
		b := &f.Blocks[i]
		if b.Start <= start && end <= b.Start+int64(len(b.Raw)) {
			return clean(text(b.Raw[start-b.Start : end-b.Start])), nil
		}
	}
	return "", ErrPlace
}

func cut(text string, start, end int64) (string, error) {
	if end > int64(len(text)) {
		return "", ErrPlace
	}
	return clean(text[start:end]), nil
}
