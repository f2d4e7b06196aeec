package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// pageCommand shows the console's page in Chromium, and writes what it shows. It is
// run from the project's root, as this program is.
var pageCommand = []string{"node", "web/browser/watch.mjs"}

// glimpse is what the page showed at one moment.
type glimpse struct {
	At     int64   // Unix time in ms
	Newest string  // id of the flow at the top
	Rows   int     // in the list
	Frame  float64 // ms that the longest frame took since the last glimpse
}

// browser lets Chromium show the live page while a gateway does liveRate flows a
// second, and measures how far it lags behind.
func browser(ctx context.Context, o options, s *side) error {
	page, err := openPage(ctx, s)
	if err != nil {
		return err
	}
	defer page.end()
	cpu, sent := s.cpu(), 0
	var first []time.Duration
	for round := range o.rounds {
		all, err := openLoop(target{addr: s.addr, lean: o.lean}, liveRate, uint64(round), o.length)
		if err != nil {
			return fmt.Errorf("%s: %w: %s", s.name, err, s.log)
		}
		sent += len(all)
		first = append(first, all...)
	}
	cpu = s.cpu() - cpu
	last, err := page.until(func(g glimpse) bool { return g.Rows >= sent }, 5*time.Second)
	if err != nil {
		return err
	}
	lags, frames, err := s.lags(ctx, page.seen)
	if err != nil {
		return err
	}
	slices.Sort(first)
	fmt.Printf("page: %d flows sent at %d/s, %d rows shown\n", sent, liveRate, last.Rows)
	fmt.Printf("the newest flow shown had begun %.0f ms ago at p50, %.0f at p99, %.0f at most (%d looks); longest frame of a look %.0f ms at p50, %.0f at most\n",
		ms(quantile(lags, 50)), ms(quantile(lags, 99)), ms(lags[len(lags)-1]), len(lags), ms(quantile(frames, 50)), ms(frames[len(frames)-1]))
	fmt.Printf("gatehouse: %.3f ms CPU a call; first byte p50 %.2f, p99 %.2f ms\n", ms(cpu)/float64(sent), ms(quantile(first, 50)), ms(quantile(first, 99)))
	if last.Rows != sent {
		return errors.New("the page does not show every flow")
	}
	return nil
}

type page struct {
	cmd   *exec.Cmd
	in    io.Closer
	lines chan glimpse
	seen  []glimpse
}

// openPage gives the page when it stands.
func openPage(ctx context.Context, s *side) (*page, error) {
	resp, err := s.admin(ctx, http.MethodPost, "/links")
	if err != nil {
		return nil, fmt.Errorf("asking for a link to the console: %w", err)
	}
	defer resp.Body.Close()
	var made struct{ Link string }
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil {
		return nil, fmt.Errorf("asking for a link to the console: %w", err)
	}
	p := &page{cmd: exec.CommandContext(ctx, pageCommand[0], append(pageCommand[1:], made.Link)...), lines: make(chan glimpse, 1<<16)}
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("opening the page: %w", err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("opening the page: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("opening the page with %s: %w", strings.Join(pageCommand, " "), err)
	}
	go func() {
		defer close(p.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var g glimpse
			if json.Unmarshal(lines.Bytes(), &g) == nil {
				p.lines <- g
			}
		}
	}()
	_, err = p.until(func(glimpse) bool { return true }, 30*time.Second)
	if err == nil && len(p.seen) == 0 {
		err = errors.New("the page does not open")
	}
	if err != nil {
		p.end()
		return nil, err
	}
	return p, nil
}

// until reads what the page shows until it is enough, or the time is over: it gives
// the last.
func (p *page) until(enough func(glimpse) bool, atMost time.Duration) (last glimpse, err error) {
	over := time.After(atMost)
	for {
		select {
		case g, ok := <-p.lines:
			if !ok {
				return last, errors.New("the page ended")
			}
			p.seen = append(p.seen, g)
			if last = g; enough(g) {
				return last, nil
			}
		case <-over:
			return last, nil
		}
	}
}

// end lets the page close: it reads its standard input until that ends.
func (p *page) end() {
	p.in.Close()
	p.cmd.Wait()
}

// lags gives, sorted, how long ago the newest flow of each look had begun, and the
// longest frames. A last look that shows nothing new is from after the end.
func (s *side) lags(ctx context.Context, seen []glimpse) (lags, frames []time.Duration, err error) {
	began, err := s.began(ctx)
	if err != nil {
		return nil, nil, err
	}
	last := ""
	for i, g := range seen {
		if g.Newest == "" || g.Newest == last && i == len(seen)-1 {
			continue
		}
		last = g.Newest
		at, ok := began[g.Newest]
		if !ok {
			return nil, nil, fmt.Errorf("the page shows a flow %s that there is not", g.Newest)
		}
		lags = append(lags, time.UnixMilli(g.At).Sub(at))
		frames = append(frames, time.Duration(g.Frame*float64(time.Millisecond)))
	}
	if len(lags) == 0 {
		return nil, nil, errors.New("the page showed no flow")
	}
	slices.Sort(lags)
	slices.Sort(frames)
	return lags, frames, nil
}

// began tells when each flow began.
func (s *side) began(ctx context.Context) (map[string]time.Time, error) {
	began := map[string]time.Time{}
	for before := ""; ; {
		resp, err := s.admin(ctx, http.MethodGet, "/rows?limit=1000&before="+before)
		if err != nil {
			return nil, fmt.Errorf("listing the flows: %w", err)
		}
		var rows []struct {
			ID      string
			Started time.Time
		}
		err = json.NewDecoder(resp.Body).Decode(&rows)
		resp.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("listing the flows: %w", err)
		}
		for _, r := range rows {
			began[r.ID] = r.Started
		}
		if resp.Header.Get("X-More") == "" {
			return began, nil
		}
		before = rows[0].ID
	}
}
