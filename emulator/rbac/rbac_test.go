package rbac_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator/rbac"
)

func TestAction(t *testing.T) {
	t.Parallel()
	const group = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}"
	for _, tc := range []struct{ method, template, want string }{
		{"GET", "/subscriptions", "Microsoft.Resources/subscriptions/read"},
		{"GET", "/subscriptions/{subscriptionId}", "Microsoft.Resources/subscriptions/read"},
		{"PUT", "/subscriptions/{subscriptionId}/resourcegroups/{resourceGroupName}", "Microsoft.Resources/subscriptions/resourceGroups/write"},
		{"HEAD", "/subscriptions/{subscriptionId}/resourcegroups/{resourceGroupName}", "Microsoft.Resources/subscriptions/resourceGroups/read"},
		{"GET", "/subscriptions/{subscriptionId}/locations", "Microsoft.Resources/subscriptions/locations/read"},
		{"GET", "/subscriptions/{subscriptionId}/providers", "Microsoft.Resources/subscriptions/providers/read"},
		{"POST", "/subscriptions/{subscriptionId}/providers/{resourceProviderNamespace}/register", "{resourceProviderNamespace}/register/action"},
		{"PATCH", group + "/providers/Microsoft.Compute/virtualMachines/{vmName}", "Microsoft.Compute/virtualMachines/write"},
		{"DELETE", group + "/providers/Microsoft.Compute/virtualMachines/{vmName}", "Microsoft.Compute/virtualMachines/delete"},
		{"POST", group + "/providers/Microsoft.Compute/virtualMachines/{vmName}/start", "Microsoft.Compute/virtualMachines/start/action"},
		{"GET", group + "/providers/Microsoft.Compute/virtualMachines/{vmName}/instanceView", "Microsoft.Compute/virtualMachines/instanceView/read"},
		{"PUT", group + "/providers/Microsoft.Network/networkSecurityGroups/{n}/securityRules/{r}", "Microsoft.Network/networkSecurityGroups/securityRules/write"},
		{"GET", "/subscriptions/{subscriptionId}/providers/Microsoft.Compute/locations/{location}/publishers/{publisherName}/artifacttypes/vmimage/offers/{offer}/skus/{skus}/versions/{version}", "Microsoft.Compute/locations/publishers/artifacttypes/offers/skus/versions/read"},
		{"GET", "/subscriptions/{subscriptionId}/providers/Microsoft.Compute/skus", "Microsoft.Compute/skus/read"},
		{"PATCH", "/{scope}/providers/Microsoft.Resources/tags/default", "Microsoft.Resources/tags/write"},
		{"GET", "/{scope}/providers/Microsoft.Authorization/locks", "Microsoft.Authorization/locks/read"},
	} {
		if got := rbac.Action(tc.method, tc.template); got != tc.want {
			t.Errorf("%s %s: %s, want %s", tc.method, tc.template, got, tc.want)
		}
	}
}

func TestAllows(t *testing.T) {
	t.Parallel()
	const sub = "/subscriptions/s"
	contributor := rbac.Role{Scope: sub + "/resourceGroups/team", Actions: []string{"*"}, NotActions: []string{"Microsoft.Authorization/*/Write"}}
	reader := rbac.Role{Scope: sub, Actions: []string{"*/read"}}
	for _, tc := range []struct {
		roles         []rbac.Role
		action, scope string
		want          bool
	}{
		{[]rbac.Role{contributor}, "Microsoft.Compute/virtualMachines/write", sub + "/resourceGroups/TEAM/providers/Microsoft.Compute/virtualMachines/a", true},
		{[]rbac.Role{contributor}, "Microsoft.Compute/virtualMachines/write", sub + "/resourceGroups/team2/providers/Microsoft.Compute/virtualMachines/a", false},
		{[]rbac.Role{contributor}, "Microsoft.Compute/virtualMachines/read", sub, false},
		{[]rbac.Role{contributor}, "microsoft.authorization/roleAssignments/write", sub + "/resourceGroups/team", false},
		{[]rbac.Role{reader}, "Microsoft.Compute/virtualMachines/read", sub, true},
		{[]rbac.Role{reader}, "Microsoft.Compute/virtualMachines/start/action", sub, false},
		// What one role excepts another may give.
		{[]rbac.Role{contributor, {Scope: sub, Actions: []string{"Microsoft.Authorization/locks/*"}}}, "Microsoft.Authorization/locks/write", sub + "/resourceGroups/team", true},
		{nil, "Microsoft.Compute/virtualMachines/read", sub, false},
	} {
		if got := rbac.Allows(tc.roles, tc.action, tc.scope); got != tc.want {
			t.Errorf("%s at %s: %v", tc.action, tc.scope, got)
		}
	}
}

func FuzzMatches(f *testing.F) {
	f.Add("*", "a/b")
	f.Add("*/read", "Microsoft.Compute/virtualMachines/read")
	f.Add("Microsoft.*/write", "microsoft.compute/x/write")
	f.Add("a**b", "ab")
	f.Add("a*a", "a")
	f.Fuzz(func(t *testing.T, pattern, action string) {
		var parts []string
		for p := range strings.SplitSeq(strings.ToLower(pattern), "*") {
			parts = append(parts, regexp.QuoteMeta(p))
		}
		re, err := regexp.Compile(`(?s)\A` + strings.Join(parts, ".*") + `\z`)
		if err != nil {
			t.Skip() // not UTF-8
		}
		if got, want := rbac.Matches(pattern, action), re.MatchString(strings.ToLower(action)); got != want {
			t.Errorf("%q on %q: %v, want %v", pattern, action, got, want)
		}
	})
}

func TestLevel(t *testing.T) {
	t.Parallel()
	for scope, want := range map[string]string{
		"/subscriptions/s": "subscription", "/subscriptions/s/resourceGroups/g": "group", "/": "tenant",
		"/subscriptions/s/resourcegroups/g/providers/A/b/c": "group", "/tenants": "tenant",
	} {
		if got := rbac.Level(scope); got != want {
			t.Errorf("%s: %s", scope, got)
		}
	}
}
