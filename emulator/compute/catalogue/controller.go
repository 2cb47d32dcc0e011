package catalogue

import (
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// Controllers are the disk controllers that an image can boot from.
func (i Image) Controllers() []string {
	if i.Generation != "V2" || i.OSVersion == "11" || i.OSName == "opensuse-leap" {
		return []string{"SCSI"}
	}
	return []string{"SCSI", "NVMe"}
}

// controllers are those that a size offers, the default one first.
func (s Size) controllers() []string { return strings.Split(s.NVMe, ", ") }

const askSKUs = "Please query sku api at https://aka.ms/azure-compute-skus  to determine supported disk controller types for the VM size."

// JudgeController wants a disk controller that the size has, and that the image can boot from. have is what the
// image can boot from; nil where there is none.
func JudgeController(body azjson.Object, size Size, have []string) error {
	if given := azjson.Str(body, "properties", "storageProfile", "diskControllerType"); given != "" {
		if !slices.Contains(size.controllers(), given) {
			return arm.InvalidParameter("storageProfile.diskControllerType",
				"The VM size '%s' cannot boot with DiskControllerType '%s'. Please check that the disk controller type provided is one of the supported disk controller types for the VM size '%s'. "+askSKUs, size.Name, given, size.Name)
		}
		have = slices.DeleteFunc(slices.Clone(have), func(c string) bool { return c != given })
		if have != nil && len(have) == 0 {
			return cannotBoot(size)
		}
		return nil
	}
	for _, c := range have {
		if slices.Contains(size.controllers(), c) {
			return nil
		}
	}
	if have == nil {
		return nil
	}
	return cannotBoot(size)
}

func cannotBoot(size Size) error {
	return arm.InvalidParameter("vmSize",
		"The VM size '%s' cannot boot with OS image or disk. Please check that disk controller types supported by the OS image or disk is one of the supported disk controller types for the VM size '%s'. "+askSKUs, size.Name, size.Name)
}
