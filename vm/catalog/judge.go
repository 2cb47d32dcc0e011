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

// Wanted describes VMs to create, or one VM to resize. Region and Size must be set.
type Wanted struct {
	Region, Size string
	Zone         string // empty: anywhere in the region
	Count        int    // 0: 1
	Spot         bool
	Premium      bool // with premium disks
	Addresses    int  // additional public addresses, of all VMs together

	Held    *Size            // for a resize: the current size, whose quota becomes free; nil: none
	Fixed   bool             // neither region nor zone can change
	Counted bool             // the quota already includes all of it, or nothing is allocated now: quota is not checked
	Fits    func(Size) error // further requirements on a size; nil: none
	Against error            // the caller's own objection; nil: none
	Limit   *money.Money     // highest price per hour; nil: no limit
}

// Demand is a quota of the subscription in a region, and how much of it is needed.
type Demand struct {
	Quota

	Needed int64 `json:"needed"`
}

// Fits reports whether enough of the quota is left.
func (d Demand) Fits() bool { return d.Needed <= d.Left() }

// Offer is what is known about a size in a region. In the zero value nothing is known.
type Offer struct {
	size              Size
	quotas            []Quota // nil: unknown
	sizeErr, quotaErr error
}

// Offer reads a size and the quota of its region in parallel (Microsoft.Compute/skus, cached for a day, and the usages of
// Microsoft.Compute and Microsoft.Network). Read errors are kept in the offer, for Judge.
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

// Judgement is the result of Judge: what is known about VMs before they are requested from Azure.
type Judgement struct {
	Size  Size
	Quota []Demand // the quotas they need; nil when quota could not be read
	Notes []string // what could not be checked, and why
}

// Judge decides whether an offer has room for the request. It judges VMs that are created, cloned, baked from, or resized. A
// request that Azure would refuse is a *Refusal with alternatives. Unreadable quota is a note, not a refusal, because Azure
// checks it anyway: see Refused.
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

// Refused adds alternatives to a refusal by Azure itself: the size is out of capacity, or the quota was used up meanwhile.
// Other errors are returned unchanged.
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

// request is Wanted with what is known about its region.
type request struct {
	Wanted

	size   Size
	quotas []Quota // nil: unknown
	spent  bool    // Azure had no capacity left, although the size is offered
}

// against returns the first objection to the size; nil: none.
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

// demands returns the quotas that VMs of a size need. Quotas that Azure does not report are left out.
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

// exceeded is the error of the first quota with too little left; nil when all fit.
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
