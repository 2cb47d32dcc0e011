package vm

import (
	"errors"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/resourcegroup"
	"github.com/azlin-dev/azlin/internal/keylock"
	"github.com/azlin-dev/azlin/network"
)

// The classes of this package's failures, for errors.Is. Their kind (errkind.Of) says more.
var (
	ErrManager          = errors.New("vm query failed")
	ErrLifecycle        = errors.New("vm deletion failed")
	ErrLifecycleControl = errors.New("vm power operation failed")
	ErrTags             = errors.New("tagging failed")
)

// Options of a Service. The zero value is ready.
type Options struct {
	Network *network.Service // nil: one of its own

	// SessionNames are names, by VM name, of sessions that this machine knows. They count for VMs whose tag
	// azlin-session has none, unless another VM's tag has the same.
	SessionNames map[string]string

	Listed func(all []Info) // told what each listing of the whole subscription has found; nil: nobody
}

// Service is the VMs of one subscription. It may be used by several goroutines.
type Service struct {
	azure    *azure.Client
	network  *network.Service
	groups   *resourcegroup.Service
	locks    keylock.Locks
	sessions map[string]string
	listed   func([]Info)
}

// New returns the service of c's subscription. It sends nothing.
func New(c *azure.Client, o Options) *Service {
	s := &Service{azure: c, network: o.Network, groups: resourcegroup.New(c), sessions: o.SessionNames, listed: o.Listed}
	if s.network == nil {
		s.network = network.New(c)
	}
	return s
}
