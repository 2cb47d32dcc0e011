package compute

import (
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/compute/manageddisk"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

// createDisks makes the disks of a new VM. They get its tags, now and never again.
func (p *Provider) createDisks(vm *arm.Resource, pl plan) {
	tags := azjson.Map(vm.Body, "tags")
	os := azjson.Map(vm.Body, "properties", "storageProfile", "osDisk")
	if pl.osDisk != nil {
		p.disks.Hold(pl.osDisk, vm)
	} else {
		gb, _ := azjson.Int(os, "diskSizeGB")
		d := p.disks.New(manageddisk.ID(vm, azjson.Str(os, "name")), vm.Location(), azjson.Str(os, "managedDisk", "storageAccountType"), gb, tags, pl.image.Reference)
		azjson.Put(d.Body, "Linux", "properties", "osType")
		azjson.Put(d.Body, pl.image.Generation, "properties", "hyperVGeneration")
		azjson.Put(d.Body, azjson.Object{"diskControllerTypes": strings.Join(pl.image.Controllers, ", "), "acceleratedNetwork": true, "architecture": pl.image.Arch}, "properties", "supportedCapabilities")
		if t := azjson.Str(vm.Body, "properties", "securityProfile", "securityType"); t != "" {
			azjson.Put(d.Body, t, "properties", "securityProfile", "securityType")
		}
		p.addDisk(d, vm)
	}
	for _, e := range azjson.List(vm.Body, "properties", "storageProfile", "dataDisks") {
		p.addDataDisk(vm, e.(azjson.Object))
	}
}

func (p *Provider) addDisk(d, vm *arm.Resource) {
	if z := vm.Body["zones"]; z != nil {
		d.Body["zones"] = azjson.Clone(z)
	}
	p.s.Add(d)
	p.disks.Hold(d, vm)
}

// addDataDisk makes or takes the disk of an entry in dataDisks.
func (p *Provider) addDataDisk(vm *arm.Resource, e azjson.Object) {
	if id := azjson.Str(e, "managedDisk", "id"); id != "" {
		if d := p.s.FindType(schema.DiskType, id); d != nil {
			e["name"] = d.Name()
			e["managedDisk"].(azjson.Object)["id"] = d.ID
			if gb, ok := azjson.Int(d.Body, "properties", "diskSizeGB"); ok {
				e["diskSizeGB"] = gb
			}
			p.disks.Hold(d, vm)
		}
		return
	}
	gb, _ := azjson.Int(e, "diskSizeGB")
	azjson.Default(e, "Standard_LRS", "managedDisk", "storageAccountType")
	d := p.disks.New(manageddisk.ID(vm, azjson.Str(e, "name")), vm.Location(), azjson.Str(e, "managedDisk", "storageAccountType"), gb, azjson.Map(vm.Body, "tags"), azjson.Object{"createOption": "Empty"})
	p.addDisk(d, vm)
	azjson.Put(e, d.ID, "managedDisk", "id")
}

// attached are the disks of a VM.
func (p *Provider) attached(vm *arm.Resource) []*arm.Resource {
	profile := azjson.Map(vm.Body, "properties", "storageProfile")
	var l []*arm.Resource
	for _, e := range append([]any{profile["osDisk"]}, azjson.List(profile, "dataDisks")...) {
		id := azjson.Str(e, "managedDisk", "id")
		if id == "" {
			id = manageddisk.ID(vm, azjson.Str(e, "name"))
		}
		if d := p.s.FindType(schema.DiskType, id); d != nil && resourceid.Key(azjson.Str(d.Body, "managedBy")) == resourceid.Key(vm.ID) {
			l = append(l, d)
		}
	}
	return l
}

// diskStates says that the disks of a deallocated VM are reserved.
func (p *Provider) diskStates(vm *arm.Resource) {
	state := "Attached"
	if power(vm) == powerDeallocated {
		state = "Reserved"
	}
	for _, d := range p.attached(vm) {
		d.Props()["diskState"] = state
	}
}

// showDisk writes a disk's id, type and size into its VM.
func (p *Provider) showDisk(vm, d *arm.Resource) {
	profile := azjson.Map(vm.Body, "properties", "storageProfile")
	for _, e := range append([]any{profile["osDisk"]}, azjson.List(profile, "dataDisks")...) {
		if o, ok := e.(azjson.Object); ok && azjson.Fold(azjson.Str(o, "name"), d.Name()) {
			azjson.Put(o, d.ID, "managedDisk", "id")
			azjson.Put(o, azjson.Str(d.Body, "sku", "name"), "managedDisk", "storageAccountType")
			o["diskSizeGB"] = azjson.Get(d.Body, "properties", "diskSizeGB")
		}
	}
}
