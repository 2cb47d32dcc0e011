package compute

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
	"github.com/azlin-dev/azlin/emulator/compute/catalogue"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
	"github.com/azlin-dev/azlin/emulator/network"
)

func (p *Provider) putVM(c *arm.Call) (*arm.Reply, error) {
	if err := c.NeedBody(); err != nil {
		return nil, err
	}
	azjson.WithoutNulls(c.Body)
	azjson.Drop(c.Body, "properties", "instanceView")
	delete(c.Body, "resources")
	if err := c.NeedLocation(schema.VMType); err != nil {
		return nil, err
	}
	if err := arm.CheckTags(c.Body["tags"]); err != nil {
		return nil, err
	}
	id := c.ID("Microsoft.Compute", "virtualMachines", c.Param("vmName"))
	if vm := p.s.Find(id); vm != nil {
		if err := c.Match(true, vm.Etag()); err != nil {
			return nil, err
		}
		return p.updateVM(c, vm, true)
	}
	if err := c.Match(false, ""); err != nil {
		return nil, err
	}
	return p.createVM(c, id)
}

func (p *Provider) createVM(c *arm.Call, id string) (*arm.Reply, error) {
	vm := &arm.Resource{ID: id, Type: schema.VMType, Body: c.Body, Hidden: azjson.Object{}}
	plan, err := p.judge(vm)
	if err != nil {
		return nil, err
	}
	p.complete(vm, plan)
	vm.Recount()
	p.s.Add(vm)
	p.setPower(vm, powerStarting)
	for i, nic := range plan.nics {
		p.net.Attach(nic, vm.ID, i == plan.primary)
	}
	p.createDisks(vm, plan)
	op := p.s.Begin("vm.create", vm.ID, vm.Location(), nil)
	return c.Async(arm.Created(p.s.View(vm)).With("Etag", vm.Etag()), op, polling.Compute()), nil
}

// complete fills in what Azure adds, and takes away what it never shows.
func (p *Provider) complete(vm *arm.Resource, plan plan) {
	props := vm.Props()
	vm.Body["id"], vm.Body["name"], vm.Body["type"] = vm.ID, vm.Name(), schema.VMType
	props["vmId"] = uuid.NewString()
	props["timeCreated"] = arm.Time(p.s.Now())
	props["provisioningState"] = "Creating"
	props["hardwareProfile"].(azjson.Object)["vmSize"] = plan.size.Name
	p.hide(vm)
	vm.Hidden["generation"], vm.Hidden["arch"] = plan.image.Generation, plan.image.Arch
	vm.Hidden["osName"], vm.Hidden["osVersion"] = plan.image.OSName, plan.image.OSVersion
	if plan.image.Version != "" {
		azjson.Put(props, plan.image.Version, "storageProfile", "imageReference", "exactVersion")
	}
	if plan.image.Content != "" {
		vm.Hidden["content"] = plan.image.Content
	}
	random := uuid.New()
	azjson.Default(props, vm.Name()+"_OsDisk_1_"+hex.EncodeToString(random[:]), "storageProfile", "osDisk", "name")
	azjson.Default(props, "Linux", "storageProfile", "osDisk", "osType")
	azjson.Default(props, "None", "storageProfile", "osDisk", "caching")
	azjson.Default(props, "Detach", "storageProfile", "osDisk", "deleteOption")
	if plan.osDisk == nil {
		azjson.Default(props, plan.image.GB, "storageProfile", "osDisk", "diskSizeGB")
		std := "Standard_LRS"
		if plan.size.Premium {
			std = "Premium_LRS"
		}
		azjson.Default(props, std, "storageProfile", "osDisk", "managedDisk", "storageAccountType")
	}
	azjson.Default(props, []any{}, "storageProfile", "dataDisks")
	azjson.Default(props, "SCSI", "storageProfile", "diskControllerType")
	if plan.size.NVMe == "NVMe" {
		azjson.Put(props, "NVMe", "storageProfile", "diskControllerType")
	}
	for i, e := range azjson.List(props, "storageProfile", "dataDisks") {
		o := e.(azjson.Object)
		azjson.Default(o, vm.Name()+"_DataDisk_"+itoa(i), "name")
		azjson.Default(o, "None", "caching")
		azjson.Default(o, "Detach", "deleteOption")
		azjson.Default(o, false, "toBeDetached")
	}
	if azjson.Map(props, "osProfile") != nil {
		azjson.Default(props, []any{}, "osProfile", "secrets")
		azjson.Default(props, true, "osProfile", "allowExtensionOperations")
		azjson.Default(props, true, "osProfile", "requireGuestProvisionSignal")
		azjson.Default(props, false, "osProfile", "linuxConfiguration", "disablePasswordAuthentication")
		azjson.Default(props, true, "osProfile", "linuxConfiguration", "provisionVMAgent")
		azjson.Default(props, "ImageDefault", "osProfile", "linuxConfiguration", "patchSettings", "patchMode")
		azjson.Default(props, "ImageDefault", "osProfile", "linuxConfiguration", "patchSettings", "assessmentMode")
		azjson.Default(props, false, "osProfile", "linuxConfiguration", "enableVMAgentPlatformUpdates")
	}
	if id := azjson.Map(vm.Body, "identity"); strings.Contains(strings.ToLower(azjson.Str(id, "type")), "systemassigned") {
		azjson.Default(id, uuid.NewString(), "principalId")
		azjson.Default(id, p.s.Options().TenantID, "tenantId")
	}
}

// hide moves secrets and what GET never shows out of the body.
func (p *Provider) hide(vm *arm.Resource) {
	for key, path := range map[string][]string{
		"customData": {"properties", "osProfile", "customData"},
		"userData":   {"properties", "userData"},
	} {
		if v := azjson.Get(vm.Body, path...); v != nil {
			vm.Hidden[key] = v
			azjson.Drop(vm.Body, path...)
		}
	}
	azjson.Drop(vm.Body, "properties", "osProfile", "adminPassword")
}

// hosted makes the Run of an operation kind, or none where there are no hosts: the operation then
// ends in virtual time, without a goroutine.
func (p *Provider) hosted(f func(ctx context.Context, op arm.Operation) (any, error)) func(context.Context, arm.Operation) (any, error) {
	if p.opt.Hosts == nil {
		return nil
	}
	return f
}

// boot starts a VM's host, unless the region has no room for it.
func (p *Provider) boot(ctx context.Context, op arm.Operation) (any, error) {
	var m Machine
	var room bool
	p.s.Peek(func() {
		if vm := p.s.Find(op.Target); vm != nil {
			m, room = p.machine(vm), p.allocation(vm) == nil
		}
	})
	if !room || m.ID == "" {
		return nil, nil
	}
	return nil, p.opt.Hosts.Start(ctx, m)
}

// allocation is the failure to find hardware, which Azure reports when the operation ends.
func (p *Provider) allocation(vm *arm.Resource) *arm.Error {
	size := azjson.Str(vm.Body, "properties", "hardwareProfile", "vmSize")
	zone := zoneOf(vm.Body)
	if !catalogue.Listed(p.opt.Exhausted, size, vm.Location(), zone) {
		return nil
	}
	if zone != "" {
		return arm.Conflict("ZonalAllocationFailed", "Allocation failed. We do not have sufficient capacity for the requested VM size %s in zone %s. Read more about improving likelihood of allocation success at http://aka.ms/allocation-guidance", size, zone)
	}
	return arm.Conflict("AllocationFailed", "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read more about improving likelihood of allocation success at http://aka.ms/allocation-guidance")
}

func zoneOf(body azjson.Object) string {
	if l := azjson.List(body, "zones"); len(l) > 0 {
		z, _ := l[0].(string)
		return z
	}
	return ""
}

func (p *Provider) finishCreate(op *arm.Operation, err error) (time.Duration, error) {
	vm := p.s.Find(op.Target)
	if vm == nil {
		return 0, nil
	}
	if e := p.allocation(vm); e != nil {
		p.unallocated(vm, e)
		return 0, e
	}
	for _, d := range p.attached(vm) {
		p.showDisk(vm, d)
	}
	p.setPower(vm, powerRunning)
	if err != nil {
		e := arm.Conflict("OSProvisioningTimedOut", "OS Provisioning for VM '%s' did not finish in the allotted time. The VM may still finish provisioning successfully. Please check provisioning state later. Details: %v", vm.Name(), err)
		p.fail(vm, e)
		return 0, e
	}
	schema.SetProvisioning(vm, "Succeeded")
	return 0, nil
}

// unallocated leaves a VM that got no hardware: failed, and its interfaces reserved for it.
func (p *Provider) unallocated(vm *arm.Resource, e *arm.Error) {
	p.fail(vm, e)
	p.setPower(vm, powerNone)
	for _, nic := range p.nicsOf(vm) {
		p.net.Detach(nic)
		p.net.Reserve(nic, vm.ID)
	}
}

// failCreate is what a create that was made to fail leaves.
func (p *Provider) failCreate(op *arm.Operation) {
	if vm := p.s.Find(op.Target); vm != nil {
		p.unallocated(vm, op.Err)
	}
}

// failInPlace is what an update or a deletion that was made to fail leaves.
func (p *Provider) failInPlace(op *arm.Operation) {
	if vm := p.s.Find(op.Target); vm != nil {
		p.fail(vm, op.Err)
	}
}

func (p *Provider) fail(vm *arm.Resource, e *arm.Error) {
	schema.SetProvisioning(vm, "Failed")
	vm.Hidden["failure"] = azjson.Object{"code": e.Code, "message": e.Message}
	p.s.Touch(vm)
}

// nicsOf are the interfaces that a VM names.
func (p *Provider) nicsOf(vm *arm.Resource) []*arm.Resource {
	var l []*arm.Resource
	for _, e := range azjson.List(vm.Body, "properties", "networkProfile", "networkInterfaces") {
		if nic := p.s.FindType(network.NICType, azjson.Str(e, "id")); nic != nil {
			l = append(l, nic)
		}
	}
	return l
}
