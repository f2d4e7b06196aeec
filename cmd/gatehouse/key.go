package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"
)

const (
	keyUsage = "[flags] add NAME | list | revoke NAME"
	keysPath = "/keys" // of the admin API
)

// runKey adds, lists and revokes access keys, through the server that has the
// data folder or on the folder itself.
func runKey(ctx context.Context, args []string, std streams) error {
	fs := newFlags("key", keyUsage, std)
	data := dataFlag(fs)
	asJSON := fs.Bool("json", false, "list as JSON, one object a line")
	words, err := parseWords(fs, args) // the verb and the name
	if err != nil {
		return err
	}
	if n := len(words); n == 0 || n > 2 || (words[0] == "list") != (n == 1) {
		fs.Usage()
		return exitError{2, ""}
	}
	verb, name := words[0], words[len(words)-1] // list has no name
	dir, err := dataDir(*data)
	if err != nil {
		return err
	}
	b, err := openBackend(ctx, dir)
	if err != nil {
		return err
	}
	defer b.Close()
	switch verb {
	case "add":
		return addKey(ctx, b, name, std)
	case "list":
		return listKeys(ctx, b, *asJSON, std.out)
	case "revoke":
		return revokeKey(ctx, b, name, std)
	}
	fs.Usage()
	return exitError{2, ""}
}

// addKey prints the key alone on the standard output: it is shown this once.
func addKey(ctx context.Context, b *backend, name string, std streams) error {
	resp, err := b.do(ctx, http.MethodPost, keysPath, map[string]string{"name": name})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var made struct{ Key string }
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil {
		return fmt.Errorf("reading the new key: %w", err)
	}
	fmt.Fprintln(std.out, made.Key)
	fmt.Fprintf(std.err, "gatehouse: this is %s's key; it is not kept and can't be shown again. Its base URLs begin with http://HOST:PORT/k/KEY, or it goes into the header X-Gatehouse-Key\n", name)
	return nil
}

func revokeKey(ctx context.Context, b *backend, name string, std streams) error {
	resp, err := b.do(ctx, http.MethodDelete, keysPath+"/"+url.PathEscape(name), nil)
	if err != nil {
		return err
	}
	resp.Body.Close()
	fmt.Fprintf(std.err, "gatehouse: %s's key is revoked\n", name)
	return nil
}

func listKeys(ctx context.Context, b *backend, asJSON bool, w io.Writer) error {
	if asJSON {
		return b.lines(ctx, http.MethodGet, keysPath, func(line []byte) error {
			_, err := fmt.Fprintf(w, "%s\n", line)
			return err
		})
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tCREATED\tREVOKED")
	err := b.lines(ctx, http.MethodGet, keysPath, func(line []byte) error {
		var k struct {
			Name             string
			Created, Revoked time.Time
		}
		if err := json.Unmarshal(line, &k); err != nil {
			return fmt.Errorf("reading the list of keys: %w", err)
		}
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\n", plain(k.Name), day(k.Created), day(k.Revoked))
		return err
	})
	return errors.Join(err, table.Flush())
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}
