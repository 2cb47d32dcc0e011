// Package disk lists disks, makes them from snapshots of others, and keeps the snapshots through which they travel.
package disk

import "github.com/azlin-dev/azlin/azure"

// Service is the managed disks and snapshots of one subscription. It may be used by several goroutines.
type Service struct {
	azure *azure.Client
}

// New returns the service of c's subscription. It sends nothing.
func New(c *azure.Client) *Service { return &Service{azure: c} }
