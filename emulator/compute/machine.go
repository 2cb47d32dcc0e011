package compute

import (
	"context"
	"encoding/base64"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/compute/manageddisk"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
	"github.com/azlin-dev/azlin/emulator/network/reachability"
)

// sshPort is where Azure's rules look at SSH, whatever port the hosts listen on.
const sshPort = 22

// machine is a VM as its host sees it. Callers hold the server's lock.
func (p *Provider) machine(vm *arm.Resource) Machine {
	m := Machine{
		ID: resourceid.Key(vm.ID), VMID: azjson.Str(vm.Body, "properties", "vmId"),
		Hostname:  azjson.Str(vm.Body, "properties", "osProfile", "computerName"),
		AdminUser: azjson.Str(vm.Body, "properties", "osProfile", "adminUsername"),
		Lazy:      azjson.Bool(vm.Hidden, "lazy"),
	}
	if m.Hostname == "" {
		m.Hostname = vm.Name()
	}
	for _, k := range azjson.List(vm.Body, "properties", "osProfile", "linuxConfiguration", "ssh", "publicKeys") {
		m.AdminKeys = append(m.AdminKeys, azjson.Str(k, "keyData"))
	}
	m.CustomData, _ = base64.StdEncoding.DecodeString(azjson.Str(vm.Hidden, "customData")) // judged when it came
	if os := azjson.Map(vm.Body, "properties", "storageProfile", "osDisk"); azjson.Fold(azjson.Str(os, "createOption"), "Attach") {
		m.Disk = resourceid.Key(manageddisk.ID(vm, azjson.Str(os, "name")))
	} else {
		m.Disk = azjson.Str(vm.Hidden, "content")
	}
	for _, nic := range p.nicsOf(vm) {
		m.Addresses = append(m.Addresses, p.net.Addresses(nic.ID)...)
		m.Admitted = m.Admitted || reachability.Admitted(p.s, nic.ID, p.opt.Operator, sshPort)
	}
	return m
}

// Machines returns the VMs that run, those that are switched off, and the keys of all there are.
func (p *Provider) Machines() (running, stopped []Machine, all map[string]bool) {
	all = map[string]bool{}
	p.s.Peek(func() {
		for _, vm := range p.s.OfType(schema.VMType) {
			all[resourceid.Key(vm.ID)] = true
			switch power(vm) {
			case powerRunning:
				running = append(running, p.machine(vm))
			case powerStopped, powerDeallocated:
				stopped = append(stopped, p.machine(vm))
			}
		}
	})
	return running, stopped, all
}

// powerHost tells a host to do what an action on its VM asks for.
func (p *Provider) powerHost(ctx context.Context, op arm.Operation) (any, error) {
	var m Machine
	var room bool
	p.s.Peek(func() {
		if vm := p.s.Find(op.Target); vm != nil {
			m, room = p.machine(vm), p.allocation(vm) == nil
		}
	})
	if m.ID == "" {
		return nil, nil
	}
	switch azjson.Str(op.Args, "action") {
	case "start":
		if !room {
			return nil, nil
		}
		m.Lazy = false
		return nil, p.opt.Hosts.Start(ctx, m)
	case "powerOff", "deallocate":
		return nil, p.opt.Hosts.Stop(ctx, m.ID)
	case "restart", "redeploy":
		return nil, p.opt.Hosts.Restart(ctx, m.ID)
	}
	return nil, nil
}

// Inside is what a connection from within the network has to know of a VM: the ids of its interfaces, and whether it
// runs. ok is false when there is no such VM. Callers hold the server's lock.
func (p *Provider) Inside(id string) (nics []string, running, ok bool) {
	vm := p.s.FindType(schema.VMType, id)
	if vm == nil {
		return nil, false, false
	}
	for _, nic := range p.nicsOf(vm) {
		nics = append(nics, nic.ID)
	}
	return nics, power(vm) == powerRunning, true
}
