package emulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
	"github.com/azlin-dev/azlin/emulator/network"
	"github.com/azlin-dev/azlin/emulator/storage"
)

// TestOldVersionsSeeOldShapes reads one VM at each api-version: what came later is not there, and a client
// that cannot see it does not undo it.
func TestOldVersionsSeeOldShapes(t *testing.T) {
	bubble(t, emulator.Options{Throttle: emulator.ThrottleOff}, func(r *raw) {
		vm := comp + "virtualMachines/vm"
		body := vmBody(`"id":"`+netRP+`networkInterfaces/nic"`, `"id":"`+netRP+`networkInterfaces/nic","properties":{"primary":true,"deleteOption":"Delete"}`,
			`"osDisk":{`, `"dataDisks":[{"lun":0,"createOption":"Empty","diskSizeGB":4,"deleteOption":"Delete","name":"data"}],"osDisk":{"deleteOption":"Delete",`)
		r.ok(r.do("PUT", vm+computeV, body), 201)
		time.Sleep(2 * time.Minute)
		for _, c := range []struct{ member, since string }{
			{`"etag":`, "2023-09-01"},
			{`"timeCreated":`, "2021-11-01"},
			{`"deleteOption":`, "2021-03-01"},
			{`"patchSettings":`, "2020-12-01"},
			{`"exactVersion":`, "2019-07-01"},
			{`"vmId":`, "2016-03-30"},
			{`"vmSize":`, ""},
		} {
			for _, v := range schema.Versions() {
				if a := r.ok(r.do("GET", vm+"?api-version="+v, ""), 200); strings.Contains(a.text, c.member) != (v >= c.since) {
					r.Errorf("%s at %s: %t", c.member, v, !(v >= c.since))
				}
			}
		}
		old := r.ok(r.do("GET", vm+"?api-version=2020-06-01", ""), 200)
		r.ok(r.do("PUT", vm+"?api-version=2020-06-01", strings.Replace(old.text, `"a":"b"`, `"a":"c"`, 1)), 200)
		time.Sleep(time.Minute)
		if now := r.ok(r.do("GET", vm+computeV, ""), 200); strings.Count(now.text, `"deleteOption":"Delete"`) != 3 || now.at("tags", "a") != "c" {
			r.Errorf("a write of an old client undid what it could not see: %s", now.text)
		}
	})
}

// TestEveryVersionIsAnswered asks for each type at each of its api-versions, and at one that does not exist.
func TestEveryVersionIsAnswered(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		r.ok(r.do("PUT", stor+"files1"+storageV, premium), 202)
		r.ok(r.do("PUT", comp+"disks/d"+diskV, `{"location":"westus2","sku":{"name":"Premium_LRS"},"properties":{"creationData":{"createOption":"Empty"},"diskSizeGB":10}}`), 202)
		time.Sleep(time.Minute)
		for path, versions := range map[string][]string{
			comp + "virtualMachines": schema.Versions(), comp + "disks/d": schema.DiskVersions(), comp + "snapshots": schema.DiskVersions(),
			netRP + "virtualNetworks/vnet": network.Versions(), netRP + "networkInterfaces/nic": network.Versions(), netRP + "publicIPAddresses": network.Versions(),
			netRP + "networkSecurityGroups/nsg": network.Versions(), stor + "files1": storage.Versions(),
		} {
			time.Sleep(time.Minute) // reads are limited
			for _, v := range versions {
				r.ok(r.do("GET", path+"?api-version="+v, ""), 200)
			}
			if a := r.ok(r.do("GET", path+"?api-version=2031-01-01", ""), 400); a.code() != "NoRegisteredProviderFound" || !strings.Contains(a.message(), versions[0]) {
				r.Errorf("%s at an unknown version: %s", path, a.text)
			}
		}
	})
}
