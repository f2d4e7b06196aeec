package gate

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"sync"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
)

// crockford sorts as the bytes do.
var crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

var clock struct {
	mu   sync.Mutex
	last uint64 // milliseconds << 16 | count within the millisecond
}

// newID gives an id that sorts after every id that this process gave before:
// 48 bits of Unix milliseconds, 16 of a count, 48 of chance.
func newID(now time.Time) flow.ID {
	tick := uint64(now.UnixMilli()) << 16
	clock.mu.Lock()
	clock.last = max(clock.last+1, tick)
	tick = clock.last
	clock.mu.Unlock()
	var b [14]byte
	binary.BigEndian.PutUint64(b[:], tick)
	rand.Read(b[8:])
	return flow.ID("f" + crockford.EncodeToString(b[:]))
}
