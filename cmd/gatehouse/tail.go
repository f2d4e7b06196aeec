package main

import (
	"context"
	"errors"
	"fmt"
)

func runTail(ctx context.Context, args []string, std streams) error {
	fs := newFlags("tail", "[--data DIR] [--json] [FILTER…]", std)
	data := dataFlag(fs)
	asJSON := fs.Bool("json", false, "one JSON object a line: each flow when it begins and when it ends")
	chosen, err := parseFilter(fs, args)
	if err != nil {
		return err
	}
	query, err := flowQuery(chosen, "", "", 0)
	if err != nil {
		return err
	}
	b, err := openRecord(ctx, *data)
	if err != nil {
		return err
	}
	defer b.Close()
	if !b.live {
		return errors.New("no gateway runs on this data folder: there is nothing to follow (`gatehouse flows` lists what was recorded)")
	}
	table := newFlowTable(std.out)
	err = b.lines(ctx, "GET", "/tail?"+query, func(line []byte) error {
		if !*asJSON {
			return table.line(line)
		}
		_, err := fmt.Fprintf(std.out, "%s\n", line)
		return err
	})
	if ctx.Err() != nil {
		return nil // interrupted: that is how a tail ends
	}
	return err
}
