// Package schema is what all that is in Microsoft.Compute has in common: the names of the types, their paths and api-versions,
// from which of those on their members exist, and their provisioning states.
package schema

import (
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// Types of the provider.
const (
	VMType        = "Microsoft.Compute/virtualMachines"
	ExtensionType = "Microsoft.Compute/virtualMachines/extensions"
	DiskType      = "Microsoft.Compute/disks"
	SnapshotType  = "Microsoft.Compute/snapshots"
	ImageType     = "Microsoft.Compute/images"

	GalleryType        = "Microsoft.Compute/galleries"
	GalleryImageType   = "Microsoft.Compute/galleries/images"
	GalleryVersionType = "Microsoft.Compute/galleries/images/versions"
)

// Where its resources are.
const (
	InGroup = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Compute"
	InSub   = "/subscriptions/{subscriptionId}/providers/Microsoft.Compute"
	InPlace = InSub + "/locations/{location}"
)

// Versions are the api-versions of VMs, their images and sizes.
func Versions() []string {
	return []string{
		"2015-06-15", "2016-03-30", "2016-04-30-preview", "2017-03-30", "2017-12-01", "2018-04-01", "2018-06-01", "2018-10-01",
		"2019-03-01", "2019-07-01", "2019-12-01", "2020-06-01", "2020-12-01", "2021-03-01", "2021-04-01", "2021-07-01", "2021-11-01", "2022-03-01",
		"2022-08-01", "2022-11-01", "2023-03-01", "2023-07-01", "2023-09-01", "2024-03-01", "2024-07-01", "2024-11-01", "2025-04-01", "2025-11-01", "2026-04-01",
	}
}

// DiskVersions are the api-versions of disks and snapshots.
func DiskVersions() []string {
	return []string{
		"2016-04-30-preview", "2017-03-30", "2018-04-01", "2018-06-01", "2018-09-30", "2019-03-01", "2019-07-01", "2019-11-01", "2020-05-01",
		"2020-06-30", "2020-09-30", "2020-12-01", "2021-04-01", "2021-08-01", "2021-12-01", "2022-03-02", "2022-07-02", "2023-01-02", "2023-04-02",
		"2023-10-02", "2024-03-02", "2025-01-02", "2026-03-02",
	}
}

// SKUVersions are the api-versions of the list of SKUs.
func SKUVersions() []string { return []string{"2017-03-30", "2017-09-01", "2019-04-01", "2021-07-01"} }

// GalleryVersions are the api-versions of galleries and what is in them.
func GalleryVersions() []string {
	return []string{
		"2018-06-01", "2019-03-01", "2019-07-01", "2019-12-01", "2020-09-30", "2021-07-01", "2021-10-01", "2022-01-03", "2022-03-03",
		"2022-08-03", "2023-07-03", "2024-03-03", "2025-03-03", "2025-12-03",
	}
}

// Provisioning is the provisioning state of a resource.
func Provisioning(r *arm.Resource) string {
	return azjson.Str(r.Body, "properties", "provisioningState")
}

// SetProvisioning sets it.
func SetProvisioning(r *arm.Resource, state string) { r.Props()["provisioningState"] = state }

// Shouted is a resource's id as lists over groups may have it, with the group's name in capitals: clients must
// not compare ids by case.
func Shouted(r *arm.Resource) string {
	return strings.Replace(r.ID, "/resourceGroups/"+r.Group()+"/", "/resourceGroups/"+strings.ToUpper(r.Group())+"/", 1)
}
