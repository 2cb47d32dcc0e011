// Package status tells how VMs are: what Azure says of them, what they say themselves over one SSH connection each,
// what they cost, and when they were last used from this machine.
//
// What is not known is nil, never zero, and a VM that could not be asked says why.
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

// Dashboard finds out how VMs are. It changes nothing, on the VMs neither.
type Dashboard struct {
	VMs     *vm.Service
	Disks   *disk.Service // nil: the prices of disks are not known
	Reach   reach.Finder
	Prices  *cost.Prices // nil: costs are not known
	History history.Log  // without a path: last uses are not known
}

// Options are how VMs are asked. The zero value is ready.
type Options struct {
	SSH     reach.Options // how to sign in; the zero value: as the VM's admin user, with the default key and the agent's
	Timeout time.Duration // for each VM, from the beginning; zero: DefaultTimeout
}

// VM is how one VM is.
type VM struct {
	vm.Ref

	Status            string // for people: "Running", "Stopped (deallocated)"
	PowerState        vm.PowerState
	Location          string
	Size              string
	PublicIP          string // empty: none
	PrivateIP         string
	ProvisioningState string
	OSType            string
	Info              vm.Info // all that Azure says

	// What the VM says itself. Nil: not known.
	Uptime        *time.Duration
	CPUUsage      *float64      // percent of all processors together
	MemoryUsage   *float64      // percent
	DiskUsage     *float64      // percent of the file system /
	BusyProcesses *float64      // percent of one processor that its processes take, where CPUUsage tells of all that the kernel sees
	TmuxSessions  []TmuxSession // of the user who signs in; nil: not known; empty: there are none
	Err           error         // why it could not be asked; nil: it was, or it does not run

	// EstimatedCost is what it costs per month if it stays in the state it is in, at list prices and without traffic.
	// Nil: not all of it is known; Cost has what is.
	EstimatedCost *cost.Money
	Cost          cost.Estimate

	LastUsed *time.Time // UTC: the newest connection made from this machine; nil: none is known

	// LastActivity is the newest sign of life of the user who signs in, UTC: a key typed in a terminal, something that a tmux
	// session showed, a change in the home directory's first level. Nil: not known.
	LastActivity *time.Time
}

// TmuxSession is a tmux session on a VM.
type TmuxSession struct {
	Name        string
	IsConnected bool // somebody is attached to it
	NumWindows  int
	Created     time.Time // UTC
}

// Report is how several VMs are.
type Report struct {
	VMs    []VM // newest first
	Hidden int  // VMs in the same place that are not azlin's
}

// Get tells how one VM is. Absent, it is NotFound; one that cannot be asked is no error, but has VM.Err.
func (d Dashboard) Get(ctx context.Context, ref vm.Ref, o Options) (VM, error) {
	i, err := d.VMs.Get(ctx, ref)
	if err != nil {
		return VM{}, err
	}
	return d.Of(ctx, []vm.Info{i}, o)[0], nil
}

// List tells how the VMs are that vm.Service.List finds. The running ones are asked all at once.
func (d Dashboard) List(ctx context.Context, which vm.ListOptions, o Options) (Report, error) {
	l, err := d.VMs.List(ctx, which)
	if err != nil {
		return Report{}, err
	}
	return Report{VMs: d.Of(ctx, l.VMs, o), Hidden: l.Hidden}, nil
}

// Of tells how VMs are that were listed before, in the same order.
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

// lastUses reads the history once. A history that cannot be read knows nothing.
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

// pricesAtOnce bounds how many estimates are made at a time; most come from the day's cache.
const pricesAtOnce = 8

// price estimates what the VMs cost as they are.
func (d Dashboard) price(ctx context.Context, vms []VM, limit time.Duration) {
	if d.Prices == nil || len(vms) == 0 {
		return
	}
	group := vms[0].ResourceGroup
	for n := range vms { // not by value: their other fields are being filled in
		if !strings.EqualFold(vms[n].ResourceGroup, group) {
			group = ""
		}
	}
	ctx, cancel := context.WithTimeout(ctx, limit) // prices must not delay either
	defer cancel()
	var disks []disk.Disk
	if d.Disks != nil {
		disks, _ = d.Disks.List(ctx, group) // who may not read them does not know their price
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

// Estimate is what a VM costs with its disks, which are among all, as it is. monthly is nil when some of it is not known.
func (d Dashboard) Estimate(ctx context.Context, i vm.Info, all []disk.Disk) (e cost.Estimate, monthly *cost.Money) {
	m := cost.Machine{Region: i.Location, Size: i.VMSize, Spot: i.Spot, PublicIP: i.PublicIP != ""}
	for _, one := range disk.Of(i.Disks, all) {
		m.Disks = append(m.Disks, cost.Disk{Type: one.Type, SizeGB: one.SizeGB})
	}
	e = d.Prices.Estimate(ctx, m)
	if i.PowerState == vm.Deallocated { // its machine is nobody's
		e = e.Without("VM")
	}
	if len(e.Unknown) == 0 && i.PowerState != vm.UnknownState {
		monthly = e.Monthly
	}
	return e, monthly
}
