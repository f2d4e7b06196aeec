package ledger_test

import (
	"context"
	"testing"

	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/ledger/disk"
)

// lastLook has something done by a Run that was told to end: when it looks how much
// disk is left.
type lastLook struct {
	disk.FS
	work func()
}

func (d *lastLook) Free(dir string) (int64, error) {
	if work := d.work; work != nil {
		d.work = nil
		work()
	}
	return d.FS.Free(dir)
}

// TestWorkThatEndsLateIsWritten: retention, say, records what it removes, and Run waits
// for it. So the writer must not end before what may wait for it.
func TestWorkThatEndsLateIsWritten(t *testing.T) {
	for _, mode := range []ledger.Mode{ledger.Strict, ledger.Bounded} {
		d := &lastLook{FS: disk.OS{}}
		l, err := ledger.Open(ledger.Options{Dir: t.TempDir(), FS: d, Mode: mode})
		if err != nil {
			t.Fatal(err)
		}
		d.work = func() {
			for range 50 { // a writer that is told to end as well takes some
				if err := l.Admin("test", "while Run ends", nil); err != nil {
					t.Errorf("%s: %v", mode, err)
				}
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		l.Run(ctx)
		if err := l.Close(); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
}
