package network

import (
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// privateEndpoints are there for the network interface that each of them makes. What they lead to is taken as given, and
// agrees at once.
func (p *Provider) privateEndpoints() {
	p.s.Register(&arm.Type{Name: PrivateEndpointType, Versions: Versions(), Rank: 18, Removed: p.removedEndpoint})
	p.serve(kind{typ: PrivateEndpointType, param: "privateEndpointName", async: true, fixed: true, build: p.buildEndpoint, stored: p.storedEndpoint})
}

func (p *Provider) buildEndpoint(_ *arm.Call, r, old *arm.Resource) error {
	props := r.Props()
	delete(props, "networkInterfaces")
	id := azjson.Str(props, "subnet", "id")
	subnet, vnet := p.subnet(id)
	if subnet == nil || vnet.Location() != r.Location() {
		return missing(id, r.ID)
	}
	azjson.Put(props, azjson.Str(subnet, "id"), "subnet", "id")
	n := 0
	r.Retag()
	for _, collection := range connections() {
		azjson.Default(props, []any{}, collection)
		for _, e := range azjson.List(props, collection) {
			o, ok := e.(azjson.Object)
			if !ok || azjson.Str(o, "name") == "" || azjson.Str(o, "properties", "privateLinkServiceId") == "" {
				return arm.BadRequest("InvalidRequestFormat", "Cannot parse the request.").Empty()
			}
			child(r, o, collection, PrivateEndpointType+"/"+collection)
			azjson.Default(o, azjson.Object{"status": "Approved", "description": "Auto Approved", "actionsRequired": "None"}, "properties", "privateLinkServiceConnectionState")
			n++
		}
	}
	if n != 1 {
		return arm.BadRequest("PrivateEndpointMustHaveExactlyOnePrivateLinkServiceConnection", "Private endpoint %s must have exactly one private link service connection.", r.ID).Empty()
	}
	azjson.Default(props, "", "customNetworkInterfaceName")
	azjson.Default(props, []any{}, "ipConfigurations")
	props["customDnsConfigs"] = []any{} // read-only: known when it is connected
	if old != nil {
		props["networkInterfaces"] = azjson.Get(old.Body, "properties", "networkInterfaces")
	}
	return nil
}

// connections are the children that live in a private endpoint.
func connections() []string {
	return []string{"privateLinkServiceConnections", "manualPrivateLinkServiceConnections"}
}

// storageNames are what a storage account is called inside the network, by what of it an endpoint leads to. Of the other
// services nothing is known here.
func storageNames(endpoint *arm.Resource) map[string]string {
	names := map[string]string{}
	for _, collection := range connections() {
		for _, e := range azjson.List(endpoint.Body, "properties", collection) {
			id := azjson.Str(e, "properties", "privateLinkServiceId")
			if !strings.Contains(strings.ToLower(id), "/providers/microsoft.storage/storageaccounts/") {
				continue
			}
			for _, g := range azjson.List(e, "properties", "groupIds") {
				if group, _ := g.(string); group != "" {
					names[group] = strings.ToLower(resourceid.NameOf(id)) + "." + strings.ToLower(group) + ".core.windows.net"
				}
			}
		}
	}
	return names
}

// connected completes an endpoint when its service has agreed: what that says, and the names that lead to the endpoint.
func (p *Provider) connected(r *arm.Resource) {
	for _, e := range azjson.List(r.Body, "properties", "privateLinkServiceConnections") {
		said := "Approved" // by a private link service
		if len(azjson.List(e, "properties", "groupIds")) > 0 {
			said = "Auto-Approved"
		}
		azjson.Put(azjson.Map(e, "properties"), said, "privateLinkServiceConnectionState", "description")
	}
	var at []any
	for _, e := range azjson.List(r.Body, "properties", "networkInterfaces") {
		if nic := p.s.FindType(NICType, azjson.Str(e, "id")); nic != nil {
			for _, c := range azjson.List(nic.Body, "properties", "ipConfigurations") {
				at = append(at, azjson.Str(c, "properties", "privateIPAddress"))
			}
		}
	}
	names, dns := storageNames(r), []any{}
	for _, group := range slices.Sorted(maps.Keys(names)) {
		dns = append(dns, azjson.Object{"fqdn": names[group], "ipAddresses": at})
	}
	r.Props()["customDnsConfigs"] = dns
}

// storedEndpoint makes the interface of a new endpoint, in the endpoint's group and with none of its tags.
func (p *Provider) storedEndpoint(r, old *arm.Resource) {
	if old != nil {
		return
	}
	name := azjson.Str(r.Body, "properties", "customNetworkInterfaceName")
	if name == "" {
		name = r.Name() + ".nic." + uuid.NewString()
	}
	id := strings.TrimSuffix(r.ID, "privateEndpoints/"+r.Name()) + "networkInterfaces/" + name
	nic := &arm.Resource{ID: id, Type: NICType, Body: azjson.Object{
		"id": id, "name": name, "type": NICType, "location": r.Location(), "managedBy": r.ID,
		"properties": azjson.Object{
			"resourceGuid": uuid.NewString(), "privateEndpoint": azjson.Object{"id": r.ID},
			"ipConfigurations": []any{azjson.Object{"name": "privateEndpointIpConfig." + uuid.NewString(), "properties": azjson.Object{
				"subnet": azjson.Object{"id": azjson.Str(r.Body, "properties", "subnet", "id")}, "privateIPAllocationMethod": "Dynamic",
			}}},
		},
	}}
	endpoint := azjson.Get(nic.Body, "properties", "privateEndpoint")
	if err := p.buildNIC(nil, nic, nil); err != nil {
		return // a subnet without room: the endpoint has none, which Azure would have refused
	}
	nic.Props()["privateEndpoint"], nic.Props()["macAddress"] = endpoint, ""
	for group, name := range storageNames(r) { // there is one, as a rule
		azjson.Put(azjson.List(nic.Body, "properties", "ipConfigurations")[0].(azjson.Object), azjson.Object{
			"groupId": group, "requiredMemberName": group, "fqdns": []any{name},
		}, "properties", "privateLinkConnectionProperties")
	}
	nic.Retag()
	setState(nic, "Succeeded")
	p.s.Add(nic)
	r.Props()["networkInterfaces"] = []any{azjson.Object{"id": id}}
}

// removedEndpoint takes the interface along.
func (p *Provider) removedEndpoint(r *arm.Resource) {
	for _, e := range azjson.List(r.Body, "properties", "networkInterfaces") {
		if nic := p.s.FindType(NICType, azjson.Str(e, "id")); nic != nil {
			p.s.Remove(nic)
		}
	}
}

// endpointOf is the id of the private endpoint that an interface belongs to, or "".
func endpointOf(nic *arm.Resource) string {
	return azjson.Str(nic.Body, "properties", "privateEndpoint", "id")
}
