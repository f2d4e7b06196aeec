package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
)

// viewers read gatehouse's live stream as the page does, with the work of no
// browser.
type viewers struct {
	wait    sync.WaitGroup
	stop    context.CancelFunc
	bytes   atomic.Int64
	batches atomic.Int64
	resets  atomic.Int64 // times that one lagged too much
}

// watch lets n viewers read until they are stopped.
func (f *field) watch(ctx context.Context, n int) (*viewers, error) {
	token, err := os.ReadFile(filepath.Join(f.data, "console.token"))
	if err != nil {
		return nil, fmt.Errorf("reading the console's token: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	v := &viewers{stop: stop}
	for range n {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+f.console+"/api/v1/events", nil)
		if err != nil {
			return v, fmt.Errorf("asking for the live stream: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return v, fmt.Errorf("asking for the live stream: %w", err)
		}
		if resp.StatusCode != http.StatusOK {
			resp.Body.Close()
			return v, fmt.Errorf("asking for the live stream: %s", resp.Status)
		}
		v.wait.Go(func() { v.read(resp) })
	}
	return v, nil
}

func (v *viewers) read(resp *http.Response) {
	defer resp.Body.Close()
	r := bufio.NewReaderSize(resp.Body, 1<<20)
	for {
		line, err := r.ReadSlice('\n')
		v.bytes.Add(int64(len(line)))
		switch {
		case bytes.HasPrefix(line, []byte("event: flow")):
			v.batches.Add(1)
		case bytes.HasPrefix(line, []byte("event: reset")):
			v.resets.Add(1)
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// end stops them, and says what they saw.
func (v *viewers) end() string {
	v.stop()
	v.wait.Wait()
	return fmt.Sprintf("live: %d batches, %d MB, %d resets\n", v.batches.Load(), v.bytes.Load()>>20, v.resets.Load())
}
