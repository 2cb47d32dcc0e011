package contract_test

import (
	"testing"

	"github.com/azlin-dev/azlin/emulator/arm/contract"
)

const (
	group = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
	vm    = group + "/providers/Microsoft.Compute/virtualMachines/{vmName}"
	disk  = group + "/providers/Microsoft.Compute/disks/{diskName}"
	ip    = group + "/providers/Microsoft.Network/publicIPAddresses/{publicIpAddressName}"
	lock  = "/{scope}/providers/Microsoft.Authorization/locks/{lockName}"
	files = group + "/providers/Microsoft.Storage/storageAccounts/{accountName}"
)

// TestWordsOfRefusals: as in the public reports that docs/fidelity.md names.
func TestWordsOfRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ template, body, code, text, target string }{
		{
			vm, `{"location":"x","properties":{"storageProfile":{"osDisk":{"createOption":"FromImage","managedDisks":{}}}}}`, "BadRequest",
			"Could not find member 'managedDisks' on object of type 'OSDisk'. Path 'properties.storageProfile.osDisk.managedDisks', line 1, position 100.", "vm.properties.storageProfile.osDisk.managedDisks",
		},
		{vm, `{"location":"x","properties":{"storageProfile":{"osDisk":{}}}}`, "InvalidParameter", "Required parameter 'osDisk.createOption' is missing (null).", "osDisk.createOption"},
		{
			vm, `{"location":"x","properties":{"storageProfile":{"dataDisks":[{"lun":0,"createOption":"Empty","caching":"Unrecognized"}]}}}`, "BadRequest",
			"Error converting value \"Unrecognized\" to type 'System.Nullable`1[Microsoft.WindowsAzure.ComputeResourceProvider.API.DataDisk+Caching]'. Path 'properties.storageProfile.dataDisks[0].caching', line 1, position 117.", "vm.properties.storageProfile.dataDisks[0].caching",
		},
		{vm, `{"location":"x","properties":{"hibernate":1}}`, "BadRequest", "Could not find member 'hibernate' on object of type 'Properties'. Path 'properties.hibernate', line 1, position 42.", "vm.properties.hibernate"},
		{
			disk, "{\r\n  \"AccountType\": \"x\",\r\n  \"location\": \"x\"\r\n}", "InvalidRequestContent",
			"The request content was invalid and could not be deserialized: 'Could not find member 'AccountType' on object of type 'ResourceDefinition'. Path 'AccountType', line 2, position 17.'.", "",
		},
		{disk, `{"properties":{"creationData":{"createOption":"Empty"}}}`, "LocationRequired", "The location property is required for this definition.", ""},
		{
			lock, "{\r\n  \"level\": \"CanNotDelete\"\r\n}", "InvalidRequestContent",
			"The request content was invalid and could not be deserialized: 'Could not find member 'level' on object of type 'ManagementLockDefinition'. Path 'level', line 2, position 11.'.", "",
		},
		{files, `{"location":"x","kind":"StorageV2","sku":{}}`, "InvalidRequestContent", "The request content was invalid and could not be deserialized: Required property 'name' not found in 'sku'.", ""},
	} {
		r := contract.Judge("PUT", c.template, "2026-04-01", []byte(c.body), nil)
		if r == nil || r.Code != c.code || r.Message != c.text || r.Target != c.target {
			t.Errorf("%s:\n%+v, not\n%s %s %s", c.body, r, c.code, c.text, c.target)
		}
	}
	r := contract.Judge("PUT", ip, "2025-05-01", []byte(`{"location":"x","properties":{"Sku":{"name":"Standard"}}}`), nil)
	if r == nil || r.Code != "InvalidRequestFormat" || r.Message != "Cannot parse the request." || len(r.Details) != 1 || r.Details[0].Code != "InvalidJson" ||
		r.Details[0].Message != "Could not find member 'Sku' on object of type 'PublicIpAddressProperties'. Path 'properties.Sku', line 1, position 36." {
		t.Errorf("%+v", r)
	}
}

// TestWhatAzureTakes: any case, numbers and truths as texts, null for nothing, and what the service fills in.
func TestWhatAzureTakes(t *testing.T) {
	t.Parallel()
	for template, bodies := range map[string][]string{
		vm: {
			`{"LOCATION":"x","Properties":{"HARDWAREPROFILE":{"vmSize":"Standard_NEW"},"vmId":7,"provisioningState":{},"userData":null}}`,
			`{"location":"x","properties":{"storageProfile":{"osDisk":{"createOption":"fromimage","diskSizeGB":"30","writeAcceleratorEnabled":"False"}}}}`,
			`{"location":"x","identity":{"type":"SystemAssigned,UserAssigned","userAssignedIdentities":{"/x":{}}},"etag":"1","tags":{"Any Name":"x"}}`,
		},
		files: {`{"location":"x","kind":"StorageV2","sku":{"name":"Standard_LRS"},"properties":{"networkAcls":{"defaultAction":"Deny","bypass":"Logging, Metrics"}}}`},
	} {
		for _, body := range bodies {
			if r := contract.Judge("PUT", template, "2025-01-01", []byte(body), nil); r != nil {
				t.Errorf("%s: %+v", body, r)
			}
		}
	}
}

// TestEveryExceptionIsAbout something that is there.
func TestEveryExceptionIsAbout(t *testing.T) {
	t.Parallel()
	if op := contract.At("GET", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v/providers/Microsoft.Authorization/locks/l", "2016-09-01"); op == nil || op.ID == "" {
		t.Errorf("%+v", op)
	}
	if len(contract.Beyond()) < 10 {
		t.Errorf("%d exceptions", len(contract.Beyond()))
	}
}

// FuzzJudge: whatever comes is judged without a panic.
func FuzzJudge(f *testing.F) {
	f.Add([]byte(`{"properties":{"storageProfile":{"dataDisks":[{"lun":"x"}]}}}`))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		contract.Judge("PUT", vm, "2026-04-01", raw, nil)
	})
}
