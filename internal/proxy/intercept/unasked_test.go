package intercept_test

import (
	"crypto/tls"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/proxy/intercept"
)

// TestAConnectionThatWasOpenedAhead and closed later is no sign of distrust.
func TestAConnectionThatWasOpenedAhead(t *testing.T) {
	var minutes atomic.Int64
	p := newProxy(t, func(o *intercept.Options) {
		o.Now = func() time.Time { return time.Unix(60*minutes.Add(1), 0) }
	})
	conn := tls.Client(p.connect(t), &tls.Config{ServerName: inspected, RootCAs: p.roots})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	p.greet(t, []byte("SSH-2.0-x\r\n"))
	if out := <-p.ended; !strings.Contains(out.Why, "not TLS") {
		t.Errorf("on record: %s", out.Why)
	}
}
