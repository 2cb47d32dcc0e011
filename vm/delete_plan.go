package vm

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/teardown"
	"github.com/azlin-dev/azlin/network"
)

// deletion collects the plan for one VM.
type deletion struct {
	*Service
	teardown.Plan
}

// plan adds a resource to the deletion.
func (d *deletion) plan(id azure.ID) {
	if item, ok := teardown.Of(d.azure, id); ok {
		d.Add(item)
	}
}

// nsgID is the ARM id of a network security group of this subscription.
func (s *Service) nsgID(group, name string) string {
	return azure.NewID(s.azure.SubscriptionID(), group, "Microsoft.Network", "networkSecurityGroups", name).String()
}

// planDeletion reads what the VM refers to, then looks for other resources with the names that a create of this VM uses.
func (s *Service) planDeletion(ctx context.Context, ref Ref) (*deletion, error) {
	d := &deletion{Service: s, Plan: teardown.Plan{VM: ref.Name}}
	resp, err := s.azure.VMs().Get(ctx, ref.ResourceGroup, ref.Name, nil)
	switch {
	case err == nil:
		if err := d.fromVM(ctx, &resp.VirtualMachine); err != nil {
			return nil, err
		}
	case !azure.IsNotFound(err):
		return nil, azure.Wrap("get vm", ref.Name, err)
	}
	if azure.Code(azure.Wrap("", "", err)) == "ResourceGroupNotFound" {
		return d, nil
	}
	if err := d.leftBehind(ctx, ref.ResourceGroup); err != nil {
		return nil, err
	}
	return d, d.network.PlanEgress(ctx, ref.ResourceGroup, &d.Plan)
}

// fromVM plans the VM and what it refers to.
func (d *deletion) fromVM(ctx context.Context, m *armcompute.VirtualMachine) error {
	id, err := azure.ParseID(azure.Value(m.ID))
	if err != nil {
		return err
	}
	d.plan(id)
	if m.Properties == nil {
		return nil
	}
	for _, nicID := range nicIDs(m.Properties.NetworkProfile) {
		nic, err := d.network.NIC(ctx, nicID)
		if err != nil {
			return err
		}
		if nic != nil {
			if err := d.nic(ctx, nic, id); err != nil {
				return err
			}
		}
	}
	for _, diskID := range FromModel(m).Disks {
		disk, err := d.getDisk(ctx, diskID)
		if err != nil {
			return err
		}
		if disk != nil {
			d.disk(disk, id)
		}
	}
	return nil
}

// nic plans a network interface that only vm uses, its addresses and its security group.
func (d *deletion) nic(ctx context.Context, nic *armnetwork.Interface, vm azure.ID) error {
	id, err := azure.ParseID(azure.Value(nic.ID))
	if err != nil {
		return err
	}
	if by := azure.NICUsedBy(nic); by != "" && !azure.SameID(by, vm.String()) {
		d.Keep("nic", id, "used by "+by)
		return nil
	}
	d.plan(id)
	for _, cfg := range network.IPConfigurations(nic) {
		if cfg.Properties.Subnet != nil {
			d.keepNetwork(azure.Value(cfg.Properties.Subnet.ID))
		}
		if cfg.Properties.PublicIPAddress == nil {
			continue
		}
		ip, err := d.network.Address(ctx, azure.Value(cfg.Properties.PublicIPAddress.ID))
		if err != nil {
			return err
		}
		if ip != nil {
			d.ip(ip, id)
		}
	}
	if nsg := nic.Properties.NetworkSecurityGroup; nsg != nil {
		return d.nsg(ctx, azure.Value(nsg.ID))
	}
	return nil
}

// ip plans a public address that nothing but nic uses.
func (d *deletion) ip(ip *armnetwork.PublicIPAddress, nic azure.ID) {
	id, err := azure.ParseID(azure.Value(ip.ID))
	if err != nil || d.Seen(id) {
		return
	}
	if by := azure.PublicIPUsedBy(ip); by != "" && !strings.HasPrefix(azure.IDKey(by), nic.Key()+"/") {
		d.Keep("public-ip", id, "used by "+by)
		return
	}
	d.plan(id)
}

// nsg plans a security group that azlin made and that protects nothing outside the plan.
func (d *deletion) nsg(ctx context.Context, nsgID string) error {
	id, err := azure.ParseID(nsgID)
	if err != nil || d.Seen(id) {
		return err
	}
	resp, err := d.azure.NSGs().Get(ctx, id.ResourceGroup, id.Name(), nil)
	if azure.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return azure.Wrap("get network security group", id.Name(), err)
	}
	if !azure.Managed(azure.Tags(resp.Tags)) {
		d.Keep("nsg", id, "not made by azlin")
		return nil
	}
	for _, by := range azure.NSGUsedBy(&resp.SecurityGroup) {
		if !d.Has(by) {
			d.Keep("nsg", id, "used by "+by)
			return nil
		}
	}
	d.plan(id)
	return nil
}

// disk plans a disk that only vm uses.
func (d *deletion) disk(disk *armcompute.Disk, vm azure.ID) {
	id, err := azure.ParseID(azure.Value(disk.ID))
	if err != nil || d.Seen(id) {
		return
	}
	if by := azure.DiskUsedBy(disk); by != "" && !azure.SameID(by, vm.String()) {
		d.Keep("disk", id, "used by "+by)
		return
	}
	for _, other := range disk.ManagedByExtended {
		if !azure.SameID(azure.Value(other), vm.String()) {
			d.Keep("disk", id, "shared with "+azure.Value(other))
			return
		}
	}
	d.plan(id)
}

func (s *Service) getDisk(ctx context.Context, diskID string) (*armcompute.Disk, error) {
	id, err := azure.ParseID(diskID)
	if err != nil {
		return nil, err
	}
	resp, err := s.azure.Disks().Get(ctx, id.ResourceGroup, id.Name(), nil)
	if azure.IsNotFound(err) {
		return nil, nil
	}
	return &resp.Disk, azure.Wrap("get disk", id.Name(), err)
}

// networkStays is the reason to keep a VM's network, even if no other VM is in it.
const networkStays = "the VMs of a region share it; it costs nothing, and is deleted with the resource group"

// keepNetwork reports the network of a subnet as kept, because it is shared.
func (d *deletion) keepNetwork(subnet string) {
	if id, err := azure.ParseID(subnet); err == nil {
		d.Keep("vnet", id.Parent(), networkStays)
	}
}
