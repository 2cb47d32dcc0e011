package launch

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

// look finds out at the same time what the plan needs of Azure and of other services: the size, the quota,
// the price and, when it is wanted, the operator's address.
func (l *Launcher) look(ctx context.Context, plan *Plan, config *vm.Config, operator bool) error {
	var size vm.Size
	var source netip.Prefix
	var sizeErr, quotaErr error
	var quotas []vm.Quota
	// The address and the size come first among errors: without the one there is no VM, and why the other
	// is refused needs all that the rest has found out.
	g, gctx := errgroup.WithContext(ctx)
	if operator {
		g.Go(func() (err error) {
			services := l.EchoServices
			if len(services) == 0 {
				services = DefaultEchoServices()
			}
			source, err = OperatorAddress(gctx, cmp.Or(l.HTTP, http.DefaultClient), services)
			return err
		})
	}
	g.Go(func() error {
		quotas, quotaErr = l.VMs.Quotas(gctx, config.Region)
		return nil // advisory: Azure itself refuses what does not fit
	})
	g.Go(func() error {
		if size, sizeErr = l.VMs.Size(gctx, config.Region, config.Size); sizeErr == nil && l.Prices != nil {
			plan.Price = new(l.Prices.Estimate(gctx, machineOf(*config, size)))
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if operator {
		config.SSHSources = []netip.Prefix{source}
	}
	if quotaErr != nil {
		plan.Notes = append(plan.Notes, "the quota could not be read: "+quotaErr.Error())
	}
	want := wanted{config: *config, size: size, quotas: quotas}
	plan.wanted = want
	if sizeErr != nil {
		return l.notInRegion(ctx, want, sizeErr)
	}
	if err := size.Check(config.Zone); err != nil {
		return l.refuse(ctx, want, err)
	}
	if config.Spot && !size.Spot {
		return l.refuse(ctx, want, &errkind.Error{
			Kind: errkind.Capacity, Op: "check size", Resource: size.Name, Err: errors.New("it is not offered as a spot VM"),
		})
	}
	plan.Quota = needed(quotas, size, *config)
	if plan.Resumes {
		return nil // what there is already counts, and would be counted again
	}
	if err := exceeded(plan.Quota, config.Region); err != nil {
		return l.refuse(ctx, want, err)
	}
	return nil
}

// imageDiskGB is the size of the OS disk of Canonical's images.
const imageDiskGB = 30

// machineOf is what a VM is made of, as far as it costs money.
func machineOf(c vm.Config, size vm.Size) cost.Machine {
	m := cost.Machine{Region: c.Region, Size: size.Name, Spot: c.Spot, PublicIP: !c.Private}
	root := cost.Disk{Type: size.DiskType(c.OSDiskType), SizeGB: c.OSDiskSizeGB}
	if root.SizeGB == 0 && (c.Image == "" || strings.HasPrefix(strings.ToLower(c.Image), "canonical:")) {
		root.SizeGB = imageDiskGB // of other images it is not known here, nor then the price
	}
	m.Disks = append(m.Disks, root)
	for _, d := range c.DataDisks {
		m.Disks = append(m.Disks, cost.Disk{Type: size.DiskType(d.Type), SizeGB: d.SizeGB})
	}
	return m
}
