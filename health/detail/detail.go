// Package detail reports what one VM is made of, its cost, who can sign in and how it is reached. It changes nothing and
// does not connect to the VM; package status does.
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
	SizeGB *int   `json:"size_gb"` // nil: unknown
	Type   string `json:"type"`    // "Premium_LRS"; empty: unknown
}

// VM is a VM with its details. Failed look-ups are in Unknown.
type VM struct {
	Info vm.Info

	Disks   []Disk
	Cost    cost.Estimate
	Monthly *cost.Money // including everything that is billed while nothing changes; nil: unknown
	Sources []string    // sources that its security groups admit to SSH, "any" for everyone; nil: unknown
	Bastion string      // that reaches it if it has no public address; empty: none, or unknown

	Unknown []error // why details are unknown
}

// Of reads the details of a listed VM in parallel.
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
