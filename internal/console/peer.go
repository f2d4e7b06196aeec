package console

import (
	"net"
	"os/user"
	"strconv"
)

// peer names the user at the other end of a unix socket for the ledger's
// access entries. Where the system does not tell, it is "local": somebody who
// may open the socket.
func peer(conn *net.UnixConn) string {
	uid, ok := peerID(conn)
	if !ok {
		return "local"
	}
	id := strconv.FormatUint(uint64(uid), 10)
	u, err := user.LookupId(id)
	if err != nil {
		return "uid " + id
	}
	return u.Username
}
