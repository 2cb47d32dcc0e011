package vm

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
)

// planned is one resource to delete. Ranks order the deletions: what uses another goes before it.
type planned struct {
	kind   string
	id     azure.ID
	vm     string
	rank   int
	delete func(context.Context) error
	exists func(context.Context) (bool, error)
}

const (
	rankVM = iota
	rankNIC
	rankLeaf // addresses, security groups and disks: nothing of the plan hangs on them
	rankSubnet
	rankGateway
	rankAddress // of a gateway
)

func (p planned) result(err error) DeletionResult {
	return DeletionResult{ResourceType: p.kind, ResourceName: p.id.Name(), VM: p.vm, ID: p.id.String(), Err: err}
}

// deletion collects the plan for one VM.
type deletion struct {
	*Service
	vm    string
	items []planned
	seen  map[string]bool // keys of ids in items or kept
	kept  []Kept
}

// planDeletion reads what the VM refers to, and then what else has the names that a create of this
// VM would have given.
func (s *Service) planDeletion(ctx context.Context, group, name string) (*deletion, error) {
	d := &deletion{Service: s, vm: name, seen: map[string]bool{}}
	resp, err := s.azure.VMs().Get(ctx, group, name, nil)
	switch {
	case err == nil:
		if err := d.fromVM(ctx, &resp.VirtualMachine); err != nil {
			return nil, err
		}
	case !azure.IsNotFound(err):
		return nil, azure.Wrap("get vm", name, err)
	}
	if azure.Code(azure.Wrap("", "", err)) == "ResourceGroupNotFound" {
		return d, nil
	}
	if err := d.leftBehind(ctx, group); err != nil {
		return nil, err
	}
	return d, d.egress(ctx, group)
}

// fromVM plans the VM and what it refers to.
func (d *deletion) fromVM(ctx context.Context, m *armcompute.VirtualMachine) error {
	id, err := azure.ParseID(azure.Value(m.ID))
	if err != nil {
		return err
	}
	d.add(planned{
		kind: "vm", id: id, rank: rankVM,
		delete: func(ctx context.Context) error {
			_, err := azure.Run(ctx, d.azure, "delete vm", id.Name(), func(ctx context.Context) (*runtime.Poller[armcompute.VirtualMachinesClientDeleteResponse], error) {
				return d.azure.VMs().BeginDelete(ctx, id.ResourceGroup, id.Name(), nil)
			})
			return err
		},
		exists: func(ctx context.Context) (bool, error) {
			_, err := d.azure.VMs().Get(ctx, id.ResourceGroup, id.Name(), nil)
			return present(err)
		},
	})
	if m.Properties == nil {
		return nil
	}
	for _, nicID := range nicIDs(m.Properties.NetworkProfile) {
		nic, err := d.getNIC(ctx, nicID)
		if err != nil {
			return err
		}
		if nic != nil {
			if err := d.nic(ctx, nic, id); err != nil {
				return err
			}
		}
	}
	for _, diskID := range fromModel(m).Disks {
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
		d.keep("nic", id, "used by "+by)
		return nil
	}
	d.add(d.plannedNIC(id))
	for _, cfg := range ipConfigurations(nic) {
		if cfg.Properties.Subnet != nil {
			d.keepNetwork(azure.Value(cfg.Properties.Subnet.ID))
		}
		if cfg.Properties.PublicIPAddress == nil {
			continue
		}
		ip, err := d.getIP(ctx, azure.Value(cfg.Properties.PublicIPAddress.ID))
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
	if err != nil || d.seen[id.Key()] {
		return
	}
	if by := azure.PublicIPUsedBy(ip); by != "" && !strings.HasPrefix(azure.IDKey(by), nic.Key()+"/") {
		d.keep("public-ip", id, "used by "+by)
		return
	}
	d.add(d.plannedAddress(id, rankLeaf))
}

// nsg plans a security group that azlin made and that protects nothing outside the plan.
func (d *deletion) nsg(ctx context.Context, nsgID string) error {
	id, err := azure.ParseID(nsgID)
	if err != nil || d.seen[id.Key()] {
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
		d.keep("nsg", id, "not made by azlin")
		return nil
	}
	for _, by := range azure.NSGUsedBy(&resp.SecurityGroup) {
		if !d.planned(by) {
			d.keep("nsg", id, "used by "+by)
			return nil
		}
	}
	d.add(d.plannedNSG(id))
	return nil
}

// disk plans a disk that only vm uses.
func (d *deletion) disk(disk *armcompute.Disk, vm azure.ID) {
	id, err := azure.ParseID(azure.Value(disk.ID))
	if err != nil || d.seen[id.Key()] {
		return
	}
	if by := azure.DiskUsedBy(disk); by != "" && !azure.SameID(by, vm.String()) {
		d.keep("disk", id, "used by "+by)
		return
	}
	for _, other := range disk.ManagedByExtended {
		if !azure.SameID(azure.Value(other), vm.String()) {
			d.keep("disk", id, "shared with "+azure.Value(other))
			return
		}
	}
	d.add(d.plannedDisk(id))
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

func (d *deletion) add(p planned) {
	if d.seen[p.id.Key()] {
		return
	}
	d.seen[p.id.Key()] = true
	p.vm = d.vm
	d.items = append(d.items, p)
}

func (d *deletion) keep(kind string, id azure.ID, why string) {
	if d.seen[id.Key()] {
		return
	}
	d.seen[id.Key()] = true
	d.kept = append(d.kept, Kept{ResourceType: kind, ResourceName: id.Name(), Reason: why})
}

// networkStays is why the network of a VM is kept, whether there are other VMs in it or not.
const networkStays = "the VMs of a region share it; it costs nothing, and goes with 'azlin destroy'"

// keepNetwork names the network of a subnet: it is shared, and stays.
func (d *deletion) keepNetwork(subnet string) {
	if id, err := azure.ParseID(subnet); err == nil {
		d.keep("vnet", id.Parent(), networkStays)
	}
}

// planned says whether id is among what will be deleted.
func (d *deletion) planned(id string) bool {
	for _, p := range d.items {
		if azure.SameID(p.id.String(), id) {
			return true
		}
	}
	return false
}

// present reads the answer to a GET that only asks whether something is there.
func present(err error) (bool, error) {
	if azure.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}
