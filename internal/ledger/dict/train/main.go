// Command train writes the zstd dictionary that package dict ships. It makes
// up its training text, so nobody's traffic and nobody's prompt is in it: the
// shapes are those of our own entries and of the providers' published APIs, the
// words and the code are invented here. It never reads a ledger and never asks
// the network; the same source gives the same dictionary.
//
// A dictionary that a release has shipped never changes: a better one gets the
// next id.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/klauspost/compress/zstd"
)

func main() {
	out := flag.String("out", "dict-1.zst", "file to write")
	id := flag.Uint("id", 1, "id of the dictionary")
	size := flag.Int("size", 32<<10, "bytes of text in the dictionary")
	flag.Parse()
	if err := train(*out, uint32(*id), *size, 3000); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func train(out string, id uint32, size, count int) error {
	texts := samples(1, count)
	built, err := zstd.BuildDict(zstd.BuildDictOptions{
		ID:         id,
		Contents:   texts,
		History:    cover(texts, size),
		Offsets:    [3]int{1, 4, 8},
		CompatV155: true,
		Level:      zstd.SpeedDefault,
	})
	if err != nil {
		return fmt.Errorf("building dictionary: %w", err)
	}
	if err := os.WriteFile(out, built, 0o644); err != nil {
		return fmt.Errorf("writing dictionary: %w", err)
	}
	return nil
}
