package vm

import (
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/pacing"
	"github.com/azlin-dev/azlin/errkind"
)

func (s *Service) plannedNIC(id azure.ID) planned {
	return planned{
		kind: "nic", id: id, rank: rankNIC,
		delete: func(ctx context.Context) error {
			_, err := azure.Run(ctx, s.azure, "delete network interface", id.Name(), func(ctx context.Context) (*runtime.Poller[armnetwork.InterfacesClientDeleteResponse], error) {
				return s.azure.NICs().BeginDelete(ctx, id.ResourceGroup, id.Name(), nil)
			})
			return err
		},
		exists: func(ctx context.Context) (bool, error) {
			n, err := s.getNIC(ctx, id.String())
			return n != nil, err
		},
	}
}

func (s *Service) plannedAddress(id azure.ID, rank int) planned {
	return planned{
		kind: "public-ip", id: id, rank: rank,
		delete: func(ctx context.Context) error {
			_, err := azure.Run(ctx, s.azure, "delete public address", id.Name(), func(ctx context.Context) (*runtime.Poller[armnetwork.PublicIPAddressesClientDeleteResponse], error) {
				return s.azure.PublicIPs().BeginDelete(ctx, id.ResourceGroup, id.Name(), nil)
			})
			return err
		},
		exists: func(ctx context.Context) (bool, error) {
			ip, err := s.getIP(ctx, id.String())
			return ip != nil, err
		},
	}
}

func (s *Service) plannedNSG(id azure.ID) planned {
	return planned{
		kind: "nsg", id: id, rank: rankLeaf,
		delete: func(ctx context.Context) error {
			_, err := azure.Run(ctx, s.azure, "delete network security group", id.Name(), func(ctx context.Context) (*runtime.Poller[armnetwork.SecurityGroupsClientDeleteResponse], error) {
				return s.azure.NSGs().BeginDelete(ctx, id.ResourceGroup, id.Name(), nil)
			})
			return err
		},
		exists: func(ctx context.Context) (bool, error) {
			_, err := s.azure.NSGs().Get(ctx, id.ResourceGroup, id.Name(), nil)
			return present(err)
		},
	}
}

func (s *Service) plannedDisk(id azure.ID) planned {
	return planned{
		kind: "disk", id: id, rank: rankLeaf,
		delete: func(ctx context.Context) error {
			_, err := azure.Run(ctx, s.azure, "delete disk", id.Name(), func(ctx context.Context) (*runtime.Poller[armcompute.DisksClientDeleteResponse], error) {
				return s.azure.Disks().BeginDelete(ctx, id.ResourceGroup, id.Name(), nil)
			})
			return err
		},
		exists: func(ctx context.Context) (bool, error) {
			found, err := s.getDisk(ctx, id.String())
			return found != nil, err
		},
	}
}

func (s *Service) plannedSnapshot(id azure.ID) planned {
	return planned{
		kind: "snapshot", id: id, rank: rankLeaf,
		delete: func(ctx context.Context) error {
			_, err := azure.Run(ctx, s.azure, "delete snapshot", id.Name(), func(ctx context.Context) (*runtime.Poller[armcompute.SnapshotsClientDeleteResponse], error) {
				return s.azure.Snapshots().BeginDelete(ctx, id.ResourceGroup, id.Name(), nil)
			})
			return err
		},
		exists: func(ctx context.Context) (bool, error) {
			_, err := s.azure.Snapshots().Get(ctx, id.ResourceGroup, id.Name(), nil)
			return present(err)
		},
	}
}

// Unneeded is a resource for DeleteUnneeded.
type Unneeded struct {
	ID string // of a network interface, public address, security group, disk or snapshot
	// Needed is asked right before the deletion whether somebody needs it after all, and why; "" is nobody.
	Needed func(ctx context.Context) (why string, err error)
}

// ErrNeeded is the cause of a failed result when somebody needs the resource after all. It was not touched.
var ErrNeeded = errors.New("it is needed again")

// DeleteUnneeded deletes resources that belong to no VM, as Delete does: network interfaces first, several at once, and
// with a look afterwards whether they are gone. The results are in the order of all.
func (s *Service) DeleteUnneeded(ctx context.Context, all []Unneeded, report func(step string)) ([]DeletionResult, error) {
	if report != nil {
		ctx = pacing.WithNotice(ctx, report)
	}
	items := make([]planned, len(all))
	for n, u := range all {
		id, err := azure.ParseID(u.ID)
		if err != nil {
			return nil, errkind.Classed(ErrLifecycle, err)
		}
		switch {
		case id.IsType("Microsoft.Network/networkInterfaces"):
			items[n] = s.plannedNIC(id)
		case id.IsType("Microsoft.Network/publicIPAddresses"):
			items[n] = s.plannedAddress(id, rankLeaf)
		case id.IsType("Microsoft.Network/networkSecurityGroups"):
			items[n] = s.plannedNSG(id)
		case id.IsType("Microsoft.Compute/disks"):
			items[n] = s.plannedDisk(id)
		case id.IsType("Microsoft.Compute/snapshots"):
			items[n] = s.plannedSnapshot(id)
		default:
			return nil, errkind.Classed(ErrLifecycle, errkind.New(errkind.Invalid, "%s: nothing of that type is deleted so", u.ID))
		}
		remove := items[n].delete
		items[n].delete = func(ctx context.Context) error {
			why, err := u.Needed(ctx)
			if err != nil {
				return err
			}
			if why != "" {
				return &errkind.Error{Kind: errkind.Conflict, Op: "delete " + items[n].kind, Resource: id.Name(), Class: ErrNeeded, Err: errkind.New(errkind.Conflict, "%s", why)}
			}
			return remove(ctx)
		}
	}
	return s.carryOut(ctx, items, report), nil
}
