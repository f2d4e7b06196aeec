package console

// Patterns gives the patterns of all routes.
func Patterns(c *Console) []string { return c.patterns }
