//go:build unix

package inspect_test

import (
	"syscall"
	"testing"
	"time"
)

// cpu gives the processor time of this process. On a busy machine it says
// more than the clock does.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func reportCPU(b *testing.B, since time.Duration) {
	b.ReportMetric(float64((cpu()-since).Microseconds())/float64(b.N), "cpu-µs/op")
}
