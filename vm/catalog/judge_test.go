package catalog_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/launch/clone"
	"github.com/azlin-dev/azlin/launch/image"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/local/person"
	"github.com/azlin-dev/azlin/upkeep/resize"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/provision"
)

// planner plans everything that takes up quota: two vCPUs of the family of dev, which has two.
type planner struct {
	*azlin.Client
	dev vm.Info
	key string
}

// newPlanner makes dev in a local Azure. around stands between the client and that, once dev is there.
func newPlanner(t *testing.T, o emulator.Options, around func(http.RoundTripper) http.RoundTripper) planner {
	t.Helper()
	p := person.Planning(t, o)
	if _, err := provisioned(t, p.Client(), func(*provision.Config) {}); err != nil {
		t.Fatal(err)
	}
	client := p.Open(person.Through(around))
	dev, err := client.VMs.Get(t.Context(), vm.Ref{Name: "dev", ResourceGroup: "azlin-rg"})
	if err != nil {
		t.Fatal(err)
	}
	return planner{client, dev, p.Key.Private}
}

// plans are the plans of everything, with the notes of each.
func (p planner) plans() map[string]func(context.Context) ([]string, error) {
	request := launch.Request{
		Config: provision.Config{Name: "another", ResourceGroup: "azlin-rg", Size: "Standard_D2s_v5"}, KeyPath: p.key,
	}
	return map[string]func(context.Context) ([]string, error){
		"new": func(ctx context.Context) ([]string, error) {
			plan, err := p.Launcher.Plan(ctx, request, progress.New(0, nil))
			if err != nil {
				return nil, err
			}
			return plan.Notes, nil
		},
		"pool": func(ctx context.Context) ([]string, error) {
			plan, err := p.Launcher.PlanPool(ctx, request, 1, progress.New(0, nil))
			if err != nil {
				return nil, err
			}
			return plan.Plans[0].Notes, nil
		},
		"clone": func(ctx context.Context) ([]string, error) {
			plan, err := (&clone.Cloner{Azure: p.Azure, VMs: p.VMs, Provisioner: p.Provisioner, Catalog: p.Catalog, Disks: p.Disks}).Plan(ctx, clone.Request{Source: p.dev})
			return plan.Notes, err
		},
		"bake": func(ctx context.Context) ([]string, error) {
			plan, err := (&image.Baker{Azure: p.Azure, VMs: p.VMs, Provisioner: p.Provisioner, Catalog: p.Catalog, Disks: p.Disks}).Plan(ctx, image.Request{Source: p.dev})
			return plan.Notes, err
		},
		"resize": func(ctx context.Context) ([]string, error) {
			plan, err := (&resize.Resizer{Azure: p.Azure, VMs: p.VMs, Catalog: p.Catalog}).Plan(ctx, p.dev.Ref, "Standard_D4s_v5")
			return plan.Notes, err
		},
	}
}

// TestOneJudge: the same quota makes the same judgement, whatever it is that takes it up.
func TestOneJudge(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		quota  map[string]int
		reason string // that everything is refused for
		none   bool   // nothing fits instead
	}{
		"the family is full": {
			quota: map[string]int{"standardDSv5Family": 2}, reason: "check quota standardDSv5Family: 2 of 2 vCPUs (standardDSv5Family vCPUs) are in use in westus2, and 2 more are needed: the limit would have to be 4 at least",
		},
		"one vCPU of the family is left": {
			quota: map[string]int{"standardDSv5Family": 3}, reason: "check quota standardDSv5Family: 2 of 3 vCPUs (standardDSv5Family vCPUs) are in use in westus2, and 2 more are needed: the limit would have to be 4 at least",
		},
		"the region is full": {
			quota: map[string]int{"cores": 2}, reason: "check quota cores: 2 of 2 vCPUs (Total Regional vCPUs) are in use in westus2, and 2 more are needed: the limit would have to be 4 at least",
			none: true,
		},
		"it just fits": {quota: map[string]int{"standardDSv5Family": 4, "cores": 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlanner(t, emulator.Options{Quota: tc.quota}, nil)
				for what, plan := range p.plans() {
					notes, err := plan(t.Context())
					if tc.reason == "" {
						if err != nil || len(notes) > 0 {
							t.Errorf("%s: %v, %v", what, notes, err)
						}
						continue
					}
					refusal, ok := errors.AsType[*catalog.Refusal](err)
					if !ok || errkind.Of(err) != errkind.Quota || refusal.Reason.Error() != tc.reason {
						t.Errorf("%s: %v", what, err)
						continue
					}
					fixed := what == "clone" || what == "bake" || what == "resize" // other regions have room
					if tc.none && (what == "clone" || what == "bake") {            // a smaller size fits a resize
						if len(refusal.Alternatives) > 0 {
							t.Errorf("%s: of nothing there is %v", what, refusal.Alternatives)
						}
						continue
					}
					if len(refusal.Alternatives) != 3 {
						t.Errorf("%s: instead %v", what, refusal.Alternatives)
					}
					for _, a := range refusal.Alternatives {
						if a.Hourly == nil || a.Monthly == nil || a.String() == "" || fixed && a.Region != region {
							t.Errorf("%s: alternative %+v in %v", what, a, err)
						}
					}
				}
			})
		})
	}
}

// TestQuotaThatCannotBeRead keeps nothing from being tried: Azure judges by it all the same.
func TestQuotaThatCannotBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlanner(t, emulator.Options{Quota: map[string]int{"cores": 2}}, func(next http.RoundTripper) http.RoundTripper {
			return local.Tap{RoundTripper: next, Afterwards: func(r *http.Request, resp *http.Response) error {
				if strings.HasSuffix(r.URL.Path, "/usages") {
					return local.Forbid(resp)
				}
				return nil
			}}
		})
		for what, plan := range p.plans() {
			if notes, err := plan(t.Context()); err != nil || len(notes) != 1 || !strings.HasPrefix(notes[0], "the quota could not be read: ") {
				t.Errorf("%s: %v, %v", what, notes, err)
			}
		}
	})
}

// TestLateRefusals: what Azure refuses only when it is asked has alternatives, too; other errors stay as they are.
func TestLateRefusals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := open(t, emulator.Options{})
		wanted := catalog.Wanted{Region: region, Size: "Standard_D4s_v5", Zone: "2", Addresses: 1}
		late := errkind.New(errkind.Capacity, "AllocationFailed")
		refusal, ok := errors.AsType[*catalog.Refusal](s.Refused(t.Context(), wanted, late))
		if !ok || !errors.Is(refusal, late) || len(refusal.Alternatives) != 3 || refusal.Alternatives[0].Zone != "1" {
			t.Errorf("got %+v", refusal)
		}
		if again := s.Refused(t.Context(), wanted, refusal); again != error(refusal) { //nolint:errorlint // the very same
			t.Errorf("refused twice: %v", again)
		}
		wanted.Fixed = true
		if errors.As(s.Refused(t.Context(), wanted, late), &refusal) && refusal.Alternatives[0].Size == wanted.Size {
			t.Errorf("another zone of what cannot move: %+v", refusal.Alternatives)
		}
		other := errkind.New(errkind.Permission, "no")
		if err := s.Refused(t.Context(), wanted, other); err != error(other) { //nolint:errorlint // the very same
			t.Errorf("got %v", err)
		}
	})
}
