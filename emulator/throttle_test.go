package emulator_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
)

// spend makes a request until it is refused, and returns how often it was not and the refusal.
func (r *raw) spend(most int, method, path, body string) (int, answer) {
	r.Helper()
	for n := range most {
		if a := r.do(method, path, body); a.status == 429 {
			return n, a
		}
	}
	r.Fatalf("%s %s: never refused", method, path)
	return 0, answer{}
}

func left(t *testing.T, a answer, name string) int {
	t.Helper()
	n, err := strconv.Atoi(a.header.Get("X-Ms-Ratelimit-Remaining-" + name))
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return n
}

// TestThrottlingByPrincipal has two principals, whose limits are their own, and those of all together shared.
func TestThrottlingByPrincipal(t *testing.T) {
	bubble(t, emulator.Options{TokenLifetime: 24 * time.Hour, Principals: []emulator.Principal{{Name: "other", Secret: "s3cret"}}}, func(r *raw) {
		other := r.as("other", "s3cret")
		time.Sleep(time.Minute)
		const groups = "{S}/resourcegroups" + groupV
		n, refusal := r.spend(300, "GET", groups, "")
		if n != 250 || refusal.code() != "SubscriptionRequestsThrottled" || refusal.header.Get("Retry-After") != "1" || left(t, refusal, "Subscription-Reads") != 0 {
			t.Errorf("%d reads at once, then %s %v", n, refusal.text, refusal.header)
		}
		a := r.ok(other.do("GET", groups, ""), 200)
		if own, all := left(t, a, "Subscription-Reads"), left(t, a, "Subscription-Global-Reads"); own != 249 || all != 3750-251 {
			t.Errorf("the other one has %d left, all together %d", own, all)
		}
		if a := r.ok(r.do("GET", "/subscriptions"+groupV, ""), 200); left(t, a, "Tenant-Reads") != 249 {
			t.Errorf("the tenant's limit: %v", a.header)
		}
		if n, _ := r.spend(300, "DELETE", "{S}/resourcegroups/none"+groupV, ""); n != 200 {
			t.Errorf("%d deletes at once", n)
		}
		if n, _ := r.spend(300, "PATCH", "{S}/resourcegroups/none"+groupV, "{}"); n < 199 || n > 200 {
			t.Errorf("%d writes at once", n)
		}
		time.Sleep(2 * time.Second)
		if n, _ := r.spend(300, "GET", groups, ""); n != 50 {
			t.Errorf("%d reads after two seconds", n)
		}
	})
}

// TestThrottlingByVM spends what Compute allows for one VM, while another has all of it.
func TestThrottlingByVM(t *testing.T) {
	bubble(t, emulator.Options{TokenLifetime: 24 * time.Hour}, func(r *raw) {
		if err := r.e.Seed(emulator.SeedOptions{Group: "lab", VMs: 2}); err != nil {
			t.Fatal(err)
		}
		one, two := comp+"virtualMachines/vm-001", comp+"virtualMachines/vm-002"
		n, refusal := r.spend(20, "POST", one+"/start"+computeV, "")
		if n != 12 || refusal.header.Get("Retry-After") != "15" || refusal.code() != "OperationNotAllowed" {
			t.Errorf("%d starts of one VM at once, then %s %v", n, refusal.text, refusal.header)
		}
		r.ok(r.do("POST", two+"/start"+computeV, ""), 202)
		r.ok(r.do("POST", one+"/deallocate"+computeV, ""), 202) // counts as a deletion does
		time.Sleep(15 * time.Second)
		r.ok(r.do("POST", one+"/start"+computeV, ""), 202)
		r.ok(r.do("POST", one+"/start"+computeV, ""), 429)
		if n, _ := r.spend(50, "GET", one+computeV, ""); n != 36 {
			t.Errorf("%d looks at one VM at once", n)
		}
		r.ok(r.do("GET", two+computeV, ""), 200)
	})
}

// TestThrottlingByRegion spends a region's limit, while another has all of it.
func TestThrottlingByRegion(t *testing.T) {
	bubble(t, emulator.Options{TokenLifetime: 24 * time.Hour}, func(r *raw) {
		for _, o := range []emulator.SeedOptions{{Group: "lab", VMs: 24}, {Group: "east", Location: "eastus", VMs: 1}} {
			if err := r.e.Seed(o); err != nil {
				t.Fatal(err)
			}
		}
		update := func(path string, i int) answer {
			time.Sleep(100 * time.Millisecond) // within the subscription's limit
			return r.do("PATCH", fmt.Sprintf(path, i+1)+computeV, `{"tags":{}}`)
		}
		for i := range 240 {
			r.ok(update(comp+"virtualMachines/vm-%03d", i%24), 200)
		}
		a := r.ok(update(comp+"virtualMachines/vm-%03d", 0), 429)
		if got := a.header.Get("Retry-After"); got != "156" || !strings.Contains(a.text, "PutVM3Min") {
			t.Errorf("%s seconds: %s", got, a.text)
		}
		r.ok(update("{S}/resourceGroups/east/providers/Microsoft.Compute/virtualMachines/vm-%03d", 0), 200)
		time.Sleep(156 * time.Second)
		r.ok(update(comp+"virtualMachines/vm-%03d", 0), 200)
	})
}

func TestThrottleOff(t *testing.T) {
	bubble(t, emulator.Options{Throttle: emulator.ThrottleOff}, func(r *raw) {
		for range 300 {
			if a := r.ok(r.do("GET", "{S}/providers/Microsoft.Compute/virtualMachines"+computeV, ""), 200); left(t, a, "Subscription-Reads") != 250 {
				t.Fatalf("%v", a.header)
			}
		}
	})
	if _, err := emulator.New(emulator.Options{Throttle: "strict"}); err == nil {
		t.Error("an unknown way was taken")
	}
}
