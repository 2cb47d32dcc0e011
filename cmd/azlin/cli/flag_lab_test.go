package cli_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/test/local"
)

// prepare makes what the cases work on: a VM dev that runs, a VM off that is stopped, a VM foreign in group
// team that azlin did not create, a second key and a git repository.
func (p *person) prepare() {
	p.t.Helper()
	p.must("emulator", "start")
	p.must("new", "--name", "dev", "--yes", "--no-auto-connect")
	p.must("new", "--name", "off", "--yes", "--no-auto-connect")
	p.must("stop", "off")
	p.must("emulator", "seed", "--vms", "1", "--group", "team")
	p.disown("team", "vm-001")
	if _, err := keypair.GenerateKeyPair(filepath.Join(p.home, "other"), "key"); err != nil {
		p.t.Fatal(err)
	}
	for name, content := range map[string]string{
		"setup.sh": "id -un > /var/tmp/startup\n", "bad.sh": "exit 3\n",
		"extra.yaml": "#cloud-config\nwrite_files:\n  - {path: /etc/extra, content: from the operator}\n",
	} {
		if err := os.WriteFile(filepath.Join(p.home, name), []byte(content), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	project := filepath.Join(p.home, "project")
	for _, args := range [][]string{
		{"init", "-q", "-b", "trunk", project},
		{"-C", project, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "--allow-empty", "-m", "first"},
		{"-C", project, "branch", "feature"},
	} {
		if out, err := exec.CommandContext(p.t.Context(), "git", args...).CombinedOutput(); err != nil {
			p.t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
}

// unused is an address that nobody listens at: the kernel chooses it.
func unused() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err) // without loopback no test works
	}
	defer func() { _ = l.Close() }() // nobody has come
	return l.Addr().String()
}

// someID is a UUID that nothing has.
const someID = "00000000-1111-2222-3333-444444444444"

// contextCase creates or changes a context and looks at it.
func contextCase(verb, flag, want string) flagCase {
	c := flagCase{without: words("context " + verb + " c"), with: words(flag), before: words("context list"), probe: words("context show c -o json"), want: want}
	if verb == "set" {
		c.without = words("context set c -g g")
		c.before = words("context create c")
	}
	return c
}

// disown takes the sign that a VM is azlin's from it, as if somebody else had made it.
func (p *person) disown(group, name string) {
	p.t.Helper()
	door, status := p.door()
	id := azure.NewID(status.SubscriptionID, group, "Microsoft.Compute", "virtualMachines", name).String()
	if err := door.DeleteTags(p.t.Context(), id, azure.TagManagedBy); err != nil {
		p.t.Fatal(err)
	}
}

// door is the Azure of the person's emulator, and who serves it.
func (p *person) door() (*azure.Client, emulator.Status) {
	p.t.Helper()
	status, err := emulator.Read(p.t.Context(), p.emulatorDir())
	if err != nil {
		p.t.Fatal(err)
	}
	door, err := local.DoorOf(status)
	if err != nil {
		p.t.Fatal(err)
	}
	return door, status
}
