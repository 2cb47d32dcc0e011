// Package tunnel keeps local ports open that lead to addresses reached from a VM, over one SSH connection, which is restored
// when it is lost. It also keeps records of the processes that do this.
// It listens on 127.0.0.1 only. The caller provides the route to the VM.
package tunnel

import "errors"

// ErrTunnel is the class of every failure of a tunnel.
var ErrTunnel = errors.New("tunnel error")
