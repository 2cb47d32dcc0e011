package launch

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/provision"
)

// place3 is what a fallback changes.
type place3 struct{ size, region, zone string }

func asRefusal(err error) (*catalog.Refusal, bool) { return errors.AsType[*catalog.Refusal](err) }

// fallBack changes the plan to the next of the alternatives that a refusal offers, and says so: another
// zone comes before another size, that before another region. It never changes how the VM is reached, and stays within
// the highest price. It reports whether there was one left.
func (l *Launcher) fallBack(plan *Plan, cause error) bool {
	refusal, ok := asRefusal(cause)
	if !ok || errkind.Of(refusal) == errkind.Invalid {
		return false // nothing stands in for a name that was mistyped
	}
	if plan.tried == nil {
		plan.tried = map[place3]bool{}
	}
	plan.tried[placeOf(plan.Config)] = true
	for _, a := range refusal.All {
		there := place3{a.Size, strings.ToLower(a.Region), a.Zone}
		// An existing network is where it is.
		elsewhere := !strings.EqualFold(a.Region, plan.Config.Region) && (plan.request.VNet != "" || plan.request.Subnet != "")
		if plan.tried[there] || elsewhere || len(plan.tried) > mostTries {
			continue
		}
		plan.tried[there] = true
		reason, _, _ := strings.Cut(refusal.Reason.Error(), "\n")
		plan.Fallbacks = append(plan.Fallbacks, fmt.Sprintf("%s in place of %s %s%s: %s", a.Place(), plan.Config.Size, plan.Config.Region, zoned(plan.Config.Zone), reason))
		plan.Config.Size, plan.Config.Region, plan.Config.Zone = a.Size, a.Region, a.Zone
		return true
	}
	return false
}

// mostTries bounds how many places are gone through.
const mostTries = 12

func placeOf(c provision.Config) place3 { return place3{c.Size, strings.ToLower(c.Region), c.Zone} }

func zoned(zone string) string {
	if zone == "" {
		return ""
	}
	return " zone " + zone
}

// provision makes the VM of the plan. When Azure has no room for it after all, and Fallback is wanted, it goes on with
// the next alternative, and the plan says so.
func (l *Launcher) provision(ctx context.Context, plan *Plan, display *progress.Display) (provision.Details, error) {
	report := func(step string) { _ = display.Update(step) } // the stage is open
	for {
		details, err := l.provisionOnce(ctx, plan, report)
		if err == nil {
			return details, nil
		}
		refusal := l.Catalog.Refused(ctx, plan.wanted, err)
		if !plan.request.Fallback || errkind.Of(err) != errkind.Capacity || ctx.Err() != nil {
			return details, refusal
		}
		region := plan.Config.Region
		if !l.nextPlace(ctx, plan, refusal) {
			return details, refusal
		}
		report(plan.Fallbacks[len(plan.Fallbacks)-1])
		if !strings.EqualFold(region, plan.Config.Region) {
			// What was made there serves nobody here. In one region Provision itself replaces the VM that failed.
			if _, err := l.VMs.Delete(ctx, plan.Config.Ref(), vm.DeleteOptions{Report: report}); err != nil {
				return details, err
			}
		}
		if err := errors.Join(plan.keepRequest(), l.remember(plan, stageVM, nil)); err != nil {
			return details, err
		}
	}
}

// nextPlace changes the plan to the next alternative that can be had.
func (l *Launcher) nextPlace(ctx context.Context, plan *Plan, refusal error) bool {
	resumes := plan.Resumes
	defer func() { plan.Resumes = resumes }()
	for l.fallBack(plan, refusal) {
		plan.Resumes = false // the quota of another place counts anew
		if l.look(ctx, plan) == nil {
			return true
		}
	}
	return false
}
