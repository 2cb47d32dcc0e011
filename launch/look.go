package launch

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/provision"
)

// found is the result of the look-ups for one place.
type found struct {
	access   access
	source   netip.Prefix
	offer    catalog.Offer
	size     catalog.Size
	estimate *cost.Estimate
	image    catalog.ImageChoice

	sourceErr, sizeErr, imageErr error
}

// look gathers in parallel what the plan needs from Azure and other services: the way in and out, the operator's address if
// needed, the size, the quota and the price. It completes the plan, or returns why the VM cannot be created.
func (l *Launcher) look(ctx context.Context, plan *Plan) error {
	f, err := l.find(ctx, plan)
	if err != nil {
		return err
	}
	config := &plan.Config
	config.Private, config.SubnetID, config.NATGateway = f.access.private, f.access.subnet, f.access.nat
	plan.Bastion, plan.Egress, plan.Price = f.access.bastion, f.access.egress, f.estimate
	switch {
	case config.Private:
		config.SSHSources = nil
		if f.sizeErr == nil && l.Prices != nil {
			plan.Price = new(l.Prices.Estimate(ctx, machineOf(*config, f.size, f.image)))
		}
	case f.sourceErr != nil:
		return f.sourceErr
	case f.source.IsValid():
		config.SSHSources = []netip.Prefix{f.source}
	}
	plan.wanted = config.Wanted(plan.count)
	plan.wanted.Counted = plan.Resumes // existing resources already count in the quota
	var priceErr error
	if f.sizeErr == nil && f.imageErr == nil {
		priceErr = affordable(plan)
	}
	judgement, err := l.Catalog.Judge(ctx, f.offer, plan.wanted)
	plan.Notes, plan.Quota = append(plan.Notes, judgement.Notes...), judgement.Quota
	if err != nil {
		return err
	}
	config.Size = judgement.Size.Name // as Azure spells it
	plan.wanted.Size = config.Size
	if f.imageErr != nil {
		return f.imageErr
	}
	plan.Image = f.image.Name
	if err := fitDisks(*config, judgement.Size, f.image); err != nil {
		return err
	}
	return priceErr
}

// find sends all look-ups in parallel. It returns only errors that prevent the VM; look judges the others.
func (l *Launcher) find(ctx context.Context, plan *Plan) (found, error) {
	var f found
	config, r := plan.Config, plan.request
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		f.access, err = l.findAccess(gctx, r, config)
		return err
	})
	if !plan.Resumes {
		g.Go(func() error { return l.VMs.CheckName(gctx, config.Ref()) })
	}
	if r.SSHSource == "" && l.Defaults.SSHSource == "" && !r.Private {
		g.Go(func() error {
			f.source, f.sourceErr = l.Operator.Address(gctx)
			return nil // irrelevant if the VM turns out to be private
		})
	}
	g.Go(func() error {
		f.offer = l.Catalog.Offer(gctx, config.Region, config.Size)
		return nil
	})
	g.Go(func() error {
		if f.size, f.sizeErr = l.Catalog.Size(gctx, config.Region, config.Size); f.sizeErr != nil {
			return nil // kept in the offer, for the judge
		}
		f.image, f.imageErr = l.Catalog.Image(gctx, config.ResourceGroup, config.Region, f.size, config.Image)
		if l.Prices != nil && f.imageErr == nil {
			f.estimate = new(l.Prices.Estimate(gctx, machineOf(config, f.size, f.image)))
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return f, err
	}
	return f, ctx.Err()
}

// affordable compares the price with the maximum. Too high a price is left for the judge to refuse; an unknown price is the
// error. It also subtracts the price of everything but the VM, for alternatives.
func affordable(plan *Plan) error {
	limit := plan.request.MaxPrice
	if limit.Currency == "" {
		return nil
	}
	unknown := func(why string) error {
		return &errkind.Error{
			Kind: errkind.Quota, Op: "check price", Resource: plan.Config.Size,
			Err: fmt.Errorf("%s, so it cannot be held against the highest price of %s per hour", why, limit),
		}
	}
	price := plan.Price
	switch {
	case price == nil || price.Hourly == nil:
		return unknown("the price is not known")
	case len(price.Unknown) > 0:
		return unknown("the price of " + strings.Join(price.Unknown, " and ") + " is not known")
	case price.Hourly.Currency != limit.Currency:
		return unknown("the price is in " + price.Hourly.Currency)
	}
	rest := price.Hourly.Amount.Sub(price.Parts[0].Hourly.Amount)
	plan.wanted.Limit = &cost.Money{Amount: limit.Amount.Sub(rest), Currency: limit.Currency}
	if price.Hourly.Amount.GreaterThan(limit.Amount) {
		plan.wanted.Against = &errkind.Error{
			Kind: errkind.Quota, Op: "check price", Resource: plan.Config.Size,
			Err: fmt.Errorf("it would cost %s per hour, more than the %s that you allow", price.Hourly, limit),
		}
	}
	return nil
}

// fitDisks refuses disks that the image or the size does not allow.
func fitDisks(c provision.Config, size catalog.Size, image catalog.ImageChoice) error {
	switch {
	case c.OSDiskSizeGB > 0 && c.OSDiskSizeGB < image.SizeGB:
		return errkind.New(errkind.Invalid, "OS disk of %d GB: the image needs %d", c.OSDiskSizeGB, image.SizeGB)
	case size.MaxDataDisks > 0 && len(c.DataDisks) > size.MaxDataDisks:
		return errkind.New(errkind.Invalid, "%d data disks: size %s takes %d", len(c.DataDisks), size.Name, size.MaxDataDisks)
	}
	return nil
}

// machineOf lists the parts of a VM that cost money.
func machineOf(c provision.Config, size catalog.Size, image catalog.ImageChoice) cost.Machine {
	m := cost.Machine{Region: c.Region, Size: size.Name, Spot: c.Spot, PublicIP: !c.Private, NATGateway: c.NATGateway}
	root := cost.Disk{Type: size.DiskType(c.OSDiskType), SizeGB: c.OSDiskSizeGB}
	if root.SizeGB == 0 {
		root.SizeGB = image.SizeGB // if unknown, the price is unknown too
	}
	m.Disks = append(m.Disks, root)
	for _, d := range c.DataDisks {
		m.Disks = append(m.Disks, cost.Disk{Type: size.DiskType(d.Type), SizeGB: d.SizeGB})
	}
	return m
}
