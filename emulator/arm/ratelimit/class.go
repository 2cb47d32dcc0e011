package ratelimit

import (
	"net/http"
	"strings"
)

// regionalLimits are how many calls of a class a subscription may make in a region within 3 and 30 minutes: as recorded
// replies tell them, for the classes that were recorded.
func regionalLimits(name string) [2]int {
	switch name {
	case "PutVM", "DeleteVM", "UpdateVM":
		return [2]int{240, 1200}
	case "HighCostGet":
		return [2]int{140, 700}
	case "LowCostGet":
		return [2]int{4000, 32000}
	case "GetOperation":
		return [2]int{15000, 30000}
	case "HighCostDisk":
		return [2]int{240, 1920}
	case "LowCostDisk":
		return [2]int{15000, 120000}
	case "GetDiskOperation":
		return [2]int{50000, 400000}
	case "CreateUpdateGallery", "DeleteGallery", "DeleteGalleryImage":
		return [2]int{50, 300}
	case "GetGallery":
		return [2]int{350, 2500}
	case "ListGalleryInSubscription", "ListGalleryInResourceGroup":
		return [2]int{100, 1000}
	case "CreateUpdateGalleryImage":
		return [2]int{150, 750}
	case "CreateUpdateGalleryImageVersion":
		return [2]int{375, 1200}
	case "GetGalleryImage":
		return [2]int{600, 3000}
	case "GetGalleryImageVersion":
		return [2]int{2000, 10000}
	case "DeleteGalleryImageVersion":
		return [2]int{150, 1000}
	case "ListGalleryImagesInGallery", "ListGalleryImageVersionsInGalleryImage":
		return [2]int{1500, 10000}
	case "GetOperationStatus":
		return [2]int{1200, 4200}
	case "DeleteDisks":
		return [2]int{3000, 24000}
	case "ListVMImageOffersFromLocation":
		return [2]int{200, 1000}
	case "ListVMImageSkusFromLocation":
		return [2]int{10000, 30000}
	case "ListVMImagesVersionsFromLocation":
		return [2]int{16000, 44000}
	case "GetVMImageFromLocation":
		return [2]int{13000, 74000}
	}
	return [2]int{1000, 8000} // WriteDisk, WriteSnapshot, HighCostDiskHydrate
}

// vmLimits are how many calls of a class Microsoft's documentation allows about one VM: at once, and per minute.
func vmLimits(name string) (size, perMinute float64) {
	switch name {
	case "PutVM", "DeleteVM", "UpdateVM":
		return 12, 4
	case "LowCostGet":
		return 36, 12
	case "GetOperation":
		return 45, 15
	}
	return 0, 0
}

func windowName(name string, i int) string { return name + []string{"3Min", "30Min"}[i] }

// computeClass is the group of operations that Compute counts a call in, or "".
func computeClass(c Call) string {
	if c.Template == "" || !onCompute(c.Template) {
		return ""
	}
	t := strings.ToLower(c.Template)
	disk := strings.Contains(t, "/disks") || strings.Contains(t, "/snapshots")
	collection := !strings.HasSuffix(t, "}")
	switch {
	case strings.Contains(t, "diskoperations/"):
		return "GetDiskOperation"
	case strings.Contains(t, "capsoperations/"):
		return "GetOperationStatus"
	case strings.Contains(t, "/galleries"):
		return galleryClass(c.Method, t)
	case strings.Contains(t, "operations/"):
		return "GetOperation"
	case disk && c.Method == http.MethodGet && collection:
		return "HighCostDisk"
	case disk && c.Method == http.MethodGet:
		return "LowCostDisk"
	case disk && c.Method == http.MethodDelete:
		return "DeleteDisks"
	case strings.Contains(t, "/snapshots") && (c.Method == http.MethodPut || c.Method == http.MethodPost):
		return "WriteSnapshot" // as do the signatures for one
	case disk && c.Method == http.MethodPost:
		return "HighCostDiskHydrate"
	case disk:
		return "WriteDisk"
	case strings.Contains(t, "/publishers"):
		return catalogueClass(t)
	case !strings.Contains(t, "/virtualmachines"):
		return ""
	case c.Method == http.MethodGet && strings.HasSuffix(t, "/virtualmachines"):
		return "HighCostGet"
	case c.Method == http.MethodGet, strings.HasSuffix(t, "/retrievebootdiagnosticsdata"):
		return "LowCostGet"
	case c.Method != http.MethodDelete && strings.HasSuffix(t, "/virtualmachines/{vmname}"):
		return "PutVM" // PATCH, too
	case strings.HasSuffix(t, "/virtualmachines/{vmname}"), strings.HasSuffix(t, "/deallocate"):
		return "DeleteVM"
	}
	return "UpdateVM"
}

// catalogueClass is the class of a look at the marketplace. The list of publishers has none.
func catalogueClass(template string) string {
	switch {
	case strings.HasSuffix(template, "/{version}"):
		return "GetVMImageFromLocation"
	case strings.HasSuffix(template, "/versions"):
		return "ListVMImagesVersionsFromLocation"
	case strings.HasSuffix(template, "/skus"):
		return "ListVMImageSkusFromLocation"
	case strings.HasSuffix(template, "/offers"):
		return "ListVMImageOffersFromLocation"
	}
	return ""
}

// galleryClass is the class of a call about galleries. That of the list of versions was not recorded; it is named as the
// others.
func galleryClass(method, template string) string {
	switch {
	case strings.HasSuffix(template, "/versions"):
		return "ListGalleryImageVersionsInGalleryImage"
	case strings.HasSuffix(template, "/images"):
		return "ListGalleryImagesInGallery"
	case strings.HasSuffix(template, "/galleries") && strings.Contains(template, "/resourcegroups/"):
		return "ListGalleryInResourceGroup"
	case strings.HasSuffix(template, "/galleries"):
		return "ListGalleryInSubscription"
	}
	what := "Gallery"
	if strings.Contains(template, "/images/") {
		what += "Image"
	}
	if strings.Contains(template, "/versions/") {
		what += "Version"
	}
	switch method {
	case http.MethodGet:
		return "Get" + what
	case http.MethodDelete:
		return "Delete" + what
	}
	return "CreateUpdate" + what
}

// wire is the name that the header gives a class: disks reuse the names of VMs with other limits.
func wire(name string) string {
	switch name {
	case "HighCostDisk":
		return "HighCostGet"
	case "LowCostDisk":
		return "LowCostGet"
	case "GetDiskOperation":
		return "GetOperation"
	case "WriteDisk":
		return "CreateUpdateDisks"
	case "WriteSnapshot":
		return "HighCostSnapshotCreateHydrate"
	}
	return name
}

// class is the rate limit that a method counts against.
func class(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		return "reads"
	case http.MethodDelete:
		return "deletes"
	}
	return "writes"
}

func onCompute(path string) bool {
	return strings.Contains(strings.ToLower(path), "/providers/microsoft.compute/")
}
