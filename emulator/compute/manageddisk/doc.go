// Package manageddisk emulates the managed disks and snapshots of Microsoft.Compute.
package manageddisk

import (
	"context"

	"github.com/azlin-dev/azlin/emulator/arm"
)

// Contents keeps what is on disks, by keys; compute.Hosts says how.
type Contents interface {
	Stop(ctx context.Context, id string) error
	Keep(ctx context.Context, id, key string) error
	CopyKept(ctx context.Context, from, to string) error
	Forget(key string)
}

// Disks are the disks and snapshots on a server.
type Disks struct {
	s        *arm.Server
	hosts    Contents
	released func(vm *arm.Resource) bool
}

// Register adds disks and snapshots to a server. hosts may be nil: then nothing is on them. released reports whether a VM
// has given its hardware back.
func Register(s *arm.Server, hosts Contents, released func(vm *arm.Resource) bool) *Disks {
	p := &Disks{s: s, hosts: hosts, released: released}
	p.disks()
	p.snapshots()
	return p
}
