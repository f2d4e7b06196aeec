package inspect

import (
	"errors"
	"math"
	"regexp"
	"strconv"
)

// check is a Check with its argument.
type check struct {
	run Check
	arg string
}

func (c check) holds(text []byte, start, end int) bool { return c.run(text, start, end, c.arg) }

var checkText = regexp.MustCompile(`^([a-z][a-z0-9-]*)(?:(>=|<=|=|:)(.+))?$`)

func (c *rule) setChecks(lib Library) error {
	var errs []error
	for _, text := range c.Checks {
		m := checkText.FindStringSubmatch(text)
		if m == nil {
			errs = append(errs, c.errorf("check %q: write a name, or name>=number", text))
			continue
		}
		run, arg, err := builtin(m[1], m[2], m[3])
		if run == nil && err == nil {
			run, arg = lib.Checks[m[1]], m[3]
		}
		switch {
		case err != nil:
			errs = append(errs, c.errorf("check %q: %w", text, err))
		case run == nil:
			errs = append(errs, c.errorf("there is no check %q", m[1]))
		}
		c.checks = append(c.checks, check{run, arg})
	}
	return errors.Join(errs...)
}

// builtin gives the engine's own checks, nil for other names.
func builtin(name, op, arg string) (Check, string, error) {
	if name != "len" && name != "entropy" {
		return nil, "", nil
	}
	bound, err := strconv.ParseFloat(arg, 64)
	if err != nil || op != ">=" && op != "<=" {
		return nil, "", errors.New("write " + name + ">=number or " + name + "<=number")
	}
	measure := func(value []byte) float64 { return float64(len(value)) }
	if name == "entropy" {
		measure = Entropy
	}
	return func(text []byte, start, end int, _ string) bool {
		got := measure(text[start:end])
		return op == ">=" && got >= bound || op == "<=" && got <= bound
	}, "", nil
}

// Entropy is the Shannon entropy of the bytes, in bits for each byte.
func Entropy(value []byte) float64 {
	var counts [256]int
	for _, c := range value {
		counts[c]++
	}
	var sum float64
	n := float64(len(value))
	for _, c := range counts {
		if c > 0 {
			sum -= float64(c) / n * math.Log2(float64(c)/n)
		}
	}
	return sum
}
