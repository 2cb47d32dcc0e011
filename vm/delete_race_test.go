package vm_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/teardown"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/vm"
)

const computeVersion = "2024-11-01"

// TestDeleteRacesWithANewUser: between the VM's deletion and that of its network interface somebody gives that to
// another VM. The interface stays with its new user, and the summary says what was left and why.
func TestDeleteRacesWithANewUser(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := lab.New(t, emulator.Options{})
		owner, door := l.Open()
		d, err := owner.Provision(t.Context(), config("dev"), nil)
		if err != nil {
			t.Fatal(err)
		}
		// Its interface outlives it, as with VMs that az made.
		nicID := strings.Replace(d.ID, "Microsoft.Compute/virtualMachines/dev", "Microsoft.Network/networkInterfaces/dev-nic", 1)
		keep := map[string]any{"properties": map[string]any{"networkProfile": map[string]any{"networkInterfaces": []any{
			map[string]any{"id": nicID, "properties": map[string]any{"primary": true, "deleteOption": "Detach"}},
		}}}}
		if _, err := door.DoOperation(t.Context(), http.MethodPatch, d.ID, computeVersion, keep, nil); err != nil {
			t.Fatal(err)
		}
		model, err := door.Do(t.Context(), http.MethodGet, d.ID, computeVersion, nil)
		if err != nil {
			t.Fatal(err)
		}
		var once sync.Once
		killer, _ := l.Open(func(o *azure.Options) {
			o.HTTP = &http.Client{Transport: local.Tap{RoundTripper: o.HTTP.Transport, See: func(r *http.Request) error {
				if r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, "/networkInterfaces/dev-nic") {
					once.Do(func() { anotherVM(t, door, model.Body, strings.Replace(d.ID, "/dev", "/other", 1)) })
				}
				return nil
			}}}
		})
		sum, err := killer.Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}, vm.DeleteOptions{})
		if errkind.Of(err) != errkind.Partial {
			t.Fatal(err)
		}
		failed := slices.DeleteFunc(slices.Clone(sum.Results), func(r teardown.Result) bool { return r.Success })
		if len(failed) == 0 || failed[0].ResourceType != "nic" || !strings.Contains(failed[0].ErrorMessage, "is used by existing VM") {
			t.Errorf("failed: %+v", failed)
		}
		if kind := errkind.Of(sum.Err()); kind != errkind.Partial || !strings.Contains(sum.Err().Error(), "dev-nic") {
			t.Errorf("%s: %v", kind, sum.Err())
		}
		if i, err := owner.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "other"}); err != nil || !i.IsRunning() || i.PublicIP != d.PublicIP {
			t.Errorf("the new user: %+v, %v", i, err)
		}
		if _, err := owner.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"}); !azure.IsNotFound(err) {
			t.Errorf("the VM that was to be deleted: %v", err)
		}
	})
}

// anotherVM makes a VM like another one, with the same network interface.
func anotherVM(t *testing.T, door *azure.Client, like []byte, id string) {
	t.Helper()
	var model map[string]any
	if err := json.Unmarshal(like, &model); err != nil {
		t.Fatal(err)
	}
	properties := model["properties"].(map[string]any)
	storage := properties["storageProfile"].(map[string]any)
	disk := storage["osDisk"].(map[string]any)
	disk["name"], disk["managedDisk"] = "other-os", map[string]any{"storageAccountType": "Premium_LRS"}
	os := properties["osProfile"].(map[string]any)
	os["computerName"] = "other"
	body := map[string]any{"location": model["location"], "properties": map[string]any{
		"hardwareProfile": properties["hardwareProfile"], "storageProfile": storage, "osProfile": os,
		"networkProfile": properties["networkProfile"], "securityProfile": properties["securityProfile"],
	}}
	if _, err := door.DoOperation(t.Context(), http.MethodPut, id, computeVersion, body, nil); err != nil {
		t.Error("the other VM:", err)
	}
}
