package provision

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

// adopt decides about an existing VM of our name: ours from an earlier run is awaited, a failed one of ours is removed, any
// other is a conflict.
func (p *run) adopt(ctx context.Context, i vm.Info) (Details, bool, error) {
	if err := p.mayGoOn(i); err != nil {
		return Details{}, false, err
	}
	p.stage = "vm"
	p.left.add(i.ID)
	azure.Report(p.report, "going on with vm "+i.Name+", which an earlier run asked for")
	i, err := p.settled(ctx, i)
	switch {
	case azure.IsNotFound(err):
		return Details{}, false, nil // deleted meanwhile: create it again
	case err != nil:
		return Details{}, false, err
	case strings.EqualFold(i.ProvisioningState, "Succeeded"):
		if err := p.vms.ReadAddresses(ctx, &i); err != nil {
			return Details{}, false, err
		}
		return p.details(i, true), true, nil
	case i.IsRunning():
		return Details{}, false, &errkind.Error{
			Kind: errkind.Provisioning, Op: "create vm", Resource: i.Name,
			Err: errkind.New(errkind.Provisioning, "Azure reports %s, but the VM runs: look at it, or delete it", i.ProvisioningState),
		}
	}
	azure.Report(p.report, "deleting vm "+i.Name+", which Azure could not bring up, to make it anew")
	summary, err := p.vms.Delete(ctx, i.Ref, vm.DeleteOptions{})
	if err == nil && summary.FailedResources > 0 {
		err = summary.Err()
	}
	if err != nil {
		return Details{}, false, err
	}
	p.left.clear()
	return Details{}, false, p.size.Check(p.cfg.Zone)
}

// mayGoOn returns a Conflict unless the VM belongs to an unfinished create of the same operation or
// the same owner.
func (p *run) mayGoOn(i vm.Info) error {
	conflict := func(format string, args ...any) error {
		return &errkind.Error{
			Kind: errkind.Conflict, Op: "create vm", Resource: i.Name, Err: errkind.New(errkind.Conflict, format, args...),
		}
	}
	if !i.Managed {
		return conflict("a VM of this name exists in %s and is not azlin's", i.ResourceGroup)
	}
	m, ok := change.MarkOf(i.Tags)
	owner, _ := azure.Tag(i.Tags, azure.TagOwner)
	switch {
	case ok && m.ID == p.cfg.OperationID:
		return nil
	case !ok || m.Step == change.StepDone:
		return &errkind.Error{
			Err:  conflict("a VM of this name exists in %s", i.ResourceGroup),
			Next: errkind.Step{Action: errkind.ConnectVM, VM: i.Name},
		}
	case owner != p.cfg.Owner:
		return conflict("%s is creating a VM of this name", owner)
	case !azure.SameRegion(i.Location, p.cfg.Region):
		return conflict("a VM of this name is being created in %s", i.Location)
	}
	return nil
}

// settled waits until Azure has finished with the VM, whether it succeeded or failed.
func (p *run) settled(ctx context.Context, i vm.Info) (vm.Info, error) {
	began := time.Now()
	for {
		switch strings.ToLower(i.ProvisioningState) {
		case "creating", "updating", "deleting", "migrating":
		default:
			return i, nil
		}
		azure.Report(p.report, fmt.Sprintf("vm %s: %s for %s", i.Name, i.ProvisioningState, time.Since(began).Round(time.Second)))
		if err := pause(ctx, settleEvery); err != nil {
			return i, azure.Wrap("wait for vm", i.Name, err)
		}
		var err error
		if i, err = p.vms.Peek(ctx, i.Ref); err != nil {
			return i, err
		}
	}
}

const settleEvery = 3 * time.Second

// pause waits, or returns ctx's error when that ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Resumes reports whether Provision would resume with an existing VM. A finished VM of that name, or one of another owner,
// is the same Conflict as from Provision (one request).
func (s *Service) Resumes(ctx context.Context, cfg Config) (bool, error) {
	p := &run{Service: s, cfg: cfg.withDefaults(), names: vm.NamesOf(cfg.Name)}
	i, err := p.find(ctx)
	if err != nil || i == nil {
		return false, errkind.Classed(ErrProvisioning, err)
	}
	return true, errkind.Classed(ErrProvisioning, p.mayGoOn(*i))
}
