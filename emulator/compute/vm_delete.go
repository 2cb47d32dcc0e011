package compute

import (
	"net/http"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/compute/manageddisk"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
	"github.com/azlin-dev/azlin/emulator/network"
)

func (p *Provider) deleteVM(c *arm.Call) (*arm.Reply, error) {
	vm, err := p.vm(c)
	if err != nil {
		return arm.Status(http.StatusNoContent), nil
	}
	if err := c.Match(true, vm.Etag()); err != nil {
		return nil, err
	}
	if op := p.s.Current(vm.ID); op != nil && op.Kind == "vm.delete" {
		return c.Async(arm.Status(http.StatusAccepted), op, polling.ComputeAction()), nil
	}
	p.s.Preempt(vm.ID)
	schema.SetProvisioning(vm, "Deleting")
	p.s.Touch(vm)
	op := p.s.Begin("vm.delete", vm.ID, vm.Location(), nil)
	return c.Async(arm.Status(http.StatusAccepted), op, polling.ComputeAction()), nil
}

func (p *Provider) finishDelete(op *arm.Operation, err error) (time.Duration, error) {
	if err != nil {
		return 0, arm.Refuse(http.StatusInternalServerError, "InternalOperationError", "The disk of '%s' could not be kept: %v", op.Target, err)
	}
	if vm := p.s.Find(op.Target); vm != nil {
		p.s.Remove(vm)
	}
	return 0, nil
}

// removedVM frees what a VM holds, and removes what is to go with it.
func (p *Provider) removedVM(vm *arm.Resource) {
	p.remember(vm, stateDeleted, p.s.Now())
	failed := azjson.Str(vm.Hidden, "failure", "code") != "" && power(vm) == powerNone
	goes := map[string]bool{}
	profile := azjson.Map(vm.Body, "properties", "storageProfile")
	for _, d := range append([]any{profile["osDisk"]}, azjson.List(profile, "dataDisks")...) {
		goes[resourceid.Key(manageddisk.ID(vm, azjson.Str(d, "name")))] = azjson.Fold(azjson.Str(d, "deleteOption"), "Delete")
	}
	for _, d := range p.attached(vm) {
		p.disks.Release(d)
		if goes[resourceid.Key(d.ID)] {
			p.s.Remove(d)
		}
	}
	for _, e := range azjson.List(vm.Body, "properties", "networkProfile", "networkInterfaces") {
		nic := p.s.FindType(network.NICType, azjson.Str(e, "id"))
		if nic == nil {
			continue
		}
		if !failed {
			p.net.Detach(nic)
		}
		if azjson.Fold(azjson.Str(e, "properties", "deleteOption"), "Delete") {
			p.s.Remove(nic)
		}
	}
	for _, e := range p.extensionsOf(vm) {
		p.s.Forget(e)
	}
}
