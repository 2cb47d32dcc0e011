package vm

import (
	"errors"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/resourcegroup"
	"github.com/azlin-dev/azlin/internal/keylock"
	"github.com/azlin-dev/azlin/network"
)

// The classes of this package's failures, for errors.Is. errkind.Of gives their kind.
var (
	ErrManager          = errors.New("vm query failed")
	ErrLifecycle        = errors.New("vm deletion failed")
	ErrLifecycleControl = errors.New("vm power operation failed")
	ErrTags             = errors.New("tagging failed")
)

// Options of a Service. The zero value is ready.
type Options struct {
	Network *network.Service // nil: its own

	// SessionNames are session names known to this machine, by VM name. They apply to VMs without a session in the tag
	// azlin-session, unless another VM's tag has the same name.
	SessionNames map[string]string

	Listed func(all []Info) // called with each listing of the whole subscription; nil: not called
}

// Service manages the VMs of one subscription. It is safe for concurrent use.
type Service struct {
	azure    *azure.Client
	network  *network.Service
	groups   *resourcegroup.Service
	locks    keylock.Locks
	sessions map[string]string
	listed   func([]Info)
}

// New returns the service of c's subscription. It sends no request.
func New(c *azure.Client, o Options) *Service {
	s := &Service{azure: c, network: o.Network, groups: resourcegroup.New(c), sessions: o.SessionNames, listed: o.Listed}
	if s.network == nil {
		s.network = network.New(c)
	}
	return s
}
