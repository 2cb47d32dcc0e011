package resources

import (
	"net/http"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
)

func (p *provider) subscriptions() {
	s, v := p.s, versions()
	s.Register(&arm.Type{Name: "Microsoft.Resources/subscriptions", Versions: v, Unlisted: true})
	s.Handle(http.MethodGet, "/subscriptions", v, func(c *arm.Call) (*arm.Reply, error) {
		return arm.OK(azjson.Object{"value": []any{p.subscription()}, "count": azjson.Object{"type": "Total", "value": 1}}), nil
	})
	s.Handle(http.MethodGet, "/subscriptions/{subscriptionId}", v, func(c *arm.Call) (*arm.Reply, error) { return arm.OK(p.subscription()), nil })
	s.Handle(http.MethodGet, "/tenants", v, func(c *arm.Call) (*arm.Reply, error) {
		t := s.Options().TenantID
		return arm.OK(azjson.Object{"value": []any{azjson.Object{
			"id": "/tenants/" + t, "tenantId": t, "countryCode": "US", "displayName": "Local",
			"defaultDomain": "local.onmicrosoft.com", "domains": []any{"local.onmicrosoft.com"}, "tenantCategory": "Home", "tenantType": "AAD",
		}}}), nil
	})
	s.Handle(http.MethodGet, "/subscriptions/{subscriptionId}/locations", v, p.locations)
}

// self is the resource that carries the subscription's own tags.
func (p *provider) self() *arm.Resource {
	id := "/subscriptions/" + p.s.Options().SubscriptionID
	if r := p.s.Find(id); r != nil {
		return r
	}
	r := &arm.Resource{ID: id, Type: "Microsoft.Resources/subscriptions", Body: azjson.Object{}}
	p.s.Add(r)
	return r
}

func (p *provider) subscription() azjson.Object {
	o := p.s.Options()
	sub := azjson.Object{
		"id": "/subscriptions/" + o.SubscriptionID, "authorizationSource": "RoleBased", "managedByTenants": []any{},
		"subscriptionId": o.SubscriptionID, "tenantId": o.TenantID, "displayName": "Local emulator", "state": "Enabled",
		"subscriptionPolicies": azjson.Object{"locationPlacementId": "Internal_2014-09-01", "quotaId": "Internal_2014-09-01", "spendingLimit": "Off"},
	}
	if tags := azjson.Map(p.self().Body, "tags"); len(tags) > 0 {
		sub["tags"] = tags
	}
	return sub
}

func (p *provider) locations(c *arm.Call) (*arm.Reply, error) {
	sub := p.s.Options().SubscriptionID
	var l []any
	for _, r := range geography.Regions() {
		o := azjson.Object{
			"id": "/subscriptions/" + sub + "/locations/" + r.Name, "name": r.Name, "type": "Region", "displayName": r.Display,
			"regionalDisplayName": "(" + r.Group + ") " + r.Display,
			"metadata": azjson.Object{
				"regionType": "Physical", "regionCategory": "Recommended", "geography": r.Geography, "geographyGroup": r.Group,
				"longitude": r.Longitude, "latitude": r.Latitude, "physicalLocation": r.Geography, "pairedRegion": []any{},
			},
		}
		if r.Zones {
			var z []any
			for _, n := range []string{"1", "2", "3"} {
				z = append(z, azjson.Object{"logicalZone": n, "physicalZone": r.Name + "-az" + n})
			}
			o["availabilityZoneMappings"] = z
		}
		l = append(l, o)
	}
	return arm.OK(azjson.Object{"value": l}), nil
}
