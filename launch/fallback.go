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

// place3 holds what a fallback changes.
type place3 struct{ size, region, zone string }

func asRefusal(err error) (*catalog.Refusal, bool) { return errors.AsType[*catalog.Refusal](err) }

// fallBack changes the plan to the next alternative of a refusal, and records that in the plan: another zone first, then
// another size, then another region. It never changes how the VM is reached, and keeps to the maximum price. It reports
// whether an alternative was left.
func (l *Launcher) fallBack(plan *Plan, cause error) bool {
	refusal, ok := asRefusal(cause)
	if !ok || errkind.Of(refusal) == errkind.Invalid {
		return false // a misspelt name has no replacement
	}
	if plan.tried == nil {
		plan.tried = map[place3]bool{}
	}
	plan.tried[placeOf(plan.Config)] = true
	for _, a := range refusal.All {
		there := place3{a.Size, strings.ToLower(a.Region), a.Zone}
		// An existing network cannot move.
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

// mostTries limits how many alternatives are tried.
const mostTries = 12

func placeOf(c provision.Config) place3 { return place3{c.Size, strings.ToLower(c.Region), c.Zone} }

func zoned(zone string) string {
	if zone == "" {
		return ""
	}
	return " zone " + zone
}

// provision creates the VM of the plan. If Azure has no room for it and Fallback is set, it continues with the next
// alternative, and records that in the plan.
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
			// What was created there is of no use here. Within one region, Provision itself replaces the failed VM.
			if _, err := l.VMs.Delete(ctx, plan.Config.Ref(), vm.DeleteOptions{Report: report}); err != nil {
				return details, err
			}
		}
		if err := errors.Join(plan.keepRequest(), l.remember(plan, stageVM, nil)); err != nil {
			return details, err
		}
	}
}

// nextPlace changes the plan to the next available alternative.
func (l *Launcher) nextPlace(ctx context.Context, plan *Plan, refusal error) bool {
	resumes := plan.Resumes
	defer func() { plan.Resumes = resumes }()
	for l.fallBack(plan, refusal) {
		plan.Resumes = false // quota is counted again at another place
		if l.look(ctx, plan) == nil {
			return true
		}
	}
	return false
}
