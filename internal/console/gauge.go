package console

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/workingagents/gatehouse/internal/ledger"
)

// ledgerCollector tells the ledger's figures, read once for each scrape.
type ledgerCollector struct {
	stats                                   func() ledger.Stats
	entries, segments, bytes, queue, atRisk *prometheus.Desc
	unindexed, open, fault, full, syncs     *prometheus.Desc
}

func newLedgerCollector(stats func() ledger.Stats) *ledgerCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("gatehouse_ledger_"+name, help, nil, nil)
	}
	return &ledgerCollector{
		stats:     stats,
		entries:   desc("entries_total", "Entries that are durable."),
		segments:  desc("segments", "Segment files."),
		bytes:     desc("bytes", "Bytes of the segments on disk."),
		queue:     desc("queue_bytes", "Bytes that wait for the writer."),
		atRisk:    desc("at_risk_entries", "Entries that are written and not yet durable (bounded mode)."),
		unindexed: desc("unindexed_entries", "Durable entries that the index does not have yet."),
		open:      desc("open_flows", "Flows without an outcome."),
		fault:     desc("poisoned", "1: the disk failed, nothing is forwarded until a restart."),
		full:      desc("full", "1: the disk is nearly full, new flows are refused."),
		syncs:     desc("sync_seconds", "Time of one sync to disk."),
	}
}

// Describe is prometheus.Collector's.
func (c *ledgerCollector) Describe(ch chan<- *prometheus.Desc) {
	prometheus.DescribeByCollect(c, ch)
}

// Collect is prometheus.Collector's.
func (c *ledgerCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.stats()
	ch <- prometheus.MustNewConstMetric(c.entries, prometheus.CounterValue, float64(s.Entries))
	for _, g := range []struct {
		desc  *prometheus.Desc
		value float64
	}{
		{c.segments, float64(s.Segments)},
		{c.bytes, float64(s.Bytes)},
		{c.queue, float64(s.Queue)},
		{c.atRisk, float64(s.AtRisk)},
		{c.unindexed, float64(s.Unindexed)},
		{c.open, float64(s.Open)},
		{c.fault, oneIf(s.Fault != "")},
		{c.full, oneIf(s.Full)},
	} {
		ch <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, g.value)
	}
	ch <- histogram(c.syncs, s.Syncs)
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// histogram adds up the counts: Prometheus's buckets are cumulative.
func histogram(desc *prometheus.Desc, h ledger.Histogram) prometheus.Metric {
	var total uint64
	buckets := make(map[float64]uint64, len(h.Bounds))
	for i, n := range h.Counts {
		total += n
		if i < len(h.Bounds) {
			buckets[h.Bounds[i].Seconds()] = total
		}
	}
	return prometheus.MustNewConstHistogram(desc, total, h.Sum.Seconds(), buckets)
}

// circuits tells which remote detectors are left alone, read at each scrape.
type circuits func() map[string]bool

var circuitOpen = prometheus.NewDesc("gatehouse_remote_circuit_open", "1: the remote detector failed too often and is left alone for some seconds.", []string{"detector"}, nil)

// Describe is prometheus.Collector's.
func (c circuits) Describe(ch chan<- *prometheus.Desc) { ch <- circuitOpen }

// Collect is prometheus.Collector's.
func (c circuits) Collect(ch chan<- prometheus.Metric) {
	for name, open := range c() {
		ch <- prometheus.MustNewConstMetric(circuitOpen, prometheus.GaugeValue, oneIf(open), name)
	}
}
