package azjson

import "strings"

// Canonical gives the keys of o Azure's casing, at every depth: clients may spell them as they
// like. Maps whose keys belong to the user (tags, parameters) are left alone, and so are keys that
// are not known here.
func Canonical(o Object) Object {
	for k, v := range o {
		c, ok := casing[strings.ToLower(k)]
		if !ok {
			c = k
		}
		if !userKeyed[c] {
			v = canonicalValue(v)
		}
		if c != k {
			delete(o, k)
		}
		o[c] = v
	}
	return o
}

func canonicalValue(v any) any {
	switch x := v.(type) {
	case Object:
		return Canonical(x)
	case []any:
		for i, e := range x {
			x[i] = canonicalValue(e)
		}
	}
	return v
}

// userKeyed are the members whose own keys are data.
var userKeyed = map[string]bool{
	"tags": true, "parameters": true, "template": true, "userAssignedIdentities": true,
	"settings": true, "protectedSettings": true, "metadata": true,
}

// casing maps the lower-cased name of each known member to its spelling.
var casing = func() map[string]string {
	m := map[string]string{}
	for k := range strings.FieldsSeq(`
id name type location tags properties sku zones identity plan etag kind managedBy extendedLocation placement
provisioningState operation template parameters mode debugSetting outputs
hardwareProfile vmSize vmSizeProperties vCPUsAvailable vCPUsPerCore
storageProfile imageReference publisher offer version exactVersion sharedGalleryImageId communityGalleryImageId
osDisk osType dataDisks lun caching createOption diskSizeGB managedDisk storageAccountType deleteOption
writeAcceleratorEnabled diskEncryptionSet securityProfile securityEncryptionType toBeDetached detachOption vhd uri image
diffDiskSettings option diskControllerType alignRegionalDisksToVMZone encryptionSettings
osProfile computerName adminUsername adminPassword customData linuxConfiguration windowsConfiguration
disablePasswordAuthentication ssh publicKeys path keyData provisionVMAgent patchSettings patchMode assessmentMode
automaticByPlatformSettings enableVMAgentPlatformUpdates secrets allowExtensionOperations requireGuestProvisionSignal
enableAutomaticUpdates timeZone
networkProfile networkInterfaces primary networkApiVersion networkInterfaceConfigurations
diagnosticsProfile bootDiagnostics enabled storageUri availabilitySet virtualMachineScaleSet proximityPlacementGroup
priority evictionPolicy billingProfile maxPrice host hostGroup licenseType extensionsTimeBudget platformFaultDomain
scheduledEventsProfile userData capacityReservation applicationProfile encryptionAtHost securityType uefiSettings
secureBootEnabled vTpmEnabled additionalCapabilities ultraSSDEnabled hibernationEnabled
creationData sourceResourceId sourceUniqueId sourceUri storageAccountId galleryImageReference uploadSizeBytes logicalSectorSize
hyperVGeneration diskIOPSReadWrite diskMBpsReadWrite encryption diskEncryptionSetId networkAccessPolicy diskAccessId
publicNetworkAccess incremental supportsHibernation supportedCapabilities acceleratedNetwork architecture maxShares tier
burstingEnabled purchasePlan dataAccessAuthMode optimizedForFrequentAttach completionPercent copyCompletionError
autoUpgradeMinorVersion enableAutomaticUpgrade typeHandlerVersion settings protectedSettings forceUpdateTag suppressFailures
commandId script
publishingProfile targetRegions regionalReplicaCount replicaCount excludeFromLatest endOfLifeDate replicationMode publishedDate
source virtualMachineId osDiskImage dataDiskImages sizeInGB hostCaching safetyProfile allowDeletionOfReplicatedLocations
osState features identifier uniqueName recommended vCPUs memory disallowed diskTypes eula privacyStatementUri releaseNoteUri
sharingProfile softDeletePolicy allowUpdateImage
addressSpace addressPrefixes addressPrefix subnets subnet defaultOutboundAccess networkSecurityGroup routeTable natGateway
serviceEndpoints service locations delegations serviceName privateEndpointNetworkPolicies privateLinkServiceNetworkPolicies
dhcpOptions dnsServers enableDdosProtection enableVmProtection flowTimeoutInMinutes virtualNetworkPeerings bgpCommunities
securityRules defaultSecurityRules description protocol sourcePortRange destinationPortRange sourceAddressPrefix
destinationAddressPrefix access direction sourcePortRanges destinationPortRanges sourceAddressPrefixes
destinationAddressPrefixes sourceApplicationSecurityGroups destinationApplicationSecurityGroups flushConnection
ipConfigurations ipConfiguration privateIPAddress privateIPAllocationMethod privateIPAddressVersion publicIPAddress
privateIPAddressPrefixLength applicationSecurityGroups loadBalancerBackendAddressPools loadBalancerInboundNatRules
dnsSettings internalDnsNameLabel appliedDnsServers enableAcceleratedNetworking enableIPForwarding disableTcpStateTracking
nicType auxiliaryMode auxiliarySku migrationPhase virtualMachine macAddress
publicIPAllocationMethod publicIPAddressVersion idleTimeoutInMinutes ipTags ipAddress domainNameLabel fqdn
domainNameLabelScope reverseFqdn publicIPPrefix ddosSettings publicIpAddresses publicIpPrefixes
level notes owners
networkAcls bypass defaultAction virtualNetworkRules ipRules supportsHttpsTrafficOnly minimumTlsVersion allowBlobPublicAccess
allowSharedKeyAccess allowCrossTenantReplication accessTier largeFileSharesState isHnsEnabled isNfsV3Enabled keySource keyType
shareQuota enabledProtocols rootSquash metadata protocolSettings smb nfs multichannel encryptionInTransit cors corsRules
shareDeleteRetentionPolicy keyName leaseId leaseDuration proposedLeaseId breakPeriod`) {
		m[strings.ToLower(k)] = k
	}
	return m
}()
