// Package tunnel keeps ports of this machine open that lead to what a VM reaches, over one SSH connection, which is made
// again when it is lost; and the records of the processes that do so.
//
// It listens on 127.0.0.1 only. How a VM is reached its caller says.
package tunnel

import "errors"

// ErrTunnel is the class of every failure of a tunnel.
var ErrTunnel = errors.New("tunnel error")
