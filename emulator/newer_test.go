package emulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/emulator"
)

// TestWhatNewerClientsAskFor: the current JavaScript SDK of Microsoft sends these api-versions, expands and filters.
func TestWhatNewerClientsAskFor(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		const share = "{G}/providers/Microsoft.Storage/storageAccounts/newer1/fileServices/default/shares"
		r.ok(r.do("GET", "{G}/providers/Microsoft.Network/virtualNetworks?api-version=2026-01-01", ""), 200)
		r.ok(r.do("PUT", "{G}/providers/Microsoft.Storage/storageAccounts/newer1?api-version=2026-09-01", `{"location":"westus2","kind":"StorageV2","sku":{"name":"Standard_LRS"}}`), 202)
		r.ok(r.do("GET", "{G}/providers/Microsoft.Resources/deployments?api-version=2026-06-01", ""), 200)
		time.Sleep(time.Minute)
		for _, name := range []string{"data-a", "data-b", "other"} {
			r.ok(r.do("PUT", share+"/"+name+"?api-version=2026-09-01", `{}`), 201)
		}
		if a := r.ok(r.do("GET", share+"/other?api-version=2026-09-01&$expand=stats", ""), 200); a.at("properties", "shareUsageBytes") != 0.0 {
			t.Errorf("stats of a share: %s", a.text)
		}
		for filter, want := range map[string]int{"data": 2, "startswith(name,%20other)": 1, "none": 0} {
			a := r.ok(r.do("GET", share+"?api-version=2026-09-01&$filter="+filter, ""), 200)
			if l, _ := a.at("value").([]any); len(l) != want {
				t.Errorf("$filter=%s: %s", filter, a.text)
			}
		}
		if a := r.ok(r.do("GET", share+"?api-version=2026-09-01&$maxpagesize=1", ""), 200); a.at("nextLink") == nil {
			t.Errorf("a page of one: %s", a.text)
		}
		if a := r.ok(r.do("GET", comp+"images/none?api-version=2026-04-01", ""), 404); a.code() != "ResourceNotFound" {
			t.Errorf("an image that is not there: %s", a.text)
		}
		const disks, snapshots = comp + "disks/", comp + "snapshots/"
		for _, name := range []string{"one", "two"} {
			r.ok(r.do("PUT", disks+name+"?api-version=2026-03-02", `{"location":"westus2","properties":{"creationData":{"createOption":"Empty"},"diskSizeGB":4}}`), 202)
		}
		time.Sleep(time.Minute)
		family := map[string]any{}
		for name, of := range map[string]string{"a": "one", "b": "one", "c": "two"} {
			r.ok(r.do("PUT", snapshots+name+"?api-version=2026-03-02", `{"location":"westus2","properties":{"incremental":true,"creationData":{"createOption":"Copy","sourceResourceId":"`+disks+of+`"}}}`), 202)
			time.Sleep(time.Minute)
			family[name] = r.ok(r.do("GET", snapshots+name+"?api-version=2026-03-02", ""), 200).at("properties", "incrementalSnapshotFamilyId")
		}
		if family["a"] == nil || family["a"] != family["b"] || family["a"] == family["c"] {
			t.Errorf("families: %v", family)
		}
	})
}

// TestGenericListHasNoZones: no description of the list has them.
func TestGenericListHasNoZones(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		r.ok(r.do("PUT", comp+"disks/zonal?api-version=2026-03-02", `{"location":"westus2","zones":["1"],"properties":{"creationData":{"createOption":"Empty"},"diskSizeGB":4}}`), 202)
		time.Sleep(time.Minute)
		if a := r.ok(r.do("GET", "{G}/resources?api-version=2021-04-01", ""), 200); !strings.Contains(a.text, "zonal") || strings.Contains(a.text, `"zones"`) {
			t.Error(a.text)
		}
	})
}

// TestOldVersionsDoNotKnowNewMembers refuses them in the words of a public report (Azure/azure-cli#3951).
func TestOldVersionsDoNotKnowNewMembers(t *testing.T) {
	bubble(t, emulator.Options{}, func(r *raw) {
		body := vmBody(`"osDisk":{`, `"osDisk":{"managedDisk":{"storageAccountType":"Standard_LRS"},`)
		a := r.ok(r.do("PUT", comp+"virtualMachines/vm?api-version=2016-03-30", body), 400)
		if a.code() != "BadRequest" || !strings.HasPrefix(a.message(), "Could not find member 'managedDisk' on object of type 'OSDisk'. Path 'properties.storageProfile.osDisk.managedDisk', line 1, position ") {
			t.Error(a.text)
		}
		r.ok(r.do("PUT", comp+"virtualMachines/vm?api-version=2025-04-01", body), 201)
	})
}
