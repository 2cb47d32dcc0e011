package change

import (
	"context"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/azlin-dev/azlin/azure"
)

// Resource is an entry in the list of all resources.
type Resource struct {
	ID     azure.ID
	Region string
	State  string     // its provisioning state in Azure's list; empty: not reported
	Made   *time.Time // UTC, from its tag azlin-created; nil: unknown
	Tags   map[string]string
}

// Mark reads the tag azlin-op. ok reports whether an operation of azlin created the resource.
func (r Resource) Mark() (m Mark, ok bool) { return MarkOf(r.Tags) }

// MarkOf reads the mark in tags. ok reports whether an operation of azlin created the resource with these tags.
func MarkOf(tags map[string]string) (m Mark, ok bool) {
	tag, _ := azure.Tag(tags, azure.TagOperation)
	m, ok = ParseMark(tag)
	return m, ok && azure.Managed(tags)
}

// Tag is a tag's value; empty: absent.
func (r Resource) Tag(name string) string {
	value, _ := azure.Tag(r.Tags, name)
	return value
}

// Resources lists the resources of a group (resources/listByResourceGroup), or, when group is empty, of the subscription
// (resources/list): one request per page. It does not filter, because Azure leaves the tags out of a list filtered by tag.
// An absent group is NotFound.
func Resources(ctx context.Context, c *azure.Client, group string) ([]Resource, error) {
	expand := "provisioningState"
	var items []*armresources.GenericResourceExpanded
	var err error
	if group == "" {
		items, err = azure.Pages(ctx, "list resources", c.Resources().NewListPager(&armresources.ClientListOptions{Expand: &expand}),
			func(p armresources.ClientListResponse) []*armresources.GenericResourceExpanded { return p.Value })
	} else {
		items, err = azure.Pages(ctx, "list resources of "+group,
			c.Resources().NewListByResourceGroupPager(group, &armresources.ClientListByResourceGroupOptions{Expand: &expand}),
			func(p armresources.ClientListByResourceGroupResponse) []*armresources.GenericResourceExpanded {
				return p.Value
			})
	}
	if err != nil {
		return nil, err
	}
	all := make([]Resource, 0, len(items))
	for _, item := range items {
		id, err := azure.ParseID(azure.Value(item.ID))
		if err != nil {
			continue // of a type that azlin does not create
		}
		r := Resource{ID: id, Region: azure.Value(item.Location), State: azure.Value(item.ProvisioningState), Tags: azure.Tags(item.Tags)}
		if made, err := time.Parse(time.RFC3339, r.Tag(azure.TagCreated)); err == nil {
			r.Made = new(made.UTC())
		}
		all = append(all, r)
	}
	return all, nil
}
