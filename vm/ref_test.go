package vm_test

import (
	"testing"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

// TestRefWithoutAGroup completes references by the target's resource group, and refuses those that name no VM.
func TestRefWithoutAGroup(t *testing.T) {
	t.Parallel()
	team := azure.Target{ResourceGroup: "team"}
	if r, err := (vm.Ref{Name: "dev"}).In(team); err != nil || r != (vm.Ref{Name: "dev", ResourceGroup: "team"}) {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := (vm.Ref{Name: "dev", ResourceGroup: "own"}).In(team); err != nil || r.ResourceGroup != "own" {
		t.Errorf("%+v, %v", r, err)
	}
	for name, r := range map[string]vm.Ref{"no name": {ResourceGroup: "own"}, "no group": {Name: "dev"}} {
		if _, err := r.In(azure.Target{}); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if a, b := (vm.Ref{Name: "Dev", ResourceGroup: "team"}), (vm.Ref{Name: "dev", ResourceGroup: "TEAM"}); !a.Same(b) || a.Same(vm.Ref{Name: "dev"}) {
		t.Error("Azure does not distinguish names by case")
	}
}
