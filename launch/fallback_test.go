package launch_test

import (
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/progress"
)

func dollars(t *testing.T, amount string) cost.Money {
	t.Helper()
	m, err := cost.USD(amount)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestFallbackWhenAzureRunsOut: the create is accepted and then fails, first in the zone, then for the size. One VM is
// there at the end, of another size, and nothing else.
func TestFallbackWhenAzureRunsOut(t *testing.T) {
	t.Parallel()
	c := newCloudWith(t, emulator.Options{Exhausted: []string{"Standard_D2s_v5@westus2"}})
	client := c.open(t, "laptop", nil)
	r := c.request("dev")
	r.Size, r.Zone, r.Fallback, r.Tools = "Standard_D2s_v5", "1", true, []string{}
	r.MaxPrice = dollars(t, "0.30")
	plan, err := client.Launcher.Plan(t.Context(), r, progress.New(0, nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Fallbacks) != 0 {
		t.Errorf("before anything failed: %q", plan.Fallbacks)
	}
	result, err := client.Launcher.Run(t.Context(), plan, progress.New(0, nil))
	if err != nil {
		t.Fatal(err)
	}
	if result.VM.VMSize == "Standard_D2s_v5" || result.VM.Location != "westus2" || !result.VM.IsRunning() {
		t.Errorf("got %+v", result.VM)
	}
	if len(plan.Fallbacks) < 3 || !strings.Contains(plan.Fallbacks[0], "Standard_D2s_v5 in westus2, zone ") ||
		!strings.Contains(plan.Fallbacks[0], "in place of Standard_D2s_v5 westus2 zone 1") {
		t.Errorf("zones come first: %q", plan.Fallbacks)
	}
	for _, w := range []string{"virtualMachines", "disks"} {
		if n := c.Emulator.Counts().Resources["Microsoft.Compute/"+w]; n != 1 {
			t.Errorf("%d %s", n, w)
		}
	}
	if n := c.Emulator.Counts().Resources["Microsoft.Network/networkInterfaces"]; n != 1 {
		t.Errorf("%d network interfaces", n)
	}
}

// TestFallbackKeepsToThePrice, and to what was asked for when nothing within it is left; without Fallback nothing else is
// tried.
func TestFallbackKeepsToThePrice(t *testing.T) {
	t.Parallel()
	c := newPlanningCloud(t, emulator.Options{Restricted: []string{"Standard_D4s_v5"}})
	client := c.open(t, "laptop", nil)
	plan, err := c.plan(t.Context(), client, func(r *launch.Request) { r.Fallback, r.MaxPrice = true, dollars(t, "0.25") })
	if err != nil {
		t.Fatal(err)
	}
	if plan.Config.Size == "Standard_D4s_v5" || plan.Price.Hourly.Amount.GreaterThan(dollars(t, "0.25").Amount) || len(plan.Fallbacks) == 0 {
		t.Errorf("%s at %s: %q", plan.Config.Size, plan.Price.Hourly, plan.Fallbacks)
	}
	_, err = c.plan(t.Context(), client, func(r *launch.Request) { r.Fallback, r.MaxPrice = true, dollars(t, "0.001") })
	if errkind.Of(err) != errkind.Capacity && errkind.Of(err) != errkind.Quota || !strings.Contains(err.Error(), "Standard_D4s_v5") {
		t.Errorf("nothing is that cheap: %v", err)
	}
	if _, err := c.plan(t.Context(), client, func(*launch.Request) {}); errkind.Of(err) != errkind.Capacity {
		t.Errorf("without a fallback: %v", err)
	}
	if w := wrote(c); len(w) > 1 { // the token
		t.Errorf("written: %v", w)
	}
}

// TestFallbackToAnotherRegion: the whole region has no quota left; an existing network keeps the VM where it is.
func TestFallbackToAnotherRegion(t *testing.T) {
	t.Parallel()
	var restricted []string
	probe := newPlanningCloud(t, emulator.Options{})
	sizes, err := probe.open(t, "laptop", nil).Catalog.Sizes(t.Context(), "westus2")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sizes {
		restricted = append(restricted, s.Name+"@westus2")
	}
	c := newPlanningCloud(t, emulator.Options{Restricted: restricted})
	client := c.open(t, "laptop", nil)
	plan, err := c.plan(t.Context(), client, func(r *launch.Request) { r.Fallback = true })
	if err != nil {
		t.Fatal(err)
	}
	if plan.Config.Region == "westus2" || plan.Config.Size != "Standard_D4s_v5" {
		t.Errorf("%s in %s", plan.Config.Size, plan.Config.Region)
	}
	if _, err := client.Networks.EnsureShared(t.Context(), "g", "westus2", "someone", nil); err != nil {
		t.Fatal(err)
	}
	_, err = c.plan(t.Context(), client, func(r *launch.Request) { r.Fallback, r.VNet = true, "azlin-vnet-westus2" })
	if errkind.Of(err) != errkind.Capacity {
		t.Errorf("the network is in westus2: %v", err)
	}
}

// TestFallbackDoesNotGuess: a name that was mistyped is said to be wrong, whatever is like it.
func TestFallbackDoesNotGuess(t *testing.T) {
	t.Parallel()
	c := newPlanningCloud(t, emulator.Options{})
	for _, change := range []func(*launch.Request){
		func(r *launch.Request) { r.Size, r.Fallback = "D4s_v5", true },
		func(r *launch.Request) { r.Region, r.Fallback = "westus22", true },
	} {
		plan, err := c.plan(t.Context(), c.open(t, "laptop", nil), change)
		if errkind.Of(err) != errkind.Invalid {
			t.Errorf("%+v, %v", plan, err)
		}
	}
}
