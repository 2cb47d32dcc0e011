package vm

import (
	"context"
	"encoding/json"
	"regexp"
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
	if err := d.bakedFrom(ctx, group); err != nil {
		return err
	}
	// Both ask themselves whether it is azlin's and unused.
	if err := d.nsg(ctx, d.networkID(group, "networkSecurityGroups", names.NSG)); err != nil {
		return err
	}
	if pool, ok := poolOf(d.vm); ok {
		return d.nsg(ctx, d.networkID(group, "networkSecurityGroups", NamesOf(pool).NSG))
	}
	return nil
}

// builderName is what the temporary VM of an image is called, and bakeSnapshot the snapshot that it begins with.
var builderName = regexp.MustCompile(`-bake-[0-9a-f]{10}$`)

// BakeSnapshot is the name of the snapshot that the temporary VM of an image begins with.
func BakeSnapshot(builder string) string { return builder + "-disk" }

// bakedFrom plans the snapshot of the temporary VM of an image.
func (d *deletion) bakedFrom(ctx context.Context, group string) error {
	if !builderName.MatchString(d.vm) {
		return nil
	}
	name := BakeSnapshot(d.vm)
	resp, err := d.azure.Snapshots().Get(ctx, group, name, nil)
	if err := azure.Wrap("get snapshot", name, err); err != nil {
		if azure.IsNotFound(err) {
			return nil
		}
		return err
	}
	tags := azure.Tags(resp.Tags)
	if kind, _, ok := CopySnapshot(tags); ok && kind == "bake" {
		d.add(d.plannedSnapshot(azure.NewID(d.azure.SubscriptionID(), group, "Microsoft.Compute", "snapshots", name)))
	}
	return nil
}

// CopySnapshot reads the tags of a snapshot through which a disk travels to other VMs, and which goes when it has: kind
// and rest are those of CopyOperation. ok is whether it is one.
func CopySnapshot(tags map[string]string) (kind, rest string, ok bool) {
	tag, _ := azure.Tag(tags, azure.TagOperation)
	parts := strings.Split(tag, ":")
	if !azure.Managed(tags) || len(parts) != 3 || parts[2] != "snapshot" || parts[0] != "clone" && parts[0] != "bake" {
		return "", "", false
	}
	return parts[0], parts[1], true
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
