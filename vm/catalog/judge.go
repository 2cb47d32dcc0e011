package catalog

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/money"
)

// Wanted is VMs that are to be made, or one that is to have another size. Region and Size must be set.
type Wanted struct {
	Region, Size string
	Zone         string // empty: anywhere in the region
	Count        int    // 0: 1
	Spot         bool
	Premium      bool // with premium disks
	Addresses    int  // public addresses that come on top, of all VMs together

	Held    *Size            // of one VM that is to change its size: what it gives back; nil: nothing
	Fixed   bool             // neither the region nor the zone can be another
	Counted bool             // the quota has all of it already, or nothing is taken up now: what is needed is not held against it
	Fits    func(Size) error // what else a size has to be; nil: nothing
	Against error            // what the caller has against it; nil: nothing
	Limit   *money.Money     // what the size may cost per hour; nil: anything
}

// Demand is one limit of the subscription in a region, and how much of it is needed.
type Demand struct {
	Quota

	Needed int64 `json:"needed"`
}

// Fits reports whether the limit leaves room for what is needed.
func (d Demand) Fits() bool { return d.Needed <= d.Left() }

// Offer is what is known of a size in a region. The zero value knows nothing.
type Offer struct {
	size              Size
	quotas            []Quota // nil: not known
	sizeErr, quotaErr error
}

// Offer reads a size and the quota of its region, at the same time (Microsoft.Compute/skus, once a day, and the usages of
// Microsoft.Compute and Microsoft.Network). Whatever cannot be read is for Judge to consider.
func (s *Service) Offer(ctx context.Context, region, size string) Offer {
	var o Offer
	var g errgroup.Group
	g.Go(func() error {
		o.size, o.sizeErr = s.Size(ctx, region, size)
		return nil
	})
	g.Go(func() error {
		o.quotas, o.quotaErr = s.Quotas(ctx, region)
		return nil
	})
	_ = g.Wait() // the errors are in the offer
	return o
}

// Judgement is what may be known of VMs before Azure is asked for them.
type Judgement struct {
	Size  Size
	Quota []Demand // what they count against; nil when that could not be read
	Notes []string // what could not be found out, and why
}

// Judge decides whether an offer has room for what is wanted: it is the judge for VMs that are made, cloned and baked
// from, and for those that change their size. What Azure would refuse is a *Refusal with alternatives. A quota that
// cannot be read is a note and no refusal, because Azure judges by it all the same: see Refused.
func (s *Service) Judge(ctx context.Context, o Offer, w Wanted) (Judgement, error) {
	j := Judgement{Size: o.size}
	if ctx.Err() != nil {
		return j, ctx.Err()
	}
	if o.quotaErr != nil {
		j.Notes = append(j.Notes, "the quota could not be read: "+o.quotaErr.Error())
	}
	want := request{Wanted: w, size: o.size, quotas: o.quotas}
	if o.sizeErr != nil {
		return j, s.notInRegion(ctx, want, o.sizeErr)
	}
	j.Quota = want.demands(o.quotas, o.size)
	if reason := want.against(j.Quota); reason != nil {
		return j, s.refuse(ctx, want, reason)
	}
	return j, nil
}

// Refused adds alternatives to a refusal that Azure came out with only when it was asked: it has run out of the size, or
// somebody else took what the quota had left. Other errors stay as they are.
func (s *Service) Refused(ctx context.Context, w Wanted, err error) error {
	kind := errkind.Of(err)
	if _, known := errors.AsType[*Refusal](err); known || kind != errkind.Quota && kind != errkind.Capacity || ctx.Err() != nil {
		return err
	}
	o := s.Offer(ctx, w.Region, w.Size)
	if o.sizeErr != nil {
		return err
	}
	return s.refuse(ctx, request{Wanted: w, size: o.size, quotas: o.quotas, spent: kind == errkind.Capacity}, err)
}

// request is what is wanted, with what is known of its region.
type request struct {
	Wanted

	size   Size
	quotas []Quota // nil: not known
	spent  bool    // Azure had none left, although it is offered
}

// against is the first thing that speaks against the size; nil when nothing does.
func (r request) against(demands []Demand) error {
	if err := r.size.Check(r.Zone); err != nil {
		return err
	}
	if r.Fits != nil {
		if err := r.Fits(r.size); err != nil {
			return err
		}
	}
	switch {
	case r.Spot && !r.size.Spot:
		return &errkind.Error{
			Kind: errkind.Capacity, Op: "check size", Resource: r.size.Name, Err: errors.New("it is not offered as a spot VM"),
		}
	case r.Against != nil:
		return r.Against
	case r.Counted:
		return nil
	}
	return exceeded(demands, r.Region)
}

// demands picks the limits that VMs of a size count against. A limit that Azure does not tell is not in the result.
func (w Wanted) demands(quotas []Quota, size Size) []Demand {
	cores := int64(size.VCPUs * max(1, w.Count))
	family := cores
	if w.Held != nil {
		cores -= int64(w.Held.VCPUs)
		if strings.EqualFold(w.Held.Family, size.Family) {
			family = cores
		}
	}
	needs := map[string]int64{strings.ToLower(QuotaPublicIPs): int64(w.Addresses)}
	if w.Spot {
		needs[strings.ToLower(QuotaSpotCores)] = cores
	} else {
		needs[strings.ToLower(QuotaCores)] = cores
		needs[strings.ToLower(size.Family)] = family
	}
	var all []Demand
	for _, q := range quotas {
		if n := needs[strings.ToLower(q.Name)]; n > 0 {
			all = append(all, Demand{q, n})
		}
	}
	return all
}

// exceeded is the error of the first limit that leaves too little room; nil when all fit.
func exceeded(demands []Demand, region string) error {
	for _, d := range demands {
		if d.Fits() {
			continue
		}
		unit := "vCPUs"
		if strings.EqualFold(d.Name, QuotaPublicIPs) {
			unit = "public addresses"
		}
		return &errkind.Error{
			Kind: errkind.Quota, Op: "check quota", Resource: d.Name,
			Err: fmt.Errorf("%d of %d %s (%s) are in use in %s, and %d more are needed: the limit would have to be %d at least",
				d.Current, d.Limit, unit, d.Label, region, d.Needed, d.Current+d.Needed),
		}
	}
	return nil
}
