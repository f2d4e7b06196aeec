package linear

import "math"

// Sample is a labelled stretch of text.
type Sample struct {
	Text   []byte
	Yes    bool    // it instructs a model
	Weight float64 // how much it counts
}

const (
	epochs = 12
	rate   = 0.5  // of the first step (Adagrad)
	decay  = 2e-6 // of a weight, at each step that touches it
)

// Train fits a model to samples. The same samples in the same order give the
// same model.
func Train(samples []Sample) *Model {
	t := trainer{weights: make([]float64, Buckets), squares: make([]float64, Buckets)}
	lists := make([][]uint32, len(samples))
	for i, s := range samples {
		features(s.Text, func(f uint32) { lists[i] = append(lists[i], f) })
	}
	for epoch := range epochs {
		// A stride that has no divisor in common with the number of samples
		// visits each once, in an order that mixes their sources.
		for i, at := 0, epoch; i < len(samples); i++ {
			at = (at + stride(len(samples))) % len(samples)
			t.step(lists[at], samples[at])
		}
	}
	return t.quantised()
}

// stride is a number near 0.618 of n that is prime to it.
func stride(n int) int {
	s := max(1, n*618/1000)
	for gcd(s, n) != 1 {
		s++
	}
	return s
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// trainer is stochastic gradient descent with a rate for each weight (Duchi,
// Hazan, Singer, "Adaptive Subgradient Methods", 2011).
type trainer struct {
	weights, squares []float64
	bias, biasSquare float64
}

func (t *trainer) step(list []uint32, s Sample) {
	if len(list) == 0 {
		return
	}
	sum := 0.0
	for _, f := range list {
		sum += t.weights[f]
	}
	size := norm(len(list))
	gradient := logistic(t.bias + sum/size)
	if s.Yes {
		gradient--
	}
	gradient *= s.Weight
	t.biasSquare += gradient * gradient
	t.bias -= rate / 10 * gradient / (1e-3 + math.Sqrt(t.biasSquare))
	g := gradient / size
	for _, f := range list {
		d := g + decay*t.weights[f]
		t.squares[f] += d * d
		t.weights[f] -= rate * d / (1e-3 + math.Sqrt(t.squares[f]))
	}
}

// quantised rounds the weights to bytes.
func (t *trainer) quantised() *Model {
	most := 1e-9
	for _, w := range t.weights {
		most = max(most, math.Abs(w))
	}
	m := &Model{scale: most / 127, bias: t.bias, weights: make([]int8, Buckets)}
	for i, w := range t.weights {
		m.weights[i] = int8(math.Round(w / m.scale))
	}
	return m
}
