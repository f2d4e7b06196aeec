package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// viewers read a gatehouse's live stream as the page does, with the work of no
// browser.
type viewers struct {
	wait sync.WaitGroup
	stop context.CancelFunc

	mu     sync.Mutex
	bytes  int
	rows   int
	resets int             // times that one lagged too much
	lags   []time.Duration // from the end of a batch's first flow until its row was read
}

// watch lets n viewers read until they are stopped.
func watch(ctx context.Context, s *side, n int) (*viewers, error) {
	ctx, stop := context.WithCancel(ctx)
	v := &viewers{stop: stop}
	for range n {
		resp, err := s.admin(ctx, http.MethodGet, "/events")
		if err != nil {
			v.end()
			return nil, fmt.Errorf("asking for the live stream: %w", err)
		}
		v.wait.Go(func() { v.read(resp) })
	}
	return v, nil
}

// admin calls the admin API with the folder's token. The caller closes the body.
func (s *side) admin(ctx context.Context, method, path string) (*http.Response, error) {
	token, err := os.ReadFile(filepath.Join(s.data, "console.token"))
	if err != nil {
		return nil, fmt.Errorf("reading the console's token: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.console+"/api/v1"+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		resp.Body.Close()
		return nil, fmt.Errorf("the console answers %s", resp.Status)
	}
	return resp, nil
}

func (v *viewers) read(resp *http.Response) {
	defer resp.Body.Close()
	r := bufio.NewReaderSize(resp.Body, 64<<10)
	event := ""
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return
		}
		if name, ok := bytes.CutPrefix(line, []byte("event: ")); ok {
			event = strings.TrimSpace(string(name))
		}
		data, _ := bytes.CutPrefix(line, []byte("data: "))
		v.take(event, data, len(line), time.Now())
	}
}

// take looks at the first row of a batch, which waited longest, and counts the others:
// the page has a processor of its own.
func (v *viewers) take(event string, data []byte, n int, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.bytes += n
	if len(data) == n { // no data
		return
	}
	switch event {
	case "reset":
		v.resets++
	case "flow":
		v.rows += bytes.Count(data, []byte(`{"id":`))
		var r struct {
			Started    time.Time
			DurationMS *float64 `json:"duration_ms"`
		}
		d := json.NewDecoder(bytes.NewReader(data))
		if _, err := d.Token(); err != nil || d.Decode(&r) != nil {
			v.resets++ // nothing of it was seen
		} else if r.DurationMS != nil {
			v.lags = append(v.lags, now.Sub(r.Started)-time.Duration(*r.DurationMS*float64(time.Millisecond)))
		}
	}
}

// end stops them, and says what they saw.
func (v *viewers) end() string {
	v.stop()
	v.wait.Wait()
	if len(v.lags) == 0 {
		return "live: no flow was seen\n"
	}
	slices.Sort(v.lags)
	return fmt.Sprintf("live: %d rows of %d bytes, %d resets; the first of a batch seen %.0f ms after its flow's end at p50, %.0f at p99, %.0f at most\n",
		v.rows, v.bytes/v.rows, v.resets, ms(quantile(v.lags, 50)), ms(quantile(v.lags, 99)), ms(v.lags[len(v.lags)-1]))
}
