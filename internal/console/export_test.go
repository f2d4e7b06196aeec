package console

import "time"

// Patterns gives the patterns of all routes.
func Patterns(c *Console) []string { return c.patterns }

// SetPatience changes how long clients over TCP are waited for.
func SetPatience(c *Console, d time.Duration) { c.patience = d }
