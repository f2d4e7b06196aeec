package coding

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// codings makes the decompressors. The second value, if any, lets go of one.
var codings = map[string]func(*bufio.Reader) (io.Reader, func(), error){
	"gzip":    newGzip,
	"deflate": newDeflate,
	"br":      newBrotli,
	"zstd":    newZstd,
}

// parse gives the names of the codings, in the order in which they were
// applied, without identity.
func parse(encoding string) ([]string, error) {
	var names []string
	for name := range strings.SplitSeq(encoding, ",") {
		switch name = strings.ToLower(strings.Trim(name, " \t")); name {
		case "", "identity":
			continue
		case "x-gzip":
			name = "gzip"
		}
		if codings[name] == nil {
			return nil, fmt.Errorf("%w %.32q", ErrUnknown, name)
		}
		if names = append(names, name); len(names) > maxStacked {
			return nil, fmt.Errorf("%d content codings, one on top of the other: %w", len(names), ErrBomb)
		}
	}
	return names, nil
}

func newGzip(in *bufio.Reader) (io.Reader, func(), error) {
	r, err := gzip.NewReader(in)
	return r, nil, err
}

// newDeflate takes zlib (RFC 1950), which is what "deflate" means, and raw
// deflate (RFC 1951), which some servers send under that name.
func newDeflate(in *bufio.Reader) (io.Reader, func(), error) {
	head, err := in.Peek(2)
	if err != nil && err != io.EOF {
		return nil, nil, err
	}
	if len(head) == 2 && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		r, err := zlib.NewReader(in)
		return r, nil, err
	}
	return flate.NewReader(in), nil, nil
}

func newBrotli(in *bufio.Reader) (io.Reader, func(), error) {
	return brotli.NewReader(in), nil, nil
}

func newZstd(in *bufio.Reader) (io.Reader, func(), error) {
	r, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, nil, err
	}
	return r, r.Close, nil
}
