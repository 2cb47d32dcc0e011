package compute

import (
	"context"
	"net/http"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/compute/catalogue"
	"github.com/azlin-dev/azlin/emulator/compute/manageddisk"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

func (p *Provider) patchVM(c *arm.Call) (*arm.Reply, error) {
	vm, err := p.vm(c)
	if err != nil {
		return nil, err
	}
	if err := c.NeedBody(); err != nil {
		return nil, err
	}
	if err := arm.CheckTags(c.Body["tags"]); err != nil {
		return nil, err
	}
	if err := c.Match(true, vm.Etag()); err != nil {
		return nil, err
	}
	return p.updateVM(c, vm, false)
}

// fixed are the properties of a VM that cannot change.
var fixed = [][]string{
	{"osProfile", "computerName"},
	{"osProfile", "adminUsername"},
	{"osProfile", "linuxConfiguration", "ssh", "publicKeys"},
	{"osProfile", "linuxConfiguration", "disablePasswordAuthentication"},
	{"storageProfile", "imageReference", "publisher"},
	{"storageProfile", "imageReference", "offer"},
	{"storageProfile", "imageReference", "sku"},
	{"storageProfile", "imageReference", "id"},
	{"storageProfile", "osDisk", "createOption"},
	{"storageProfile", "osDisk", "osType"},
	{"securityProfile", "securityType"},
	{"priority"},
	{"vmId"},
}

// updateVM is a PUT or PATCH of a VM that exists.
func (p *Provider) updateVM(c *arm.Call, vm *arm.Resource, whole bool) (*arm.Reply, error) {
	if schema.Provisioning(vm) == "Deleting" {
		return nil, notAllowed("write", vm, "since the VM is marked for deletion. You can only retry the Delete operation (or wait for an ongoing one to complete)")
	}
	if err := p.judgeChange(c.Body, vm); err != nil {
		return nil, err
	}
	unseen(c.Body, vm.Body)
	args, err := p.judgeResize(c.Body, vm)
	if err != nil {
		return nil, err
	}
	if err := p.changeDisks(c.Body, vm); err != nil {
		return nil, err
	}
	if whole {
		for _, k := range []string{"tags", "identity", "plan"} {
			if c.Body[k] == nil {
				delete(vm.Body, k)
			}
		}
	}
	for _, k := range []string{"id", "name", "type", "location", "etag", "zones"} {
		delete(c.Body, k)
	}
	for _, k := range []string{"vmId", "timeCreated", "provisioningState"} {
		azjson.Drop(c.Body, "properties", k)
	}
	azjson.Drop(c.Body, "properties", "storageProfile", "imageReference")
	azjson.Drop(c.Body, "properties", "instanceView")
	azjson.Merge(vm.Body, c.Body, "tags")
	p.hide(vm)
	vm.Recount()
	p.s.Touch(vm)
	if _, more := c.Body["properties"]; !more && !whole {
		// Tags, identity and the like are in place at once.
		return arm.OK(p.s.View(vm)).With("Etag", vm.Etag()), nil
	}
	schema.SetProvisioning(vm, "Updating")
	op := p.s.Begin("vm.update", vm.ID, vm.Location(), args)
	return c.Async(arm.OK(p.s.View(vm)).With("Etag", vm.Etag()), op, polling.Compute()), nil
}

func changeNotAllowed(property string) error {
	return arm.Conflict("PropertyChangeNotAllowed", "Changing property '%s' is not allowed.", property).At(property)
}

// judgeChange refuses to change what is fixed once a VM exists.
func (p *Provider) judgeChange(body azjson.Object, vm *arm.Resource) error {
	if loc := azjson.Str(body, "location"); loc != "" && geography.Normal(loc) != vm.Location() {
		return arm.Conflict("InvalidResourceLocation", "The resource '%s' already exists in location '%s' in resource group '%s'. A resource with the same name cannot be created in location '%s'. Please select a new resource name.", vm.Name(), vm.Location(), vm.Group(), loc)
	}
	if z := body["zones"]; z != nil && !azjson.Same(z, vm.Body["zones"]) && len(azjson.List(body, "zones"))+len(azjson.List(vm.Body, "zones")) > 0 {
		return changeNotAllowed("zones")
	}
	for _, path := range fixed {
		given := azjson.Get(body, append([]string{"properties"}, path...)...)
		have := azjson.Get(vm.Body, append([]string{"properties"}, path...)...)
		if given == nil || azjson.Same(given, have) {
			continue
		}
		if a, ok := given.(string); ok {
			if b, ok := have.(string); ok && azjson.Fold(a, b) {
				continue
			}
		}
		name := path[len(path)-1]
		if len(path) > 1 {
			name = path[0] + "." + name
			switch path[1] {
			case "imageReference", "osDisk":
				name = path[1] + "." + path[len(path)-1]
			case "linuxConfiguration":
				name = "linuxConfiguration.ssh.publicKeys"
				if len(path) == 3 {
					name = "linuxConfiguration." + path[2]
				}
			}
		}
		return changeNotAllowed(name)
	}
	if cd := azjson.Str(body, "properties", "osProfile", "customData"); cd != "" && cd != azjson.Str(vm.Hidden, "customData") {
		return changeNotAllowed("osProfile.customData")
	}
	if pw := azjson.Str(body, "properties", "osProfile", "adminPassword"); pw != "" {
		return changeNotAllowed("osProfile.adminPassword")
	}
	nics := azjson.List(body, "properties", "networkProfile", "networkInterfaces")
	if nics != nil && power(vm) != powerDeallocated {
		have := azjson.List(vm.Body, "properties", "networkProfile", "networkInterfaces")
		same := len(have) == len(nics)
		for i := 0; same && i < len(nics); i++ {
			same = resourceid.Key(azjson.Str(nics[i], "id")) == resourceid.Key(azjson.Str(have[i], "id"))
		}
		if !same {
			return notAllowed("write", vm, "since network interfaces can only be added or removed while the VM is stopped (deallocated)")
		}
	}
	return nil
}

// judgeResize refuses a size that a VM cannot take. It returns the arguments of the operation.
func (p *Provider) judgeResize(body azjson.Object, vm *arm.Resource) (azjson.Object, error) {
	to := azjson.Str(body, "properties", "hardwareProfile", "vmSize")
	from := azjson.Str(vm.Body, "properties", "hardwareProfile", "vmSize")
	if to == "" || azjson.Fold(to, from) {
		return nil, nil
	}
	asked := azjson.Object{"zones": vm.Body["zones"], "name": vm.Name(), "properties": azjson.Object{"hardwareProfile": azjson.Object{"vmSize": to}}}
	size, err := p.judgeSize(asked, vm.Location())
	if err != nil {
		return nil, err
	}
	old, _ := catalogue.FindSize(from, vm.Location())
	if err := fitting(size, azjson.Str(vm.Hidden, "generation"), azjson.Str(vm.Hidden, "arch")); err != nil {
		return nil, err
	}
	controller := azjson.Str(body, "properties", "storageProfile", "diskControllerType")
	if controller == "" {
		controller = azjson.Str(vm.Body, "properties", "storageProfile", "diskControllerType")
	}
	asked["properties"].(azjson.Object)["storageProfile"] = azjson.Object{"diskControllerType": controller}
	if err := catalogue.JudgeController(asked, size, nil); err != nil {
		return nil, err
	}
	if (size.TempMB == 0) != (old.TempMB == 0) {
		return nil, arm.Conflict("OperationNotAllowed", "Unable to resize the VM since changing from resource disk to non-resource disk VM size and vice-versa is not allowed. Please refer to https://aka.ms/AAah4sj for more details.").At("vmSize")
	}
	if n := len(azjson.List(vm.Body, "properties", "storageProfile", "dataDisks")); n > size.DataDisks {
		return nil, arm.Conflict("OperationNotAllowed", "The maximum number of data disks allowed to be attached to a VM of this size is %d.", size.DataDisks).At("dataDisks")
	}
	if !allocated(vm) {
		azjson.Put(body, size.Name, "properties", "hardwareProfile", "vmSize")
		return nil, nil
	}
	more := size.VCPUs
	if size.Family == old.Family {
		more -= old.VCPUs
	}
	if more > 0 {
		if err := p.quota(vm.Location(), size, more, isSpot(vm.Body)); err != nil {
			return nil, err
		}
	}
	azjson.Put(body, size.Name, "properties", "hardwareProfile", "vmSize")
	return azjson.Object{"resized": true, "from": old.Name}, nil
}

// changeDisks attaches, detaches and swaps disks.
func (p *Provider) changeDisks(body azjson.Object, vm *arm.Resource) error {
	if err := p.swapOS(body, vm); err != nil {
		return err
	}
	list, given := azjson.Get(body, "properties", "storageProfile", "dataDisks").([]any)
	if !given {
		return nil
	}
	size, _ := catalogue.FindSize(azjson.Str(vm.Body, "properties", "hardwareProfile", "vmSize"), vm.Location())
	probe := &arm.Resource{ID: vm.ID, Type: schema.VMType, Body: azjson.Object{"properties": azjson.Object{"storageProfile": azjson.Object{"dataDisks": list}}}}
	have := map[string]*arm.Resource{}
	for _, d := range p.attached(vm) {
		have[resourceid.Key(d.ID)] = d
	}
	osName := azjson.Str(vm.Body, "properties", "storageProfile", "osDisk", "name")
	delete(have, resourceid.Key(manageddisk.ID(vm, osName)))
	for _, e := range list {
		// An entry that names a disk of this VM needs no more than its name.
		if o, ok := e.(azjson.Object); ok {
			if d := have[resourceid.Key(manageddisk.ID(vm, azjson.Str(o, "name")))]; d != nil && azjson.Str(o, "managedDisk", "id") == "" {
				azjson.Put(o, d.ID, "managedDisk", "id")
				o["createOption"] = "Attach"
			}
		}
	}
	if err := p.judgeDataDisks(probe, size); err != nil {
		return err
	}
	for i, e := range list {
		o := e.(azjson.Object)
		azjson.Default(o, vm.Name()+"_DataDisk_"+itoa(i), "name")
		azjson.Default(o, "None", "caching")
		azjson.Default(o, "Detach", "deleteOption")
		azjson.Default(o, false, "toBeDetached")
		p.addDataDisk(vm, o)
		delete(have, resourceid.Key(azjson.Str(o, "managedDisk", "id")))
	}
	for _, d := range have {
		if d.Name() != osName {
			p.disks.Release(d)
		}
	}
	return nil
}

// swapOS puts another disk in the place of the OS disk of a deallocated VM.
func (p *Provider) swapOS(body azjson.Object, vm *arm.Resource) error {
	os := azjson.Map(body, "properties", "storageProfile", "osDisk")
	to, from := azjson.Str(os, "managedDisk", "id"), azjson.Str(vm.Body, "properties", "storageProfile", "osDisk", "managedDisk", "id")
	if to == "" || resourceid.Key(to) == resourceid.Key(from) {
		return nil
	}
	d := p.s.FindType(schema.DiskType, to)
	switch {
	case d == nil:
		return manageddisk.NotFound(to)
	case power(vm) != powerDeallocated && power(vm) != powerStopped:
		return notAllowed("write", vm, "since its OS disk can only be swapped while the VM is stopped (deallocated)")
	case azjson.Str(d.Body, "managedBy") != "":
		return attachedElsewhere(d, azjson.Str(d.Body, "managedBy"))
	case azjson.Str(d.Body, "properties", "osType") == "":
		return arm.InvalidParameter("osDisk", "Disk '%s' is not an OS disk.", d.Name())
	case !azjson.Same(azjson.List(d.Body, "zones"), azjson.List(vm.Body, "zones")):
		return arm.Conflict("OperationNotAllowed", "Disk '%s' and VM '%s' are not in the same zone.", d.Name(), vm.Name())
	case azjson.Str(d.Body, "properties", "hyperVGeneration") != azjson.Str(vm.Hidden, "generation"):
		return arm.Conflict("OperationNotAllowed", "The Hypervisor Generation of disk '%s' is not that of VM '%s'.", d.Name(), vm.Name())
	}
	if name := azjson.Str(os, "name"); name != "" && !azjson.Fold(name, d.Name()) {
		return arm.InvalidParameter("osDisk.name", "The name '%s' is not that of disk '%s'.", name, d.Name())
	}
	if old := p.s.FindType(schema.DiskType, from); old != nil {
		p.disks.Release(old)
	}
	os["name"] = d.Name()
	azjson.Put(os, d.ID, "managedDisk", "id")
	p.disks.Hold(d, vm)
	return nil
}

// rebootResized restarts the host of a running VM that got another size.
func (p *Provider) rebootResized(ctx context.Context, op arm.Operation) (any, error) {
	if !azjson.Bool(op.Args, "resized") {
		return nil, nil
	}
	running := false
	p.s.Peek(func() {
		if vm := p.s.Find(op.Target); vm != nil {
			running = power(vm) == powerRunning && p.allocation(vm) == nil
		}
	})
	if !running {
		return nil, nil
	}
	return nil, p.opt.Hosts.Restart(ctx, resourceid.Key(op.Target))
}

func (p *Provider) finishUpdate(op *arm.Operation, err error) (time.Duration, error) {
	vm := p.s.Find(op.Target)
	if vm == nil {
		return 0, nil
	}
	if azjson.Bool(op.Args, "resized") {
		if e := p.allocation(vm); e != nil {
			azjson.Put(vm.Body, azjson.Str(op.Args, "from"), "properties", "hardwareProfile", "vmSize")
			p.fail(vm, e)
			return 0, e
		}
	}
	if err != nil {
		e := arm.Refuse(http.StatusConflict, "VMStartTimedOut", "VM '%s' did not restart: %v", vm.Name(), err)
		p.fail(vm, e)
		return 0, e
	}
	for _, d := range p.attached(vm) {
		if power(vm) != powerDeallocated {
			p.showDisk(vm, d)
		}
	}
	p.diskStates(vm)
	p.rememberSize(vm)
	schema.SetProvisioning(vm, "Succeeded")
	delete(vm.Hidden, "failure")
	p.s.Touch(vm)
	return 0, nil
}
