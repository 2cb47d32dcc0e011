//go:build az

package az_test

const (
	networkVersion = "2018-11-01" // of what profile 2020-09-01-hybrid asks for,
	newerVersion   = "2022-01-01" // also for commands that az has rewritten
	vnetType       = "Microsoft.Network/virtualNetworks"
	nsgType        = "Microsoft.Network/networkSecurityGroups"
	addressType    = "Microsoft.Network/publicIPAddresses"
	nicType        = "Microsoft.Network/networkInterfaces"
)

func networks(c *cli) {
	c.in("az-networks")
	id := c.id(vnetType, "v1")
	c.agrees(at(c.az("network vnet create -g az-networks -n v1 --address-prefixes 10.1.0.0/16 --subnet-name first --subnet-prefixes 10.1.0.0/24 --tags a=b"), "newVNet"), id, networkVersion, "type")
	c.agrees(c.az("network vnet show -g az-networks -n v1"), id, networkVersion, "type")
	c.agrees(list(c.az("network vnet list -g az-networks"))[0], id, newerVersion)
	c.agrees(c.az("network vnet subnet create -g az-networks --vnet-name v1 -n second --address-prefixes 10.1.1.0/24"), id+"/subnets/second", networkVersion, "type")
	c.agrees(c.az("network vnet subnet show -g az-networks --vnet-name v1 -n second"), id+"/subnets/second", networkVersion, "type")
	subnets := list(c.az("network vnet subnet list -g az-networks --vnet-name v1"))
	c.equal("subnets", len(subnets), 2)
	for _, s := range subnets {
		c.agrees(s, at(s, "id").(string), networkVersion, "type")
	}
	c.refused(1, "NetcfgSubnetRangesOverlap", "network vnet subnet create -g az-networks --vnet-name v1 -n third --address-prefixes 10.1.1.0/25")
	c.az("network vnet subnet delete -g az-networks --vnet-name v1 -n second")
	c.gone(id+"/subnets/second", networkVersion)
	c.az("network vnet delete -g az-networks -n v1")
	c.gone(id, networkVersion)
	c.az("group delete -n az-networks --yes --no-wait")
}

func interfaces(c *cli) {
	c.in("az-interfaces")
	c.az("network vnet create -g az-interfaces -n v1 --subnet-name first")
	address := c.id(addressType, "p1")
	const newer = "2022-07-01" // which this profile asks for of addresses alone
	made := at(c.az("network public-ip create -g az-interfaces -n p1 --sku Standard --allocation-method Static --tags a=b"), "publicIp")
	c.agrees(made, address, newer)
	c.agrees(list(c.az("network public-ip list -g az-interfaces"))[0], address, newer)
	nic := c.id(nicType, "n1")
	c.agrees(at(c.az("network nic create -g az-interfaces -n n1 --vnet-name v1 --subnet first --public-ip-address p1"), "NewNIC"), nic, networkVersion)
	c.agrees(list(c.az("network nic list -g az-interfaces"))[0], nic, networkVersion)
	c.equal("address of the interface", at(c.get(nic, networkVersion), "properties", "ipConfigurations", "properties", "publicIPAddress", "id"), address)

	// These four die in Debian's hybrid profile before they send anything.
	n := c.newest()
	n.agrees(n.az("network nic show -g az-interfaces -n n1"), nic, newer)
	n.agrees(n.az("network public-ip show -g az-interfaces -n p1"), address, newer)
	n.refused(1, "PublicIPAddressCannotBeDeleted", "network public-ip delete -g az-interfaces -n p1")
	n.az("network nic delete -g az-interfaces -n n1")
	c.gone(nic, networkVersion)
	n.az("network public-ip delete -g az-interfaces -n p1")
	c.gone(address, networkVersion)
	c.az("group delete -n az-interfaces --yes --no-wait")
}

func rules(c *cli) {
	c.in("az-rules")
	id := c.id(nsgType, "g1")
	c.agrees(at(c.az("network nsg create -g az-rules -n g1 --tags a=b"), "NewNSG"), id, networkVersion, "type")
	c.agrees(c.az("network nsg show -g az-rules -n g1"), id, networkVersion, "type")
	c.agrees(list(c.az("network nsg list -g az-rules"))[0], id, networkVersion, "type")
	ssh := id + "/securityRules/ssh"
	c.agrees(c.az("network nsg rule create -g az-rules --nsg-name g1 -n ssh --priority 200 --source-address-prefixes 203.0.113.0/24 198.51.100.7 --destination-port-ranges 22 2222 --protocol Tcp"), ssh, networkVersion)
	stored := c.get(ssh, networkVersion)
	c.equal("ports", at(stored, "properties", "destinationPortRanges"), []string{"22", "2222"})
	c.equal("sources", at(stored, "properties", "sourceAddressPrefixes"), []string{"203.0.113.0/24", "198.51.100.7"})
	c.agrees(list(c.az("network nsg rule list -g az-rules --nsg-name g1"))[0], ssh, networkVersion)
	c.want("ssh", "network nsg rule list -g az-rules --nsg-name g1 --query [].name")
	if r := c.run("network nsg rule list -g az-rules --nsg-name g1 -o table"); r.code != 0 {
		c.Errorf("rules as a table: %s", r.err)
	}
	c.equal("with the default rules", len(list(c.az("network nsg rule list -g az-rules --nsg-name g1 --include-default"))), 7)
	c.refused(1, "SecurityRuleConflict", "network nsg rule create -g az-rules --nsg-name g1 -n other --priority 200 --destination-port-ranges 80")
	n := c.newest()
	n.agrees(n.az("network nsg rule show -g az-rules --nsg-name g1 -n ssh"), ssh, "2022-07-01")
	c.az("network nsg rule delete -g az-rules --nsg-name g1 -n ssh")
	c.gone(ssh, networkVersion)
	c.az("network nsg delete -g az-rules -n g1")
	c.gone(id, networkVersion)
	c.az("group delete -n az-rules --yes --no-wait")
}
