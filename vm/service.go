package vm

import (
	"errors"

	"github.com/azlin-dev/azlin/azure"
)

// The classes of this package's failures, for errors.Is. Their kind (errkind.Of) says more.
var (
	ErrManager          = errors.New("vm query failed")
	ErrLifecycle        = errors.New("vm deletion failed")
	ErrLifecycleControl = errors.New("vm power operation failed")
	ErrProvisioning     = errors.New("vm provisioning failed")
	ErrTags             = errors.New("tagging failed")
)

// Options of a Service. The zero value is ready.
type Options struct {
	CacheDir string // where the sizes of a region are kept for a day; empty: memory only

	// SessionNames are names, by VM name, of sessions that this machine knows. They count for VMs whose tag
	// azlin-session has none, unless another VM's tag has the same.
	SessionNames map[string]string
}

// Service is the VMs of one subscription. It may be used by several goroutines.
type Service struct {
	azure    *azure.Client
	sizes    *sizeCache
	locks    keyedLocks
	sessions map[string]string
}

// New returns the service of c's subscription. It sends nothing.
func New(c *azure.Client, o Options) *Service {
	return &Service{azure: c, sizes: newSizeCache(c, o.CacheDir), sessions: o.SessionNames}
}

// vmID is the ARM id of a VM of this subscription.
func (s *Service) vmID(group, name string) string {
	return azure.NewID(s.azure.SubscriptionID(), group, "Microsoft.Compute", "virtualMachines", name).String()
}

func (s *Service) networkID(group string, typeAndNames ...string) string {
	return azure.NewID(s.azure.SubscriptionID(), group, "Microsoft.Network", typeAndNames...).String()
}

func (s *Service) diskID(group, name string) string {
	return azure.NewID(s.azure.SubscriptionID(), group, "Microsoft.Compute", "disks", name).String()
}
