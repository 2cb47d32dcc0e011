package azure_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/test/wire"
)

// TestAPIVersions pins every version that is sent: an update of the SDK must not change what we ask
// of Azure, or of the local one, unseen.
func TestAPIVersions(t *testing.T) {
	t.Parallel()
	var sent wire.Collected[[2]string]
	names := regexp.MustCompile(`(?i)/subscriptions/[^/]+|/resourcegroups/[^/]+`)
	c := open(t, func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(names.ReplaceAllString(r.URL.Path, ""), "/providers/")
		parts := strings.Split(path, "/")
		if strings.Contains(r.URL.Path, "Microsoft.Resources/tags") {
			parts = []string{"Microsoft.Resources", "tags"}
		}
		kind := "Microsoft.Resources" // groups and lists of resources
		if len(parts) > 1 && strings.HasPrefix(parts[0], "Microsoft.") {
			kind = parts[0] + "/" + parts[1]
		}
		switch {
		case strings.HasSuffix(path, "/usages"):
			kind = parts[0] + "/usages"
		case strings.Contains(path, "/vmimage/"):
			kind = parts[0] + "/vmimage"
		}
		sent.Add([2]string{kind, r.URL.Query().Get("api-version")})
		wire.Reply(w, 200, `{"value":[]}`)
	})
	ctx := t.Context()
	_, _ = c.VMs().NewListAllPager(nil).NextPage(ctx)
	_, _ = c.Disks().NewListPager(nil).NextPage(ctx)
	_, _ = c.Snapshots().NewListPager(nil).NextPage(ctx)
	_, _ = c.Images().Get(ctx, "l", "p", "o", "s", "v", nil)
	_, _ = c.SKUs().NewListPager(nil).NextPage(ctx)
	_, _ = c.ComputeUsages().NewListPager("l", nil).NextPage(ctx)
	_, _ = c.NICs().NewListAllPager(nil).NextPage(ctx)
	_, _ = c.PublicIPs().NewListAllPager(nil).NextPage(ctx)
	_, _ = c.NSGs().NewListAllPager(nil).NextPage(ctx)
	_, _ = c.SecurityRules().Get(ctx, "g", "n", "r", nil)
	_, _ = c.VNets().NewListAllPager(nil).NextPage(ctx)
	_, _ = c.Subnets().Get(ctx, "g", "v", "s", nil)
	_, _ = c.Bastions().NewListPager(nil).NextPage(ctx)
	_, _ = c.NATGateways().NewListAllPager(nil).NextPage(ctx)
	_, _ = c.NetworkUsages().NewListPager("l", nil).NextPage(ctx)
	_, _ = c.ResourceGroups().Get(ctx, "g", nil)
	_, _ = c.Resources().NewListPager(nil).NextPage(ctx)
	_, _ = c.TagsAPI().GetAtScope(ctx, "subscriptions/s", nil)
	_, _ = c.ResourceTags(ctx, "/subscriptions/s")

	got := map[string][]string{}
	for _, s := range sent.List() {
		if !slices.Contains(got[s[0]], s[1]) {
			got[s[0]] = append(got[s[0]], s[1])
		}
	}
	want := map[string][]string{
		"Microsoft.Compute/disks":                 {"2026-03-02"},
		"Microsoft.Compute/skus":                  {"2021-07-01"},
		"Microsoft.Compute/snapshots":             {"2026-03-02"},
		"Microsoft.Compute/usages":                {"2026-04-01"},
		"Microsoft.Compute/virtualMachines":       {"2026-04-01"},
		"Microsoft.Compute/vmimage":               {"2026-04-01"},
		"Microsoft.Network/bastionHosts":          {"2025-05-01"},
		"Microsoft.Network/natGateways":           {"2025-05-01"},
		"Microsoft.Network/networkInterfaces":     {"2025-05-01"},
		"Microsoft.Network/networkSecurityGroups": {"2025-05-01"},
		"Microsoft.Network/publicIPAddresses":     {"2025-05-01"},
		"Microsoft.Network/usages":                {"2025-05-01"},
		"Microsoft.Network/virtualNetworks":       {"2025-05-01"},
		"Microsoft.Resources":                     {"2021-04-01"},
		"Microsoft.Resources/tags":                {"2021-04-01"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the versions changed (-pinned +sent):\n%s", diff)
	}
}
