package identity

// Diag and Table are the two ways to find a socket.
var (
	Diag  = diag
	Table = table
)
