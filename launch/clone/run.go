package clone

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/disk"
	"github.com/azlin-dev/azlin/vm/provision"
)

// Result is the result of one clone.
type Result struct {
	vm.Ref

	Details  provision.Details // of a VM that was created
	Success  bool              // it was created and accepted a login
	Earlier  bool              // an earlier run created it
	Duration time.Duration
	Err      error
}

// Summary is the result of all clones.
type Summary struct {
	Total     int
	Succeeded int
	Failed    int
	Results   []Result // in the order of Plan.Names
	LeftOver  []string // ids of snapshots that could not be deleted
}

// atOnce limits how many clones are created in parallel; package azure also paces requests.
const atOnce = 10

const defaultSSHTimeout = 5 * time.Minute

// Run carries out a plan: a snapshot of each disk of the source (snapshots/createOrUpdate, incremental), then for each clone
// its disks and the VM, and a login. The clone's host key is read from Azure and stored in its tag. Then the snapshots are
// deleted. A failed clone does not stop the others. When ctx or the process ends, nothing is undone, and the same request
// resumes. report may be nil; it is called from several goroutines.
//
// The error is the error of the only clone, or Partial when some of several failed.
func (c *Cloner) Run(ctx context.Context, p Plan, report func(step string)) (Summary, error) {
	if report == nil {
		report = func(string) {}
	}
	sum := Summary{Total: len(p.Names), Results: make([]Result, len(p.Names))}
	snapshots, err := p.left, error(nil)
	if len(p.Done) < len(p.Names) {
		snapshots, err = c.snapshots(ctx, p, report)
	}
	if err != nil {
		return sum, &errkind.Error{
			Kind: errkind.Of(err), Op: "clone", Resource: p.Source.Name, Err: err, Next: p.again(),
		}
	}
	batch.Each(ctx, len(p.Names), atOnce, func(n int) {
		name := p.Names[n]
		if slices.ContainsFunc(p.Done, func(done string) bool { return strings.EqualFold(done, name) }) {
			sum.Results[n] = Result{Ref: vm.Ref{Name: name, ResourceGroup: p.Source.ResourceGroup}, Success: true, Earlier: true}
			return
		}
		sum.Results[n] = c.replica(ctx, p, name, snapshots, report)
	})
	var failed []batch.Failure
	for _, r := range sum.Results {
		if r.Success {
			sum.Succeeded++
			continue
		}
		sum.Failed++
		failed = append(failed, batch.Failure{Name: r.Name, Err: r.Err})
	}
	err = batch.Err("clone", sum.Total, failed, errkind.Step{})
	if ctx.Err() != nil {
		return sum, &errkind.Error{Kind: errkind.Cancelled, Op: "clone", Resource: p.Source.Name, Err: context.Cause(ctx), LeftOver: snapshots, Next: p.again()}
	}
	report("deleting the snapshots")
	for _, id := range snapshots {
		if derr := c.Disks.DeleteSnapshot(ctx, id); derr != nil {
			sum.LeftOver = append(sum.LeftOver, id)
			err = errors.Join(err, derr)
		}
	}
	if sum.LeftOver != nil {
		err = &errkind.Error{Kind: errkind.Of(err), Err: err, LeftOver: sum.LeftOver, Next: p.again()}
	}
	return sum, err
}

// again is the next step that repeats the request.
func (p Plan) again() errkind.Step {
	return errkind.Step{Action: errkind.CloneVM, VM: p.Source.Name, Group: p.Source.ResourceGroup, Name: p.request.Name, Count: p.request.Replicas}
}

// snapshots creates the missing ones in parallel, and returns all ids in the order of the disks.
func (c *Cloner) snapshots(ctx context.Context, p Plan, report func(string)) ([]string, error) {
	ids := make([]string, len(p.Disks))
	g, ctx := errgroup.WithContext(ctx)
	for n, d := range p.Disks {
		g.Go(func() (err error) {
			report("snapshot of " + d.ID[strings.LastIndex(d.ID, "/")+1:])
			ids[n], err = c.snapshot(ctx, p, d)
			return err
		})
	}
	return ids, g.Wait()
}

// existing reads which snapshots of the plan exist, and since when.
func (c *Cloner) existing(ctx context.Context, p *Plan) error {
	for _, d := range p.Disks {
		have, err := c.Azure.Snapshots().Get(ctx, p.Source.ResourceGroup, d.Snapshot, nil)
		if err := azure.Wrap("get snapshot", d.Snapshot, err); err != nil {
			if azure.IsNotFound(err) {
				continue
			}
			return err
		}
		if have.ID == nil || !azure.Managed(azure.Tags(have.Tags)) {
			continue
		}
		p.left = append(p.left, *have.ID)
		s := have.Properties
		if s == nil || s.ProvisioningState != nil && strings.EqualFold(*s.ProvisioningState, "Failed") {
			continue // it is created again
		}
		if s.TimeCreated != nil && (p.Copied.IsZero() || s.TimeCreated.Before(p.Copied)) {
			p.Copied = s.TimeCreated.UTC()
		}
	}
	return nil
}

func (c *Cloner) snapshot(ctx context.Context, p Plan, d Disk) (string, error) {
	return c.Disks.EnsureSnapshot(ctx, disk.Snapshot{
		Name: d.Snapshot, ResourceGroup: p.Source.ResourceGroup, Region: p.config.Region, Disk: d.ID, Owner: c.Owner, Operation: p.mark(),
		Source: p.Source.Name,
	})
}

// replica creates one clone and signs in to it.
func (c *Cloner) replica(ctx context.Context, p Plan, name string, snapshots []string, report func(string)) (r Result) {
	began := time.Now()
	r.Ref = vm.Ref{Name: name, ResourceGroup: p.Source.ResourceGroup}
	defer func() { r.Success, r.Duration = r.Err == nil, time.Since(began) }()
	cfg := p.config
	cfg.Name, cfg.OperationID = name, p.operation(name)
	cfg.Copy = new(*p.config.Copy)
	cfg.Copy.OSSnapshot, cfg.Copy.DataSnapshots = snapshots[0], snapshots[1:]
	if r.Details, r.Err = c.Provisioner.Provision(ctx, cfg, func(step string) { report(name + ": " + step) }); r.Err != nil {
		r.Err = c.Catalog.Refused(ctx, cfg.Wanted(1), r.Err)
		return r
	}
	report(name + ": signing in")
	if r.Err = c.greet(ctx, p, name); r.Err != nil {
		r.Err = &errkind.Error{
			Kind: errkind.Of(r.Err), Err: fmt.Errorf("the VM was created, but azlin cannot sign in: %w", r.Err),
			Next: p.again(),
		}
		return r
	}
	r.Err = c.Provisioner.Finish(ctx, r.Details.ID, r.Details.OperationID)
	return r
}

// greet waits for a login, stores the clone's host key, and sets its host name.
func (c *Cloner) greet(ctx context.Context, p Plan, name string) error {
	patience := cmp.Or(p.request.SSHTimeout, defaultSSHTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("nobody could sign in within %s", patience))
	defer cancel()
	i, err := c.VMs.Get(ctx, vm.Ref{ResourceGroup: p.Source.ResourceGroup, Name: name})
	if err != nil {
		return err
	}
	host, err := c.way(ctx, i, p)
	if err != nil {
		return err
	}
	client, err := remote.WaitForSSH(ctx, host, 0, nil)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // everything that matters is done
	// Azure does not give a copied system its new host name; cloud-init may have set it already.
	err = c.Reach.Guard.Change(ctx, i, audit.Update, "set host name", func(ctx context.Context) error {
		out, err := client.Script(ctx, `[ "$(hostname)" = "$1" ] || sudo -n hostnamectl set-hostname "$1"`, name)
		if err == nil && !out.Success {
			err = errkind.New(errkind.Partial, "its host name could not be set: %s", strings.TrimSpace(out.Stderr))
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.VMs.SetHostKey(ctx, i.ID, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(host.HostKey))))
}

// way finds out how to reach a clone. Azure reports its host key only after the system has generated it.
func (c *Cloner) way(ctx context.Context, i vm.Info, p Plan) (remote.Host, error) {
	for {
		host, err := c.Reach.Host(ctx, i, p.request.SSH)
		if err == nil || errkind.Of(err) != errkind.HostKey || noAzure(err) {
			return host, err
		}
		select {
		case <-ctx.Done():
			return host, err
		case <-time.After(2 * time.Second):
		}
	}
}

// noAzure reports whether Azure itself was unreachable; package azure has already retried that.
func noAzure(err error) bool {
	for e := range errkind.All(err) {
		if e.Kind == errkind.Unreachable {
			return true
		}
	}
	return false
}
