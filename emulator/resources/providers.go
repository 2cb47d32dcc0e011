package resources

import (
	"net/http"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
)

func (p *provider) providers() {
	s, v := p.s, versions()
	const path = "/subscriptions/{subscriptionId}/providers"
	s.Handle(http.MethodGet, path, v, func(c *arm.Call) (*arm.Reply, error) {
		var l []any
		for _, n := range p.namespaces() {
			l = append(l, p.describe(n))
		}
		return c.Page(l), nil
	})
	// The answer to a change is what begins with it, however soon that is over.
	one := func(f func(namespace string) (begun string)) arm.Handler {
		return func(c *arm.Call) (*arm.Reply, error) {
			for _, n := range p.namespaces() {
				if azjson.Fold(n, c.Param("resourceProviderNamespace")) {
					begun := f(n)
					o := p.describe(n)
					if begun != "" {
						o["registrationState"] = begun
					}
					return arm.OK(o), nil
				}
			}
			return nil, arm.Refuse(http.StatusNotFound, "InvalidResourceNamespace", "The resource namespace '%s' is invalid.", c.Param("resourceProviderNamespace"))
		}
	}
	change := func(on bool, begun string) func(string) string {
		return func(n string) string {
			if s.SetRegistered(n, on) {
				return begun
			}
			return ""
		}
	}
	s.Handle(http.MethodGet, path+"/{resourceProviderNamespace}", v, one(func(string) string { return "" }))
	s.Handle(http.MethodPost, path+"/{resourceProviderNamespace}/register", v, one(change(true, "Registering")))
	s.Handle(http.MethodPost, path+"/{resourceProviderNamespace}/unregister", v, one(change(false, "Unregistering")))
}

// namespaces are those that have types, and a few that clients look for.
func (p *provider) namespaces() []string {
	l := []string{"Microsoft.Insights", "Microsoft.KeyVault"}
	for _, t := range p.s.Types() {
		l = append(l, t.Namespace())
	}
	slices.Sort(l)
	return slices.Compact(l)
}

func (p *provider) describe(namespace string) azjson.Object {
	var places []any
	for _, r := range geography.Regions() {
		places = append(places, r.Display)
	}
	types := []any{}
	for _, t := range p.s.Types() {
		if t.Namespace() != namespace {
			continue
		}
		versions := slices.Clone(t.Versions)
		slices.Reverse(versions)
		types = append(types, azjson.Object{
			"resourceType": strings.TrimPrefix(t.Name, namespace+"/"), "locations": places, "apiVersions": versions,
			"capabilities": "CrossResourceGroupResourceMove, CrossSubscriptionResourceMove, SupportsTags, SupportsLocation",
		})
	}
	return azjson.Object{
		"id": "/subscriptions/" + p.s.Options().SubscriptionID + "/providers/" + namespace, "namespace": namespace,
		"registrationPolicy": "RegistrationRequired", "registrationState": p.s.Registration(namespace), "resourceTypes": types,
	}
}
