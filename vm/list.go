package vm

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// ListOptions selects among the VMs of the subscription. The zero value selects all that azlin manages.
type ListOptions struct {
	ResourceGroup  string // empty: every group
	All            bool   // also VMs that azlin does not manage
	ExcludeStopped bool   // leave out stopped and deallocated ones
	RunningOnly    bool   // leave out all that are not running
}

// Listing is the result of List.
type Listing struct {
	VMs    []Info `json:"vms"`    // newest first; VMs of unknown age last
	Hidden int    `json:"hidden"` // VMs in the same place that azlin does not manage; ListOptions.All shows them
}

// List gives the VMs with their addresses and power states. However many there are, it sends four requests at once (VMs,
// their status, network interfaces and public addresses of the subscription) and one more for each further page. A caller
// who may read only a group gets that group's lists, with one request per VM for its power state. A named group that does
// not exist is NotFound.
func (s *Service) List(ctx context.Context, o ListOptions) (Listing, error) {
	vms, err := s.inventory(ctx)
	all := err == nil
	if errkind.Of(err) == errkind.Permission && o.ResourceGroup != "" {
		vms, err = s.groupInventory(ctx, o.ResourceGroup)
	}
	if err != nil {
		return Listing{}, errkind.Classed(ErrManager, err)
	}
	s.nameSessions(vms)
	if all && s.listed != nil {
		s.listed(vms)
	}
	l := Listing{VMs: []Info{}}
	inGroup := 0
	for _, i := range vms {
		if o.ResourceGroup != "" && !strings.EqualFold(i.ResourceGroup, o.ResourceGroup) {
			continue
		}
		inGroup++
		if !i.Managed && !o.All {
			l.Hidden++
			continue
		}
		if o.RunningOnly && !i.IsRunning() || o.ExcludeStopped && i.IsStopped() {
			continue
		}
		l.VMs = append(l.VMs, i)
	}
	if inGroup == 0 && o.ResourceGroup != "" {
		if err := s.requireGroup(ctx, o.ResourceGroup); err != nil {
			return Listing{}, errkind.Classed(ErrManager, err)
		}
	}
	slices.SortStableFunc(l.VMs, newestFirst)
	return l, nil
}

// Running lists azlin's running VMs in a group, as List does.
func (s *Service) Running(ctx context.Context, group string) ([]Info, error) {
	l, err := s.List(ctx, ListOptions{ResourceGroup: group, RunningOnly: true})
	return l.VMs, err
}

func newestFirst(a, b Info) int {
	switch {
	case a.CreatedTime == nil && b.CreatedTime == nil:
	case a.CreatedTime == nil:
		return 1
	case b.CreatedTime == nil:
		return -1
	default:
		if c := b.CreatedTime.Compare(*a.CreatedTime); c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
}

// inventory reads every VM of the subscription in a constant number of requests. The list of VMs has no power states, and
// the list of states has nothing else; they are joined by id.
func (s *Service) inventory(ctx context.Context) ([]Info, error) {
	var models, states []*armcompute.VirtualMachine
	var nics []*armnetwork.Interface
	var ips []*armnetwork.PublicIPAddress
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		models, err = azure.Pages(ctx, "list VMs", s.azure.VMs().NewListAllPager(nil),
			func(p armcompute.VirtualMachinesClientListAllResponse) []*armcompute.VirtualMachine { return p.Value })
		return err
	})
	g.Go(func() (err error) {
		states, err = azure.Pages(ctx, "list the states of VMs",
			s.azure.VMs().NewListAllPager(&armcompute.VirtualMachinesClientListAllOptions{StatusOnly: new("true")}),
			func(p armcompute.VirtualMachinesClientListAllResponse) []*armcompute.VirtualMachine { return p.Value })
		return err
	})
	g.Go(func() (err error) {
		nics, err = azure.Pages(ctx, "list network interfaces", s.azure.NICs().NewListAllPager(nil),
			func(p armnetwork.InterfacesClientListAllResponse) []*armnetwork.Interface { return p.Value })
		return err
	})
	g.Go(func() (err error) {
		ips, err = azure.Pages(ctx, "list public addresses", s.azure.PublicIPs().NewListAllPager(nil),
			func(p armnetwork.PublicIPAddressesClientListAllResponse) []*armnetwork.PublicIPAddress {
				return p.Value
			})
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	views := make(map[string][]*armcompute.InstanceViewStatus, len(states))
	for _, m := range states {
		if m.Properties != nil && m.Properties.InstanceView != nil {
			views[azure.IDKey(azure.Value(m.ID))] = m.Properties.InstanceView.Statuses
		}
	}
	vms := join(models, nics, ips)
	for i := range vms {
		if statuses, ok := views[azure.IDKey(vms[i].ID)]; ok {
			vms[i].PowerState, vms[i].ChangedTime = PowerStateOf(statuses), changedTime(statuses)
		}
	}
	return vms, nil
}

// groupInventory is inventory for a principal that may read one group only. Groups have no list of states, so it sends one
// request per VM.
func (s *Service) groupInventory(ctx context.Context, group string) ([]Info, error) {
	var models []*armcompute.VirtualMachine
	var nics []*armnetwork.Interface
	var ips []*armnetwork.PublicIPAddress
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		models, err = azure.Pages(gctx, "list VMs of "+group, s.azure.VMs().NewListPager(group, nil),
			func(p armcompute.VirtualMachinesClientListResponse) []*armcompute.VirtualMachine { return p.Value })
		return err
	})
	g.Go(func() (err error) {
		nics, err = azure.Pages(gctx, "list network interfaces of "+group, s.azure.NICs().NewListPager(group, nil),
			func(p armnetwork.InterfacesClientListResponse) []*armnetwork.Interface { return p.Value })
		return err
	})
	g.Go(func() (err error) {
		ips, err = azure.Pages(gctx, "list public addresses of "+group, s.azure.PublicIPs().NewListPager(group, nil),
			func(p armnetwork.PublicIPAddressesClientListResponse) []*armnetwork.PublicIPAddress { return p.Value })
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	vms := join(models, nics, ips)
	views, vctx := errgroup.WithContext(ctx)
	views.SetLimit(parallel)
	for i := range vms {
		views.Go(func() error {
			seen, err := s.Peek(vctx, vms[i].Ref)
			if azure.IsNotFound(err) {
				return nil // deleted between the two requests: its state stays unknown
			}
			vms[i].PowerState, vms[i].ChangedTime = seen.PowerState, seen.ChangedTime
			return err
		})
	}
	return vms, views.Wait()
}

// parallel limits the number of simultaneous requests when there is one per VM.
const parallel = 8

func join(models []*armcompute.VirtualMachine, nics []*armnetwork.Interface, ips []*armnetwork.PublicIPAddress) []Info {
	a := Addresses{
		Nics: make(map[string]*armnetwork.Interface, len(nics)),
		Ips:  make(map[string]*armnetwork.PublicIPAddress, len(ips)),
	}
	for _, n := range nics {
		a.Nics[azure.IDKey(azure.Value(n.ID))] = n
	}
	for _, ip := range ips {
		a.Ips[azure.IDKey(azure.Value(ip.ID))] = ip
	}
	vms := make([]Info, 0, len(models))
	for _, m := range models {
		i := FromModel(m)
		a.Fill(&i)
		vms = append(vms, i)
	}
	return vms
}

// requireGroup returns NotFound for a group that does not exist.
func (s *Service) requireGroup(ctx context.Context, name string) error {
	_, err := s.groups.Get(ctx, name)
	return err
}
