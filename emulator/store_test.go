package emulator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/wait"
)

func TestPaging(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{PageSize: 7})
	if err := l.e.Seed(emulator.SeedOptions{VMs: 25, Stopped: 5}); err != nil {
		t.Fatal(err)
	}
	seen, pages := map[string]bool{}, 0
	pg := l.vms.NewListAllPager(nil)
	for pg.More() {
		page, err := pg.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, vm := range page.Value {
			seen[*vm.Name] = true
			if !strings.Contains(*vm.ID, "/resourceGroups/FLEET/") {
				t.Errorf("id %s: lists over groups shout", *vm.ID)
			}
		}
	}
	if len(seen) != 25 || pages != 4 {
		t.Errorf("%d VMs on %d pages", len(seen), pages)
	}
	running := 0
	sp := l.vms.NewListAllPager(&armcompute.VirtualMachinesClientListAllOptions{StatusOnly: new("true")})
	for sp.More() {
		page, err := sp.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, vm := range page.Value {
			if vm.Properties.HardwareProfile != nil || vm.Tags != nil {
				t.Errorf("statusOnly shows the model: %+v", vm)
			}
			for _, s := range vm.Properties.InstanceView.Statuses {
				if *s.Code == "PowerState/running" {
					running++
				}
			}
		}
	}
	if running != 20 {
		t.Errorf("%d run, not 20", running)
	}
}

// TestSeed makes a fleet at once. How long that takes is measured by make bench.
func TestSeed(t *testing.T) {
	t.Parallel()
	l := newLab(t, emulator.Options{})
	if err := l.e.Seed(emulator.SeedOptions{VMs: 500, Tags: map[string]string{"team": "x"}}); err != nil {
		t.Fatal(err)
	}
	c := l.e.Counts()
	for _, typ := range []string{"Microsoft.Compute/virtualMachines", "Microsoft.Compute/disks", "Microsoft.Network/networkInterfaces", "Microsoft.Network/publicIPAddresses"} {
		if c.Resources[typ] != 500 {
			t.Errorf("%d of %s", c.Resources[typ], typ)
		}
	}
	if err := l.e.Seed(emulator.SeedOptions{VMs: 500}); err != nil {
		t.Errorf("seeding again: %v", err)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	r := newRaw(t, emulator.Options{})
	if err := r.e.Seed(emulator.SeedOptions{Group: "lab", VMs: 1}); err != nil {
		t.Fatal(err)
	}
	vm := comp + "virtualMachines/vm-001"
	at := vm + "/providers/Microsoft.Resources/tags/default" + groupV
	etag := r.ok(r.do("GET", vm+computeV, ""), 200).at("etag")
	tags := func() string { return fmt.Sprint(r.ok(r.do("GET", at, ""), 200).at("properties", "tags")) }
	r.ok(r.do("PATCH", at, `{"operation":"Replace","properties":{"tags":{"One":"1","Two":"2"}}}`), 200)
	if got := tags(); got != "map[One:1 Two:2]" {
		t.Errorf("replaced: %s", got)
	}
	r.ok(r.do("PATCH", at, `{"operation":"Merge","properties":{"tags":{"one":"eins","three":"3"}}}`), 200)
	if got := tags(); got != "map[One:eins Two:2 three:3]" {
		t.Errorf("merged: %s", got)
	}
	r.ok(r.do("PATCH", at, `{"operation":"Delete","properties":{"tags":{"TWO":"2","three":"other"}}}`), 200)
	if got := tags(); got != "map[One:eins three:3]" {
		t.Errorf("deleted: %s", got)
	}
	r.ok(r.do("PATCH", vm+computeV, `{"tags":{"only":"this"}}`), 200)
	if got := tags(); got != "map[only:this]" {
		t.Errorf("patched: %s", got)
	}
	r.ok(r.do("PUT", at, `{"properties":{"tags":{"x":"y"}}}`), 200)
	if got := r.ok(r.do("GET", vm+computeV, ""), 200); fmt.Sprint(got.at("tags")) != "map[x:y]" || got.at("etag") == etag {
		t.Errorf("put: %s", got.text)
	}
	r.ok(r.do("DELETE", at, ""), 200)
	if got := tags(); got != "map[]" {
		t.Errorf("all deleted: %s", got)
	}
	for name, body := range map[string]string{
		"InvalidTags": `{"properties":{"tags":{` + strings.TrimSuffix(many(51), ",") + `}}}`, "InvalidTagName": `{"properties":{"tags":{"` + strings.Repeat("k", 513) + `":""}}}`,
		"InvalidTagValue": `{"properties":{"tags":{"k":"` + strings.Repeat("v", 257) + `"}}}`, "InvalidTagNameCharacters": `{"properties":{"tags":{"a<b":"x"}}}`,
	} {
		if a := r.ok(r.do("PUT", at, body), 400); a.code() != name {
			t.Errorf("%s: %s", name, a.text)
		}
	}
	r.ok(r.do("PUT", at, `{"properties":{"tags":{`+strings.TrimSuffix(many(50), ",")+`}}}`), 200)
	found := r.ok(r.do("GET", "{S}/resources"+groupV+"&$filter=tagName%20eq%20'k7'%20and%20tagValue%20eq%20'7'&$expand=createdTime", ""), 200)
	if !strings.Contains(found.text, "vm-001") || !strings.Contains(found.text, "createdTime") || strings.Contains(found.text, "nic") || strings.Contains(found.text, `"tags"`) {
		t.Errorf("by tag: %s", found.text)
	}
	r.ok(r.do("PUT", "{S}/providers/Microsoft.Resources/tags/default"+groupV, `{"properties":{"tags":{"of":"subscription"}}}`), 200)
	if a := r.ok(r.do("GET", "{S}"+groupV, ""), 200); a.at("tags", "of") != "subscription" {
		t.Errorf("subscription: %s", a.text)
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"k%d":"%d",`, i, i)
	}
	return b.String()
}

// TestEtags shows that a lease can be taken with If-Match.
func TestEtags(t *testing.T) {
	t.Parallel()
	r := newRaw(t, emulator.Options{})
	if err := r.e.Seed(emulator.SeedOptions{Group: "lab", VMs: 1}); err != nil {
		t.Fatal(err)
	}
	vm := comp + "virtualMachines/vm-001" + computeV
	first := r.ok(r.do("GET", vm, ""), 200).header.Get("Etag")
	a := r.ok(r.do("PATCH", vm, `{"tags":{"lease":"me"}}`, "If-Match", first), 200)
	if a.header.Get("Etag") == first {
		t.Error("the etag did not change")
	}
	if a := r.ok(r.do("PATCH", vm, `{"tags":{"lease":"you"}}`, "If-Match", first), 412); a.code() != "PreconditionFailed" || !strings.Contains(a.message(), "Etag provided in if-match header "+first+" does not match etag") {
		t.Errorf("second: %s", a.text)
	}
	r.ok(r.do("PATCH", vm, `{"tags":{"lease":"you"}}`, "If-Match", a.header.Get("Etag")), 200)
	r.ok(r.do("PATCH", vm, `{"tags":{}}`, "If-Match", "*"), 200)
	r.ok(r.do("DELETE", vm, "", "If-Match", first), 412)
	nic := netRP + "networkInterfaces/vm-001-nic" + networkV
	if a := r.ok(r.do("PATCH", nic, `{"tags":{}}`, "If-Match", `W/"none"`), 412); !strings.Contains(a.text, "PreconditionFailedEtagMismatch") {
		t.Errorf("network: %s", a.text)
	}
	ip := `{"location":"westus2","sku":{"name":"Standard"},"properties":{"publicIPAllocationMethod":"Static"}}`
	r.ok(r.do("PUT", netRP+"publicIPAddresses/x"+networkV, ip, "If-None-Match", "*"), 201)
	r.ok(r.do("PUT", netRP+"publicIPAddresses/x"+networkV, ip, "If-None-Match", "*"), 412)
	r.ok(r.do("PUT", netRP+"publicIPAddresses/y"+networkV, ip, "If-Match", "*"), 412)
}

// TestRestart keeps resources, operations under way, addresses and sign-ins.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func() *lab {
		e, err := emulator.New(emulator.Options{Dir: dir, Duration: func(kind string) time.Duration {
			if kind == "vm.deallocate" {
				return 300 * time.Millisecond
			}
			return time.Millisecond
		}})
		if err != nil {
			t.Fatal(err)
		}
		return connect(t, e, "https://management.azure.com", e.Client(), e.Identity())
	}
	l := open()
	l.network()
	_, ip := l.nic("other")
	before := l.vm("a")
	if _, err := l.vms.BeginDeallocate(t.Context(), group, "a", nil); err != nil {
		t.Fatal(err)
	}
	if err := l.e.Close(); err != nil {
		t.Fatal(err)
	}
	cred := l.cred
	l = open()
	t.Cleanup(func() { _ = l.e.Close() })
	l.cred = cred
	after, err := l.vms.Get(t.Context(), group, "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	if *after.Properties.VMID != *before.Properties.VMID || *after.Properties.TimeCreated != *before.Properties.TimeCreated {
		t.Error("the VM is another one")
	}
	wait.Until(t, "the operation goes on", func() bool { return l.power("a") == "PowerState/deallocated" })
	again, err := l.ips.Get(t.Context(), group, "other-ip", nil)
	if err != nil || *again.Properties.IPAddress != *ip.Properties.IPAddress {
		t.Errorf("address: %v %v", again.Properties, err)
	}
	if _, pip := l.nic("third"); *pip.Properties.IPAddress == *ip.Properties.IPAddress {
		t.Error("an address was given out twice")
	}
}
