package console

import (
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
)

// maxModels bounds the model label: names beyond it count as "other".
const maxModels = 100

// Metrics counts flows. Its labels are words of ours, except the model's name,
// whose number and form are bounded. It has a registry of its own.
type Metrics struct {
	registry *prometheus.Registry

	open      *prometheus.GaugeVec
	flows     *prometheus.CounterVec
	refusals  *prometheus.CounterVec
	tokens    *prometheus.CounterVec
	bytes     *prometheus.CounterVec
	cost      *prometheus.CounterVec
	unpriced  *prometheus.CounterVec
	findings  *prometheus.CounterVec
	would     *prometheus.CounterVec
	unread    *prometheus.CounterVec
	firstByte *prometheus.HistogramVec
	duration  *prometheus.HistogramVec

	asked    *prometheus.CounterVec
	askedFor *prometheus.HistogramVec
	circuits circuits // nil: there are no remote detectors

	mu     sync.Mutex // guards models
	models map[string]bool
}

// NewMetrics makes metrics that also tell the ledger's figures, which stats
// gives at each scrape.
func NewMetrics(stats func() ledger.Stats) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), models: map[string]bool{}}
	m.open = prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "gatehouse", Name: "flows_open",
		Help: "Flows that were admitted and have not ended."}, []string{"provider"})
	m.registry.MustRegister(m.open)
	m.flows = m.counter("flows_total", "Flows that have ended.", "provider", "api", "state", "verdict")
	m.refusals = m.counter("refusals_total", "Calls that were refused before they became a flow.", "kind")
	m.tokens = m.counter("tokens_total", "Tokens as the provider bills them.", "provider", "model", "kind")
	m.bytes = m.counter("bytes_total", "Bytes of bodies, without transfer coding.", "provider", "direction")
	m.cost = m.counter("cost_usd_total", "Cost of the flows whose price is known, in US dollars.", "provider")
	m.unpriced = m.counter("unpriced_flows_total", "Flows with usage whose price is unknown.", "provider")
	m.findings = m.counter("findings_total", "What detectors saw in ended flows, by rule and by what policy does about it, or would do.", "rule", "action")
	m.would = m.counter("would_flows_total", "Flows that enforcing would not have let pass as they were.", "provider", "verdict")
	m.unread = m.counter("unreadable_bytes_total", "Bytes of requests that could not be decoded to be scanned.", "provider")
	m.firstByte = m.histogram("first_byte_seconds", "Time from a flow's start to the first byte of its answer.", firstByteBuckets)
	m.duration = m.histogram("duration_seconds", "Time from a flow's start to its end.", durationBuckets)
	m.asked = m.counter("remote_calls_total", "Calls of remote detectors by how they ended; cached: nothing had to be asked, open: it is left alone after failures.", "detector", "outcome")
	m.askedFor = prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "gatehouse", Name: "remote_seconds",
		Help: "Time of one call of a remote detector.", Buckets: remoteBuckets}, []string{"detector"})
	m.registry.MustRegister(m.askedFor)
	m.registry.MustRegister(newLedgerCollector(stats), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

var (
	remoteBuckets    = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	firstByteBuckets = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
	durationBuckets  = []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}
)

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "gatehouse", Name: name, Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Metrics) histogram(name, help string, buckets []float64) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "gatehouse", Name: name, Help: help, Buckets: buckets}, []string{"provider"})
	m.registry.MustRegister(v)
	return v
}

// Begun counts a flow that was admitted. Each needs one Ended.
func (m *Metrics) Begun(p flow.Provider) { m.open.WithLabelValues(string(p)).Inc() }

// Ended counts a flow that has begun and has ended.
func (m *Metrics) Ended(v *flow.View) {
	p := string(v.Provider)
	m.open.WithLabelValues(p).Dec()
	m.flows.WithLabelValues(p, string(v.API), string(v.State), v.Verdict.String()).Inc()
	m.bytes.WithLabelValues(p, "request").Add(float64(v.RequestBytes))
	m.bytes.WithLabelValues(p, "response").Add(float64(v.ResponseBytes))
	for i := range v.Findings {
		m.findings.WithLabelValues(v.Findings[i].Rule, v.Findings[i].Action.String()).Inc()
	}
	if v.Would != "" {
		m.would.WithLabelValues(p, v.Would).Inc()
	}
	m.unread.WithLabelValues(p).Add(float64(v.UnreadableBytes))
	if v.FirstByteMS != nil {
		m.firstByte.WithLabelValues(p).Observe(*v.FirstByteMS / 1000)
	}
	if v.DurationMS != nil {
		m.duration.WithLabelValues(p).Observe(*v.DurationMS / 1000)
	}
	if v.Usage != (flow.UsageView{}) {
		m.used(p, v)
	}
}

// Refused counts a call that was refused before it became a flow; kind is a
// word of ours.
func (m *Metrics) Refused(kind string) { m.refusals.WithLabelValues(kind).Inc() }

// Asked counts a call of a remote detector, which took so long; 0: there was none.
// Detectors are named in the settings, outcomes are words of ours.
func (m *Metrics) Asked(detector, outcome string, took time.Duration) {
	m.asked.WithLabelValues(detector, outcome).Inc()
	if took > 0 {
		m.askedFor.WithLabelValues(detector).Observe(took.Seconds())
	}
}

// Circuits adds which remote detectors are left alone now, as open tells it at each
// scrape. It is called once at most, before anybody asks.
func (m *Metrics) Circuits(open func() map[string]bool) {
	m.circuits = open
	m.registry.MustRegister(m.circuits)
}

func (m *Metrics) used(p string, v *flow.View) {
	model, u := m.model(v.Model), v.Usage
	for _, n := range []struct {
		kind  string
		count int64
	}{
		{"input", u.Input}, {"output", u.Output}, {"cache_read", u.CacheRead}, {"cache_write", u.CacheWrite}, {"reasoning", u.Reasoning},
	} {
		if n.count > 0 {
			m.tokens.WithLabelValues(p, model, n.kind).Add(float64(n.count))
		}
	}
	if v.Cost == nil {
		m.unpriced.WithLabelValues(p).Inc()
		return
	}
	m.cost.WithLabelValues(p).Add(max(*v.Cost, 0))
}

// modelName is the form of the providers' model names. Anything else came
// from a client that says what it likes.
var modelName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,79}$`)

func (m *Metrics) model(name string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.models[name] {
		return name
	}
	if len(m.models) >= maxModels || !modelName.MatchString(name) {
		return "other"
	}
	m.models[name] = true
	return name
}

func (c *Console) metrics(w http.ResponseWriter, r *http.Request) error {
	c.o.Metrics.handler().ServeHTTP(w, r)
	return nil
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
