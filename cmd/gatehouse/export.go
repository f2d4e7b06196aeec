package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// exporting is what the flags of an export say.
type exporting struct {
	format, redact, why, out string
	session, principal, from string
	content, direct, force   bool
	words                    []string // the filter, or the flow
}

func runExport(ctx context.Context, args []string, std streams) error {
	fs := newFlags("export", "[FILTER…] [flags]\n       gatehouse export FLOW --format curl [--direct] [flags]\n       gatehouse export --format html --session S [--principal P] --why REASON [flags]", std)
	data := dataFlag(fs)
	var e exporting
	fs.StringVar(&e.format, "format", "jsonl", "`jsonl|har|curl|html`; curl: the command that repeats the call of one flow; html: one session as a file that opens offline")
	fs.StringVar(&e.session, "session", "", "html: which `SESSION`")
	fs.StringVar(&e.from, "from", "", "html: the file begins with `FLOW`, not with the session")
	fs.StringVar(&e.principal, "principal", "", "html: `WHOSE`; needed when several have a session of that name")
	fs.BoolVar(&e.content, "content", false, "bodies, too; needs --why")
	fs.StringVar(&e.redact, "redact", "", "`none|values`, html: values unless it is said; values: what rules found is masked, what can't be masked is left out")
	fs.StringVar(&e.why, "why", "", "the `reason` that is recorded for reading content")
	fs.StringVar(&e.out, "out", "", "write to `FILE` (0600), whole or not at all, instead of the standard output")
	fs.BoolVar(&e.force, "force", false, "replace FILE if there is one")
	fs.BoolVar(&e.direct, "direct", false, "curl: call the provider, and not through the gateway")
	var err error
	if e.words, err = filterWords(fs, args); err != nil {
		return err
	}
	path, err := e.path()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(e.out); e.out != "" && !e.force && err == nil {
		return exitError{2, fmt.Sprintf("%s is there already (--force replaces it)", e.out)}
	}
	b, err := openRecord(ctx, *data)
	if err != nil {
		return err
	}
	defer b.Close()
	if e.out == "" {
		return fetchExport(ctx, b, path, std.out, std)
	}
	return e.save(func(w io.Writer) error { return fetchExport(ctx, b, path, w, std) })
}

// path checks what was asked for and gives the route.
func (e *exporting) path() (string, error) {
	if e.redact == "" && e.format == "html" {
		e.redact = "values"
	} else if e.redact == "" {
		e.redact = "none"
	}
	if !slices.Contains([]string{"none", "values"}, e.redact) {
		return "", exitError{2, fmt.Sprintf("--redact is none or values, not %q", e.redact)}
	}
	q := url.Values{"redact": {e.redact}}
	switch e.format {
	case "curl":
		if len(e.words) != 1 {
			return "", exitError{2, "--format curl takes one flow"}
		}
		if e.why == "" {
			e.why = "gatehouse export"
		}
		if e.direct {
			q.Set("direct", "1")
		}
		q.Set("why", e.why)
		return "/flows/" + url.PathEscape(e.words[0]) + "/curl?" + q.Encode(), nil
	case "html":
		return e.file(q)
	case "jsonl", "har":
	default:
		return "", exitError{2, fmt.Sprintf("--format is jsonl, har, curl or html, not %q", e.format)}
	}
	if e.session != "" || e.principal != "" || e.from != "" {
		return "", exitError{2, "--session, --principal and --from belong to --format html; a filter says session:ID principal:NAME"}
	}
	if e.direct {
		return "", exitError{2, "--direct belongs to --format curl"}
	}
	q.Set("format", e.format)
	chosen, err := readFilter(e.words)
	if err != nil {
		return "", err
	}
	if chosen != nil {
		q.Set("q", chosen.String()) // times are as this process reads them
	}
	if e.content {
		if e.why == "" {
			return "", exitError{2, "--content needs --why REASON: who reads what, and why, is recorded"}
		}
		q.Set("content", "1")
		q.Set("why", e.why)
	}
	return "/export?" + q.Encode(), nil
}

// file gives the route of a session as one file.
func (e *exporting) file(q url.Values) (string, error) {
	switch {
	case e.session == "":
		return "", exitError{2, "--format html needs --session S"}
	case len(e.words) > 0:
		return "", exitError{2, "--format html is of one session, and takes no filter"}
	case e.direct:
		return "", exitError{2, "--direct belongs to --format curl"}
	case e.why == "":
		return "", exitError{2, "--format html needs --why REASON: who reads what, and why, is recorded"}
	}
	q.Set("why", e.why)
	if e.principal != "" {
		q.Set("principal", e.principal)
	}
	if e.from != "" {
		q.Set("from", e.from)
	}
	return "/sessions/" + url.PathEscape(e.session) + "/export.html?" + q.Encode(), nil
}

// save writes a file beside its place and moves it there when it is whole.
func (e *exporting) save(write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(e.out), filepath.Base(e.out)+".*.part") // 0600
	if err != nil {
		return fmt.Errorf("making %s: %w", e.out, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", e.out, err)
	}
	if _, err := os.Lstat(e.out); !e.force && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there now (--force replaces it)", e.out)
	}
	if err := os.Rename(f.Name(), e.out); err != nil {
		return fmt.Errorf("naming %s: %w", e.out, err)
	}
	return nil
}

// fetchExport copies an answer, with progress. When it breaks off, the last line
// says why.
func fetchExport(ctx context.Context, b *backend, path string, out io.Writer, std streams) error {
	resp, err := b.do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	total, _ := strconv.Atoi(resp.Header.Get("Gatehouse-Flows"))
	p := &progress{total: total, next: time.Now().Add(time.Second), show: isTerminal(std.err), w: std.err}
	_, err = io.Copy(io.MultiWriter(out, p), resp.Body)
	p.end()
	if next := resp.Header.Get("Gatehouse-Next"); err == nil && next != "" {
		fmt.Fprintf(std.err, "the session is too long for one file: this file ends before flow %s; --from %s writes the next one\n", next, next)
	}
	if err != nil {
		return fmt.Errorf("the export broke off, and what there is of it is not whole: %w", p.reason(err))
	}
	return nil
}

// progress counts the lines of an export, a flow each, shows them when it takes
// more than a second, and keeps the last of them.
type progress struct {
	total, lines int
	next         time.Time
	show, shown  bool
	w            io.Writer
	tail         []byte
}

const tailBytes = 4 << 10

func (p *progress) Write(b []byte) (int, error) {
	p.lines += bytes.Count(b, []byte{'\n'})
	p.tail = append(p.tail, b[max(0, len(b)-tailBytes):]...)
	if len(p.tail) > 2*tailBytes {
		p.tail = append([]byte(nil), p.tail[len(p.tail)-tailBytes:]...)
	}
	if now := time.Now(); p.show && p.total > 0 && now.After(p.next) {
		p.next, p.shown = now.Add(time.Second/4), true
		fmt.Fprintf(p.w, "\r%d of %d flows", min(p.lines, p.total), p.total)
	}
	return len(b), nil
}

func (p *progress) end() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// reason gives what the last line says, if it says why.
func (p *progress) reason(err error) error {
	text := bytes.TrimSpace(p.tail)
	var said struct{ Error struct{ Message string } }
	if json.Unmarshal(text[bytes.LastIndexByte(text, '\n')+1:], &said) == nil && said.Error.Message != "" {
		return errors.New(said.Error.Message)
	}
	return err
}
