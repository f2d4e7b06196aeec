package archive

// Longest makes n bytes the longest exchange, until it is set back.
func Longest(n int) (back func()) {
	before := maxBytes
	maxBytes = n
	return func() { maxBytes = before }
}
