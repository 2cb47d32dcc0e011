package cli_test

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/permission"
)

// actions are what has been granted so far, as "level action".
func (p *person) actions() map[string]int {
	p.t.Helper()
	st, err := emulator.Read(context.Background(), filepath.Join(p.home, ".azlin", "emulator"))
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
	p.needed("session", into, "session one work"+in, "session one"+in, "session one --clear"+in)
	p.needed("stop", into, "stop two"+in)
	p.needed("start", into, "start two"+in)
	p.needed("restart", into, "restart two"+in)
	p.needed("kill", into, "kill one --yes"+in)
	p.needed("killall", into, "killall --yes"+cmp.Or(in, " -g azlin-rg"))
	p.needed("init", into, "init --group other --region eastus --size Standard_B2s --name spare")
	p.needed("sizes", into, "sizes")
	p.needed("regions", into, "regions")
	p.needed("images", into, "images", "images Debian", "images Debian:debian-12", "images Debian:debian-12:12-gen2")
	p.needed("quota", into, "quota")
	p.needed("doctor", into, "doctor")
	p.needed("auth test", into, "auth test")
	p.needed("auth permissions", into, "auth permissions"+in)
}

// TestNeedsAreWhatIsSent holds the table of package permission against what the commands need in the
// emulator, which works out for itself what a request needs.
func TestNeedsAreWhatIsSent(t *testing.T) {
	p := newPerson(t)
	p.must("emulator", "start")
	sent, rarely := map[string]map[string]bool{}, map[string]map[string]bool{}
	useEverything(p, "", sent)
	useEverything(p, "team", sent)

	// What cannot be done twice, or not by somebody with rights in one group.
	p.must("emulator", "seed", "--vms", "1", "--group", "foreign")
	p.disown("foreign", "vm-001")
	p.needed("adopt", sent, "adopt vm-001 -g foreign")
	p.must("new", "--name", "four", "--yes", "--no-auto-connect", "-g", "doomed")
	p.needed("destroy", sent, "destroy doomed --yes")

	// The rare cases: a VM whose key is not known, and one whose key is to be learnt anew.
	p.must("emulator", "seed", "--vms", "1", "--group", "seeded")
	p.must("new", "--name", "three", "--yes", "--no-auto-connect", "-g", "team")
	for _, command := range []string{"exec", "connect"} {
		if err := os.Remove(filepath.Join(p.home, ".azlin", "known_hosts")); err != nil {
			t.Fatal(err)
		}
		p.needed(command, rarely, command+" vm-001 -g seeded -- true")
	}
	p.needed("connect", rarely, "connect three -g team --forget-host-key -- true")
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
			delete(rarely[n.Command], "group "+a)
			delete(rarely[n.Command], "subscription "+a)
		}
		for _, a := range n.Subscription {
			if !sent[n.Command]["subscription "+a] {
				t.Errorf("%s does not need %s on the subscription", n.Command, a)
			}
			delete(sent[n.Command], "subscription "+a)
		}
		for _, a := range n.Rarely {
			if !rarely[n.Command]["group "+a] {
				t.Errorf("%s does not even rarely need %s", n.Command, a)
			}
			delete(rarely[n.Command], "group "+a)
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
	p := newPerson(t)
	p.must("emulator", "start")
	dir := filepath.Join(p.home, ".azlin", "emulator")
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
