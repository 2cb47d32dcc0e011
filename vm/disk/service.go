// Package disk lists disks, creates them from snapshots of others, and manages the snapshots in between.
package disk

import "github.com/azlin-dev/azlin/azure"

// Service manages the disks and snapshots of one subscription. It is safe for concurrent use.
type Service struct {
	azure *azure.Client
}

// New returns the service of c's subscription. It sends no request.
func New(c *azure.Client) *Service { return &Service{azure: c} }
