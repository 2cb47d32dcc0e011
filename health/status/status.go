// Package status reports the state of VMs: from Azure, from the VMs over one SSH connection each, their cost, and their last
// use from this machine.
// An unknown value is nil, never zero. For a VM that could not be queried, the reason is reported.
package status

import (
	"cmp"
	"context"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/local/history"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/disk"
)

// DefaultTimeout is timeout for each VM.
const DefaultTimeout = 10 * time.Second

// Dashboard reads the state of VMs. It changes nothing, not even on the VMs.
type Dashboard struct {
	VMs     *vm.Service
	Disks   *disk.Service // nil: prices of disks are unknown
	Reach   reach.Finder
	Prices  *cost.Prices // nil: costs are unknown
	History history.Log  // without a path: last uses are unknown
}

// Options are how to query VMs. The zero value is ready for use.
type Options struct {
	SSH     reach.Options // how to sign in; the zero value: as the VM's admin user, with the default key and the agent's
	Timeout time.Duration // per VM, including the look-up; zero: DefaultTimeout
}

// VM is the state of one VM.
type VM struct {
	vm.Ref

	Status            string // for display: "Running", "Stopped (deallocated)"
	PowerState        vm.PowerState
	Location          string
	Size              string
	PublicIP          string // empty: none
	PrivateIP         string
	ProvisioningState string
	OSType            string
	Info              vm.Info // everything Azure reports

	// From the VM itself. Nil: unknown.
	Uptime        *time.Duration
	CPUUsage      *float64      // percent of all processors together
	MemoryUsage   *float64      // percent
	DiskUsage     *float64      // percent of the file system /
	BusyProcesses *float64      // percent of one processor; its processes only, CPUUsage is system-wide
	TmuxSessions  []TmuxSession // of the login user; nil: unknown; empty: none
	Err           error         // why it could not be queried; nil: it was, or it is not running

	// EstimatedCost is the cost per month if the VM stays in its state, at list prices and without traffic. Nil: partly
	// unknown; Cost has the known parts.
	EstimatedCost *cost.Money
	Cost          cost.Estimate

	LastUsed *time.Time // UTC: start of the newest connection from this machine; nil: none known

	// LastActivity is the login user's last activity, UTC: a key typed in a terminal, output in a tmux session, a change in
	// the home directory's first level. Nil: unknown.
	LastActivity *time.Time
}

// TmuxSession is a tmux session on a VM.
type TmuxSession struct {
	Name        string
	IsConnected bool // a client is attached
	NumWindows  int
	Created     time.Time // UTC
}

// Report is the state of several VMs.
type Report struct {
	VMs    []VM // newest first
	Hidden int  // VMs in the same place that azlin does not manage
}

// Get returns the state of one VM. An absent one is NotFound; one that cannot be queried is not an error, but has VM.Err.
func (d Dashboard) Get(ctx context.Context, ref vm.Ref, o Options) (VM, error) {
	i, err := d.VMs.Get(ctx, ref)
	if err != nil {
		return VM{}, err
	}
	return d.Of(ctx, []vm.Info{i}, o)[0], nil
}

// List returns the state of the VMs that vm.Service.List finds. The running ones are queried in parallel.
func (d Dashboard) List(ctx context.Context, which vm.ListOptions, o Options) (Report, error) {
	l, err := d.VMs.List(ctx, which)
	if err != nil {
		return Report{}, err
	}
	return Report{VMs: d.Of(ctx, l.VMs, o), Hidden: l.Hidden}, nil
}

// Of returns the state of listed VMs, in the same order.
func (d Dashboard) Of(ctx context.Context, infos []vm.Info, o Options) []VM {
	vms := make([]VM, len(infos))
	last := d.lastUses()
	for n, i := range infos {
		vms[n] = VM{
			Ref: i.Ref, Status: i.StatusDisplay(), PowerState: i.PowerState, Location: i.Location,
			Size: i.VMSize, PublicIP: i.PublicIP, PrivateIP: i.PrivateIP, ProvisioningState: i.ProvisioningState, OSType: i.OSType, Info: i,
			LastUsed: last(i),
		}
	}
	var both errgroup.Group
	limit := cmp.Or(o.Timeout, DefaultTimeout)
	both.Go(func() error {
		askAll(ctx, limit, vms, func(ctx context.Context, v *VM, shows func(bool)) error { return d.ask(ctx, v, o.SSH, shows) })
		return nil
	})
	both.Go(func() error { d.price(ctx, vms, limit); return nil })
	_ = both.Wait() // neither returns an error
	return vms
}

// lastUses reads the history once. An unreadable history has no entries.
func (d Dashboard) lastUses() func(vm.Info) *time.Time {
	var all []history.Connection
	if d.History.Path != "" {
		all, _ = d.History.List()
	}
	return func(i vm.Info) *time.Time {
		for _, c := range all { // newest first
			if !strings.EqualFold(c.VM, i.Name) || c.ResourceGroup != "" && !strings.EqualFold(c.ResourceGroup, i.ResourceGroup) {
				continue
			}
			if id, err := azure.ParseID(i.ID); err == nil && c.SubscriptionID != "" && !strings.EqualFold(c.SubscriptionID, id.Subscription) {
				continue
			}
			used := c.Started
			if c.Ended != nil {
				used = *c.Ended
			}
			return &used
		}
		return nil
	}
}

// pricesAtOnce limits how many estimates are made in parallel; most prices come from the day's cache.
const pricesAtOnce = 8

// price estimates the cost of the VMs in their current state.
func (d Dashboard) price(ctx context.Context, vms []VM, limit time.Duration) {
	if d.Prices == nil || len(vms) == 0 {
		return
	}
	group := vms[0].ResourceGroup
	for n := range vms { // not by value: other goroutines fill in other fields
		if !strings.EqualFold(vms[n].ResourceGroup, group) {
			group = ""
		}
	}
	ctx, cancel := context.WithTimeout(ctx, limit) // prices must not delay either
	defer cancel()
	var disks []disk.Disk
	if d.Disks != nil {
		disks, _ = d.Disks.List(ctx, group) // if disks cannot be read, their price is unknown
	}
	var estimates errgroup.Group
	estimates.SetLimit(pricesAtOnce)
	for n := range vms {
		estimates.Go(func() error {
			d.priceOf(ctx, &vms[n], disks)
			return nil
		})
	}
	_ = estimates.Wait() // none returns an error
}

func (d Dashboard) priceOf(ctx context.Context, v *VM, all []disk.Disk) {
	v.Cost, v.EstimatedCost = d.Estimate(ctx, v.Info, all)
}

// Estimate is the cost of a VM with its disks, which are among all, in its current state. monthly is nil when part of it is
// unknown.
func (d Dashboard) Estimate(ctx context.Context, i vm.Info, all []disk.Disk) (e cost.Estimate, monthly *cost.Money) {
	m := cost.Machine{Region: i.Location, Size: i.VMSize, Spot: i.Spot, PublicIP: i.PublicIP != ""}
	for _, one := range disk.Of(i.Disks, all) {
		m.Disks = append(m.Disks, cost.Disk{Type: one.Type, SizeGB: one.SizeGB})
	}
	e = d.Prices.Estimate(ctx, m)
	if i.PowerState == vm.Deallocated { // deallocated: no compute charge
		e = e.Without("VM")
	}
	if len(e.Unknown) == 0 && i.PowerState != vm.UnknownState {
		monthly = e.Monthly
	}
	return e, monthly
}
