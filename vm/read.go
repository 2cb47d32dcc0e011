package vm

import (
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/network"
)

// FromModel reads the properties in the VM's own resource.
func FromModel(m *armcompute.VirtualMachine) Info {
	tags := azure.Tags(m.Tags)
	i := Info{
		Ref: Ref{Name: azure.Value(m.Name)}, ID: azure.Value(m.ID), Location: azure.Value(m.Location), Tags: tags,
		PowerState: UnknownState, Managed: azure.Managed(tags),
	}
	i.SessionName, _ = azure.Tag(tags, azure.TagSession)
	if id, err := azure.ParseID(i.ID); err == nil {
		i.ResourceGroup = id.ResourceGroup
	}
	for _, z := range m.Zones {
		i.Zones = append(i.Zones, azure.Value(z))
	}
	p := m.Properties
	if p == nil {
		return i
	}
	i.ProvisioningState, i.VMID = azure.Value(p.ProvisioningState), azure.Value(p.VMID)
	if p.TimeCreated != nil {
		t := p.TimeCreated.UTC()
		i.CreatedTime = &t
	}
	if p.HardwareProfile != nil {
		i.VMSize = string(azure.Value(p.HardwareProfile.VMSize))
	}
	if p.OSProfile != nil {
		i.AdminUsername = azure.Value(p.OSProfile.AdminUsername)
	} else { // for a VM that was created from a disk, Azure has none
		i.AdminUsername, _ = azure.Tag(i.Tags, azure.TagUser)
	}
	i.Spot = azure.Value(p.Priority) == armcompute.VirtualMachinePriorityTypesSpot
	i.Identity = IdentityOf(m.Identity)
	if sp := p.StorageProfile; sp != nil {
		i.Image = imageOf(sp.ImageReference)
		if sp.OSDisk != nil {
			i.OSType = string(azure.Value(sp.OSDisk.OSType))
			if sp.OSDisk.ManagedDisk != nil && sp.OSDisk.ManagedDisk.ID != nil {
				i.Disks = append(i.Disks, *sp.OSDisk.ManagedDisk.ID)
			}
		}
		for _, d := range sp.DataDisks {
			if d != nil && d.ManagedDisk != nil && d.ManagedDisk.ID != nil {
				i.Disks = append(i.Disks, *d.ManagedDisk.ID)
			}
		}
	}
	i.NICs = nicIDs(p.NetworkProfile)
	i.spellGroup()
	if p.InstanceView != nil {
		i.PowerState, i.ChangedTime = PowerStateOf(p.InstanceView.Statuses), changedTime(p.InstanceView.Statuses)
	}
	return i
}

// imageOf returns an image's name in the form of Azure's tools.
func imageOf(r *armcompute.ImageReference) string {
	switch {
	case r == nil:
		return ""
	case azure.Value(r.ID) != "":
		return *r.ID
	}
	return strings.Join([]string{azure.Value(r.Publisher), azure.Value(r.Offer), azure.Value(r.SKU), azure.Value(r.Version)}, ":")
}

// IdentityOf is "system" for a system-assigned identity, else the id of the first user-assigned one; empty: none.
func IdentityOf(identity *armcompute.VirtualMachineIdentity) string {
	if identity == nil || identity.Type == nil || *identity.Type == armcompute.ResourceIdentityTypeNone {
		return ""
	}
	if strings.Contains(string(*identity.Type), string(armcompute.ResourceIdentityTypeSystemAssigned)) {
		return "system"
	}
	least := ""
	for id := range identity.UserAssignedIdentities {
		if least == "" || id < least {
			least = id
		}
	}
	return least
}

// spellGroup restores the group's original spelling. Lists of a subscription may return it in capitals, except in the ids of
// disks and network interfaces in the same answer.
func (i *Info) spellGroup() {
	for _, other := range slices.Concat(i.NICs, i.Disks) {
		id, err := azure.ParseID(other)
		if err != nil || !strings.EqualFold(id.ResourceGroup, i.ResourceGroup) {
			continue
		}
		if own, err := azure.ParseID(i.ID); err == nil {
			own.ResourceGroup, i.ResourceGroup = id.ResourceGroup, id.ResourceGroup
			i.ID = own.String()
		}
		return
	}
}

// nicIDs returns the ids of a VM's network interfaces, the primary one first.
func nicIDs(n *armcompute.NetworkProfile) []string {
	if n == nil {
		return nil
	}
	var ids []string
	for _, ref := range n.NetworkInterfaces {
		if ref == nil || ref.ID == nil {
			continue
		}
		if ref.Properties != nil && azure.Value(ref.Properties.Primary) {
			ids = append([]string{*ref.ID}, ids...)
			continue
		}
		ids = append(ids, *ref.ID)
	}
	return ids
}

// PowerStateOf finds the PowerState/… among the statuses of an instance view.
func PowerStateOf(statuses []*armcompute.InstanceViewStatus) PowerState {
	for _, st := range statuses {
		if st == nil {
			continue
		}
		if kind, state, ok := strings.Cut(azure.Value(st.Code), "/"); ok && strings.EqualFold(kind, "PowerState") {
			return PowerState(strings.ToLower(state))
		}
	}
	return UnknownState
}

// changedTime is the time of the last operation, which is part of its status.
func changedTime(statuses []*armcompute.InstanceViewStatus) *time.Time {
	for _, st := range statuses {
		if st != nil && st.Time != nil && strings.HasPrefix(strings.ToLower(azure.Value(st.Code)), "provisioningstate/") {
			return new(st.Time.UTC())
		}
	}
	return nil
}

// Addresses maps ids (as azure.IDKey) to addresses.
type Addresses struct {
	Nics map[string]*armnetwork.Interface
	Ips  map[string]*armnetwork.PublicIPAddress
}

// Fill sets the addresses of the first network interface that has one.
func (a Addresses) Fill(i *Info) {
	for _, id := range i.NICs {
		nic := a.Nics[azure.IDKey(id)]
		if nic == nil {
			continue
		}
		for _, cfg := range network.IPConfigurations(nic) {
			if i.PrivateIP == "" {
				i.PrivateIP = azure.Value(cfg.Properties.PrivateIPAddress)
			}
			if i.Subnet == "" && cfg.Properties.Subnet != nil {
				i.Subnet = azure.Value(cfg.Properties.Subnet.ID)
			}
			if i.PublicIP != "" || cfg.Properties.PublicIPAddress == nil {
				continue
			}
			if ip := a.Ips[azure.IDKey(azure.Value(cfg.Properties.PublicIPAddress.ID))]; ip != nil && ip.Properties != nil {
				i.PublicIP = azure.Value(ip.Properties.IPAddress)
			}
		}
	}
}
