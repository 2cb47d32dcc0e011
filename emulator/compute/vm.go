package compute

import (
	"errors"
	"net/http"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

const oneVM = schema.InGroup + "/virtualMachines/{vmName}"

func (p *Provider) vms() {
	s, v := p.s, schema.Versions()
	s.Register(&arm.Type{
		Name: schema.VMType, Versions: v, Rank: 10, View: p.viewVM, Removed: p.removedVM,
		Tagged: func(r *arm.Resource) { r.Recount() }, Preflight: p.preflight,
	})
	s.RegisterKind("vm.create", arm.Kind{Run: p.hosted(p.boot), Finish: p.finishCreate, Failed: p.failCreate})
	s.RegisterKind("vm.update", arm.Kind{Run: p.hosted(p.rebootResized), Finish: p.finishUpdate, Failed: p.failInPlace})
	s.RegisterKind("vm.delete", arm.Kind{Run: p.hosted(p.disks.Keep), Finish: p.finishDelete, Failed: p.failInPlace})
	s.Handle(http.MethodPut, oneVM, v, p.putVM)
	s.Handle(http.MethodPatch, oneVM, v, p.patchVM)
	s.Handle(http.MethodDelete, oneVM, v, p.deleteVM)
	s.Handle(http.MethodGet, oneVM, v, p.getVM)
	s.Handle(http.MethodGet, oneVM+"/instanceView", v, func(c *arm.Call) (*arm.Reply, error) {
		vm, err := p.vm(c)
		if err != nil {
			return nil, err
		}
		return arm.OK(p.instanceView(vm)), nil
	})
	s.Handle(http.MethodGet, schema.InSub+"/virtualMachines", v, p.listVMs)
	s.Handle(http.MethodGet, schema.InPlace+"/virtualMachines", v, p.listVMs)
	s.Handle(http.MethodGet, schema.InGroup+"/virtualMachines", v, p.listVMs)
}

// vm finds the VM that a call's path names.
func (p *Provider) vm(c *arm.Call) (*arm.Resource, error) {
	id := c.ID("Microsoft.Compute", "virtualMachines", c.Param("vmName"))
	if vm := p.s.Find(id); vm != nil {
		return vm, nil
	}
	parsed, err := resourceid.Parse(id)
	if err != nil {
		return nil, err
	}
	return nil, arm.NotFound(parsed)
}

func (p *Provider) viewVM(vm *arm.Resource, o azjson.Object) {
	l := []any{}
	for _, e := range p.extensionsOf(vm) {
		l = append(l, p.s.View(e))
	}
	if len(l) > 0 {
		o["resources"] = l
	}
	if power(vm) == powerDeallocated {
		// Azure leaves out what belongs to the disk while nothing holds it.
		azjson.Drop(o, "properties", "storageProfile", "osDisk", "diskSizeGB")
		azjson.Drop(o, "properties", "storageProfile", "osDisk", "managedDisk", "storageAccountType")
	}
}

func (p *Provider) getVM(c *arm.Call) (*arm.Reply, error) {
	vm, err := p.vm(c)
	if err != nil {
		return nil, err
	}
	o := p.s.View(vm)
	for e := range strings.SplitSeq(c.Arg("$expand"), ",") {
		switch strings.ToLower(strings.TrimSpace(e)) {
		case "":
		case "instanceview":
			azjson.Put(o, p.instanceView(vm), "properties", "instanceView")
		case "userdata":
			if u := azjson.Str(vm.Hidden, "userData"); u != "" {
				azjson.Put(o, u, "properties", "userData")
			}
		default:
			return nil, arm.InvalidParameter("$expand", "The value '%s' of parameter '$expand' is invalid.", e)
		}
	}
	return arm.OK(o).With("Etag", vm.Etag()), nil
}

func (p *Provider) listVMs(c *arm.Call) (*arm.Reply, error) {
	if azjson.Fold(c.Arg("$expand"), "instanceView") && c.Arg("$filter") == "" {
		return nil, arm.InvalidParameter("$expand", "The $expand parameter with value 'instanceView' is only supported with a valid 'virtualMachineScaleSet/id' filter.")
	}
	l := []any{}
	for _, vm := range p.s.OfType(schema.VMType) {
		if g := c.Group(); g != "" && !azjson.Fold(g, vm.Group()) {
			continue
		}
		if at := c.Param("location"); at != "" && geography.Normal(at) != vm.Location() {
			continue
		}
		o := p.s.View(vm)
		if azjson.Fold(c.Arg("statusOnly"), "true") && c.Group() == "" {
			o = azjson.Object{
				"id": o["id"], "name": o["name"], "type": o["type"], "location": o["location"],
				"properties": azjson.Object{"instanceView": p.instanceView(vm)},
			}
		}
		if c.Group() == "" {
			o["id"] = schema.Shouted(vm)
			if l := p.extensionsOf(vm); len(l) > 0 && o["resources"] != nil { // which are no more than ids here
				var ids []any
				for _, e := range l {
					ids = append(ids, azjson.Object{"id": schema.Shouted(e)})
				}
				o["resources"] = ids
			}
		}
		l = append(l, o)
	}
	return c.Page(l), nil
}

// preflight is what Azure judges of a VM before it begins a deployment: size, zone and quota.
func (p *Provider) preflight(body azjson.Object) *arm.Error {
	location := geography.Normal(azjson.Str(body, "location"))
	size, err := p.judgeSize(body, location)
	if err == nil {
		err = p.quota(location, size, size.VCPUs, isSpot(body))
	}
	var e *arm.Error
	errors.As(err, &e)
	return e
}
