package resources

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

const groupType = "Microsoft.Resources/resourceGroups"

const groupPath = "/subscriptions/{subscriptionId}/resourcegroups/{resourceGroupName}"

func (p *provider) groups() {
	s, v := p.s, versions()
	s.Register(&arm.Type{Name: groupType, Versions: v, Unlisted: true})
	s.RegisterKind("group.delete", arm.Kind{Finish: p.finishGroupDelete})
	s.Handle(http.MethodGet, "/subscriptions/{subscriptionId}/resourcegroups", v, p.listGroups)
	s.Handle(http.MethodPut, groupPath, v, p.putGroup)
	s.Handle(http.MethodPatch, groupPath, v, p.patchGroup)
	s.Handle(http.MethodDelete, groupPath, v, p.deleteGroup)
	s.Handle(http.MethodGet, groupPath, v, func(c *arm.Call) (*arm.Reply, error) { return arm.OK(s.View(p.group(c))), nil })
	s.Handle(http.MethodHead, groupPath, v, func(c *arm.Call) (*arm.Reply, error) { return arm.Status(http.StatusNoContent), nil })
}

func (p *provider) group(c *arm.Call) *arm.Resource {
	return p.s.Find("/subscriptions/" + c.Sub() + "/resourceGroups/" + c.Group())
}

var groupName = regexp.MustCompile(`^[\p{L}\p{N}._()-]{0,89}[\p{L}\p{N}_()-]$`)

func (p *provider) putGroup(c *arm.Call) (*arm.Reply, error) {
	if err := c.NeedBody(); err != nil {
		return nil, err
	}
	if !groupName.MatchString(c.Group()) {
		return nil, arm.BadRequest("InvalidResourceGroup", "The provided resource group name '%s' has these invalid characters or is too long. The name can only be a letter, digit, '-', '.', '(', ')' or '_' and cannot end with '.'.", c.Group())
	}
	loc := azjson.Str(c.Body, "location")
	if loc == "" {
		return nil, arm.BadRequest("LocationRequired", "The location property is required for this definition.")
	}
	region, ok := geography.FindRegion(loc)
	if !ok {
		return nil, arm.BadRequest("LocationNotAvailableForResourceGroup", "The provided location '%s' is not available for resource group. List of available regions is '%s'.", loc, regionList())
	}
	if err := arm.CheckTags(c.Body["tags"]); err != nil {
		return nil, err
	}
	if r := p.group(c); r != nil {
		if r.Location() != region.Name {
			return nil, arm.Conflict("InvalidResourceGroupLocation", "Invalid resource group location '%s'. The Resource group already exists in location '%s'.", region.Name, r.Location())
		}
		delete(r.Body, "tags")
		if tags := azjson.Map(c.Body, "tags"); tags != nil {
			r.Body["tags"] = tags
		}
		p.s.Touch(r)
		return arm.OK(p.s.View(r)), nil
	}
	r := &arm.Resource{ID: "/subscriptions/" + p.s.Options().SubscriptionID + "/resourceGroups/" + c.Group(), Type: groupType}
	r.Body = azjson.Object{"id": r.ID, "name": c.Group(), "type": groupType, "location": region.Name, "properties": azjson.Object{"provisioningState": "Succeeded"}}
	for _, k := range []string{"tags", "managedBy"} {
		if c.Body[k] != nil {
			r.Body[k] = c.Body[k]
		}
	}
	p.s.Add(r)
	return arm.Created(p.s.View(r)), nil
}

func regionList() string {
	var l []string
	for _, r := range geography.Regions() {
		l = append(l, r.Name)
	}
	return strings.Join(l, ",")
}

func (p *provider) patchGroup(c *arm.Call) (*arm.Reply, error) {
	if err := c.NeedBody(); err != nil {
		return nil, err
	}
	r := p.group(c)
	if tags, ok := c.Body["tags"]; ok {
		if err := arm.CheckTags(tags); err != nil {
			return nil, err
		}
		r.Body["tags"] = tags
	}
	p.s.Touch(r)
	return arm.OK(p.s.View(r)), nil
}

func (p *provider) listGroups(c *arm.Call) (*arm.Reply, error) {
	wanted, err := parseFilter(c.Arg("$filter"))
	if err != nil {
		return nil, err
	}
	var l []any
	for _, r := range p.s.OfType(groupType) {
		if wanted.keeps(r) {
			l = append(l, p.s.View(r))
		}
	}
	return c.Page(c.Visible("Microsoft.Resources/subscriptions/resourceGroups/read", l)), nil
}

func (p *provider) deleteGroup(c *arm.Call) (*arm.Reply, error) {
	r := p.group(c)
	op := p.s.Current(r.ID)
	if op == nil {
		r.Props()["provisioningState"] = "Deleting"
		op = p.s.Begin("group.delete", r.ID, r.Location(), nil)
	}
	return c.Async(arm.Status(http.StatusAccepted), op, polling.Groups()), nil
}

// finishGroupDelete removes a group and all in it, unless something outside holds on to a part.
func (p *provider) finishGroupDelete(op *arm.Operation, _ error) (again time.Duration, failure error) {
	g := p.s.Find(op.Target)
	if g == nil {
		return 0, nil
	}
	all := p.s.InGroup(p.s.Options().SubscriptionID, g.Name())
	var blocked []*arm.Error
	for _, r := range all {
		if r.Props()["provisioningState"] == "Deleting" && p.s.Current(r.ID) != nil {
			return 10 * time.Millisecond, nil // being deleted by itself
		}
		t := p.s.Type(r.Type)
		if t == nil || t.Referrers == nil {
			continue
		}
		for _, id := range t.Referrers(r) {
			if !azjson.Fold(resourceid.GroupOf(id), g.Name()) {
				e := p.s.Refused(r)
				if e == nil {
					e = arm.Conflict("Conflict", "Resource %s is used by %s.", r.ID, id)
				}
				blocked = append(blocked, e)
				break
			}
		}
	}
	if blocked != nil {
		g.Props()["provisioningState"] = "Succeeded"
		e := arm.Conflict("ResourceGroupDeletionBlocked", "Deletion of resource group '%s' failed as resources with identifiers '%s' could not be deleted. The provisioning state of the resource group will be rolled back.", g.Name(), identifiers(all))
		e.Details = blocked
		return 0, e
	}
	slices.SortStableFunc(all, func(a, b *arm.Resource) int { return cmp.Compare(p.rank(a), p.rank(b)) })
	for _, r := range all {
		p.s.Preempt(r.ID)
		p.s.Remove(r)
	}
	p.s.Forget(g)
	return 0, nil
}

func (p *provider) rank(r *arm.Resource) int {
	if t := p.s.Type(r.Type); t != nil {
		return t.Rank
	}
	return 0
}

func identifiers(l []*arm.Resource) string {
	var ids []string
	for _, r := range l {
		id, err := resourceid.Parse(r.ID)
		if err == nil {
			ids = append(ids, id.Type()+"/"+r.Name())
		}
	}
	return strings.Join(ids, ",")
}
