package launch_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/test/local/person"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/provision"
)

// newPlanningCloud is one without hosts: enough to plan.
func newPlanningCloud(t *testing.T, o emulator.Options) *cloud {
	t.Helper()
	return &cloud{person.Planning(t, o)}
}

func (c *cloud) plan(ctx context.Context, client *azlin.Client, change func(*launch.Request)) (*launch.Plan, error) {
	r := c.request("dev")
	r.Size = "Standard_D4s_v5"
	change(&r)
	return client.Launcher.Plan(ctx, r, progress.New(0, nil))
}

// wrote lists the methods of requests that change something.
func wrote(c *cloud) []string {
	var all []string
	for method, n := range c.Emulator.Counts().Requests {
		if method != http.MethodGet && method != http.MethodHead && n > 0 {
			all = append(all, method)
		}
	}
	return all
}

func TestPlanRefusesWhatAzureWouldRefuse(t *testing.T) {
	t.Parallel()
	names := func(all []catalog.Alternative) (l []string) {
		for _, a := range all {
			l = append(l, strings.TrimSuffix(a.Size+"@"+a.Region+"/"+a.Zone, "/"))
		}
		return l
	}
	for name, tc := range map[string]struct {
		emulator emulator.Options
		change   func(*launch.Request)
		kind     errkind.Kind
		says     []string
		instead  []string
	}{
		"a size that the subscription may not use": {
			emulator: emulator.Options{Restricted: []string{"Standard_D4s_v5@westus2"}},
			kind:     errkind.Capacity, says: []string{"Standard_D4s_v5", "not offered in this region"},
			instead: []string{"Standard_D4ds_v5@westus2", "Standard_D4as_v5@westus2", "Standard_D4s_v6@westus2"},
		},
		"a zone that it may not use": {
			emulator: emulator.Options{Restricted: []string{"Standard_D4s_v5@westus2/2"}},
			change:   func(r *launch.Request) { r.Zone = "2" },
			kind:     errkind.Capacity, says: []string{"zone 2"},
			instead: []string{"Standard_D4s_v5@westus2/1", "Standard_D4s_v5@westus2/3", "Standard_D4ds_v5@westus2/2"},
		},
		"a family without room": {
			emulator: emulator.Options{Quota: map[string]int{"standardDSv5Family": 3}},
			kind:     errkind.Quota, says: []string{"standardDSv5Family", "0 of 3 vCPUs", "4 more are needed", "would have to be 4"},
			instead: []string{"Standard_D4ds_v5@westus2", "Standard_D4as_v5@westus2", "Standard_D4s_v6@westus2"},
		},
		"too few cores in the region": {
			emulator: emulator.Options{Quota: map[string]int{"cores": 2}},
			kind:     errkind.Quota, says: []string{"cores", "0 of 2 vCPUs", "4 more are needed"},
			instead: []string{"Standard_E2s_v5@westus2", "Standard_D2s_v5@westus2", "Standard_D2ds_v5@westus2"},
		},
		"too few cores for spot VMs": {
			emulator: emulator.Options{Quota: map[string]int{"lowPriorityCores": 2, "cores": 0}},
			change:   func(r *launch.Request) { r.Spot = true },
			kind:     errkind.Quota, says: []string{"lowPriorityCores", "0 of 2 vCPUs"},
			instead: []string{"Standard_E2s_v5@westus2", "Standard_D2s_v5@westus2", "Standard_D2ds_v5@westus2"},
		},
		"a size that is not for spot VMs": {
			change: func(r *launch.Request) { r.Size, r.Spot = "Standard_B4ms", true },
			kind:   errkind.Capacity, says: []string{"Standard_B4ms", "spot"},
			instead: []string{"Standard_D4s_v6@westus2", "Standard_D4s_v5@westus2", "Standard_D4s_v4@westus2"},
		},
		"an Arm size": {
			emulator: emulator.Options{Restricted: []string{"Standard_D4ps_v5"}},
			change:   func(r *launch.Request) { r.Size = "standard_d4PS_v5" },
			kind:     errkind.Capacity, says: []string{"Standard_D4ps_v5"},
			instead: []string{"Standard_D4ps_v6@westus2", "Standard_D8ps_v5@westus2", "Standard_D2ps_v5@westus2"},
		},
		"a region that does not have the size": {
			change: func(r *launch.Request) { r.Size, r.Region = "Standard_NC4as_T4_v3", "westus" },
			kind:   errkind.Capacity, says: []string{"region westus does not have it"},
			instead: []string{"Standard_NC4as_T4_v3@westus3", "Standard_NC4as_T4_v3@westus2", "Standard_NC4as_T4_v3@southcentralus"},
		},
		"no public address left": {
			emulator: emulator.Options{Quota: map[string]int{"PublicIPAddresses": 0}},
			kind:     errkind.Quota, says: []string{"PublicIPAddresses", "0 of 0 public addresses", "1 more"},
		},
		"no such size": {
			change: func(r *launch.Request) { r.Size = "Standard_Nonsense" },
			kind:   errkind.Invalid, says: []string{"Standard_Nonsense", "region westus2 has no such size"},
		},
		"a size without its prefix": {
			change: func(r *launch.Request) { r.Size = "D4s_v5" },
			kind:   errkind.Invalid, says: []string{"D4s_v5"},
			instead: []string{"Standard_D4s_v5@westus2", "Standard_D4ds_v5@westus2", "Standard_D4as_v5@westus2"},
		},
		"a version that there is not": {
			change: func(r *launch.Request) { r.Size = "Standard_D4ps_v9" },
			kind:   errkind.Invalid, says: []string{"Standard_D4ps_v9"},
			instead: []string{"Standard_D4ps_v6@westus2", "Standard_D4ps_v5@westus2", "Standard_D8ps_v5@westus2"},
		},
		"a GPU size that there is not": {
			change: func(r *launch.Request) { r.Size = "Standard_NC4as_T4" },
			kind:   errkind.Invalid, says: []string{"Standard_NC4as_T4"},
			instead: []string{"Standard_NC4as_T4_v3@westus2", "Standard_NV6ads_A10_v5@westus2", "Standard_NC24ads_A100_v4@westus2"},
		},
		"no such region": {
			change: func(r *launch.Request) { r.Region = "atlantis" }, kind: errkind.Invalid, says: []string{`no region "atlantis"`},
		},
		"a mistyped region": {
			change: func(r *launch.Request) { r.Region = "West US 22" },
			kind:   errkind.Invalid, says: []string{`no region "westus22"`},
			instead: []string{"Standard_D4s_v5@westus2", "Standard_D4s_v5@westus", "Standard_D4s_v5@westus3"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newPlanningCloud(t, tc.emulator)
			if tc.change == nil {
				tc.change = func(*launch.Request) {}
			}
			plan, err := c.plan(t.Context(), c.open(t, "laptop", nil), tc.change)
			if err == nil || errkind.Of(err) != tc.kind {
				t.Fatalf("%+v, %v", plan, err)
			}
			if w := wrote(c); len(w) > 0 {
				t.Errorf("it sent %v", w)
			}
			for _, part := range tc.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("want %q in %v", part, err)
				}
			}
			r, ok := errors.AsType[*catalog.Refusal](err)
			if !ok {
				t.Fatalf("no refusal: %v", err)
			}
			got := names(r.Alternatives)
			if tc.kind == errkind.Invalid && len(got) != 3 {
				t.Errorf("instead: %v", got)
			}
			if tc.instead != nil && !slices.Equal(got, tc.instead) {
				t.Errorf("instead: %v, want %v", got, tc.instead)
			}
			for _, a := range r.Alternatives {
				if a.Hourly == nil || a.Monthly == nil || a.PriceSource == nil || !strings.Contains(a.String(), a.Size) {
					t.Errorf("%+v has no price in %v", a, err)
				}
			}
		})
	}
}

// TestNamesAreAzures: regions and sizes are taken in any spelling, and written as Azure does.
func TestNamesAreAzures(t *testing.T) {
	t.Parallel()
	c := newPlanningCloud(t, emulator.Options{})
	plan, err := c.plan(t.Context(), c.open(t, "laptop", nil), func(r *launch.Request) { r.Size, r.Region = "standard_d4S_V5", "West US 2" })
	if err != nil {
		t.Fatal(err)
	}
	if plan.Config.Size != "Standard_D4s_v5" || plan.Config.Region != "westus2" {
		t.Errorf("size %s, region %s", plan.Config.Size, plan.Config.Region)
	}
}

// TestDisksThatDoNotFit are refused in the plan, not by Azure after the network has been made.
func TestDisksThatDoNotFit(t *testing.T) {
	t.Parallel()
	c := newPlanningCloud(t, emulator.Options{})
	for says, change := range map[string]func(*launch.Request){
		"OS disk of 10 GB: the image needs 30": func(r *launch.Request) { r.OSDiskSizeGB = 10 },
		"9 data disks: size Standard_D4s_v5 takes 8": func(r *launch.Request) {
			r.DataDisks = slices.Repeat([]provision.DataDisk{{SizeGB: 4}}, 9)
		},
	} {
		_, err := c.plan(t.Context(), c.open(t, "laptop", nil), change)
		if errkind.Of(err) != errkind.Invalid || err.Error() != says {
			t.Errorf("want %q, got %v", says, err)
		}
	}
	if w := wrote(c); len(w) > 0 {
		t.Errorf("it sent %v", w)
	}
}

// TestSmallDisksHaveAPrice: disks below 32 GB are billed as tiers of their own.
func TestSmallDisksHaveAPrice(t *testing.T) {
	t.Parallel()
	c := newPlanningCloud(t, emulator.Options{})
	plan, err := c.plan(t.Context(), c.open(t, "laptop", nil), func(r *launch.Request) { r.DataDisks = []provision.DataDisk{{SizeGB: 10}} })
	if err != nil || len(plan.Price.Unknown) > 0 {
		t.Fatalf("%v, unknown %v", err, plan.Price.Unknown)
	}
	if got := plan.Price.Monthly.Cents(); got != "151.01 USD" { // 140.16 + 4.80 (P4) + 2.40 (P3) + 3.65
		t.Errorf("a month costs %s", got)
	}
}

func TestAlternativesCanBeHad(t *testing.T) {
	t.Parallel()
	c := newPlanningCloud(t, emulator.Options{
		Quota:      map[string]int{"standardDSv5Family": 0, "standardDASv5Family": 0},
		Restricted: []string{"Standard_D4ds_v5@westus2"},
	})
	client := c.open(t, "laptop", nil)
	_, err := c.plan(t.Context(), client, func(*launch.Request) {})
	r, ok := errors.AsType[*catalog.Refusal](err)
	if !ok || len(r.Alternatives) != 3 {
		t.Fatal(err)
	}
	for _, a := range r.Alternatives {
		plan, err := c.plan(t.Context(), client, func(r *launch.Request) { r.Size, r.Region, r.Zone = a.Size, a.Region, a.Zone })
		if err != nil {
			t.Errorf("%s: %v", a, err)
			continue
		}
		if got := plan.Price.Parts[0].Hourly; got == nil || !got.Amount.Equal(a.Hourly.Amount) {
			t.Errorf("%s costs %v in the plan", a, got)
		}
	}
}

func TestPlanHasPriceAndQuota(t *testing.T) {
	t.Parallel()
	c := newPlanningCloud(t, emulator.Options{})
	plan, err := c.plan(t.Context(), c.open(t, "laptop", nil), func(r *launch.Request) { r.OSDiskSizeGB = 100 })
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Notes) > 0 || plan.Price == nil || len(plan.Price.Unknown) > 0 || plan.Price.Failed != nil {
		t.Errorf("got %+v, notes %v", plan.Price, plan.Notes)
	}
	if got := plan.Price.Monthly.Cents(); got != "163.01 USD" { // 140.16 + 19.20 (P10) + 3.65
		t.Errorf("a month costs %s", got)
	}
	got := map[string]int64{}
	for _, q := range plan.Quota {
		got[q.Name] = q.Needed
		if !q.Fits() {
			t.Errorf("%+v", q)
		}
	}
	if len(got) != 3 || got[catalog.QuotaCores] != 4 || got["standardDSv5Family"] != 4 || got[catalog.QuotaPublicIPs] != 1 {
		t.Errorf("quota %v", got)
	}
	plan, err = c.plan(t.Context(), c.open(t, "laptop", nil), func(r *launch.Request) {
		r.Spot, r.Image = true, "Debian:debian-12:12-gen2:latest"
	})
	if err != nil || len(plan.Quota) != 2 || plan.Quota[0].Name != catalog.QuotaSpotCores || !slices.Equal(plan.Price.Unknown, []string{"OS disk"}) {
		t.Errorf("spot: %+v, %v", plan, err)
	}
}

// TestResumingIsNotRefused cuts a launch off when its VM has taken the last vCPUs: going on needs no more.
func TestResumingIsNotRefused(t *testing.T) {
	t.Parallel()
	c := newPlanningCloud(t, emulator.Options{Quota: map[string]int{"cores": 4}})
	client := c.open(t, "laptop", nil)
	r := c.request("dev")
	r.Size, r.SSHTimeout = "Standard_D4s_v5", time.Second // nobody answers: there are no hosts
	if _, err := run(t.Context(), client, r); err == nil {
		t.Fatal("a VM without a host answered")
	}
	plan, err := client.Launcher.Plan(t.Context(), r, progress.New(0, nil))
	if err != nil || !plan.Resumes {
		t.Errorf("%+v, %v", plan, err)
	}
	r.Name = "another"
	if _, err := client.Launcher.Plan(t.Context(), r, progress.New(0, nil)); errkind.Of(err) != errkind.Quota {
		t.Errorf("one more: %v", err)
	}
}

// TestLateRefusalHasAlternatives is about what no plan can know: that Azure has run out of a size.
func TestLateRefusalHasAlternatives(t *testing.T) {
	t.Parallel()
	c := newPlanningCloud(t, emulator.Options{Exhausted: []string{"Standard_D4s_v5@westus2/2"}})
	r := c.request("dev")
	r.Size, r.Zone = "Standard_D4s_v5", "2"
	_, err := run(t.Context(), c.open(t, "laptop", nil), r)
	refusal, ok := errors.AsType[*catalog.Refusal](err)
	if !ok || errkind.Of(err) != errkind.Capacity || len(refusal.Alternatives) != 3 {
		t.Fatal(err)
	}
	if a := refusal.Alternatives[0]; a.Size != r.Size || a.Zone != "1" || a.Hourly == nil {
		t.Errorf("first %+v", a)
	}
}

// cutOff answers for some hosts or paths as a network does that does not reach them.
type cutOff struct {
	next http.RoundTripper
	when func(*http.Request) bool
}

func (c cutOff) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.when(r) {
		return nil, errors.New("no route to host")
	}
	return c.next.RoundTrip(r)
}

func TestPlanWithoutPriceServiceOrQuota(t *testing.T) {
	t.Parallel()
	c := newPlanningCloud(t, emulator.Options{})
	without := func(when func(*http.Request) bool) *azlin.Client {
		return c.open(t, t.TempDir(), func(next http.RoundTripper) http.RoundTripper { return cutOff{next, when} })
	}
	plan, err := c.plan(t.Context(), without(func(r *http.Request) bool { return r.URL.Path == "/api/retail/prices" }), func(*launch.Request) {})
	if err != nil {
		t.Fatal(err)
	}
	if s := plan.Price.Sources(); len(s) != 1 || s[0].Name != cost.SourceBuiltIn || plan.Price.Failed == nil {
		t.Errorf("sources %+v, failed %v", s, plan.Price.Failed)
	}
	if plan.Price.Hourly == nil || !slices.Equal(plan.Price.Unknown, []string{"OS disk", "public IP"}) {
		t.Errorf("got %+v", plan.Price)
	}
	plan, err = c.plan(t.Context(), without(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/usages") }), func(*launch.Request) {})
	if err != nil || plan.Quota != nil || len(plan.Notes) != 1 || !strings.Contains(plan.Notes[0], "quota") {
		t.Errorf("got %+v, %v", plan, err)
	}
}
