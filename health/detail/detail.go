// Package detail says what one VM is made of, what it costs, who may come in and by which way. It changes nothing and does not
// ask the VM itself; package status does.
package detail

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/health/status"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/disk"
)

// Reader reads the details of VMs.
type Reader struct {
	Disks    *disk.Service
	Networks *network.Service
	Hosts    reach.Finder
	Statuses status.Dashboard // for prices
}

// Disk is one disk of a VM.
type Disk struct {
	Name   string `json:"name"`
	Role   string `json:"role"`    // "os" or "data"
	SizeGB *int   `json:"size_gb"` // nil: not known
	Type   string `json:"type"`    // "Premium_LRS"; empty: not known
}

// VM is a VM with its details. What could not be read is in Unknown.
type VM struct {
	Info vm.Info

	Disks   []Disk
	Cost    cost.Estimate
	Monthly *cost.Money // with everything that is paid for as long as nothing changes; nil: not known
	Sources []string    // from where its security groups admit SSH, "any" for everybody; nil: not known
	Bastion string      // that leads to it when it has no public address; empty: none does, or not known

	Unknown []error // why something is not known
}

// Of reads the details of a VM that was listed before, all at once.
func (r Reader) Of(ctx context.Context, i vm.Info) VM {
	v := VM{Info: i}
	var disks []disk.Disk
	var failures [3]error
	var all errgroup.Group
	all.Go(func() error {
		if disks, failures[0] = r.Disks.List(ctx, i.ResourceGroup); failures[0] != nil {
			failures[0] = fmt.Errorf("disks: %w", failures[0])
		}
		v.Cost, v.Monthly = r.Statuses.Estimate(ctx, i, disks)
		return nil
	})
	all.Go(func() error {
		if v.Sources, failures[1] = r.Networks.SSHSources(ctx, i.NICs, 0); failures[1] != nil {
			failures[1] = fmt.Errorf("security groups: %w", failures[1])
		}
		return nil
	})
	all.Go(func() error {
		if i.PublicIP != "" {
			return nil
		}
		b, err := r.Hosts.Bastion(ctx, i, "")
		if err == nil {
			v.Bastion = b.Name
		} else if errkind.Of(err) != errkind.Unreachable {
			failures[2] = fmt.Errorf("bastions: %w", err)
		}
		return nil
	})
	_ = all.Wait() // none returns an error
	for n, d := range disk.Of(i.Disks, disks) {
		one := Disk{Name: d.ID, Role: "data", Type: d.Type}
		if id, err := azure.ParseID(d.ID); err == nil {
			one.Name = id.Name()
		}
		if n == 0 {
			one.Role = "os"
		}
		if d.SizeGB > 0 {
			one.SizeGB = &d.SizeGB
		}
		v.Disks = append(v.Disks, one)
	}
	for _, err := range failures {
		if err != nil {
			v.Unknown = append(v.Unknown, err)
		}
	}
	return v
}
