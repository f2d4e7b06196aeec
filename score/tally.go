package main

import (
	"fmt"
	"math"
)

// tally counts the records of a stratum.
type tally struct {
	found, true  int // of the labelled values
	alarms, hard int // false alarms, of the hard negatives
}

func (t *tally) add(o tally) {
	t.found += o.found
	t.true += o.true
	t.alarms += o.alarms
	t.hard += o.hard
}

// precision is that of the sample: labelled values against alarms on the
// texts that look alike and hold none.
func (t tally) precision() string {
	if t.hard == 0 {
		return "–"
	}
	return share(t.found, t.found+t.alarms)
}

// share writes k of n with the 95 % interval of Wilson: "0.91 (0.88–0.93)".
func share(k, n int) string {
	if n == 0 {
		return "–"
	}
	low, high := wilson(k, n)
	return fmt.Sprintf("%.3f (%.3f–%.3f)", float64(k)/float64(n), low, high)
}

// wilson is the 95 % score interval of a share (E. B. Wilson, 1927).
func wilson(k, n int) (low, high float64) {
	const z = 1.959964
	p, m := float64(k)/float64(n), float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	reach := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max(0, centre-reach), min(1, centre+reach)
}
