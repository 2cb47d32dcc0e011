package emulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
)

// TestRestoreAndResize swaps an OS disk, changes data disks and the size.
func TestRestoreAndResize(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		vm := comp + "virtualMachines/vm"
		r.ok(r.do("PUT", vm+computeV, vmBody(`"createOption":"FromImage"`, `"name":"old","createOption":"FromImage"`)), 201)
		time.Sleep(time.Minute)
		r.ok(r.do("PUT", comp+"snapshots/s"+diskV, `{"location":"westus2","properties":{"incremental":true,"creationData":{"createOption":"Copy","sourceResourceId":"`+comp+`disks/old"}}}`), 202)
		r.ok(r.do("PUT", comp+"disks/new"+diskV, `{"location":"westus2","properties":{"creationData":{"createOption":"Copy","sourceResourceId":"`+comp+`snapshots/s"}}}`), 202)
		time.Sleep(time.Minute)
		if d := r.ok(r.do("GET", comp+"disks/new"+diskV, ""), 200); d.at("properties", "osType") != "Linux" || d.at("properties", "diskSizeGB") != 30.0 || d.at("properties", "diskState") != "Unattached" {
			r.Errorf("restored disk: %s", d.text)
		}
		swap := `{"properties":{"storageProfile":{"osDisk":{"managedDisk":{"id":"` + comp + `disks/new"},"name":"new"}}}}`
		if a := r.ok(r.do("PATCH", vm+computeV, swap), 409); a.code() != "OperationNotAllowed" {
			r.Errorf("swap of a running VM: %s", a.text)
		}
		r.ok(r.do("POST", vm+"/deallocate"+computeV, ""), 202)
		time.Sleep(2 * time.Minute)
		r.ok(r.do("PATCH", vm+computeV, swap), 200)
		time.Sleep(time.Minute)
		if v := r.ok(r.do("GET", vm+computeV, ""), 200); v.at("properties", "storageProfile", "osDisk", "name") != "new" || !strings.Contains(v.text, "/disks/new") || v.at("properties", "provisioningState") != "Succeeded" {
			r.Errorf("after the swap: %s", v.text)
		}
		if d := r.ok(r.do("GET", comp+"disks/old"+diskV, ""), 200); d.at("properties", "diskState") != "Unattached" || d.at("managedBy") != nil {
			r.Errorf("old disk: %s", d.text)
		}
		r.ok(r.do("PATCH", vm+computeV, `{"properties":{"hardwareProfile":{"vmSize":"standard_d4S_V5"}}}`), 200)
		r.ok(r.do("POST", vm+"/start"+computeV, ""), 202)
		time.Sleep(2 * time.Minute)
		if v := r.ok(r.do("GET", vm+computeV, ""), 200); v.at("properties", "hardwareProfile", "vmSize") != "Standard_D4s_v5" {
			r.Errorf("resized: %s", v.text)
		}
		if u := r.ok(r.do("GET", "{S}/providers/Microsoft.Compute/locations/westus2/usages"+computeV, ""), 200); !strings.Contains(u.text, `{"currentValue":4,"limit":2000,"name":{"localizedValue":"standardDSv5Family vCPUs","value":"standardDSv5Family"},"unit":"Count"}`) {
			r.Errorf("usage: %s", u.text)
		}
		r.ok(r.do("PATCH", vm+computeV, `{"properties":{"storageProfile":{"dataDisks":[{"lun":0,"name":"data","createOption":"Empty","diskSizeGB":8,"deleteOption":"Delete"}]}}}`), 200)
		time.Sleep(time.Minute)
		if d := r.ok(r.do("GET", comp+"disks/data"+diskV, ""), 200); d.at("properties", "diskState") != "Attached" || d.at("tags", "a") != "b" {
			r.Errorf("data disk: %s", d.text)
		}
		r.ok(r.do("DELETE", vm+computeV, ""), 202)
		time.Sleep(time.Minute)
		r.ok(r.do("GET", comp+"disks/data"+diskV, ""), 404)
		if d := r.ok(r.do("GET", comp+"disks/new"+diskV, ""), 200); d.at("properties", "diskState") != "Unattached" {
			r.Errorf("a detached disk: %s", d.text)
		}
		if n := r.ok(r.do("GET", netRP+"networkInterfaces/nic"+networkV, ""), 200); strings.Contains(n.text, "virtualMachine") || strings.Contains(n.text, "macAddress") {
			r.Errorf("a detached interface: %s", n.text)
		}
	})
}

// TestGroupDeletionStops when something outside holds on to a part of the group.
func TestGroupDeletionStops(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		r.ok(r.do("PUT", "{S}/resourceGroups/other"+groupV, `{"location":"westus2"}`), 201)
		elsewhere := "{S}/resourceGroups/other/providers/Microsoft.Network/networkInterfaces/guest" + networkV
		r.ok(r.do("PUT", elsewhere, nicBody("")), 201)
		d := r.ok(r.do("DELETE", "{G}"+groupV, ""), 202)
		time.Sleep(5 * time.Minute)
		if a := r.ok(r.do("GET", d.header.Get("Location"), ""), 409); a.code() != "ResourceGroupDeletionBlocked" || !strings.Contains(a.text, "InUseSubnetCannotBeDeleted") {
			r.Errorf("blocked: %s", a.text)
		}
		if g := r.ok(r.do("GET", "{G}"+groupV, ""), 200); g.at("properties", "provisioningState") != "Succeeded" {
			r.Errorf("group: %s", g.text)
		}
		r.ok(r.do("DELETE", elsewhere, ""), 202)
		time.Sleep(time.Minute)
		r.ok(r.do("DELETE", "{G}"+groupV, ""), 202)
		time.Sleep(5 * time.Minute)
		r.ok(r.do("GET", "{G}"+groupV, ""), 404)
		if c := r.e.Counts().Resources; c["Microsoft.Network/virtualNetworks"] != 0 {
			r.Errorf("left over: %v", c)
		}
	})
}

// TestAddressStays while it is allocated, and cannot be deleted while it is in use.
func TestAddressStays(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		ip := netRP + "publicIPAddresses/ip" + networkV
		r.ok(r.do("PUT", ip, `{"location":"westus2","sku":{"name":"Standard"},"properties":{"publicIPAllocationMethod":"Static"}}`), 201)
		addr := r.ok(r.do("GET", ip, ""), 200).at("properties", "ipAddress")
		with := strings.Replace(nicBody(""), `{"subnet"`, `{"publicIPAddress":{"id":"`+netRP+`publicIPAddresses/ip"},"subnet"`, 1)
		r.ok(r.do("PUT", netRP+"networkInterfaces/nic"+networkV, with), 200)
		if a := r.ok(r.do("DELETE", ip, ""), 400); a.code() != "PublicIPAddressCannotBeDeleted" {
			r.Errorf("in use: %s", a.text)
		}
		if a := r.ok(r.do("PUT", netRP+"networkInterfaces/two"+networkV, with), 400); a.code() != "PublicIPAddressInUse" {
			r.Errorf("taken: %s", a.text)
		}
		r.ok(r.do("PUT", netRP+"networkInterfaces/nic"+networkV, nicBody("")), 200)
		if a := r.ok(r.do("GET", ip, ""), 200); a.at("properties", "ipAddress") != addr || a.at("properties", "ipConfiguration") != nil {
			r.Errorf("let go: %s", a.text)
		}
		r.ok(r.do("DELETE", ip, ""), 202)
	})
}

func TestLookups(t *testing.T) {
	t.Parallel()
	r := newRaw(t, emulator.Options{Restricted: []string{"Standard_D2s_v5@westus2/1"}})
	for path, want := range map[string]string{
		"{S}/providers/Microsoft.Compute/skus?api-version=2021-07-01&$filter=location%20eq%20'westus2'":                                                                        `"reasonCode":"NotAvailableForSubscription","restrictionInfo":{"locations":["westus2"],"zones":["1"]}`,
		"{S}/providers/Microsoft.Compute/locations/westus2/vmSizes" + computeV:                                                                                                 `"memoryInMB":3584`,
		"{S}/providers/Microsoft.Network/locations/westus2/usages" + networkV:                                                                                                  "PublicIPAddresses",
		"{S}/providers/Microsoft.Compute/locations/westus2/publishers/canonical/artifacttypes/vmimage/offers/ubuntu-24_04-lts/skus" + computeV:                                 "server-arm64",
		"{S}/providers/Microsoft.Compute/locations/westus2/publishers/Canonical/artifacttypes/vmimage/offers/ubuntu-24_04-lts/skus/server/versions" + computeV:                 "24.04.",
		"{S}/providers/Microsoft.Compute/locations/westus2/publishers/Canonical/artifacttypes/vmimage/offers/ubuntu-24_04-lts/skus/server/versions/24.04.202504030" + computeV: `"hyperVGeneration":"V2"`,
		"{S}/locations" + groupV:                                                 "physicalZone",
		"{S}/providers" + groupV:                                                 "Microsoft.Compute",
		"/subscriptions" + groupV:                                                "subscriptionPolicies",
		"https://management.azure.com/aliases.json":                              "Ubuntu2404",
		"https://management.azure.com/echo/ipv4/1":                               "203.0.113.10",
		"https://management.azure.com/metadata/endpoints?api-version=2015-01-01": "/adfs",
	} {
		if a := r.ok(r.do("GET", path, ""), 200); !strings.Contains(a.text, want) {
			t.Errorf("%s lacks %s: %.400s", path, want, a.text)
		}
	}
}
