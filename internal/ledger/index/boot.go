package index

// Boot names this run of the machine, for derived data that is not synced while
// it is in use. Empty: unknown.
func Boot() string { return bootID() }
