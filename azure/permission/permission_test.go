package permission_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/permission"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/test/local"
)

func TestMain(m *testing.M) {
	emulator.HostMain()
	os.Exit(m.Run())
}

func TestMatches(t *testing.T) {
	t.Parallel()
	const start = "Microsoft.Compute/virtualMachines/start/action"
	for pattern, want := range map[string]bool{
		"*": true, start: true, strings.ToUpper(start): true,
		"Microsoft.Compute/*": true, "Microsoft.Compute/virtualMachines/*/action": true, "*/start/action": true,
		"Microsoft.Compute/*/start/*": true, "Microsoft.*/*/action": true, "*action*": true, "**": true,
		"*/read": false, "Microsoft.Compute": false, "Microsoft.Compute/virtualMachines": false, "Microsoft.Network/*": false,
		"Microsoft.Compute/virtualMachines/start/action/": false, "": false, "Microsoft.Compute/virtualMachines/*/action/*": false,
		"*/action/start/action": false,
	} {
		if got := permission.Matches(pattern, start); got != want {
			t.Errorf("%q: %v", pattern, got)
		}
	}
}

func TestAllows(t *testing.T) {
	t.Parallel()
	contributor := permission.Rule{Actions: []string{"*"}, NotActions: []string{"Microsoft.Authorization/*/Write", "Microsoft.Authorization/*/Delete"}}
	tagger := permission.Rule{Actions: []string{"Microsoft.Authorization/locks/write"}}
	for _, tc := range []struct {
		rules  []permission.Rule
		action string
		want   bool
	}{
		{nil, "Microsoft.Compute/virtualMachines/read", false},
		{[]permission.Rule{{}}, "Microsoft.Compute/virtualMachines/read", false},
		{[]permission.Rule{contributor}, "Microsoft.Compute/virtualMachines/write", true},
		{[]permission.Rule{contributor}, "Microsoft.Authorization/locks/write", false},
		{[]permission.Rule{contributor}, "Microsoft.Authorization/locks/read", true},
		{[]permission.Rule{contributor, tagger}, "Microsoft.Authorization/locks/write", true}, // one role's exception is another's gift
		{[]permission.Rule{tagger}, "Microsoft.Authorization/locks/read", false},
	} {
		if got := permission.Allows(tc.rules, tc.action); got != tc.want {
			t.Errorf("%s by %v: %v", tc.action, tc.rules, got)
		}
	}
}

// FuzzMatches compares with a regular expression that means the same.
func FuzzMatches(f *testing.F) {
	f.Add("*/read", "Microsoft.Compute/virtualMachines/read")
	f.Add("a*b*c", "axbxbxc")
	f.Add("**a", "ba")
	f.Add("A*", "a")
	f.Fuzz(func(t *testing.T, pattern, action string) {
		var parts []string
		for part := range strings.SplitSeq(strings.ToLower(pattern), "*") {
			parts = append(parts, regexp.QuoteMeta(part))
		}
		want, err := regexp.Compile(`(?s)\A` + strings.Join(parts, ".*") + `\z`)
		if err != nil {
			t.Skip() // not UTF-8
		}
		if got := permission.Matches(pattern, action); got != want.MatchString(strings.ToLower(action)) {
			t.Errorf("%q on %q: %v", pattern, action, got)
		}
	})
}

// door signs in to an emulator as one of its principals.
func door(t *testing.T, e *emulator.Emulator, name, secret string) *azure.Client {
	t.Helper()
	id := e.Identity()
	cloud, err := azure.Custom("emulator", "https://127.0.0.1:4443", "https://127.0.0.1:4443", "", "")
	if err != nil {
		t.Fatal(err)
	}
	client := id.ClientID
	if name != "" {
		client = emulator.ClientIDOf(name)
	}
	a, err := signin.NewAuthenticator(signin.Options{
		Cloud: cloud, TenantID: id.TenantID, SubscriptionID: id.SubscriptionID, ClientID: client, ClientSecret: secret, HTTP: e.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	cred, err := a.Credential()
	if err != nil {
		t.Fatal(err)
	}
	c, err := azure.Open(azure.Options{Target: azure.Target{Cloud: cloud, SubscriptionID: id.SubscriptionID}, Credential: cred, HTTP: e.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func lab(t *testing.T) *emulator.Emulator {
	t.Helper()
	e := local.New(t, emulator.Options{Principals: []emulator.Principal{
		{Name: "group", Secret: "a", Roles: []emulator.Role{emulator.Contributor("team")}},
		{Name: "reader", Secret: "b", Roles: []emulator.Role{emulator.Reader("")}},
		{Name: "nobody", Secret: "c", Roles: []emulator.Role{}},
		{Name: "untagged", Secret: "d", Roles: []emulator.Role{{Actions: []string{"*"}, NotActions: []string{"Microsoft.Resources/tags/*"}}}},
	}}).Emulator
	owner := door(t, e, "", e.Identity().ClientSecret)
	for _, group := range []string{"team", "other"} {
		if _, err := owner.Do(t.Context(), http.MethodPut, "/subscriptions/"+owner.SubscriptionID()+"/resourcegroups/"+group, "2021-04-01", map[string]string{"location": "westus2"}); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func TestCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := lab(t)
		all := func(permission.Finding) bool { return true }
		for _, tc := range []struct {
			who, secret, group string
			allowed            func(permission.Finding) bool
			lacks              string // "action level" that some command lacks
		}{
			{"", e.Identity().ClientSecret, "", all, ""},
			{"", e.Identity().ClientSecret, "not-there", all, ""},
			{"group", "a", "team", func(f permission.Finding) bool {
				return !slices.Contains([]string{"new", "init", "sizes", "regions", "images", "quota", "doctor", "resize", "clone", "image bake", "why"}, f.Command)
			}, "Microsoft.Compute/skus/read subscription"},
			{"group", "a", "other", func(permission.Finding) bool { return false }, "Microsoft.Compute/virtualMachines/read group"},
			{"group", "a", "", func(permission.Finding) bool { return false }, "Microsoft.Compute/virtualMachines/read group"},
			{"reader", "b", "team", func(f permission.Finding) bool {
				return !slices.Contains([]string{"new", "start", "stop", "restart", "kill", "killall", "destroy", "adopt", "session", "tag add", "tag remove", "bastion create", "bastion delete", "resize", "clone", "image bake", "image delete", "operations abandon", "prune", "why"}, f.Command)
			}, "Microsoft.Compute/virtualMachines/start/action group"},
			{"nobody", "c", "team", func(permission.Finding) bool { return false }, "Microsoft.Compute/skus/read subscription"},
			{"untagged", "d", "", func(f permission.Finding) bool {
				return !slices.Contains([]string{"new", "adopt", "session", "tag add", "tag remove", "resize", "clone"}, f.Command)
			}, "Microsoft.Resources/tags/write group"},
		} {
			r, err := permission.Check(t.Context(), door(t, e, tc.who, tc.secret), tc.group)
			if err != nil {
				t.Errorf("%s in %q: %v", tc.who, tc.group, err)
				continue
			}
			var lacks []string
			for _, f := range r.Commands {
				if f.Allowed != tc.allowed(f) || f.Allowed != (len(f.Lacks) == 0) {
					t.Errorf("%s in %q: %s allowed: %v, lacks %v", tc.who, tc.group, f.Command, f.Allowed, f.Lacks)
				}
				for _, l := range f.Lacks {
					lacks = append(lacks, l.Action+" "+string(l.Level))
				}
			}
			if len(r.Commands) < 10 || (tc.lacks == "") != (lacks == nil) || tc.lacks != "" && !slices.Contains(lacks, tc.lacks) {
				t.Errorf("%s in %q lacks %q of %d commands", tc.who, tc.group, lacks, len(r.Commands))
			}
			if n := len(r.Missing(permission.Group)) + len(r.Missing(permission.Subscription)); n > len(lacks) || (n == 0) != (lacks == nil) {
				t.Errorf("%s in %q: %d missing, %d lacks", tc.who, tc.group, n, len(lacks))
			}
			if lacking := r.Lacking(); slices.ContainsFunc(lacking.Commands, func(f permission.Finding) bool { return f.Allowed }) {
				t.Errorf("%s in %q: among the lacking commands is one that is allowed", tc.who, tc.group)
			}
		}
	})
}

func TestChooseCommands(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := lab(t)
		c := door(t, e, "reader", "b")
		r, err := permission.Check(t.Context(), c, "", "kill", "list")
		if err != nil || len(r.Commands) != 2 || r.Commands[0].Command != "kill" || r.Commands[0].Allowed || !r.Commands[1].Allowed {
			t.Errorf("%+v, %v", r, err)
		}
		if _, err := permission.Check(t.Context(), c, "", "fly"); errkind.Of(err) != errkind.Invalid {
			t.Errorf("an unknown command: %v", err)
		}
		if _, err := permission.LeastRole("/", []string{"fly"}, permission.Group); errkind.Of(err) != errkind.Invalid {
			t.Errorf("an unknown command: %v", err)
		}
	})
}

func TestLeastRole(t *testing.T) {
	t.Parallel()
	const scope = "/subscriptions/s"
	for _, tc := range []struct {
		commands []string
		levels   []permission.Level
		name     string
		actions  []string
	}{
		{[]string{"start"}, []permission.Level{permission.Group}, "azlin group", []string{
			"Microsoft.Compute/virtualMachines/read", "Microsoft.Compute/virtualMachines/start/action",
			"Microsoft.Network/networkInterfaces/read", "Microsoft.Network/publicIPAddresses/read",
		}},
		{[]string{"start"}, []permission.Level{permission.Subscription}, "azlin subscription", []string{}},
		{[]string{"init", "list"}, []permission.Level{permission.Group, permission.Subscription}, "azlin", []string{
			"Microsoft.Compute/skus/read", "Microsoft.Compute/virtualMachines/read",
			"Microsoft.Network/networkInterfaces/read", "Microsoft.Network/publicIPAddresses/read",
		}},
	} {
		role, err := permission.LeastRole(scope, tc.commands, tc.levels...)
		if err != nil || role.Name != tc.name || !slices.Equal(role.Actions, tc.actions) || !slices.Equal(role.AssignableScopes, []string{scope}) {
			t.Errorf("%v at %v: %+v, %v", tc.commands, tc.levels, role, err)
		}
	}
	role, err := permission.LeastRole(scope, nil, permission.Group, permission.Subscription)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(role)
	if err != nil {
		t.Fatal(err)
	}
	// az wants every key, lists and not null.
	var keys map[string]any
	if err := json.Unmarshal(raw, &keys); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"Name", "IsCustom", "Description", "Actions", "NotActions", "DataActions", "NotDataActions", "AssignableScopes"} {
		if keys[key] == nil {
			t.Errorf("%s is not in %s", key, raw)
		}
	}
	for _, a := range role.Actions {
		if strings.Contains(a, "*") {
			t.Errorf("%s is more than is needed", a)
		}
	}
	// Running commands as root is for who bakes images, and for nobody else.
	needs, err := permission.Needs()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range needs {
		if slices.Contains(n.Group, "Microsoft.Compute/virtualMachines/runCommand/action") != (n.Command == "image bake") {
			t.Errorf("%s: running commands is more than is needed, or too little", n.Command)
		}
	}
}

func TestNeedsAreOrdered(t *testing.T) {
	t.Parallel()
	needs, err := permission.Needs()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	form := regexp.MustCompile(`^Microsoft\.[A-Za-z]+(/[A-Za-z]+)+/(read|write|delete|action)$`)
	for _, n := range needs {
		if seen[n.Command] {
			t.Errorf("%s is there twice", n.Command)
		}
		seen[n.Command] = true
		for _, list := range [][]string{n.Group, n.Subscription, n.Rarely} {
			if !slices.IsSortedFunc(list, func(a, b string) int { return strings.Compare(a, b) }) {
				t.Errorf("%s: %v is not sorted", n.Command, list)
			}
			for _, a := range list {
				if !form.MatchString(a) {
					t.Errorf("%s: %s is no action", n.Command, a)
				}
			}
		}
	}
}

// ExampleLeastRole prints what a role for stopping VMs holds.
func ExampleLeastRole() {
	role, err := permission.LeastRole("/subscriptions/S/resourceGroups/team", []string{"stop"}, permission.Group)
	if err != nil {
		panic(err)
	}
	for _, action := range role.Actions {
		fmt.Println(action)
	}
	// Output:
	// Microsoft.Compute/virtualMachines/deallocate/action
	// Microsoft.Compute/virtualMachines/read
	// Microsoft.Network/networkInterfaces/read
	// Microsoft.Network/publicIPAddresses/read
}
