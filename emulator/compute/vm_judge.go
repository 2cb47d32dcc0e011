package compute

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/compute/catalogue"
	"github.com/azlin-dev/azlin/emulator/compute/manageddisk"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
	"github.com/azlin-dev/azlin/emulator/network"
)

// plan is what a valid request for a new VM comes down to.
type plan struct {
	size    catalogue.Size
	image   catalogue.Source
	osDisk  *arm.Resource
	nics    []*arm.Resource
	primary int
}

var entityName = regexp.MustCompile(`^[A-Za-z0-9]([\w.-]{0,78}[\w])?$`)

func itoa(n int) string { return strconv.Itoa(n) }

// judge refuses what Azure refuses when a VM is asked for, in Azure's order.
func (p *Provider) judge(vm *arm.Resource) (plan, error) {
	var pl plan
	if !entityName.MatchString(vm.Name()) {
		return pl, arm.InvalidParameter("vmName", `The entity name 'vmName' is invalid according to its validation rule: ^[^_\W][\w-._]{0,79}(?<![-.])$.`)
	}
	var err error
	if pl.size, err = p.judgeSize(vm.Body, vm.Location()); err != nil {
		return pl, err
	}
	if pl.image, pl.osDisk, err = p.judgeStorage(vm, pl.size); err != nil {
		return pl, err
	}
	if err = catalogue.JudgeController(vm.Body, pl.size, pl.image.Controllers); err != nil {
		return pl, err
	}
	if pl.osDisk == nil && !pl.image.Specialized {
		if err = judgeOS(vm); err != nil {
			return pl, err
		}
	} else if azjson.Map(vm.Body, "properties", "osProfile") != nil {
		return pl, arm.InvalidParameter("osProfile", "Parameter 'osProfile' is not allowed.")
	}
	if pl.nics, pl.primary, err = p.judgeNetwork(vm); err != nil {
		return pl, err
	}
	if err = p.judgeSecurity(vm, pl.size, pl.image); err != nil {
		return pl, err
	}
	return pl, p.quota(vm.Location(), pl.size, pl.size.VCPUs, isSpot(vm.Body))
}

func (p *Provider) judgeSize(body azjson.Object, location string) (catalogue.Size, error) {
	name := azjson.Str(body, "properties", "hardwareProfile", "vmSize")
	if name == "" {
		return catalogue.Size{}, arm.InvalidParameter("vmSize", "Required parameter 'vmSize' is missing (null).")
	}
	size, ok := catalogue.FindSize(name, location)
	if !ok {
		var names []string
		for _, s := range catalogue.Sizes() {
			if s.In(location) {
				names = append(names, s.Name)
			}
		}
		return catalogue.Size{}, arm.InvalidParameter("vmSize", "The value %s provided for the VM size is not valid. The valid sizes in the current region are: %s. Find out more on the valid VM sizes in each region at https://aka.ms/azure-regions.", name, strings.Join(names, ","))
	}
	zone := zoneOf(body)
	if zone != "" {
		region, _ := geography.FindRegion(location)
		if !region.Zones || !slices.Contains([]string{"1", "2", "3"}, zone) {
			return catalogue.Size{}, arm.BadRequest("InvalidAvailabilityZone", "The zone(s) '%s' for resource 'Microsoft.Compute/virtualMachines/%s' is not supported. The supported zones for location '%s' are '1,2,3'", zone, azjson.Str(body, "name"), location)
		}
	}
	if catalogue.Listed(p.opt.Restricted, size.Name, location, zone) {
		return catalogue.Size{}, arm.Conflict("SkuNotAvailable", "The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: %s' is currently not available in location '%s'. Please try another size or deploy to a different location or different zone. See https://aka.ms/azureskunotavailable for details.", size.Name, location).At("sku.name")
	}
	return size, nil
}

func (p *Provider) judgeStorage(vm *arm.Resource, size catalogue.Size) (catalogue.Source, *arm.Resource, error) {
	var none catalogue.Source
	os := azjson.Map(vm.Body, "properties", "storageProfile", "osDisk")
	ref := azjson.Map(vm.Body, "properties", "storageProfile", "imageReference")
	if os == nil {
		if ref == nil {
			return none, nil, arm.InvalidParameter("storageProfile", "Required parameter 'storageProfile.osDisk' is missing (null).")
		}
		os = azjson.Object{"createOption": "FromImage"}
		azjson.Put(vm.Body, os, "properties", "storageProfile", "osDisk")
	}
	if err := p.judgeDataDisks(vm, size); err != nil {
		return none, nil, err
	}
	if azjson.Fold(azjson.Str(os, "createOption"), "Attach") {
		return p.judgeAttachedOS(os, size)
	}
	if ref == nil {
		return none, nil, arm.InvalidParameter("imageReference", "Required parameter 'imageReference' is missing (null).")
	}
	image, err := p.findSource(ref, vm.Location())
	if err != nil {
		return none, nil, err
	}
	if gb, ok := azjson.Int(os, "diskSizeGB"); ok && gb < image.GB {
		return none, nil, arm.BadRequest("ResizeDiskError", "Disk size %d GB is smaller than the size of the corresponding disk in the VM image: %d GB.", gb, image.GB).At("osDisk.diskSizeGB")
	}
	if !size.Premium && strings.HasPrefix(azjson.Str(os, "managedDisk", "storageAccountType"), "Premium") {
		return none, nil, arm.InvalidParameter("osDisk", "Requested operation cannot be performed because the VM size %s does not support the storage account type %s of disk '%s'. Consider updating the VM to a size that supports Premium storage.", size.Name, azjson.Str(os, "managedDisk", "storageAccountType"), azjson.Str(os, "name"))
	}
	if name := azjson.Str(os, "name"); name != "" {
		if d := p.s.Find(manageddisk.ID(vm, name)); d != nil {
			return none, nil, arm.Conflict("ConflictingUserInput", "Disk %s already exists in resource group %s. Only CreateOption.Attach is supported.", name, strings.ToUpper(vm.Group())).At("osDisk.name")
		}
	}
	return image, nil, fitting(size, image.Generation, image.Arch)
}

// findSource finds the image that a reference names.
func (p *Provider) findSource(ref azjson.Object, location string) (catalogue.Source, error) {
	if id := azjson.Str(ref, "id"); strings.Contains(strings.ToLower(id), "/galleries/") {
		return p.galleries.Source(id, location)
	} else if id != "" {
		return catalogue.Source{}, arm.Refuse(404, "NotFound", "The image '%s' was not found. Verify that the image exists in region '%s'.", id, location).At("imageReference")
	}
	urn := strings.Join([]string{azjson.Str(ref, "publisher"), azjson.Str(ref, "offer"), azjson.Str(ref, "sku"), azjson.Str(ref, "version")}, ":")
	image, version, ok := catalogue.FindImage(azjson.Str(ref, "publisher"), azjson.Str(ref, "offer"), azjson.Str(ref, "sku"), azjson.Str(ref, "version"))
	if !ok {
		return catalogue.Source{}, arm.Refuse(404, "PlatformImageNotFound", "The platform image '%s' is not available. Verify that all fields in the storage profile are correct. For more details about storage profile information, please refer to https://aka.ms/storageprofile", urn).At("imageReference")
	}
	return catalogue.Marketplace(p.s.Options().SubscriptionID, image, version, location), nil
}

// fitting refuses a size that cannot run an image or disk.
func fitting(size catalogue.Size, generation, arch string) error {
	if arch != "" && size.Arch != arch {
		return arm.BadRequest("BadRequest", "Cannot create a VM of size '%s' because this VM size only supports a CPU Architecture of '%s', but an image or disk with CPU Architecture '%s' was given. Please check that the CPU Architecture of the image or disk is compatible with that of the VM size.", size.Name, size.Arch, arch)
	}
	if generation != "" && !strings.Contains(size.Generations, generation) {
		return arm.BadRequest("BadRequest", "The selected VM size '%s' cannot boot Hypervisor Generation '%s'. If this was a Create operation please check that the Hypervisor Generation of the Image matches the Hypervisor Generation of the selected VM Size. If this was an Update operation please select a Hypervisor Generation '%s' VM Size. For more information, see https://aka.ms/azuregen2vm", size.Name, generation[1:], generation[1:])
	}
	return nil
}

func (p *Provider) judgeAttachedOS(os azjson.Object, size catalogue.Size) (catalogue.Source, *arm.Resource, error) {
	id := azjson.Str(os, "managedDisk", "id")
	d := p.s.FindType(schema.DiskType, id)
	if d == nil {
		return catalogue.Source{}, nil, manageddisk.NotFound(id)
	}
	if by := azjson.Str(d.Body, "managedBy"); by != "" {
		return catalogue.Source{}, nil, attachedElsewhere(d, by)
	}
	azjson.Default(os, d.Name(), "name")
	azjson.Put(os, d.ID, "managedDisk", "id")
	arch := azjson.Str(d.Body, "properties", "supportedCapabilities", "architecture")
	image := catalogue.Image{Generation: azjson.Str(d.Body, "properties", "hyperVGeneration"), Arch: arch, OSName: "ubuntu", OSVersion: "24.04", Trusted: true}
	return catalogue.Source{Image: image}, d, fitting(size, image.Generation, arch)
}

func attachedElsewhere(d *arm.Resource, by string) *arm.Error {
	return arm.Conflict("ConflictingUserInput", "Disk '%s' cannot be attached as the disk is already owned by VM '%s'.", d.ID, by)
}

func (p *Provider) judgeDataDisks(vm *arm.Resource, size catalogue.Size) error {
	luns := map[int]bool{}
	list := azjson.List(vm.Body, "properties", "storageProfile", "dataDisks")
	if len(list) > size.DataDisks {
		return arm.Conflict("OperationNotAllowed", "The maximum number of data disks allowed to be attached to a VM of this size is %d.", size.DataDisks).At("dataDisks")
	}
	for _, e := range list {
		lun, ok := azjson.Int(e, "lun")
		if !ok || lun < 0 {
			return arm.InvalidParameter("dataDisk.lun", "Required parameter 'dataDisk.lun' is missing (null).")
		}
		if luns[lun] {
			return arm.InvalidParameter("dataDisks", "A disk at LUN %d already exists.", lun)
		}
		luns[lun] = true
		switch opt := azjson.Str(e, "createOption"); {
		case azjson.Fold(opt, "Attach"):
			id := azjson.Str(e, "managedDisk", "id")
			d := p.s.FindType(schema.DiskType, id)
			if d == nil {
				return manageddisk.NotFound(id)
			}
			if by := azjson.Str(d.Body, "managedBy"); by != "" && resourceid.Key(by) != resourceid.Key(vm.ID) {
				return attachedElsewhere(d, by)
			}
		case azjson.Fold(opt, "Empty"):
			if _, ok := azjson.Int(e, "diskSizeGB"); !ok {
				return arm.InvalidParameter("dataDisk.diskSizeGB", "Required parameter 'dataDisk.diskSizeGB' is missing (null).")
			}
		case !azjson.Fold(opt, "FromImage") && !azjson.Fold(opt, "Copy"):
			return arm.InvalidParameter("dataDisk.createOption", "The value '%s' of parameter 'dataDisk.createOption' is invalid.", opt)
		}
	}
	return nil
}

func (p *Provider) judgeNetwork(vm *arm.Resource) (nics []*arm.Resource, primary int, err error) {
	list := azjson.List(vm.Body, "properties", "networkProfile", "networkInterfaces")
	if len(list) == 0 {
		if azjson.List(vm.Body, "properties", "networkProfile", "networkInterfaceConfigurations") != nil {
			return nil, 0, arm.NotImplemented("PUT", "virtualMachines with networkInterfaceConfigurations")
		}
		return nil, 0, arm.InvalidParameter("networkProfile", "Virtual machine must have at least one network interface.")
	}
	for i, e := range list {
		id := azjson.Str(e, "id")
		nic := p.s.FindType(network.NICType, id)
		if nic == nil || nic.Location() != vm.Location() {
			return nil, 0, arm.BadRequest("InvalidResourceReference", "Resource %s referenced by resource %s was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.", id, vm.ID)
		}
		if by := network.VMOf(nic); by != "" && resourceid.Key(by) != resourceid.Key(vm.ID) {
			return nil, 0, arm.BadRequest("NicInUse", "Network Interface %s is used by existing VM %s.", nic.ID, by).Empty()
		}
		if by := p.net.ReservedFor(nic); by != "" && resourceid.Key(by) != resourceid.Key(vm.ID) {
			return nil, 0, network.Reserved(nic, by)
		}
		o, _ := e.(azjson.Object)
		o["id"] = nic.ID
		if azjson.Bool(e, "properties", "primary") {
			primary = i
		}
		nics = append(nics, nic)
	}
	return nics, primary, nil
}

func (p *Provider) judgeSecurity(vm *arm.Resource, size catalogue.Size, image catalogue.Source) error {
	sec := azjson.Map(vm.Body, "properties", "securityProfile")
	if _, given := sec["encryptionAtHost"]; given && !p.opt.EncryptionAtHost {
		return arm.InvalidParameter("securityProfile.encryptionAtHost", "The property 'securityProfile.encryptionAtHost' is not valid because the 'Microsoft.Compute/EncryptionAtHost' feature is not enabled for this subscription.")
	}
	typ := azjson.Str(sec, "securityType")
	if !azjson.Fold(typ, "TrustedLaunch") {
		if image.TrustedOnly {
			return arm.BadRequest("BadRequest", "The provided gallery image only supports creation of VMs and VM Scale Sets with 'TrustedLaunch' security type.")
		}
		if azjson.Map(sec, "uefiSettings") != nil && (typ == "" || azjson.Fold(typ, "Standard")) {
			return arm.InvalidParameter("securityProfile.uefiSettings", "Use of UEFI settings is not supported for security type '%s'.", typ)
		}
		return nil
	}
	switch {
	case !size.Trusted:
		return arm.BadRequest("BadRequest", "The VM size '%s' is not supported for creation of VMs and Virtual Machine Scale Set with 'TrustedLaunch' security type.", size.Name)
	case !image.Trusted:
		return arm.BadRequest("BadRequest", "Security type of VM is not compatible with the security type of attached OS Disk or Image.")
	}
	return nil
}
