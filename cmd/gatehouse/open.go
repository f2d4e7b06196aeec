package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/workingagents/gatehouse/internal/console"
)

func runOpen(ctx context.Context, args []string, std streams) error {
	fs := newFlags("open", "[--data DIR] [--json]", std)
	data := dataFlag(fs)
	asJSON := fs.Bool("json", false, "a JSON object: the link and when it ends")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return exitError{2, "open takes no arguments, only flags"}
	}
	b, err := openRecord(ctx, *data)
	if err != nil {
		return err
	}
	defer b.Close()
	if !b.live {
		return errors.New("no gateway runs on this data folder, so there is no page to open: start one with `gatehouse up`")
	}
	resp, err := b.do(ctx, "POST", "/links", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var made console.NewLink
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil {
		return fmt.Errorf("reading the gateway's answer: %w", err)
	}
	if *asJSON {
		return json.NewEncoder(std.out).Encode(made)
	}
	_, err = fmt.Fprintln(std.out, made.Link)
	return err
}
