package azure

import (
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
)

// These functions return the user of a resource; empty: none. Tear-down and the search for orphans both use them, so that
// both decide alike.

// PublicIPUsedBy returns the id or kind of the address's user: an ip configuration of a NIC, load balancer or gateway, or a
// NAT gateway.
func PublicIPUsedBy(ip *armnetwork.PublicIPAddress) string {
	p := ip.Properties
	switch {
	case p == nil:
		return ""
	case p.IPConfiguration != nil && p.IPConfiguration.ID != nil:
		return *p.IPConfiguration.ID
	case p.NatGateway != nil:
		return idOr(p.NatGateway.ID, "a NAT gateway")
	case p.LinkedPublicIPAddress != nil:
		return idOr(p.LinkedPublicIPAddress.ID, "a linked public address")
	case p.ServicePublicIPAddress != nil:
		return idOr(p.ServicePublicIPAddress.ID, "a service's public address")
	}
	return ""
}

// NICUsedBy returns the user of the network interface: a VM, a private endpoint, a private link service or a workload that
// Azure hosts on it.
func NICUsedBy(nic *armnetwork.Interface) string {
	p := nic.Properties
	switch {
	case p == nil:
		return ""
	case p.VirtualMachine != nil && p.VirtualMachine.ID != nil:
		return *p.VirtualMachine.ID
	case p.PrivateEndpoint != nil:
		return idOr(p.PrivateEndpoint.ID, "a private endpoint")
	case p.PrivateLinkService != nil:
		return idOr(p.PrivateLinkService.ID, "a private link service")
	case len(p.HostedWorkloads) > 0 && p.HostedWorkloads[0] != nil:
		return *p.HostedWorkloads[0]
	}
	return ""
}

// DiskUsedBy returns the user of the disk: a VM, or the holder of an access signature.
func DiskUsedBy(disk *armcompute.Disk) string {
	if disk.ManagedBy != nil && *disk.ManagedBy != "" {
		return *disk.ManagedBy
	}
	for _, id := range disk.ManagedByExtended {
		if id != nil && *id != "" {
			return *id
		}
	}
	if p := disk.Properties; p != nil {
		return usedInState(p.DiskState)
	}
	return ""
}

// SnapshotUsedBy returns the user of the snapshot: the holder of an access signature. Disks made from a snapshot do not need
// it.
func SnapshotUsedBy(snapshot *armcompute.Snapshot) string {
	if p := snapshot.Properties; p != nil {
		return usedInState(p.DiskState)
	}
	return ""
}

func usedInState(state *armcompute.DiskState) string {
	if state == nil {
		return ""
	}
	switch *state {
	case armcompute.DiskStateActiveSAS, armcompute.DiskStateActiveSASFrozen:
		return "an active shared access signature"
	case armcompute.DiskStateActiveUpload, armcompute.DiskStateReadyToUpload:
		return "an upload"
	}
	return ""
}

// NSGUsedBy returns the ids of the network interfaces and subnets that the security group protects.
func NSGUsedBy(nsg *armnetwork.SecurityGroup) []string {
	if nsg.Properties == nil {
		return nil
	}
	var out []string
	for _, nic := range nsg.Properties.NetworkInterfaces {
		if nic != nil {
			out = append(out, idOr(nic.ID, "a network interface"))
		}
	}
	for _, subnet := range nsg.Properties.Subnets {
		if subnet != nil {
			out = append(out, idOr(subnet.ID, "a subnet"))
		}
	}
	return out
}

func idOr(id *string, other string) string {
	if id == nil || *id == "" {
		return other
	}
	return *id
}

// CreatedAt reads the tag azlin-created. ok is false when it is absent or not an RFC 3339 time.
func CreatedAt(tags map[string]string) (at time.Time, ok bool) {
	v, _ := Tag(tags, TagCreated)
	at, err := time.Parse(time.RFC3339, v)
	return at.UTC(), err == nil
}
