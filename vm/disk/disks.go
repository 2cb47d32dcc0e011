package disk

import (
	"context"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
)

// Disk is a managed disk, with the properties that determine its price.
type Disk struct {
	ID     string
	Type   string // "Premium_LRS"; empty: unknown
	SizeGB int    // 0: unknown
}

// List lists the managed disks of a group; empty: of the subscription (one request, plus one per further page).
func (s *Service) List(ctx context.Context, group string) ([]Disk, error) {
	var found []*armcompute.Disk
	var err error
	if group == "" {
		found, err = azure.Pages(ctx, "list disks", s.azure.Disks().NewListPager(nil),
			func(p armcompute.DisksClientListResponse) []*armcompute.Disk { return p.Value })
	} else {
		found, err = azure.Pages(ctx, "list disks", s.azure.Disks().NewListByResourceGroupPager(group, nil),
			func(p armcompute.DisksClientListByResourceGroupResponse) []*armcompute.Disk { return p.Value })
	}
	if err != nil {
		return nil, azure.Wrap("list disks", group, err)
	}
	disks := make([]Disk, 0, len(found))
	for _, d := range found {
		disk := Disk{ID: azure.Value(d.ID)}
		if d.SKU != nil && d.SKU.Name != nil {
			disk.Type = string(*d.SKU.Name)
		}
		if d.Properties != nil && d.Properties.DiskSizeGB != nil {
			disk.SizeGB = int(*d.Properties.DiskSizeGB)
		}
		disks = append(disks, disk)
	}
	return disks, nil
}

// Of returns the disks with these ids, in that order. An id that is not among all gives a disk without type and size.
func Of(ids []string, all []Disk) []Disk {
	disks := make([]Disk, 0, len(ids))
	for _, id := range ids {
		one := Disk{ID: id}
		for _, d := range all {
			if strings.EqualFold(d.ID, id) {
				one = d
			}
		}
		disks = append(disks, one)
	}
	return disks
}
