package conformance_test

import (
	"flag"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator/provenance"
)

var update = flag.Bool("update", false, "write which operations the cases look at into emulator/provenance/checked.tsv")

const checkedFile = "../../emulator/provenance/checked.tsv"

// polls are the operations by which operations are followed.
var polls = map[string]string{
	"compute":    "GET /subscriptions/{subscriptionId}/providers/Microsoft.Compute/locations/{location}/operations/{operationId}",
	"gallery":    "GET /subscriptions/{subscriptionId}/providers/Microsoft.Compute/locations/{location}/capsOperations/{operationId}",
	"disk":       "GET /subscriptions/{subscriptionId}/providers/Microsoft.Compute/locations/{location}/DiskOperations/{operationId}",
	"network":    "GET /subscriptions/{subscriptionId}/providers/Microsoft.Network/locations/{location}/operations/{operationId}",
	"group":      "GET /subscriptions/{subscriptionId}/operationresults/{operationId}",
	"history":    "GET /subscriptions/{subscriptionId}/operationresults/{operationId}",
	"storage":    "GET /subscriptions/{subscriptionId}/providers/Microsoft.Storage/locations/{location}/asyncoperations/{operationId}",
	"deployment": "GET /subscriptions/{subscriptionId}/resourcegroups/{resourceGroupName}/providers/Microsoft.Resources/deployments/{deploymentName}/operationStatuses/{operationId}",
}

const networkResult = "GET /subscriptions/{subscriptionId}/providers/Microsoft.Network/locations/{location}/operationResults/{operationId}"

// TestSources: every case says where it was learned, and its operation is one that docs/fidelity.md knows.
func TestSources(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	operations := map[string]bool{}
	vars := strings.NewReplacer("{sub}", "s", "{tenant}", "t", "{group}", "g", "{run}", "r", "{location}", "l",
		"https://{dns}", "/b", "https://{pod}", "/b", "https://{brain}", "/b", "{bootlog}", "/bootdiagnostics/v/f",
		"{endNIC}", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/n",
		"{Gl}", "/subscriptions/s/resourcegroups/g", "{G}", "/subscriptions/s/resourceGroups/g", "{N}", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network",
		"{C}", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute", "{A}", "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a")
	for _, c := range load(t) {
		if c.Name == "" || names[c.File+c.Name] {
			t.Errorf("%s: the name %q is missing or there twice", c.File, c.Name)
		}
		names[c.File+c.Name] = true
		kind, where, ok := strings.Cut(c.Source, ": ")
		if !ok || len(where) < 8 || !slices.Contains([]string{provenance.Recording, provenance.Specification, provenance.SDK, provenance.AzureCLI}, kind) {
			t.Errorf("%s: %s: %q is no source", c.File, c.Name, c.Source)
		}
		method, path, _ := strings.Cut(vars.Replace(c.Request), " ")
		path, _, _ = strings.Cut(path, "?")
		if _, after, ok := strings.Cut(path, "://"); ok { // of a service beside the resource manager
			_, path, _ = strings.Cut(after, "/")
		}
		if c.Status == 404 && strings.Contains(path, "Nonsense") {
			continue
		}
		op := provenance.Operation(method, path)
		if op == "" {
			t.Errorf("%s: %s: no row of docs/fidelity.md is about %s %s", c.File, c.Name, method, path)
		}
		operations[op] = true
		if poll := polls[c.Wait]; poll != "" { // judged as well
			operations[poll] = true
		}
		if c.Wait == "network" && method == http.MethodDelete { // so is where Location leads
			operations[networkResult] = true
		}
	}
	want := provenance.WithChecked(provenance.ByExample, operations)
	if *update {
		if err := os.WriteFile(checkedFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(checkedFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not up to date: go test ./test/conformance -run TestSources -update", checkedFile)
	}
}
