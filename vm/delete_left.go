package vm

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// leftBehind plans what exists under the names that a create of this VM gives, is azlin's, and is not
// in the plan yet: what an unfinished create or delete has left. A name alone is not enough.
func (d *deletion) leftBehind(ctx context.Context, group string) error {
	names := NamesOf(d.vm)
	vm := azure.NewID(d.azure.SubscriptionID(), group, "Microsoft.Compute", "virtualMachines", d.vm)
	nicID := d.networkID(group, "networkInterfaces", names.NIC)
	ipID := d.networkID(group, "publicIPAddresses", names.PublicIP)
	var nic *armnetwork.Interface
	var ip *armnetwork.PublicIPAddress
	disks := make([]*armcompute.Disk, 1+maxDataDisks)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	if !d.seen[azure.IDKey(nicID)] {
		g.Go(func() (err error) { nic, err = d.getNIC(gctx, nicID); return err })
	}
	if !d.seen[azure.IDKey(ipID)] {
		g.Go(func() (err error) { ip, err = d.getIP(gctx, ipID); return err })
	}
	g.Go(func() error {
		// Data disks are numbered without a gap, so the first absent one ends the search.
		for i := range disks {
			id := d.diskID(group, names.OSDisk)
			if i > 0 {
				id = d.diskID(group, names.DataDisk(i-1))
			}
			if d.seen[azure.IDKey(id)] {
				continue
			}
			var err error
			if disks[i], err = d.getDisk(gctx, id); err != nil {
				return err
			}
			if i > 0 && disks[i] == nil {
				return nil
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if nic != nil && azure.Managed(azure.Tags(nic.Tags)) {
		if err := d.nic(ctx, nic, vm); err != nil {
			return err
		}
	}
	if ip != nil && azure.Managed(azure.Tags(ip.Tags)) {
		id, err := azure.ParseID(nicID)
		if err != nil {
			return err
		}
		d.ip(ip, id)
	}
	for _, disk := range disks {
		if disk != nil && azure.Managed(azure.Tags(disk.Tags)) {
			d.disk(disk, vm)
		}
	}
	return d.nsg(ctx, d.networkID(group, "networkSecurityGroups", names.NSG)) // asks Managed itself
}

// maxDataDisks is the most that any size takes.
const maxDataDisks = 64

// locksVersion is the api-version of Microsoft.Authorization/locks.
const locksVersion = "2016-09-01"

// nameLocks adds to Azure's refusal which locks hold the resource, as far as they may be read.
func (s *Service) nameLocks(ctx context.Context, id string, err error) error {
	if err == nil || !strings.EqualFold(azure.Code(err), "ScopeLocked") {
		return err
	}
	var names []string
	perr := s.azure.Page(ctx, id+"/providers/Microsoft.Authorization/locks", locksVersion, func(page []byte) error {
		var list struct {
			Value []struct {
				ID         string `json:"id"`
				Name       string `json:"name"`
				Properties struct {
					Level string `json:"level"`
				} `json:"properties"`
			} `json:"value"`
		}
		if err := json.Unmarshal(page, &list); err != nil {
			return err
		}
		for _, l := range list.Value {
			names = append(names, l.Name+" ("+l.Properties.Level+")")
		}
		return nil
	})
	if perr != nil || len(names) == 0 {
		return err // Azure's own words name the locked scope
	}
	slices.Sort(names)
	return &errkind.Error{
		Kind: errkind.Conflict, Op: "delete", Resource: id, Code: "ScopeLocked",
		Err: errkind.New(errkind.Conflict, "locked by %s: remove the lock first (az lock delete)", strings.Join(names, ", ")),
	}
}
