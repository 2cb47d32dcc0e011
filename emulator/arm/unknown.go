package arm

import (
	"net/http"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
)

// unknown says why no route took a call: a method that the path has not, a type or namespace that
// does not exist in Azure, or one that Azure has and the emulator has not.
func (s *Server) unknown(c *Call, known *Route) error {
	if known != nil {
		return Refuse(http.StatusMethodNotAllowed, "HttpMethodNotAllowed", "The HTTP method '%s' is not supported at scope '%s'.", c.Method, c.Path)
	}
	id, err := resourceid.Parse(c.Path)
	if err != nil || id.Namespace == "" {
		return NotImplemented(c.Method, c.Path)
	}
	name := strings.ToLower(id.Namespace)
	types, ok := elsewhere[name]
	if !ok {
		return Refuse(http.StatusNotFound, "InvalidResourceNamespace", "The resource namespace '%s' is invalid.", id.Namespace)
	}
	if types == nil || len(id.Types) == 0 || types[strings.ToLower(id.Types[0])] {
		return NotImplemented(c.Method, c.Path)
	}
	for t := range s.types {
		if t == name+"/"+strings.ToLower(id.Types[0]) {
			return NotImplemented(c.Method, c.Path)
		}
	}
	return Refuse(http.StatusNotFound, "InvalidResourceType",
		"The resource type '%s' could not be found in the namespace '%s' for api version '%s'. The supported api-versions are ''.",
		strings.Join(id.Types, "/"), id.Namespace, c.Version)
}

// elsewhere lists, per namespace that exists in Azure, the types that exist there beside those
// emulated; nil means that any type may exist.
var elsewhere = map[string]map[string]bool{
	"microsoft.compute": set(`availabilitySets cloudServices capacityReservationGroups diskAccesses diskEncryptionSets galleries
		hostGroups locations operations proximityPlacementGroups restorePointCollections sharedVMImages sshPublicKeys
		virtualMachineScaleSets virtualMachines disks snapshots images skus`),
	"microsoft.network": set(`applicationGateways applicationSecurityGroups azureFirewalls bastionHosts bgpServiceCommunities connections
		ddosProtectionPlans dnsZones expressRouteCircuits firewallPolicies frontDoors ipGroups loadBalancers localNetworkGateways
		locations networkManagers networkProfiles networkWatchers operations privateDnsZones privateEndpoints privateLinkServices
		publicIPPrefixes routeFilters routeTables serviceEndpointPolicies trafficManagerProfiles virtualHubs
		virtualNetworkGateways virtualNetworkTaps virtualRouters virtualWans vpnGateways vpnSites`),
	"microsoft.resources":        set(`deployments tags subscriptions resourceGroups links providers deploymentStacks templateSpecs changes`),
	"microsoft.authorization":    nil,
	"microsoft.storage":          nil,
	"microsoft.insights":         nil,
	"microsoft.keyvault":         nil,
	"microsoft.security":         nil,
	"microsoft.costmanagement":   nil,
	"microsoft.resourcegraph":    nil,
	"microsoft.consumption":      nil,
	"microsoft.recoveryservices": nil, "microsoft.managedidentity": nil, "microsoft.containerservice": nil,
	"microsoft.web": nil, "microsoft.sql": nil, "microsoft.advisor": nil, "microsoft.quota": nil,
	"microsoft.operationalinsights": nil, "microsoft.resourcehealth": nil, "microsoft.maintenance": nil,
	"microsoft.policyinsights": nil, "microsoft.management": nil, "microsoft.features": nil,
	"microsoft.devtestlab": nil, "microsoft.marketplaceordering": nil, "microsoft.billing": nil,
}

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[strings.ToLower(w)] = true
	}
	return m
}
