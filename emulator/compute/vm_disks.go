package compute

import (
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/compute/manageddisk"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

// createDisks makes the disks of a new VM. They get its tags, now and never again.
func (p *Provider) createDisks(vm *arm.Resource, pl plan) {
	tags := arm.Map(vm.Body, "tags")
	os := arm.Map(vm.Body, "properties", "storageProfile", "osDisk")
	if pl.osDisk != nil {
		p.disks.Hold(pl.osDisk, vm)
	} else {
		gb, _ := arm.Int(os, "diskSizeGB")
		d := p.disks.New(manageddisk.ID(vm, arm.Str(os, "name")), vm.Location(), arm.Str(os, "managedDisk", "storageAccountType"), gb, tags, pl.image.Reference)
		arm.Put(d.Body, "Linux", "properties", "osType")
		arm.Put(d.Body, pl.image.Generation, "properties", "hyperVGeneration")
		arm.Put(d.Body, arm.Object{"diskControllerTypes": strings.Join(pl.image.Controllers, ", "), "acceleratedNetwork": true, "architecture": pl.image.Arch}, "properties", "supportedCapabilities")
		if t := arm.Str(vm.Body, "properties", "securityProfile", "securityType"); t != "" {
			arm.Put(d.Body, t, "properties", "securityProfile", "securityType")
		}
		p.addDisk(d, vm)
	}
	for _, e := range arm.List(vm.Body, "properties", "storageProfile", "dataDisks") {
		p.addDataDisk(vm, e.(arm.Object))
	}
}

func (p *Provider) addDisk(d, vm *arm.Resource) {
	if z := vm.Body["zones"]; z != nil {
		d.Body["zones"] = arm.Clone(z)
	}
	p.s.Add(d)
	p.disks.Hold(d, vm)
}

// addDataDisk makes or takes the disk of an entry in dataDisks.
func (p *Provider) addDataDisk(vm *arm.Resource, e arm.Object) {
	if id := arm.Str(e, "managedDisk", "id"); id != "" {
		if d := p.s.FindType(schema.DiskType, id); d != nil {
			e["name"] = d.Name()
			e["managedDisk"].(arm.Object)["id"] = d.ID
			if gb, ok := arm.Int(d.Body, "properties", "diskSizeGB"); ok {
				e["diskSizeGB"] = gb
			}
			p.disks.Hold(d, vm)
		}
		return
	}
	gb, _ := arm.Int(e, "diskSizeGB")
	arm.Default(e, "Standard_LRS", "managedDisk", "storageAccountType")
	d := p.disks.New(manageddisk.ID(vm, arm.Str(e, "name")), vm.Location(), arm.Str(e, "managedDisk", "storageAccountType"), gb, arm.Map(vm.Body, "tags"), arm.Object{"createOption": "Empty"})
	p.addDisk(d, vm)
	arm.Put(e, d.ID, "managedDisk", "id")
}

// attached are the disks of a VM.
func (p *Provider) attached(vm *arm.Resource) []*arm.Resource {
	profile := arm.Map(vm.Body, "properties", "storageProfile")
	var l []*arm.Resource
	for _, e := range append([]any{profile["osDisk"]}, arm.List(profile, "dataDisks")...) {
		id := arm.Str(e, "managedDisk", "id")
		if id == "" {
			id = manageddisk.ID(vm, arm.Str(e, "name"))
		}
		if d := p.s.FindType(schema.DiskType, id); d != nil && arm.Key(arm.Str(d.Body, "managedBy")) == arm.Key(vm.ID) {
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
	profile := arm.Map(vm.Body, "properties", "storageProfile")
	for _, e := range append([]any{profile["osDisk"]}, arm.List(profile, "dataDisks")...) {
		if o, ok := e.(arm.Object); ok && arm.Fold(arm.Str(o, "name"), d.Name()) {
			arm.Put(o, d.ID, "managedDisk", "id")
			arm.Put(o, arm.Str(d.Body, "sku", "name"), "managedDisk", "storageAccountType")
			o["diskSizeGB"] = arm.Get(d.Body, "properties", "diskSizeGB")
		}
	}
}
