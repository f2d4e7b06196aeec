package identity

// What other systems' tables say is read the same on each.
var (
	PCBFind  = pcbFind
	TCPFind  = tcpFind
	ProcArgs = procArgs
)
