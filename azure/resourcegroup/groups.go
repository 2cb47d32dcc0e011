package resourcegroup

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Group is one resource group.
type Group struct {
	Name     string            `json:"name"`
	Location string            `json:"location"`
	Tags     map[string]string `json:"tags,omitempty"`
	Managed  bool              `json:"managed"`
}

// Failure is a group for which an operation failed.
type Failure struct {
	Group string
	Err   error
}

func (f Failure) Error() string { return f.Group + ": " + f.Err.Error() }

func (f Failure) Unwrap() error { return f.Err }

// Service manages the resource groups of the subscription.
type Service struct {
	azure *azure.Client
}

// New returns the service of c's subscription. It sends no request.
func New(c *azure.Client) *Service { return &Service{azure: c} }

func groupOf(g armresources.ResourceGroup) Group {
	tags := azure.Tags(g.Tags)
	return Group{Name: azure.Value(g.Name), Location: azure.Value(g.Location), Tags: tags, Managed: azure.Managed(tags)}
}

// Get reads a group; an absent one is NotFound.
func (r *Service) Get(ctx context.Context, name string) (Group, error) {
	resp, err := r.azure.ResourceGroups().Get(ctx, name, nil)
	if err != nil {
		return Group{}, azure.Wrap("get resource group", name, err)
	}
	return groupOf(resp.ResourceGroup), nil
}

// Exists reports whether the group exists.
func (r *Service) Exists(ctx context.Context, name string) (bool, error) {
	_, err := r.Get(ctx, name)
	if azure.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// List returns the groups of the subscription.
func (r *Service) List(ctx context.Context) ([]Group, error) {
	groups, err := azure.Pages(ctx, "list resource groups", r.azure.ResourceGroups().NewListPager(nil),
		func(p armresources.ResourceGroupsClientListResponse) []*armresources.ResourceGroup { return p.Value })
	if err != nil {
		return nil, err
	}
	out := make([]Group, 0, len(groups))
	for _, g := range groups {
		out = append(out, groupOf(*g))
	}
	return out, nil
}

// Ensure creates the group if absent, with azlin's tags. An existing group is not changed, wherever it is and whoever
// created it. created reports whether it was created.
func (r *Service) Ensure(ctx context.Context, name, region string, tags map[string]string) (g Group, created bool, err error) {
	g, err = r.Get(ctx, name)
	if err == nil || !azure.IsNotFound(err) {
		return g, false, err
	}
	all := azure.WithTags(tags, map[string]string{
		azure.TagManagedBy: azure.ManagedBy,
		azure.TagCreated:   r.azure.Clock().Now().Format(time.RFC3339),
	})
	maps.DeleteFunc(all, func(k, _ string) bool { // tags of a VM, not of its group
		return strings.EqualFold(k, azure.TagHostKey) || strings.EqualFold(k, azure.TagSession)
	})
	resp, err := r.azure.ResourceGroups().CreateOrUpdate(ctx, name, armresources.ResourceGroup{
		Location: new(region), Tags: azure.SDKTags(all),
	}, nil)
	if err != nil {
		return Group{}, false, azure.Wrap("create resource group", name, err)
	}
	return groupOf(resp.ResourceGroup), true, nil
}

// Foreign lists what prevents azlin from deleting a group: the group itself or resources in it that azlin did not create.
// Empty: it may be deleted.
func (r *Service) Foreign(ctx context.Context, name string) ([]string, error) {
	foreign, _, err := r.Contents(ctx, name)
	return foreign, err
}

// Contents lists what prevents azlin from deleting a group, and azlin's resources in it, VMs first.
func (r *Service) Contents(ctx context.Context, name string) (foreign []string, own []azure.ID, err error) {
	g, err := r.Get(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if !g.Managed {
		foreign = append(foreign, "resource group "+g.Name)
	}
	items, err := azure.Pages(ctx, "list resources of "+name, r.azure.Resources().NewListByResourceGroupPager(name, nil),
		func(p armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
			return p.Value
		})
	if err != nil {
		return nil, nil, err
	}
	for _, item := range items {
		id, err := azure.ParseID(azure.Value(item.ID))
		baked := id.IsType("Microsoft.Compute/galleries/images/versions") // somebody else may have added one to azlin's gallery
		if strings.Count(azure.Value(item.Type), "/") > 1 && !baked {
			continue // part of another listed resource, such as a VM's extension
		}
		if err != nil || !azure.Managed(azure.Tags(item.Tags)) {
			foreign = append(foreign, azure.Value(item.ID))
			continue
		}
		own = append(own, id)
	}
	slices.SortStableFunc(own, func(a, b azure.ID) int {
		return cmp.Or(cmp.Compare(rankOf(a), rankOf(b)), cmp.Compare(KindOf(a), KindOf(b)), cmp.Compare(a.Name(), b.Name()))
	})
	return foreign, own, nil
}

func rankOf(id azure.ID) int {
	if id.IsType("Microsoft.Compute/virtualMachines") {
		return 0
	}
	return 1
}

// KindOf is the name of a resource's type in results of deletions, else Azure's name.
func KindOf(id azure.ID) string {
	for kind, name := range map[string]string{
		"Microsoft.Compute/virtualMachines": "vm", "Microsoft.Compute/disks": "disk", "Microsoft.Compute/snapshots": "snapshot",
		"Microsoft.Network/networkInterfaces": "nic", "Microsoft.Network/publicIPAddresses": "public-ip", "Microsoft.Network/networkSecurityGroups": "nsg",
		"Microsoft.Network/virtualNetworks": "vnet", "Microsoft.Network/natGateways": "nat-gateway",
		"Microsoft.Compute/galleries": "gallery", "Microsoft.Compute/galleries/images/versions": "image",
	} {
		if id.IsType(kind) {
			return name
		}
	}
	return id.Type()
}

// Delete deletes the group with everything in it, and waits. If azlin did not create the group or something in it, it
// returns a Conflict that names these. An absent group is not an error.
func (r *Service) Delete(ctx context.Context, name string, report func(step string)) error {
	foreign, err := r.Foreign(ctx, name)
	if azure.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(foreign) > 0 {
		return &errkind.Error{
			Kind: errkind.Conflict, Op: "delete resource group", Resource: name,
			Err: errkind.New(errkind.Conflict, "not azlin's: %s", strings.Join(foreign, ", ")),
		}
	}
	azure.Report(report, "deleting resource group "+name)
	op, err := azure.Begin(ctx, r.azure, "delete resource group", name,
		func(ctx context.Context) (*runtime.Poller[armresources.ResourceGroupsClientDeleteResponse], error) {
			return r.azure.ResourceGroups().BeginDelete(ctx, name, nil)
		})
	if azure.IsNotFound(err) {
		return nil
	}
	if err == nil {
		_, err = op.Wait(ctx, nil)
	}
	return err
}
