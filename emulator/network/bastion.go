package network

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/network/ipam"
	"github.com/azlin-dev/azlin/emulator/network/securityrule"
)

// The names that Azure fixes for Bastion.
const (
	bastionSubnet     = "AzureBastionSubnet"
	smallestPrefix    = 26
	bastionConfigType = BastionType + "/bastionHostIpConfigurations"
)

// The SKUs of Bastion, from the least to the most.
const (
	DeveloperSKU = "Developer"
	BasicSKU     = "Basic"
	StandardSKU  = "Standard"
	PremiumSKU   = "Premium"
)

func bastionRank(sku string) int {
	for i, s := range []string{DeveloperSKU, BasicSKU, StandardSKU, PremiumSKU} {
		if azjson.Fold(s, sku) {
			return i
		}
	}
	return -1
}

func (p *Provider) bastions() {
	p.s.Register(&arm.Type{
		Name: BastionType, Versions: Versions(), Rank: 15,
		View: func(r *arm.Resource, o azjson.Object) {
			if deployed, _ := r.Hidden["deployed"].(bool); deployed {
				azjson.Put(o, p.dnsName(r), "properties", "dnsName")
			}
		},
		Removed: func(r *arm.Resource) { p.holdBastionAddress(nil, r) },
	})
	p.serve(kind{
		typ: BastionType, param: "bastionHostName", async: true, alone: true, build: p.buildBastion, stored: p.holdBastionAddress,
		operation: func(r *arm.Resource) string {
			if azjson.Fold(azjson.Str(r.Body, "sku", "name"), DeveloperSKU) {
				return "network" // nothing is deployed
			}
			return "bastion"
		},
	})
}

// bastionFlags are the features of a Bastion, with the least SKU that has each.
func bastionFlags() []struct{ name, from string } {
	return []struct{ name, from string }{
		{"disableCopyPaste", StandardSKU},
		{"enableFileCopy", StandardSKU},
		{"enableIpConnect", StandardSKU},
		{"enableShareableLink", StandardSKU},
		{"enableTunneling", StandardSKU},
		{"enableKerberos", BasicSKU},
		{"enableSessionRecording", PremiumSKU},
		{"enablePrivateOnlyBastion", PremiumSKU},
	}
}

func (p *Provider) buildBastion(_ *arm.Call, r, old *arm.Resource) error {
	azjson.Default(r.Body, BasicSKU, "sku", "name")
	given := azjson.Str(r.Body, "sku", "name")
	rank := bastionRank(given)
	if rank < 0 {
		return unreadable(given, "BastionHostSkuName")
	}
	sku := []string{DeveloperSKU, BasicSKU, StandardSKU, PremiumSKU}[rank]
	azjson.Put(r.Body, sku, "sku", "name")
	if old != nil {
		if was := azjson.Str(old.Body, "sku", "name"); bastionRank(was) > rank {
			return arm.BadRequest("BastionHostSkuDowngradeNotSupported", "Bastion Host %s cannot be downgraded from SKU %s to %s.", r.ID, was, sku).Empty()
		}
	}
	props := r.Props()
	delete(props, "dnsName")      // read-only
	delete(props, "resourceGuid") // Bastions have none
	for _, f := range bastionFlags() {
		if sku == DeveloperSKU {
			if azjson.Bool(props, f.name) {
				return developerCannot(r, f.name)
			}
			delete(props, f.name)
			continue
		}
		if azjson.Bool(props, f.name) && bastionRank(f.from) > rank {
			return arm.BadRequest("BastionHostFeatureNotSupportedForSku", "Feature %s of Bastion Host %s requires SKU %s or higher. The SKU is %s.", f.name, r.ID, f.from, sku).Empty()
		}
		azjson.Default(props, false, f.name)
	}
	if sku == DeveloperSKU {
		return p.buildDeveloper(r, old)
	}
	if err := buildScale(r, rank); err != nil {
		return err
	}
	return p.buildBastionConfigs(r)
}

func buildScale(r *arm.Resource, rank int) error {
	props := r.Props()
	azjson.Default(props, 2, "scaleUnits")
	n, ok := azjson.Int(props, "scaleUnits")
	if !ok || n < 2 || n > 50 {
		return arm.BadRequest("BastionHostScaleUnitsInvalid", "Scale units of Bastion Host %s must be between 2 and 50.", r.ID).Empty()
	}
	if n != 2 && rank < bastionRank(StandardSKU) {
		return arm.BadRequest("BastionHostFeatureNotSupportedForSku", "Feature scaleUnits of Bastion Host %s requires SKU Standard or higher. The SKU is Basic.", r.ID).Empty()
	}
	return nil
}

func developerCannot(r *arm.Resource, what string) error {
	return arm.BadRequest("FeatureNotSupportedForDeveloperBastionSku", "%s is not supported for Developer SKU of Bastion Host %s.", what, r.ID).Empty()
}

// buildDeveloper judges a Bastion that shares a region's hosts and has only the name of a network.
func (p *Provider) buildDeveloper(r, old *arm.Resource) error {
	props := r.Props()
	if len(azjson.List(props, "ipConfigurations")) > 0 {
		return developerCannot(r, "ipConfigurations")
	}
	id := azjson.Str(props, "virtualNetwork", "id")
	if id == "" {
		return arm.BadRequest("FeatureNotSupportedForDeveloperBastionSku", "Bastion Host %s of SKU Developer must reference a virtual network.", r.ID).Empty()
	}
	vnet := p.s.FindType(VNetType, id)
	if vnet == nil || vnet.Location() != r.Location() {
		return missing(id, r.ID)
	}
	for _, o := range p.s.OfType(BastionType) {
		if !azjson.Fold(o.ID, r.ID) && resourceid.Key(p.bastionVNet(o)) == resourceid.Key(vnet.ID) {
			return bastionThere(vnet.ID, o.ID)
		}
	}
	azjson.Put(props, vnet.ID, "virtualNetwork", "id")
	azjson.Default(props, []any{}, "networkAcls", "ipRules")
	props["ipConfigurations"] = []any{}
	if old != nil {
		return nil // it keeps the addresses in Hidden
	}
	// The region's host that is asked first, and the one that then carries the connection.
	for _, k := range []string{"address", "pod"} {
		a, ok := p.freeAddress(r)
		if !ok {
			return arm.Refuse(http.StatusServiceUnavailable, "InternalServerError", "The emulator has no address left.")
		}
		if r.Hidden == nil {
			r.Hidden = azjson.Object{}
		}
		r.Hidden[k] = a.String()
	}
	return nil
}

func bastionThere(where, which string) error {
	return arm.BadRequest("VnetAlreadyHasBastionHost", "%s already has Bastion Host %s.", where, which).Empty()
}

func (p *Provider) buildBastionConfigs(r *arm.Resource) error {
	props := r.Props()
	if azjson.Bool(props, "enablePrivateOnlyBastion") {
		return arm.Refuse(http.StatusNotImplemented, "NotImplemented", "The emulator does not know private-only Bastion Hosts.")
	}
	configs := azjson.List(props, "ipConfigurations")
	if len(configs) != 1 {
		return arm.BadRequest("BastionHostMustHaveMaximumOneHostIpConfiguration", "BastionHost %s must contain 1 IP Configuration. It currently contains %d.", r.ID, len(configs)).Empty()
	}
	r.Retag()
	o, ok := configs[0].(azjson.Object)
	if !ok || azjson.Str(o, "name") == "" {
		return arm.BadRequest("InvalidRequestFormat", "Cannot parse the request.").Empty()
	}
	child(r, o, "bastionHostIpConfigurations", bastionConfigType)
	azjson.Default(o, "Dynamic", "properties", "privateIPAllocationMethod")
	if err := p.judgeBastionSubnet(r, o); err != nil {
		return err
	}
	id := azjson.Str(o, "properties", "publicIPAddress", "id")
	pip := p.s.FindType(PublicIPType, id)
	switch {
	case id == "":
		return arm.BadRequest("BastionHostPublicIpAddressRequired", "Bastion Host %s must reference a public IP address.", r.ID).Empty()
	case pip == nil || pip.Location() != r.Location():
		return missing(id, r.ID)
	case !azjson.Fold(azjson.Str(pip.Body, "sku", "name"), "Standard") || !azjson.Fold(azjson.Str(pip.Body, "properties", "publicIPAllocationMethod"), "Static"):
		return arm.BadRequest("BastionHostPublicIpMustBeStandardSku", "Public IP address %s of Bastion Host %s must be of SKU Standard and statically allocated.", pip.ID, r.ID).Empty()
	}
	if h := p.holders(pip); h != nil && !strings.HasPrefix(resourceid.Key(h[0]), resourceid.Key(r.ID)+"/") {
		return addressTaken(r.ID, pip.ID, h[0])
	}
	azjson.Put(o, pip.ID, "properties", "publicIPAddress", "id")
	return nil
}

func (p *Provider) judgeBastionSubnet(r *arm.Resource, config azjson.Object) error {
	id := azjson.Str(config, "properties", "subnet", "id")
	subnet, vnet := p.subnet(id)
	if subnet == nil || vnet.Location() != r.Location() {
		return missing(id, r.ID)
	}
	subnetID := azjson.Str(subnet, "id")
	if !azjson.Fold(azjson.Str(subnet, "name"), bastionSubnet) {
		return arm.BadRequest("SubnetNameMustBeAzureBastionSubnet", "Subnet name %s is invalid for Azure Bastion. Azure Bastion can only be created in subnet with name 'AzureBastionSubnet'.", subnetID)
	}
	if pf, ok := ipam.PrefixOf(subnet); !ok || pf.Bits() > smallestPrefix {
		return arm.BadRequest("BastionHostSubnetSizeTooSmall", "Subnet %s with address prefix %s is too small for Azure Bastion. The prefix must be /%d or larger.", subnetID, azjson.Str(subnet, "properties", "addressPrefix"), smallestPrefix).Empty()
	}
	for _, o := range p.s.OfType(BastionType) {
		if !azjson.Fold(o.ID, r.ID) && resourceid.Key(p.bastionVNet(o)) == resourceid.Key(vnet.ID) {
			return bastionThere(vnet.ID, o.ID)
		}
	}
	if nsg := p.s.FindType(NSGType, azjson.Str(subnet, "properties", "networkSecurityGroup", "id")); nsg != nil && !securityrule.AdmitsBastionClients(azjson.List(nsg.Body, "properties", "securityRules")) {
		return arm.BadRequest("NetworkSecurityGroupNotCompliantForAzureBastionSubnet", "Network security group %s does not have necessary rules for Azure Bastion Subnet %s.", nsg.ID, subnetID).Empty()
	}
	azjson.Put(config, subnetID, "properties", "subnet", "id")
	return nil
}

// holdBastionAddress keeps the back-references of public addresses.
func (p *Provider) holdBastionAddress(r, old *arm.Resource) {
	config := func(x *arm.Resource) (id string, pip *arm.Resource) {
		if x == nil {
			return "", nil
		}
		for _, e := range azjson.List(x.Body, "properties", "ipConfigurations") {
			return azjson.Str(e, "id"), p.s.FindType(PublicIPType, azjson.Str(e, "properties", "publicIPAddress", "id"))
		}
		return "", nil
	}
	id, pip := config(r)
	if _, was := config(old); was != nil && was != pip {
		p.associate(was, "")
	}
	if pip != nil && resourceid.Key(azjson.Str(pip.Body, "properties", "ipConfiguration", "id")) != resourceid.Key(id) {
		p.associate(pip, id)
	}
}

// bastionVNet is the id of the network that a Bastion stands in.
func (p *Provider) bastionVNet(r *arm.Resource) string {
	for _, e := range azjson.List(r.Body, "properties", "ipConfigurations") {
		return resourceid.ParentOf(azjson.Str(e, "properties", "subnet", "id"))
	}
	return azjson.Str(r.Body, "properties", "virtualNetwork", "id")
}

// bastionAddress is where a Bastion is reached.
func (p *Provider) bastionAddress(r *arm.Resource) netip.Addr {
	text := azjson.Str(r.Hidden, "address")
	for _, e := range azjson.List(r.Body, "properties", "ipConfigurations") {
		if pip := p.s.FindType(PublicIPType, azjson.Str(e, "properties", "publicIPAddress", "id")); pip != nil {
			text = azjson.Str(pip.Body, "properties", "ipAddress")
		}
	}
	a, _ := netip.ParseAddr(text) // the zero address: nowhere
	return a
}

// dnsName is where clients turn to. Azure's is bst-{guid}.bastion.azure.com; nothing resolves such names to
// addresses of this machine, so that the emulator's is the address itself, with its port unless that is 443.
func (p *Provider) dnsName(r *arm.Resource) string { return p.BastionName(p.bastionAddress(r)) }

// BastionName is the host part of the URLs of a Bastion with this address.
func (p *Provider) BastionName(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	if p.BastionPort == 0 || p.BastionPort == 443 {
		return a.String()
	}
	return netip.AddrPortFrom(a, p.BastionPort).String()
}
