package ca

// Kept is how many leaves are held.
func (a *Authority) Kept() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.leaves)
}
