package compute

import (
	"net/http"
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/polling"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

func (p *Provider) vmActions() {
	s, v := p.s, schema.Versions()
	s.RegisterKind("vm.power", arm.Kind{Run: p.hosted(p.powerHost), Finish: p.finishPower, Failed: p.failPower})
	for _, a := range []string{"start", "powerOff", "deallocate", "restart", "redeploy", "reapply"} {
		s.Handle(http.MethodPost, oneVM+"/"+a, v, func(c *arm.Call) (*arm.Reply, error) { return p.act(c, a) })
	}
	s.Handle(http.MethodPost, oneVM+"/generalize", v, func(c *arm.Call) (*arm.Reply, error) {
		vm, err := p.vm(c)
		if err != nil {
			return nil, err
		}
		if pw := power(vm); pw != powerStopped && pw != powerDeallocated {
			return nil, notAllowed("generalize", vm, "since the VM is "+pw)
		}
		vm.Hidden["generalized"] = true
		p.s.Touch(vm)
		return arm.Status(http.StatusOK), nil
	})
}

func notAllowed(action string, vm *arm.Resource, why string) *arm.Error {
	return arm.Conflict("OperationNotAllowed", "Operation '%s' is not allowed on VM '%s' %s.", action, vm.Name(), why)
}

// act begins one of the actions on a VM's power.
func (p *Provider) act(c *arm.Call, action string) (*arm.Reply, error) {
	vm, err := p.vm(c)
	if err != nil {
		return nil, err
	}
	if schema.Provisioning(vm) == "Deleting" {
		return nil, notAllowed(action, vm, "since the VM is marked for deletion. You can only retry the Delete operation (or wait for an ongoing one to complete)")
	}
	if azjson.Bool(vm.Hidden, "generalized") && action != "deallocate" && action != "powerOff" {
		return nil, notAllowed(action, vm, "since the VM is generalized")
	}
	before := power(vm)
	switch pw := before; action {
	case "start":
		if pw == powerDeallocated || pw == powerNone {
			size, err := p.judgeSize(vm.Body, vm.Location())
			if err != nil {
				return nil, err
			}
			if err := p.quota(vm.Location(), size, size.VCPUs, isSpot(vm.Body)); err != nil {
				return nil, err
			}
		}
		if pw != powerRunning {
			p.setPower(vm, powerStarting)
		}
	case "powerOff":
		if pw == powerRunning || pw == powerStarting {
			p.setPower(vm, powerStopping)
		}
	case "deallocate":
		if pw != powerDeallocated {
			p.setPower(vm, powerDeallocating)
		}
	case "restart":
		if pw == powerDeallocated || pw == powerDeallocating {
			return nil, notAllowed("restart", vm, "since VM is deallocated")
		}
	case "redeploy":
		if pw == powerDeallocated || pw == powerDeallocating {
			return nil, notAllowed("redeploy", vm, "since VM is deallocated")
		}
	}
	p.s.Preempt(vm.ID)
	schema.SetProvisioning(vm, "Updating")
	vm.Recount()
	op := p.s.Begin("vm.power", vm.ID, vm.Location(), azjson.Object{"action": action, "from": before})
	op.Due = c.Now.Add(p.s.Lasting("vm." + action))
	st := polling.ComputeAction()
	if action == "powerOff" || action == "redeploy" || action == "reapply" {
		st = st.Silent()
	}
	return c.Async(arm.Status(http.StatusAccepted), op, st), nil
}

// failPower leaves a VM as it was before an action that was made to fail.
func (p *Provider) failPower(op *arm.Operation) {
	if vm := p.s.Find(op.Target); vm != nil {
		p.setPower(vm, azjson.Str(op.Args, "from"))
		p.fail(vm, op.Err)
	}
}

func (p *Provider) finishPower(op *arm.Operation, err error) (time.Duration, error) {
	vm := p.s.Find(op.Target)
	if vm == nil {
		return 0, nil
	}
	action := azjson.Str(op.Args, "action")
	if action == "start" {
		if e := p.allocation(vm); e != nil {
			p.setPower(vm, powerDeallocated)
			p.fail(vm, e)
			return 0, e
		}
	}
	if err != nil {
		e := arm.Conflict("VMStartTimedOut", "VM '%s' did not %s in the allotted time. The VM may still finish successfully. Please check the power state later. Details: %v", vm.Name(), action, err)
		p.fail(vm, e)
		return 0, e
	}
	switch action {
	case "start", "restart", "redeploy":
		for _, d := range p.attached(vm) {
			p.showDisk(vm, d)
		}
		delete(vm.Hidden, "lazy")
		p.setPower(vm, powerRunning)
	case "powerOff":
		if power(vm) != powerDeallocated {
			p.setPower(vm, powerStopped)
		}
	case "deallocate":
		p.setPower(vm, powerDeallocated)
	}
	schema.SetProvisioning(vm, "Succeeded")
	delete(vm.Hidden, "failure")
	return 0, nil
}
