package bastion

import (
	"context"
	"errors"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/teardown"
	"github.com/azlin-dev/azlin/errkind"
)

// Item is one resource of a deletion.
type Item struct {
	Type   string `json:"type"` // "bastion", "public-ip" or "subnet"
	Name   string `json:"name"`
	ID     string `json:"id"`
	Reason string `json:"reason,omitempty"` // why it is kept; only in Kept
}

// DeletePlan lists what Delete will delete, in this order. The address is last, because its tags record the others.
type DeletePlan struct {
	Name          string `json:"name"`
	ResourceGroup string `json:"resource_group"`
	Items         []Item `json:"items"`
	Kept          []Item `json:"kept"`
}

// PlanDelete plans to delete a Bastion, with its subnet and public address if azlin created them. If the Bastion is gone, it
// plans what an unfinished create or delete of that name left; if there is nothing, the error is NotFound.
func (s *Service) PlanDelete(ctx context.Context, group, name string) (DeletePlan, error) {
	p := DeletePlan{Name: name, ResourceGroup: group, Items: []Item{}, Kept: []Item{}}
	b, err := s.Get(ctx, group, name)
	if azure.IsNotFound(err) {
		return s.planLeftOver(ctx, p, err)
	}
	if err != nil {
		return p, err
	}
	p.Name, p.ResourceGroup = b.Name, b.ResourceGroup
	p.Items = append(p.Items, Item{Type: "bastion", Name: b.Name, ID: b.ID})
	if b.Subnet != "" {
		item := Item{Type: "subnet", Name: SubnetName, ID: b.Subnet}
		if _, made := azure.Tag(b.Tags, tagSubnet); made && b.Managed {
			p.Items = append(p.Items, item)
		} else {
			item.Reason = "not made by azlin"
			p.Kept = append(p.Kept, item)
		}
	}
	if b.PublicIP == "" {
		return p, nil
	}
	id, err := azure.ParseID(b.PublicIP)
	if err != nil {
		return p, err
	}
	ip, err := s.azure.PublicIPs().Get(ctx, id.ResourceGroup, id.Name(), nil)
	item := Item{Type: "public-ip", Name: id.Name(), ID: b.PublicIP}
	switch {
	case azure.IsNotFound(err):
	case err != nil:
		return p, azure.Wrap("get public address", id.Name(), err)
	case azure.Managed(azure.Tags(ip.Tags)):
		p.Items = append(p.Items, item)
	default:
		item.Reason = "not made by azlin"
		p.Kept = append(p.Kept, item)
	}
	return p, nil
}

// planLeftOver finds the address of a deleted Bastion, whose tags record its subnet.
func (s *Service) planLeftOver(ctx context.Context, p DeletePlan, gone error) (DeletePlan, error) {
	name := addressName(p.Name)
	ip, err := s.azure.PublicIPs().Get(ctx, p.ResourceGroup, name, nil)
	if azure.IsNotFound(err) {
		return p, gone
	}
	if err != nil {
		return p, azure.Wrap("get public address", name, err)
	}
	tags := azure.Tags(ip.Tags)
	if !azure.Managed(tags) || azure.PublicIPUsedBy(&ip.PublicIPAddress) != "" {
		return p, gone
	}
	if vnet, made := azure.Tag(tags, tagSubnet); made {
		subnet, err := s.azure.Subnets().Get(ctx, p.ResourceGroup, vnet, SubnetName, nil)
		switch {
		case azure.IsNotFound(err):
		case err != nil:
			return p, azure.Wrap("get subnet", SubnetName, err)
		case subnet.Properties == nil || len(subnet.Properties.IPConfigurations) == 0: // otherwise another Bastion uses it
			p.Items = append(p.Items, Item{Type: "subnet", Name: SubnetName, ID: val(subnet.ID)})
		}
	}
	p.Items = append(p.Items, Item{Type: "public-ip", Name: name, ID: val(ip.ID)})
	return p, nil
}

// addressName is the name of the address that azlin creates for a Bastion.
func addressName(bastion string) string { return bastion + "-ip" }

// Delete carries out the plan and verifies it. report, which may be nil, receives each step. After a failure nothing more is
// deleted; the error names what is left. Deleting what is already gone is not an error.
func (s *Service) Delete(ctx context.Context, p DeletePlan, report func(step string)) error {
	items := make([]teardown.Item, len(p.Items))
	for n, item := range p.Items {
		id, err := azure.ParseID(item.ID)
		if err != nil {
			return err
		}
		ok := false
		if items[n], ok = teardown.Of(s.azure, id); !ok {
			return errors.New("nothing that goes with a bastion: " + item.Type)
		}
		items[n].Rank, items[n].Blocks = n, true // the plan's order
	}
	var errs []error
	var left []string
	for _, r := range teardown.Run(ctx, s.azure, items, report) {
		if r.Err != nil {
			errs, left = append(errs, r.Err), append(left, r.ID)
		}
	}
	if errs == nil {
		return nil
	}
	return &errkind.Error{Kind: errkind.Of(errs[0]), Err: errs[0], LeftOver: left}
}
