package azure_test

import (
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

func TestParseID(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, kind, name, group string }{
		{"/subscriptions/s", "Microsoft.Resources/subscriptions", "s", ""},
		{"/subscriptions/s/resourcegroups/RG", "Microsoft.Resources/resourceGroups", "RG", "RG"},
		{"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v", "Microsoft.Compute/virtualMachines", "v", "g"},
		{"/SUBSCRIPTIONS/s/RESOURCEGROUPS/g/PROVIDERS/microsoft.network/networkSecurityGroups/n/securityRules/r/", "microsoft.network/networkSecurityGroups/securityRules", "r", "g"},
		{"/subscriptions/s/providers/Microsoft.Compute/locations/westus2/operations/o", "Microsoft.Compute/locations/operations", "o", ""},
	} {
		id, err := azure.ParseID(tc.in)
		if err != nil {
			t.Errorf("%s: %v", tc.in, err)
			continue
		}
		if id.Type() != tc.kind || id.Name() != tc.name || id.ResourceGroup != tc.group {
			t.Errorf("%s: type %q, name %q, group %q", tc.in, id.Type(), id.Name(), id.ResourceGroup)
		}
	}
	for _, in := range []string{
		"", "/", "x", "/subscriptions", "/subscriptions//", "/subscriptions/s/providers/p/t", "/subscriptions/s/resourceGroups/g/x/y",
		"/subscriptions/s/../resourceGroups/g", "/subscriptions/s?x=1", "/subscriptions/s/resourceGroups/g/providers/P/t/n/u",
	} {
		if _, err := azure.ParseID(in); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%q: got %v, want an Invalid error", in, err)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	rule := azure.NewID("S", "G", "Microsoft.Network", "networkSecurityGroups", "n", "securityRules", "r")
	nsg := rule.Parent()
	if got := nsg.String(); got != "/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/networkSecurityGroups/n" {
		t.Errorf("parent: %s", got)
	}
	if got := nsg.Parent().String(); got != "/subscriptions/S/resourceGroups/G" {
		t.Errorf("grandparent: %s", got)
	}
	if len(rule.Names) != 2 {
		t.Error("Parent changed the id it was asked of")
	}
	upper, err := azure.ParseID(strings.ToUpper(nsg.String()))
	if err != nil || !upper.Equal(nsg) || !azure.SameID(nsg.String()+"/", strings.ToUpper(nsg.String())) {
		t.Error("letter case makes a difference")
	}
	if upper.Equal(rule) {
		t.Error("a rule equals its group")
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v")
	f.Add("/subscriptions/s/providers/P/t/n/providers/Q/u/m")
	f.Fuzz(func(t *testing.T, in string) {
		id, err := azure.ParseID(in)
		if err != nil {
			return
		}
		again, err := azure.ParseID(id.String())
		if err != nil {
			t.Fatalf("%q was read, but %q is not: %v", in, id.String(), err)
		}
		if !again.Equal(id) || again.Type() != id.Type() || again.Name() != id.Name() {
			t.Errorf("%q became %q", in, id.String())
		}
		_ = id.Parent().String()
	})
}
