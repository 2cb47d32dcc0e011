package emulator_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
)

// TestClock moves the cloud's time: operations end at their own times, tokens do not age.
func TestClock(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		began := r.e.Clock()
		if began.Ahead != 0 || !began.Now.Equal(time.Now()) {
			t.Errorf("at first: %+v", began)
		}
		r.ok(r.do("PUT", comp+"virtualMachines/vm"+computeV, vmBody()), 201)
		r.e.Advance(36 * time.Hour) // longer than a token lasts
		if a := r.ok(r.do("GET", comp+"virtualMachines/vm"+computeV, ""), 200); a.at("properties", "provisioningState") != "Succeeded" {
			t.Errorf("after %s: %s", r.e.Clock().Ahead, a.text)
		}
		if date := r.do("GET", comp+"virtualMachines/vm"+computeV, "").header.Get("Date"); !strings.HasPrefix(date, began.Now.Add(36*time.Hour).Format("Mon, 02 Jan 2006 15:")) {
			t.Errorf("answers say it is %s", date)
		}
		to := began.Now.AddDate(0, 1, 0)
		if err := r.e.SetClock(to); err != nil || !r.e.Clock().Now.Equal(to) {
			t.Errorf("set to %s: %v, %+v", to, err, r.e.Clock())
		}
		for _, far := range []time.Time{time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), time.Now().AddDate(101, 0, 0)} {
			if err := r.e.SetClock(far); err == nil || !r.e.Clock().Now.Equal(to) {
				t.Errorf("to %s: %v, it is %s", far, err, r.e.Clock().Now)
			}
		}
		if err := r.e.SetClock(to.Add(-time.Second)); !errors.Is(err, emulator.ErrPast) {
			t.Errorf("back: %v", err)
		}
		r.e.Reset()
		if c := r.e.Clock(); c.Ahead != 0 {
			t.Errorf("after a reset: %+v", c)
		}
	})
}

// TestPowerHistory has the states of a VM with their times, over its deletion, a namesake and a restart.
func TestPowerHistory(t *testing.T) {
	dir := t.TempDir()
	var before string
	describe := func(e *emulator.Emulator, began time.Time) string {
		var b strings.Builder
		for _, h := range e.PowerHistory("/SUBSCRIPTIONS/" + e.Identity().SubscriptionID + "/resourcegroups/LAB/providers/microsoft.compute/virtualmachines/VM") {
			fmt.Fprintf(&b, "%s spot=%t:", h.Location, h.Spot)
			for _, ev := range h.Events {
				fmt.Fprintf(&b, " %s %s %s,", ev.At.Sub(began).Round(time.Second), ev.State, strings.TrimPrefix(ev.Size, "Standard_"))
			}
			b.WriteString("\n")
		}
		return b.String()
	}
	var began time.Time
	bubble(t, emulator.Options{Dir: dir, TokenLifetime: 9000 * time.Hour}, func(r *raw) {
		began = r.e.Clock().Now
		vm := comp + "virtualMachines/vm"
		r.ok(r.do("PUT", vm+computeV, vmBody()), 201)
		r.e.Advance(time.Hour)
		r.ok(r.do("POST", vm+"/powerOff"+computeV, ""), 202)
		r.e.Advance(time.Hour)
		r.ok(r.do("POST", vm+"/deallocate"+computeV, ""), 202)
		r.e.Advance(time.Hour)
		r.ok(r.do("PATCH", vm+computeV, `{"properties":{"hardwareProfile":{"vmSize":"Standard_D4s_v5"}}}`), 200)
		r.e.Advance(time.Hour)
		r.ok(r.do("POST", vm+"/start"+computeV, ""), 202)
		r.e.Advance(time.Hour)
		r.ok(r.do("DELETE", vm+computeV, ""), 202)
		r.e.Advance(time.Hour)
		r.ok(r.do("GET", vm+computeV, ""), 404)
		before = describe(r.e, began)
		want := "westus2 spot=false: 0s starting D2s_v5, 45s running D2s_v5, 1h0m0s stopping D2s_v5, 1h0m20s stopped D2s_v5, " +
			"2h0m0s deallocating D2s_v5, 2h0m40s deallocated D2s_v5, 3h0m8s resized D4s_v5, 4h0m0s starting D4s_v5, 4h0m30s running D4s_v5, 5h0m45s deleted D4s_v5,\n"
		if before != want {
			t.Errorf("history:\n%swant:\n%s", before, want)
		}
		if err := r.e.Seed(emulator.SeedOptions{Group: "fleet", VMs: 2, Stopped: 1}); err != nil {
			t.Fatal(err)
		}
		all := r.e.PowerHistory("")
		if len(all) != 3 {
			t.Errorf("%d histories", len(all))
		}
		for _, h := range all {
			if first := h.Events[0]; strings.HasSuffix(h.ID, "vm-002") && (len(h.Events) != 2 || first.State != "running" || h.Events[1].State != "deallocated" || first.At.After(r.e.Clock().Now.Add(-time.Hour))) {
				t.Errorf("a seeded VM: %+v", h)
			}
		}
	})
	e, err := emulator.New(emulator.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got := describe(e, began); got != before {
		t.Errorf("after a restart:\n%s", got)
	}
	if e.Reset(); len(e.PowerHistory("")) != 0 {
		t.Error("a reset remembers")
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// TestCrowd starts fleets at once: in a small one each VM takes its time, in a large one longer.
func TestCrowd(t *testing.T) {
	for vms, want := range map[int]time.Duration{20: 30 * time.Second, 240: time.Minute} {
		t.Run(fmt.Sprint(vms), func(t *testing.T) {
			bubble(t, emulator.Options{Throttle: emulator.ThrottleOff, Quota: map[string]int{"cores": 5000, "standardBSFamily": 5000}}, func(r *raw) {
				if err := r.e.Seed(emulator.SeedOptions{Group: "lab", VMs: vms, Stopped: vms}); err != nil {
					t.Fatal(err)
				}
				began := r.e.Clock().Now
				for i := range vms {
					r.ok(r.do("POST", fmt.Sprintf(comp+"virtualMachines/vm-%03d/start"+computeV, i+1), ""), 202)
				}
				r.e.Advance(time.Hour)
				slowest := time.Duration(0)
				for _, h := range r.e.PowerHistory("") {
					slowest = max(slowest, h.Events[len(h.Events)-1].At.Sub(began))
				}
				if slowest != want {
					t.Errorf("the slowest of %d VMs took %s, not %s", vms, slowest, want)
				}
			})
		})
	}
}
