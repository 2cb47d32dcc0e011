package host

import (
	"context"
	"net"
	"net/netip"
	"strconv"
)

// Free says whether nobody on this machine listens at the SSH port of an address, for example the VM of
// another emulator.
func (r *Runtime) Free(a netip.Addr) bool {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", net.JoinHostPort(a.String(), strconv.Itoa(r.Port())))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
