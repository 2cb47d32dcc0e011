package network

import (
	"strings"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
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
	id := arm.Str(props, "subnet", "id")
	subnet, vnet := p.subnet(id)
	if subnet == nil || vnet.Location() != r.Location() {
		return missing(id, r.ID)
	}
	arm.Put(props, arm.Str(subnet, "id"), "subnet", "id")
	connections := 0
	r.Retag()
	for _, collection := range []string{"privateLinkServiceConnections", "manualPrivateLinkServiceConnections"} {
		arm.Default(props, []any{}, collection)
		for _, e := range arm.List(props, collection) {
			o, ok := e.(arm.Object)
			if !ok || arm.Str(o, "name") == "" || arm.Str(o, "properties", "privateLinkServiceId") == "" {
				return arm.BadRequest("InvalidRequestFormat", "Cannot parse the request.").Empty()
			}
			child(r, o, collection, PrivateEndpointType+"/"+collection)
			arm.Default(o, arm.Object{"status": "Approved", "description": "Auto-Approved", "actionsRequired": "None"}, "properties", "privateLinkServiceConnectionState")
			connections++
		}
	}
	if connections != 1 {
		return arm.BadRequest("PrivateEndpointMustHaveExactlyOnePrivateLinkServiceConnection", "Private endpoint %s must have exactly one private link service connection.", r.ID).Empty()
	}
	arm.Default(props, []any{}, "customDnsConfigs")
	if old != nil {
		props["networkInterfaces"] = arm.Get(old.Body, "properties", "networkInterfaces")
	}
	return nil
}

// storedEndpoint makes the interface of a new endpoint, in the endpoint's group and with none of its tags.
func (p *Provider) storedEndpoint(r, old *arm.Resource) {
	if old != nil {
		return
	}
	name := arm.Str(r.Body, "properties", "customNetworkInterfaceName")
	if name == "" {
		name = r.Name() + ".nic." + uuid.NewString()
	}
	id := strings.TrimSuffix(r.ID, "privateEndpoints/"+r.Name()) + "networkInterfaces/" + name
	nic := &arm.Resource{ID: id, Type: NICType, Body: arm.Object{
		"id": id, "name": name, "type": NICType, "location": r.Location(),
		"properties": arm.Object{
			"resourceGuid": uuid.NewString(), "privateEndpoint": arm.Object{"id": r.ID},
			"ipConfigurations": []any{arm.Object{"name": "privateEndpointIpConfig." + uuid.NewString(), "properties": arm.Object{
				"subnet": arm.Object{"id": arm.Str(r.Body, "properties", "subnet", "id")}, "privateIPAllocationMethod": "Dynamic",
			}}},
		},
	}}
	endpoint := arm.Get(nic.Body, "properties", "privateEndpoint")
	if err := p.buildNIC(nil, nic, nil); err != nil {
		return // a subnet without room: the endpoint has none, which Azure would have refused
	}
	nic.Props()["privateEndpoint"] = endpoint
	nic.Retag()
	setState(nic, "Succeeded")
	p.s.Add(nic)
	r.Props()["networkInterfaces"] = []any{arm.Object{"id": id}}
}

// removedEndpoint takes the interface along.
func (p *Provider) removedEndpoint(r *arm.Resource) {
	for _, e := range arm.List(r.Body, "properties", "networkInterfaces") {
		if nic := p.s.FindType(NICType, arm.Str(e, "id")); nic != nil {
			p.s.Remove(nic)
		}
	}
}

// endpointOf is the id of the private endpoint that an interface belongs to, or "".
func endpointOf(nic *arm.Resource) string {
	return arm.Str(nic.Body, "properties", "privateEndpoint", "id")
}
