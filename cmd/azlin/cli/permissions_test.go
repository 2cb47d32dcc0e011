package cli_test

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/azlin-dev/azlin/azure/permission"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/wait"
)

// actions are what has been granted so far, as "level action".
func (p *person) actions() map[string]int {
	p.t.Helper()
	st, err := emulator.Read(context.Background(), p.emulatorDir())
	if err != nil {
		p.t.Fatal(err)
	}
	all := map[string]int{}
	for action, levels := range st.Actions {
		for level, n := range levels {
			all[level+" "+action] = n
		}
	}
	return all
}

// needed runs commands and returns what they needed.
func (p *person) needed(command string, into map[string]map[string]bool, lines ...string) {
	p.t.Helper()
	before := p.actions()
	for _, line := range lines {
		// What is remembered from an earlier command would hide what this one needs.
		if err := os.RemoveAll(filepath.Join(p.home, ".azlin", "cache")); err != nil {
			p.t.Fatal(err)
		}
		if r := p.run(words(line)...); r.code != 0 {
			p.t.Errorf("azlin %s: exit code %d\n%s%s", line, r.code, r.out, r.errOut)
		}
	}
	if into[command] == nil {
		into[command] = map[string]bool{}
	}
	for need, n := range p.actions() {
		if n > before[need] {
			into[command][need] = true
		}
	}
}

// useEverything runs each command that talks to Azure, in the ways that need different rights.
func useEverything(p *person, group string, into map[string]map[string]bool) {
	p.t.Helper()
	in := ""
	if group != "" {
		in = " -g " + group
	}
	p.needed("new", into, "new --name one --yes --no-auto-connect"+in, "new --name two --yes --no-auto-connect"+in, "new --name three --dry-run"+in)
	p.needed("list", into, "list"+in, "list --all"+in)
	p.needed("show", into, "show one"+in)
	p.needed("exec", into, "exec one"+in+" -- true")
	p.needed("connect", into, "connect one"+in+" -- true")
	p.needed("proxy", into, "proxy one"+in)
	p.needed("ssh-config", into, "ssh-config --yes"+in)
	p.needed("logs", into, "logs one"+in, "logs one --source tools"+in)
	p.needed("session", into, "session one work"+in, "session one"+in, "session one --clear"+in)
	p.needed("tag add", into, "tag add one team=web"+in)
	p.needed("tag list", into, "tag list one"+in)
	p.needed("tag remove", into, "tag remove one team"+in)
	p.needed("template create", into, "template create kept --replace --from-vm one"+in)
	p.needed("code", into, "code one --yes --program true"+in)
	p.needed("tunnel open", into, "tunnel open one -L 0:22"+in)
	p.must("tunnel", "close", "--all")
	p.needed("restore", into, "restore --dry-run"+in)
	p.needed("status", into, "status"+in, "status one"+in)
	p.needed("resize", into, "resize two Standard_B2ms --yes"+in)
	p.needed("why", into, "why one"+in)
	p.needed("clone", into, "clone one --yes"+in)
	p.needed("image bake", into, "image bake one --name base --yes"+in)
	p.needed("image list", into, "image list"+in)
	p.needed("image delete", into, "image delete base --yes"+in)
	p.needed("update", into, "update one --tools git"+in)
	p.needed("os-update", into, "os-update one"+in)
	p.needed("cleanup", into, "cleanup"+in)
	p.needed("keys list", into, "keys list"+in, "keys list one"+in)
	p.needed("keys rotate", into, "keys rotate one --yes"+in)
	p.needed("stop", into, "stop two"+in)
	p.needed("start", into, "start two"+in)
	p.needed("restart", into, "restart two"+in)
	p.needed("operations list", into, "operations list"+in)
	p.needed("stop", into, "stop two --no-wait"+in)
	p.needed("operations show", into, "operations show two"+in)
	p.needed("operations resume", into, "operations resume two"+in)
	if r := p.run(words("new --name lost --ssh-timeout 1ns --yes --no-auto-connect --tools none" + in)...); r.code == 0 {
		p.t.Error("it was to be cut off")
	}
	p.needed("operations abandon", into, "operations abandon lost --yes"+in)
	p.must(words("new --name old --yes --no-auto-connect --tools none" + in)...)
	p.must(words("stop old" + in)...)
	p.must(words("tag add two azlin-protected=yes" + in)...)
	p.must("emulator", "clock", "advance", "40d")
	p.needed("prune", into, "prune --yes"+in)
	p.needed("kill", into, "kill one --yes"+in)
	p.needed("killall", into, "killall --yes"+cmp.Or(in, " -g azlin-rg"))
	// Where there is a Bastion, new VMs are private: it goes again.
	p.needed("bastion create", into, "bastion create --name hub --yes"+in)
	p.needed("bastion list", into, "bastion list"+in)
	p.needed("bastion status", into, "bastion status hub"+in)
	p.needed("bastion delete", into, "bastion delete hub --yes"+in)
	p.needed("init", into, "init --group other --region eastus --size Standard_B2s --name spare")
	p.needed("sizes", into, "sizes")
	p.needed("regions", into, "regions")
	p.needed("images", into, "images", "images Debian", "images Debian:debian-12", "images Debian:debian-12:12-gen2")
	p.needed("quota", into, "quota")
	p.needed("doctor", into, "doctor")
	p.needed("auth test", into, "auth test")
	p.needed("auth permissions", into, "auth permissions"+in)
}

// orphans makes one of each kind in a seeded group.
func (p *person) orphans(group string) {
	p.t.Helper()
	door, status := p.door()
	base := "/subscriptions/" + status.SubscriptionID + "/resourceGroups/" + group + "/providers/"
	const disks, network = "2023-04-02", "2024-05-01"
	empty := map[string]any{"creationData": map[string]any{"createOption": "Empty"}, "diskSizeGB": 32}
	send := func(method, path, version string, properties map[string]any) {
		p.t.Helper()
		var body any
		if method == "PUT" {
			body = map[string]any{"location": "westus2", "tags": map[string]any{"managed-by": "azlin"}, "properties": properties}
		}
		if _, err := door.Do(p.t.Context(), method, base+path, version, body); err != nil {
			p.t.Fatal(err)
		}
	}
	send("PUT", "Microsoft.Compute/disks/spare", disks, empty)
	send("PUT", "Microsoft.Compute/disks/gone", disks, empty)
	send("PUT", "Microsoft.Compute/snapshots/of-gone", disks, map[string]any{"creationData": map[string]any{"createOption": "Copy", "sourceResourceId": base + "Microsoft.Compute/disks/gone"}})
	send("DELETE", "Microsoft.Compute/disks/gone", disks, nil)
	send("PUT", "Microsoft.Network/networkSecurityGroups/spare", network, map[string]any{})
	send("PUT", "Microsoft.Network/publicIPAddresses/spare", network, map[string]any{})
	send("PUT", "Microsoft.Network/networkInterfaces/spare", network, map[string]any{"ipConfigurations": []any{
		map[string]any{"name": "c", "properties": map[string]any{"subnet": map[string]any{"id": base + "Microsoft.Network/virtualNetworks/" + group + "-vnet/subnets/default"}}},
	}})
	wait.Until(p.t, "the orphans are found", func() bool { // the disk is on its way out
		return p.must("cleanup", "--older-than", "0s", "-g", group, "-o", "json", "--jq", ".total_found") == "5\n"
	})
}

// lockOut takes the operators' rules of a VM away.
func (p *person) lockOut(group, vm string) {
	p.t.Helper()
	door, status := p.door()
	const version = "2024-05-01"
	nsg := "/subscriptions/" + status.SubscriptionID + "/resourceGroups/" + group + "/providers/Microsoft.Network/networkSecurityGroups/" + vm + "-nsg"
	resp, err := door.Do(p.t.Context(), "GET", nsg, version, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	var found struct {
		Properties struct {
			SecurityRules []struct{ ID string }
		}
	}
	if err := json.Unmarshal(resp.Body, &found); err != nil {
		p.t.Fatal(err)
	}
	for _, r := range found.Properties.SecurityRules {
		if _, err := door.DoOperation(p.t.Context(), "DELETE", r.ID, version, nil, nil); err != nil {
			p.t.Fatal(err)
		}
	}
}

// useRarely runs what cannot be done twice, or not by somebody with rights in one group, and the rare cases.
func useRarely(p *person, sent, rarely map[string]map[string]bool) {
	t := p.t
	t.Helper()
	p.must("emulator", "seed", "--vms", "1", "--group", "foreign")
	p.disown("foreign", "vm-001")
	p.needed("adopt", sent, "adopt vm-001 -g foreign")
	p.must("new", "--name", "four", "--yes", "--no-auto-connect", "-g", "doomed")
	p.needed("destroy", sent, "destroy doomed --yes")

	// The rare cases: a VM whose key is not known, and one whose key is to be learnt anew.
	p.must("emulator", "seed", "--vms", "10", "--group", "seeded")
	p.must("new", "--name", "three", "--yes", "--no-auto-connect", "-g", "team")
	for _, command := range []string{"exec", "connect"} {
		if err := os.Remove(filepath.Join(p.home, ".azlin", "known_hosts")); err != nil {
			t.Fatal(err)
		}
		p.needed(command, rarely, command+" vm-001 -g seeded -- true")
	}
	if err := os.Remove(filepath.Join(p.home, ".azlin", "known_hosts")); err != nil {
		t.Fatal(err)
	}
	p.needed("status", rarely, "status vm-003 -g seeded --timeout 1m")
	p.needed("tunnel open", rarely, "tunnel open vm-009 -g seeded -L 0:22")
	p.needed("code", rarely, "code vm-010 -g seeded --yes --program true")
	p.needed("restore", rarely, "restore vm-004 -g seeded --dry-run --timeout 1m")
	p.needed("keys list", rarely, "keys list vm-005 -g seeded --timeout 1m")
	p.needed("keys rotate", rarely, "keys rotate vm-006 -g seeded --yes")
	p.needed("update", rarely, "update vm-007 -g seeded --tools git --timeout 1m")
	p.needed("os-update", rarely, "os-update vm-008 -g seeded --timeout 1m")
	p.orphans("seeded")
	p.needed("cleanup", rarely, "cleanup --delete --yes --older-than 0s -g seeded")
	p.needed("logs", rarely, "logs vm-002 -g seeded", "logs vm-002 -g seeded --source serial")
	p.needed("connect", rarely, "connect three -g team --forget-host-key -- true")
	// An operation of which this machine has no file is looked for in Azure.
	before := p.actions()
	if r := p.run("operations", "resume", "nosuch", "--yes", "-g", "team"); r.code != 6 {
		t.Errorf("operations resume nosuch: exit code %d\n%s", r.code, r.errOut)
	}
	rarely["operations resume"] = map[string]bool{}
	for need, n := range p.actions() {
		if n > before[need] {
			rarely["operations resume"][need] = true
		}
	}
	// A VM that is stopped, and one that does not admit the operator any more.
	p.must("stop", "three", "-g", "team")
	p.needed("connect", rarely, "connect three -g team --yes -- true")
	p.lockOut("team", "three")
	p.must("config", "set", "ssh_timeout", "2s")
	p.needed("connect", rarely, "connect three -g team --yes -- true")
	p.must("config", "unset", "ssh_timeout")
	p.must("emulator", "seed", "--vms", "1", "--group", "broken")
	p.needed("why", rarely, "why vm-001 -g broken --timeout 1m")
	p.must("emulator", "seed", "--vms", "1", "--group", "idle")
	p.needed("prune", rarely, "prune -g idle --dry-run --timeout 1m")
	p.must("bastion", "create", "-g", "team", "--yes")
	for _, command := range []string{"exec three -g team --bastion -- true", "connect three -g team --bastion -- true", "proxy three -g team --bastion", "logs three -g team --bastion"} {
		p.needed(words(command)[0], rarely, command)
	}
	// And private VMs with a gateway of their own, the last of which takes that along.
	p.must("bastion", "create", "-g", "hidden", "--yes")
	p.needed("new", rarely, "new --name private --nat-gateway --tools none --yes --no-auto-connect -g hidden")
	p.needed("new", rarely,
		"new --name ci --pool 1 --public --tools none --yes -g hidden",
		"new --name ci --pool 2 --ssh-source 203.0.113.0/24 --tools none --yes -g hidden") // the operator has moved
	p.needed("show", rarely, "show private -g hidden")
	p.needed("status", rarely, "status private -g hidden")
	p.needed("prune", rarely, "prune --dry-run -g hidden")
	p.needed("why", rarely, "why private -g hidden")
	p.needed("clone", rarely, "clone private --yes -g hidden")
	p.must("kill", "private-clone", "--yes", "-g", "hidden")
	p.needed("update", rarely, "update private --tools git -g hidden")
	p.needed("os-update", rarely, "os-update private -g hidden")
	p.needed("keys list", rarely, "keys list private -g hidden")
	p.needed("keys rotate", rarely, "keys rotate private -g hidden --yes")
	p.needed("tunnel open", rarely, "tunnel open private -g hidden -L 0:22")
	p.must("tunnel", "close", "--all")
	p.needed("code", rarely, "code private -g hidden --yes --program true")
	p.needed("restore", rarely, "restore private --dry-run -g hidden")
	p.needed("kill", rarely, "kill private --yes -g hidden")
	p.must("new", "--name", "private", "--nat-gateway", "--tools", "none", "--yes", "--no-auto-connect", "-g", "hidden")
	p.needed("killall", rarely, "killall --yes -g hidden")
}

// TestNeedsAreWhatIsSent holds the table of package permission against what the commands need in the
// emulator, which works out for itself what a request needs.
func TestNeedsAreWhatIsSent(t *testing.T) {
	t.Parallel()
	sent, rarely := map[string]map[string]bool{}, map[string]map[string]bool{}
	var mu sync.Mutex
	merge := func(into, from map[string]map[string]bool) {
		mu.Lock()
		defer mu.Unlock()
		for command, needs := range from {
			if into[command] == nil {
				into[command] = map[string]bool{}
			}
			maps.Copy(into[command], needs)
		}
	}
	// Each part has an emulator of its own, so that the parts need not wait for each other.
	t.Run("parts", func(t *testing.T) {
		for name, part := range map[string]func(p *person, sent, rarely map[string]map[string]bool){
			"everywhere":     func(p *person, sent, _ map[string]map[string]bool) { useEverything(p, "", sent) },
			"in_one_group":   func(p *person, sent, _ map[string]map[string]bool) { useEverything(p, "team", sent) },
			"the_rare_cases": useRarely,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := newPerson(t)
				p.must("emulator", "start")
				itsSent, itsRare := map[string]map[string]bool{}, map[string]map[string]bool{}
				part(p, itsSent, itsRare)
				merge(sent, itsSent)
				merge(rarely, itsRare)
			})
		}
	})
	needs, err := permission.Needs()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range needs {
		if len(n.Rarely) > 0 != (n.When != "") {
			t.Errorf("%s: rarely goes with when", n.Command)
		}
		for _, a := range n.Group {
			if !sent[n.Command]["group "+a] && !sent[n.Command]["subscription "+a] {
				t.Errorf("%s does not need %s", n.Command, a)
			}
			delete(sent[n.Command], "group "+a)
			// Of what exists in groups, whole subscriptions are listed when one may.
			delete(sent[n.Command], "subscription "+a)
			delete(sent[n.Command], "subscription "+strings.Replace(a, "/resourceGroups/resources/", "/resources/", 1))
			delete(rarely[n.Command], "group "+a)
			delete(rarely[n.Command], "subscription "+a)
		}
		for _, a := range n.Subscription {
			if !sent[n.Command]["subscription "+a] {
				t.Errorf("%s does not need %s on the subscription", n.Command, a)
			}
			delete(sent[n.Command], "subscription "+a)
			delete(rarely[n.Command], "subscription "+a)
		}
		for _, a := range n.Rarely {
			if !rarely[n.Command]["group "+a] && !rarely[n.Command]["subscription "+a] {
				t.Errorf("%s does not even rarely need %s", n.Command, a)
			}
			delete(rarely[n.Command], "group "+a)
			delete(rarely[n.Command], "subscription "+a) // as above
		}
	}
	for command, c := range treeCases() {
		if name := strings.TrimPrefix(command, "azlin "); c.azure && sent[name] == nil {
			t.Errorf("%s talks to Azure, but nobody looks here at what it needs", command)
		}
	}
	for command, left := range sent {
		for need := range left {
			// Who has any right in a subscription may see that it is there.
			if !strings.HasSuffix(need, " Microsoft.Resources/subscriptions/read") {
				t.Errorf("%s needs %s, which is not in needs.yaml", command, need)
			}
		}
	}
	for command, left := range rarely {
		for need := range left {
			t.Errorf("%s rarely needs %s, which is not in needs.yaml", command, need)
		}
	}
}

// TestLeastRolesSuffice runs every command as a principal that has nothing but the two roles.
func TestLeastRolesSuffice(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.must("emulator", "start")
	dir := p.emulatorDir()
	principal := emulator.Principal{Name: "least", Secret: "not-a-secret-here", Roles: []emulator.Role{}}
	for _, role := range []struct {
		name  string
		scope string
	}{{"group", "team"}, {"subscription", ""}} {
		var least permission.Role
		out := p.must("auth", "permissions", "--role", role.name, "-g", "team")
		if err := json.Unmarshal([]byte(out), &least); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		principal.Roles = append(principal.Roles, emulator.Role{Scope: role.scope, Actions: least.Actions, NotActions: least.NotActions})
	}
	if err := emulator.PutPrincipal(t.Context(), dir, principal); err != nil {
		t.Fatal(err)
	}
	p.stdin = principal.Secret
	p.must("login", "--service-principal", "--client-id", emulator.ClientIDOf("least"), "--secret-file", "-")
	p.stdin = ""
	useEverything(p, "team", map[string]map[string]bool{})
	if out := p.must("auth", "permissions", "--lacking", "-g", "team", "-o", "json"); !strings.Contains(out, `"commands": []`) {
		t.Errorf("something is lacking: %s", out)
	}
	// And no more than that.
	if r := p.run("new", "--name", "x", "--yes", "--no-auto-connect", "-g", "elsewhere"); r.code != 3 || !strings.Contains(r.errOut, "AuthorizationFailed") {
		t.Errorf("exit code %d: %s", r.code, r.errOut)
	}
}
