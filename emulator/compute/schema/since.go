package schema

import "github.com/azlin-dev/azlin/emulator/arm"

// Introduce says when the members of the provider's types came to be. Learned from the models of the SDKs
// of each api-version and from Azure's change log of them.
func Introduce(s *arm.Server) {
	s.Introduce(VMType, arm.Since{
		"etag":                   "2023-09-01",
		"properties.vmId":        "2016-03-30",
		"properties.timeCreated": "2021-11-01",
		"properties.userData":    "2021-03-01",
		"properties.osProfile.allowExtensionOperations":                        "2018-06-01",
		"properties.osProfile.requireGuestProvisionSignal":                     "2019-03-01",
		"properties.osProfile.linuxConfiguration.provisionVMAgent":             "2018-06-01",
		"properties.osProfile.linuxConfiguration.patchSettings":                "2020-12-01",
		"properties.osProfile.linuxConfiguration.patchSettings.assessmentMode": "2021-03-01",
		"properties.osProfile.linuxConfiguration.enableVMAgentPlatformUpdates": "2022-08-01",
		"properties.storageProfile.diskControllerType":                         "2022-08-01",
		"properties.storageProfile.imageReference.exactVersion":                "2019-07-01",
		"properties.storageProfile.osDisk.managedDisk":                         "2016-04-30-preview",
		"properties.storageProfile.osDisk.deleteOption":                        "2021-03-01",
		"properties.storageProfile.dataDisks.managedDisk":                      "2016-04-30-preview",
		"properties.storageProfile.dataDisks.deleteOption":                     "2021-03-01",
		"properties.storageProfile.dataDisks.toBeDetached":                     "2019-03-01",
		"properties.networkProfile.networkInterfaces.properties.deleteOption":  "2021-03-01",
		"properties.instanceView.hyperVGeneration":                             "2019-03-01",
		"zones":                             "2017-03-30",
		"properties.additionalCapabilities": "2018-06-01",
		"properties.priority":               "2019-03-01",
		"properties.evictionPolicy":         "2019-03-01",
		"properties.billingProfile":         "2019-03-01",
		"properties.securityProfile":        "2020-06-01",
		"properties.scheduledEventsProfile": "2021-03-01",
		"properties.applicationProfile":     "2021-07-01",
	})
	s.Introduce(DiskType, arm.Since{
		"managedBy":                                            "2017-03-30",
		"sku":                                                  "2017-03-30",
		"properties.LastOwnershipUpdateTime":                   "2023-04-02",
		"properties.diskState":                                 "2018-09-30",
		"properties.hyperVGeneration":                          "2018-09-30",
		"properties.diskIOPSReadWrite":                         "2018-06-01",
		"properties.diskMBpsReadWrite":                         "2018-06-01",
		"properties.diskSizeBytes":                             "2019-03-01",
		"properties.uniqueId":                                  "2019-03-01",
		"properties.encryption":                                "2019-07-01",
		"properties.networkAccessPolicy":                       "2020-05-01",
		"properties.tier":                                      "2020-06-30",
		"properties.publicNetworkAccess":                       "2021-04-01",
		"properties.supportedCapabilities":                     "2021-04-01",
		"properties.supportedCapabilities.architecture":        "2021-12-01",
		"properties.supportedCapabilities.diskControllerTypes": "2022-07-02",
	})
	s.Introduce(GalleryImageType, arm.Since{
		"properties.hyperVGeneration": "2019-07-01",
		"properties.features":         "2020-09-30",
		"properties.architecture":     "2022-01-03",
	})
	s.Introduce(GalleryVersionType, arm.Since{
		"properties.safetyProfile":                          "2022-03-03",
		"properties.storageProfile.source.virtualMachineId": "2023-07-03",
	})
	s.Introduce(SnapshotType, arm.Since{
		"sku":                                    "2017-03-30",
		"properties.hyperVGeneration":            "2018-09-30",
		"properties.creationData.sourceUniqueId": "2019-03-01",
		"properties.diskSizeBytes":               "2019-03-01",
		"properties.uniqueId":                    "2019-03-01",
		"properties.incremental":                 "2019-03-01",
		"properties.incrementalSnapshotFamilyId": "2021-12-01",
		"properties.encryption":                  "2019-07-01",
		"properties.networkAccessPolicy":         "2020-05-01",
		"properties.diskState":                   "2020-06-30",
		"properties.publicNetworkAccess":         "2021-04-01",
	})
}
