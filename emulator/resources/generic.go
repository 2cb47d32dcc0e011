package resources

import (
	"net/http"
	"sort"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

func (p *provider) generic() {
	s, v := p.s, versions()
	s.Handle(http.MethodGet, "/subscriptions/{subscriptionId}/resources", v, p.listResources)
	s.Handle(http.MethodGet, "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/resources", v, p.listResources)
	s.Handle(http.MethodGet, "/subscriptions/{subscriptionId}/tagNames", v, p.tagNames)
}

func (p *provider) listResources(c *arm.Call) (*arm.Reply, error) {
	wanted, err := parseFilter(c.Arg("$filter"))
	if err != nil {
		return nil, err
	}
	var l []any
	for _, r := range p.listed() {
		if g := c.Group(); g != "" && !azjson.Fold(r.Group(), g) || !wanted.keeps(r) {
			continue
		}
		shown := brief(r, c.Arg("$expand"))
		if wanted.byTag {
			delete(shown, "tags")
		}
		l = append(l, shown)
	}
	return c.Page(c.Visible("", l)), nil
}

// listed are the tracked resources of the subscription.
func (p *provider) listed() []*arm.Resource {
	var l []*arm.Resource
	for _, t := range p.s.Types() {
		if !t.Unlisted {
			l = append(l, p.s.OfType(t.Name)...)
		}
	}
	sort.SliceStable(l, func(i, j int) bool { return resourceid.Key(l[i].ID) < resourceid.Key(l[j].ID) })
	return l
}

// brief is a resource as the generic lists show it: without its properties.
func brief(r *arm.Resource, expand string) azjson.Object {
	o := azjson.Object{"id": r.ID, "name": r.Name(), "type": r.Type}
	for _, k := range []string{"location", "tags", "sku", "identity", "kind", "managedBy", "plan", "extendedLocation"} {
		if v := r.Body[k]; v != nil {
			o[k] = azjson.Clone(v)
		}
	}
	for e := range strings.SplitSeq(expand, ",") {
		switch strings.ToLower(strings.TrimSpace(e)) {
		case "createdtime":
			o["createdTime"] = r.Created.UTC().Format("2006-01-02T15:04:05.0000000Z")
		case "changedtime":
			o["changedTime"] = r.Changed.UTC().Format("2006-01-02T15:04:05.0000000Z")
		case "provisioningstate":
			o["provisioningState"] = azjson.Str(r.Body, "properties", "provisioningState")
		}
	}
	return o
}

func (p *provider) tagNames(c *arm.Call) (*arm.Reply, error) {
	type counted struct {
		total  int
		values map[string]int
	}
	names := map[string]*counted{}
	for _, r := range append(p.listed(), p.s.OfType(groupType)...) {
		for k, v := range azjson.Map(r.Body, "tags") {
			if names[k] == nil {
				names[k] = &counted{values: map[string]int{}}
			}
			value, _ := v.(string)
			names[k].total++
			names[k].values[value]++
		}
	}
	base := "/subscriptions/" + p.s.Options().SubscriptionID + "/tagNames/"
	count := func(n int) azjson.Object { return azjson.Object{"type": "Total", "value": n} }
	var l []any
	for _, k := range sortedKeys(names) {
		var values []any
		for _, v := range sortedKeys(names[k].values) {
			values = append(values, azjson.Object{"id": base + k + "/tagValues/" + v, "tagValue": v, "count": count(names[k].values[v])})
		}
		l = append(l, azjson.Object{"id": base + k, "tagName": k, "count": count(names[k].total), "values": values})
	}
	return c.Page(l), nil
}

func sortedKeys[V any](m map[string]V) []string {
	l := make([]string, 0, len(m))
	for k := range m {
		l = append(l, k)
	}
	sort.Strings(l)
	return l
}
