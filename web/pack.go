package web

import (
	"bytes"
	"compress/gzip"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

// packer packs data when it is first asked for, once for each coding. Files
// that were packed when they were built would be others with another Node, and
// binary in every diff.
func packer(data []byte) func(coding string) []byte {
	br := sync.OnceValue(func() []byte {
		var b bytes.Buffer
		w := brotli.NewWriterLevel(&b, 6)
		w.Write(data) // to memory: no error
		w.Close()
		return b.Bytes()
	})
	gz := sync.OnceValue(func() []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write(data)
		w.Close()
		return b.Bytes()
	})
	return func(coding string) []byte {
		if coding == "br" {
			return br()
		}
		return gz()
	}
}

// best picks br, else gzip, else "" from an Accept-Encoding header (RFC 9110,
// 12.5.3). A coding of weight 0 is refused.
func best(accept string) string {
	takes := map[string]bool{}
	for part := range strings.SplitSeq(accept, ",") {
		coding, params, _ := strings.Cut(part, ";")
		takes[strings.ToLower(strings.TrimSpace(coding))] = weight(params) > 0
	}
	for _, coding := range []string{"br", "gzip"} {
		if takes[coding] {
			return coding
		}
	}
	return ""
}

// weight reads "q=0.5"; no weight is 1, one that can't be read is 0.
func weight(params string) float64 {
	value, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q=")
	if !ok {
		return 1
	}
	q, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return 0
	}
	return q
}
