package network

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/network/ipam"
)

const peeringType = VNetType + "/virtualNetworkPeerings"

func (p *Provider) peerings() {
	s, v := p.s, Versions()
	const in = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network/virtualNetworks/{virtualNetworkName}/virtualNetworkPeerings"
	const one = in + "/{virtualNetworkPeeringName}"
	s.RegisterKind("peering.delete", arm.Kind{Finish: p.finishPeeringDelete})
	s.Handle(http.MethodGet, in, v, func(c *arm.Call) (*arm.Reply, error) {
		vnet, err := p.vnetOf(c)
		if err != nil {
			return nil, err
		}
		l := azjson.Clone(azjson.List(vnet.Body, "properties", "virtualNetworkPeerings"))
		for _, e := range l {
			p.viewPeering(vnet, e.(azjson.Object))
		}
		return c.Page(l), nil
	})
	s.Handle(http.MethodGet, one, v, func(c *arm.Call) (*arm.Reply, error) {
		vnet, err := p.vnetOf(c)
		if err != nil {
			return nil, err
		}
		o, _ := find(azjson.List(vnet.Body, "properties", "virtualNetworkPeerings"), c.Param("virtualNetworkPeeringName"))
		if o == nil {
			return nil, noChild(c)
		}
		o = azjson.Clone(o)
		p.viewPeering(vnet, o)
		return arm.OK(o).With("Etag", azjson.Str(o, "etag")), nil
	})
	s.Handle(http.MethodPut, one, v, p.putChild(childKind{
		list: "virtualNetworkPeerings", param: "virtualNetworkPeeringName", parent: p.vnetOf,
		build: func(_ *arm.Call, vnet *arm.Resource, siblings []any, o azjson.Object) error {
			return p.buildPeering(vnet, siblings, o)
		},
		view: p.viewPeering,
	}))
	s.Handle(http.MethodDelete, one, v, p.deletePeering)
}

// buildPeering judges one peering beside its siblings and completes it.
func (p *Provider) buildPeering(vnet *arm.Resource, siblings []any, o azjson.Object) error {
	if err := rule(peeringType).Check(azjson.Str(o, "name")); err != nil {
		return err
	}
	child(vnet, o, "virtualNetworkPeerings", peeringType)
	props := azjson.Map(o, "properties")
	id := azjson.Str(props, "remoteVirtualNetwork", "id")
	remote := p.s.FindType(VNetType, id)
	if remote == nil {
		return missing(id, azjson.Str(o, "id"))
	}
	if azjson.Fold(remote.ID, vnet.ID) {
		return arm.BadRequest("VnetCannotBePeeredWithItself", "Virtual network %s cannot be peered with itself.", vnet.ID).Empty()
	}
	for _, e := range siblings {
		if resourceid.Key(azjson.Str(e, "properties", "remoteVirtualNetwork", "id")) == resourceid.Key(remote.ID) {
			return arm.BadRequest("AnotherPeeringAlreadyReferencesRemoteVnet", "Peering %s cannot be created because virtual network %s already has a peering to %s.", azjson.Str(o, "id"), vnet.ID, remote.ID).Empty()
		}
	}
	mine, err := ipam.Spaces(vnet)
	if err != nil {
		return err
	}
	theirs, err := ipam.Spaces(remote)
	if err != nil {
		return err
	}
	if a, b, ok := ipam.Overlap(mine, theirs); ok {
		return arm.BadRequest("VnetAddressSpacesOverlap", "Cannot create or update peering %s. Virtual networks %s and %s cannot be peered because their address spaces overlap. Overlapping address prefixes: %s, %s", azjson.Str(o, "id"), vnet.ID, remote.ID, a, b).Empty()
	}
	if back := peeringTo(remote, vnet.ID); azjson.Str(back, "properties", "peeringState") == disconnected {
		return arm.BadRequest("RemotePeeringIsDisconnected", "Cannot create or update peering %s because remote peering %s referencing parent virtual network %s is in Disconnected state. Update or re-create the remote peering to get it back to Initiated state. Peering gets Disconnected when remote vnet or remote peering is deleted and re-created.",
			azjson.Str(o, "id"), azjson.Str(back, "id"), vnet.ID).Empty()
	}
	for _, k := range []string{"peeringState", "peeringSyncLevel", "remoteAddressSpace", "remoteVirtualNetworkAddressSpace"} {
		delete(props, k) // found out anew
	}
	azjson.Put(props, remote.ID, "remoteVirtualNetwork", "id")
	azjson.Default(props, true, "allowVirtualNetworkAccess")
	for _, k := range []string{"allowForwardedTraffic", "allowGatewayTransit", "useRemoteGateways", "doNotVerifyRemoteGateways"} {
		azjson.Default(props, false, k)
	}
	azjson.Default(props, true, "peerCompleteVnets")
	props["resourceGuid"] = bothOf(azjson.Str(vnet.Body, "properties", "resourceGuid"), azjson.Str(remote.Body, "properties", "resourceGuid"))
	props["routeServiceVips"] = azjson.Object{}
	return nil
}

// bothOf is the GUID of a peering, which is the same from both sides: those of the networks, one xor the other.
func bothOf(a, b string) string {
	x, _ := uuid.Parse(a) // what is no GUID counts for nothing
	y, _ := uuid.Parse(b)
	for i := range x {
		x[i] ^= y[i]
	}
	return x.String()
}

// Peered reports whether two networks name each other as peers, and neither has lost the other.
func Peered(s *arm.Server, vnet *arm.Resource, other string) bool {
	there, back := peeringTo(vnet, other), peeringTo(s.FindType(VNetType, other), vnet.ID)
	return there != nil && back != nil && azjson.Str(there, "properties", "peeringState") != disconnected && azjson.Str(back, "properties", "peeringState") != disconnected
}

// disconnected is the state of a peering whose other side has gone. It stays so until the peering is written again.
const disconnected = "Disconnected"

// peeringTo is a network's peering to another one; nil when it has none.
func peeringTo(vnet *arm.Resource, other string) azjson.Object {
	if vnet == nil {
		return nil
	}
	for _, e := range azjson.List(vnet.Body, "properties", "virtualNetworkPeerings") {
		if resourceid.Key(azjson.Str(e, "properties", "remoteVirtualNetwork", "id")) == resourceid.Key(other) {
			o, _ := e.(azjson.Object)
			return o
		}
	}
	return nil
}

// disconnect leaves a network's peering to another one without its other side.
func (p *Provider) disconnect(vnet *arm.Resource, other string) {
	if o := peeringTo(vnet, other); o != nil {
		azjson.Put(o, disconnected, "properties", "peeringState")
		vnet.Retag()
		p.s.Touch(vnet)
	}
}

// removedVNet leaves the peerings to a network that is gone without their other side.
func (p *Provider) removedVNet(r *arm.Resource) {
	for _, vnet := range p.s.OfType(VNetType) {
		if !azjson.Fold(vnet.ID, r.ID) {
			p.disconnect(vnet, r.ID)
		}
	}
}

// viewPeering says how a peering stands, which depends on the other network.
func (p *Provider) viewPeering(vnet *arm.Resource, o azjson.Object) {
	remote := p.s.FindType(VNetType, azjson.Str(o, "properties", "remoteVirtualNetwork", "id"))
	state, level := disconnected, "RemoteNotInSync"
	if remote != nil {
		space := azjson.Object{"addressPrefixes": azjson.Clone(azjson.List(remote.Body, "properties", "addressSpace", "addressPrefixes"))}
		azjson.Put(o, space, "properties", "remoteAddressSpace")
		azjson.Put(o, azjson.Clone(space), "properties", "remoteVirtualNetworkAddressSpace")
		switch {
		case Peered(p.s, vnet, remote.ID):
			state, level = "Connected", "FullyInSync"
		case azjson.Str(o, "properties", "peeringState") != disconnected:
			state = "Initiated"
		}
	}
	azjson.Put(o, state, "properties", "peeringState")
	azjson.Put(o, level, "properties", "peeringSyncLevel")
}

func (p *Provider) deletePeering(c *arm.Call) (*arm.Reply, error) {
	vnet, err := p.vnetOf(c)
	if err != nil {
		return nil, err
	}
	o, _ := find(azjson.List(vnet.Body, "properties", "virtualNetworkPeerings"), c.Param("virtualNetworkPeeringName"))
	if o == nil {
		return arm.Status(http.StatusNoContent), nil
	}
	if op := p.s.Current(vnet.ID); op != nil {
		return nil, p.inProgress(op)
	}
	op := p.s.Begin("peering.delete", vnet.ID, vnet.Location(), azjson.Object{"name": azjson.Str(o, "name")})
	return c.Async(arm.Status(http.StatusAccepted), op, polling.NetworkDelete()), nil
}

func (p *Provider) finishPeeringDelete(op *arm.Operation, _ error) (time.Duration, error) {
	vnet := p.s.Find(op.Target)
	if vnet == nil {
		return 0, nil
	}
	list := azjson.List(vnet.Body, "properties", "virtualNetworkPeerings")
	if o, at := find(list, azjson.Str(op.Args, "name")); at >= 0 {
		p.disconnect(p.s.FindType(VNetType, azjson.Str(o, "properties", "remoteVirtualNetwork", "id")), vnet.ID)
		vnet.Props()["virtualNetworkPeerings"] = append(append([]any{}, list[:at]...), list[at+1:]...)
		vnet.Retag()
		p.s.Touch(vnet)
	}
	return 0, nil
}
