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

const keyUsage = "[flags] add NAME | list | revoke NAME"

// runKey adds, lists and revokes access keys, through the server that has the
// data folder or on the folder itself.
func runKey(ctx context.Context, args []string, std streams) error {
	fs := newFlags("key", keyUsage, std)
	data := dataFlag(fs)
	asJSON := fs.Bool("json", false, "list as JSON, one object a line")
	if err := parse(fs, args); err != nil {
		return err
	}
	verb := fs.Arg(0)
	if err := parse(fs, fs.Args()[min(1, fs.NArg()):]); err != nil { // flags may follow the verb
		return err
	}
	name := fs.Arg(0)
	if (verb != "list") != (fs.NArg() == 1) || fs.NArg() > 1 {
		fs.Usage()
		return exitError{2, ""}
	}
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
	resp, err := askKeys(ctx, b, http.MethodPost, "", map[string]string{"name": name})
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
	resp, err := askKeys(ctx, b, http.MethodDelete, "/"+url.PathEscape(name), nil)
	if err != nil {
		return err
	}
	resp.Body.Close()
	fmt.Fprintf(std.err, "gatehouse: %s's key is revoked\n", name)
	return nil
}

func listKeys(ctx context.Context, b *backend, asJSON bool, w io.Writer) error {
	resp, err := askKeys(ctx, b, http.MethodGet, "", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if asJSON {
		_, err := io.Copy(w, resp.Body)
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tCREATED\tREVOKED")
	for lines := json.NewDecoder(resp.Body); ; {
		var k struct {
			Name             string
			Created, Revoked time.Time
		}
		if err := lines.Decode(&k); errors.Is(err, io.EOF) {
			return table.Flush()
		} else if err != nil {
			return fmt.Errorf("reading the list of keys: %w", err)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", k.Name, day(k.Created), day(k.Revoked))
	}
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}

// askKeys calls the admin API. An answer that is none of success is an error
// in the API's own words.
func askKeys(ctx context.Context, b *backend, method, path string, body any) (*http.Response, error) {
	resp, err := b.do(ctx, method, "/api/v1/keys"+path, body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	var problem struct{ Error struct{ Text string } }
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&problem); err != nil || problem.Error.Text == "" {
		return nil, fmt.Errorf("the server answers %s", resp.Status)
	}
	return nil, errors.New(problem.Error.Text)
}
