package network

import "github.com/azlin-dev/azlin/emulator/arm"

// introduce says when the members of this provider's types came to be. Learned from the models of the SDKs
// of each api-version.
func (p *Provider) introduce() {
	subnet := arm.Since{
		"properties.delegations":                       "2018-08-01",
		"properties.privateEndpointNetworkPolicies":    "2019-04-01",
		"properties.privateLinkServiceNetworkPolicies": "2019-04-01",
		"properties.defaultOutboundAccess":             "2023-05-01",
		"properties.natGateway":                        "2019-02-01",
	}
	p.s.Introduce(subnetType, subnet)
	vnet := arm.Since{
		"properties.enableDdosProtection":   "2017-10-01",
		"properties.enableVmProtection":     "2017-10-01",
		"properties.virtualNetworkPeerings": "2016-09-01",
	}
	for k, v := range subnet {
		vnet["properties.subnets."+k] = v
	}
	p.s.Introduce(VNetType, vnet)
	rule, nsg := arm.Since{}, arm.Since{}
	for _, k := range []string{"sourceAddressPrefixes", "sourcePortRanges", "destinationAddressPrefixes", "destinationPortRanges"} {
		rule["properties."+k] = "2017-06-01"
		nsg["properties.securityRules.properties."+k] = "2017-06-01"
		nsg["properties.defaultSecurityRules.properties."+k] = "2017-06-01"
	}
	p.s.Introduce(ruleType, rule)
	p.s.Introduce(NSGType, nsg)
	p.s.Introduce(PublicIPType, arm.Since{
		"sku":                               "2017-10-01",
		"sku.tier":                          "2020-07-01",
		"properties.publicIPAddressVersion": "2016-09-01",
		"properties.ipTags":                 "2018-01-01",
		"properties.natGateway":             "2020-07-01",
		"properties.deleteOption":           "2021-02-01",
		"properties.ddosSettings":           "2022-05-01",
	})
	p.s.Introduce(NICType, arm.Since{
		"properties.enableAcceleratedNetworking":                         "2016-09-01",
		"properties.dnsSettings.internalDomainNameSuffix":                "2016-09-01",
		"properties.ipConfigurations.properties.privateIPAddressVersion": "2016-09-01",
		"properties.hostedWorkloads":                                     "2018-08-01",
		"properties.tapConfigurations":                                   "2018-08-01",
		"properties.nicType":                                             "2020-07-01",
		"properties.auxiliaryMode":                                       "2022-07-01",
		"properties.disableTcpStateTracking":                             "2022-07-01",
		"properties.vnetEncryptionSupported":                             "2022-07-01",
		"properties.auxiliarySku":                                        "2023-02-01",
	})
}
