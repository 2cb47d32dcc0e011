package emulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
)

// TestPolicies: tags are denied, required and taken away, whichever way they come.
func TestPolicies(t *testing.T) {
	bubble(t, emulator.Options{Policies: []emulator.TagPolicy{
		{Name: "no-azlin", Deny: []string{"azlin-*"}},
		{Name: "owner", Types: []string{"Microsoft.Compute/disks"}, Require: []string{"Owner"}},
		{Name: "strip", Remove: []string{"temporary"}},
	}}, func(r *raw) {
		disk := func(tags string) string {
			return `{"location":"westus2","tags":` + tags + `,"properties":{"creationData":{"createOption":"Empty"},"diskSizeGB":4}}`
		}
		nsg := netRP + "networkSecurityGroups/other" + networkV
		tagsOf := "{G}/providers/Microsoft.Compute/disks/d/providers/Microsoft.Resources/tags/default" + groupV
		r.ok(r.do("PUT", comp+"disks/d"+diskV, disk(`{"owner":"me","temporary":"x"}`)), 202)
		time.Sleep(time.Minute)
		if d := r.ok(r.do("GET", comp+"disks/d"+diskV, ""), 200); strings.Contains(d.text, "temporary") || d.at("tags", "owner") != "me" {
			r.Errorf("stripped: %s", d.text)
		}
		template := `{"properties":{"mode":"Incremental","template":{"$schema":"x","contentVersion":"1.0.0.0","resources":[{"type":"Microsoft.Compute/disks","apiVersion":"2023-01-02","name":"t","location":"westus2","properties":{"creationData":{"createOption":"Empty"},"diskSizeGB":4}}]}}}`
		for name, c := range map[string]struct{ method, path, body string }{
			"denied":              {"PUT", nsg, `{"location":"westus2","tags":{"Azlin-Managed":"1"}}`},
			"denied by PATCH":     {"PATCH", netRP + "networkSecurityGroups/nsg" + networkV, `{"tags":{"azlin-x":"1"}}`},
			"denied by tags":      {"PATCH", tagsOf, `{"operation":"Merge","properties":{"tags":{"azlin-x":"1"}}}`},
			"denied of a group":   {"PUT", "{G}" + groupV, `{"location":"westus2","tags":{"azlin-x":"1"}}`},
			"required":            {"PUT", comp + "disks/e" + diskV, disk(`{}`)},
			"required by PATCH":   {"PATCH", comp + "disks/d" + diskV, `{"tags":{"a":"b"}}`},
			"required by Replace": {"PATCH", tagsOf, `{"operation":"Replace","properties":{"tags":{"a":"b"}}}`},
		} {
			a := r.do(c.method, c.path, c.body)
			if a.status != 403 || a.code() != "RequestDisallowedByPolicy" || a.header.Get("X-Ms-Failure-Cause") != "gateway" || !strings.Contains(a.message(), "was disallowed by policy. Policy identifiers: '[{") ||
				!strings.Contains(a.text, `"type":"PolicyViolation"`) {
				r.Errorf("%s: %d %s", name, a.status, a.text)
			}
		}
		// A tag that is merged leaves the others, and a template is no way around.
		r.ok(r.do("PATCH", tagsOf, `{"operation":"Merge","properties":{"tags":{"a":"b"}}}`), 200)
		r.ok(r.do("PUT", "{G}/providers/Microsoft.Resources/deployments/t"+groupV, template), 201)
		time.Sleep(time.Minute)
		if d := r.ok(r.do("GET", "{G}/providers/Microsoft.Resources/deployments/t"+groupV, ""), 200); d.at("properties", "provisioningState") != "Failed" || !strings.Contains(d.text, "RequestDisallowedByPolicy") {
			r.Errorf("deployment: %s", d.text)
		}
		r.e.SetPolicies(nil)
		r.ok(r.do("PUT", nsg, `{"location":"westus2","tags":{"azlin-x":"1"}}`), 201)
	})
}

// TestLag: what was made only just now is not found at first.
func TestLag(t *testing.T) {
	bubble(t, emulator.Options{Lag: 5 * time.Second}, func(r *raw) {
		r.ok(r.do("PUT", comp+"disks/d"+diskV, `{"location":"westus2","properties":{"creationData":{"createOption":"Empty"},"diskSizeGB":4}}`), 202)
		if a := r.ok(r.do("GET", comp+"disks/d"+diskV, ""), 404); a.code() != "ResourceNotFound" {
			r.Errorf("too early: %s", a.text)
		}
		time.Sleep(5 * time.Second)
		r.ok(r.do("GET", comp+"disks/d"+diskV, ""), 200)
		r.ok(r.do("PUT", "{S}/resourceGroups/late"+groupV, `{"location":"westus2"}`), 201)
		if a := r.ok(r.do("GET", "{S}/resourceGroups/late"+groupV, ""), 404); a.code() != "ResourceGroupNotFound" {
			r.Errorf("too early: %s", a.text)
		}
	})
}

// TestControllers: a size has to have the disk controller that an image boots from.
func TestControllers(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		vm := comp + "virtualMachines/vm" + computeV
		old := []string{`"Canonical"`, `"Debian"`, `"ubuntu-24_04-lts"`, `"debian-11"`, `"server"`, `"11-backports-gen2"`}
		for name, c := range map[string]struct {
			body       string
			target, is string
		}{
			"image without NVMe":            {vmBody(append(old, "Standard_D2s_v5", "Standard_D2s_v6")...), "vmSize", "cannot boot with OS image or disk"},
			"NVMe on a size without":        {vmBody(`"osDisk":{`, `"diskControllerType":"NVMe","osDisk":{`), "storageProfile.diskControllerType", "cannot boot with DiskControllerType 'NVMe'"},
			"SCSI on a size that is NVMe's": {vmBody("Standard_D2s_v5", "Standard_D2s_v6", `"osDisk":{`, `"diskControllerType":"SCSI","osDisk":{`), "storageProfile.diskControllerType", "cannot boot with DiskControllerType 'SCSI'"},
		} {
			if a := r.do("PUT", vm, c.body); a.status != 400 || a.code() != "InvalidParameter" || a.at("error", "target") != c.target || !strings.Contains(a.message(), c.is) {
				r.Errorf("%s: %d %s", name, a.status, a.text)
			}
		}
		r.ok(r.do("PUT", vm, vmBody()), 201)
		time.Sleep(2 * time.Minute)
		if a := r.do("PATCH", vm, `{"properties":{"hardwareProfile":{"vmSize":"Standard_D2s_v6"}}}`); a.status != 400 || a.at("error", "target") != "storageProfile.diskControllerType" {
			r.Errorf("resize: %d %s", a.status, a.text)
		}
	})
}
