package manageddisk

import (
	"context"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/resourceid"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

// What is on the disk of an operating system: a VM's own is with its host, that of a snapshot, and of a disk that no VM
// has, is kept by its id. Data disks have no content: hosts do not mount them.

// Hosted makes the Run of an operation kind, or none where nothing is kept: the operation then ends in virtual time,
// without a goroutine.
func (p *Disks) Hosted(f func(ctx context.Context, op arm.Operation) (any, error)) func(context.Context, arm.Operation) (any, error) {
	if p.hosts == nil {
		return nil
	}
	return f
}

// Fill gives a disk or snapshot that is a copy the content of its source at this moment.
func (p *Disks) Fill(ctx context.Context, op arm.Operation) (any, error) {
	id := azjson.Str(op.Args, "source")
	if id == "" {
		return nil, nil
	}
	var vm string
	p.s.Peek(func() {
		if source := p.s.Find(id); source != nil {
			if v := p.s.FindType(schema.VMType, azjson.Str(source.Body, "managedBy")); v != nil && p.holdsOS(v, source) {
				vm = resourceid.Key(v.ID)
			}
		}
	})
	if vm != "" {
		return nil, p.hosts.Keep(ctx, vm, resourceid.Key(op.Target))
	}
	return nil, p.hosts.CopyKept(ctx, resourceid.Key(id), resourceid.Key(op.Target))
}

// holdsOS reports whether a disk is that of a VM's operating system.
func (p *Disks) holdsOS(vm, disk *arm.Resource) bool {
	return resourceid.Key(ID(vm, azjson.Str(vm.Body, "properties", "storageProfile", "osDisk", "name"))) == resourceid.Key(disk.ID)
}

// Keep keeps the content of a disk that stays when its VM goes.
func (p *Disks) Keep(ctx context.Context, op arm.Operation) (any, error) {
	var disk string
	p.s.Peek(func() {
		vm := p.s.Find(op.Target)
		if vm == nil {
			return
		}
		if os := azjson.Map(vm.Body, "properties", "storageProfile", "osDisk"); !azjson.Fold(azjson.Str(os, "deleteOption"), "Delete") {
			disk = resourceid.Key(ID(vm, azjson.Str(os, "name")))
		}
	})
	if disk == "" {
		return nil, nil
	}
	if err := p.hosts.Stop(ctx, resourceid.Key(op.Target)); err != nil {
		return nil, err
	}
	return nil, p.hosts.Keep(ctx, resourceid.Key(op.Target), disk)
}

// Forget removes the content of a disk or snapshot with it.
func (p *Disks) Forget(d *arm.Resource) {
	if p.hosts != nil {
		p.hosts.Forget(resourceid.Key(d.ID))
	}
}
