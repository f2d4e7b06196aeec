// Package simulate is a model provider for trying out and for tests: Anthropic
// Messages, OpenAI Chat and Responses (SSE and WebSocket), and Gemini, with
// scripted answers, usage and faults. It never reaches a network and never
// keeps a credential: a recorded one is its SHA-256.
//
// The last text that a person wrote in a request is the script. A line that
// begins with "run: " makes the model call the client's own shell tool, one
// call a round, and quote the result at the end. Words in brackets change how
// the answer comes; what is no word of the script is ignored. Help lists them.
package simulate

import (
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// Options say how the provider behaves where no script does.
type Options struct {
	Record      string           // folder for what was received and sent; "": nothing is kept
	Pace        time.Duration    // pause after each event of a stream
	Chunk       int              // bytes in one write of a stream; 0: one event a write
	NoWebSocket bool             // answer upgrades with 426
	Seed        uint64           // of the ids; 0: a random one
	Now         func() time.Time // nil: time.Now
	Log         *slog.Logger     // one line for each request; nil: none
}

// Server is the provider. Its methods may be called at the same time.
type Server struct {
	o       Options
	routes  []route
	ids     ids
	prompts cache
	store   store
	faults  counter
	keeper  keeper
}

// New gives a provider as an http.Handler. An unusable Record folder shows at
// the first request, as a 500.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	s := &Server{o: o, keeper: keeper{dir: o.Record, now: o.Now}}
	s.ids.rand = rand.New(rand.NewPCG(o.Seed, o.Seed))
	s.routes = table()
	return s
}

// ids makes the providers' kinds of names.
type ids struct {
	mu   sync.Mutex
	rand *rand.Rand
}

const (
	base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	hex16  = "0123456789abcdef"
)

func (i *ids) make(prefix, alphabet string, n int) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	id := []byte(prefix)
	for range n {
		id = append(id, alphabet[i.rand.IntN(len(alphabet))])
	}
	return string(id)
}

// counter counts how often a fault struck. It is bounded: when it is full it
// starts over, and a fault may strike more often than asked.
type counter struct {
	mu   sync.Mutex
	seen map[string]int
}

func (c *counter) next(key string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil || len(c.seen) > 10_000 {
		c.seen = map[string]int{}
	}
	c.seen[key]++
	return c.seen[key]
}
