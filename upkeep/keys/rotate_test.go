package keys_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/audit"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/upkeep/keys"
	"github.com/azlin-dev/azlin/vm"
)

// TestRotationOfMany rotates three VMs, of which one is stopped and one has other keys with options, and then the stopped
// one when it runs again.
func TestRotationOfMany(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.create("one", "two", "off")
	old := l.public(l.defaultKey())
	head := "# by hand\r\n\n" + foreignLine + "\n"
	l.letIn("two", head+"no-agent-forwarding "+old+"\n# end")
	l.letIn("off", head+old+"\n")
	client := l.open(nil)
	if _, err := client.VMs.Stop(t.Context(), vm.Ref{ResourceGroup: "g", Name: "off"}, vm.PowerOptions{}); err != nil {
		t.Fatal(err)
	}
	vms := []vm.Info{l.vm(client, "off"), l.vm(client, "one"), l.vm(client, "two")}
	plan, err := client.Rotator.Plan(t.Context(), vms, "", keys.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []keys.Action{keys.Skip, keys.Replace, keys.Replace} {
		if plan.VMs[n].Action != want {
			t.Errorf("%s: %s %v", plan.VMs[n].VM.Name, plan.VMs[n].Action, plan.VMs[n].Err)
		}
	}
	if !plan.Switches || plan.New.Fingerprint != "" || plan.Resumes {
		t.Errorf("plan %+v", plan)
	}
	if _, err := os.Stat(l.path("state", "keys")); err == nil {
		t.Error("planning made files")
	}
	results, err := client.Rotator.Run(t.Context(), plan)
	if !errors.Is(err, keys.ErrVMs) || errkind.Of(err) != errkind.Partial {
		t.Fatal(err)
	}
	for n, r := range results {
		if r.Name != vms[n].Name || r.Success != (n > 0) || r.Removed != (n > 0) || !r.OldKeyBackedUp || r.BackupPath == "" || (r.ErrorMessage == "") != (n > 0) {
			t.Errorf("%+v", r)
		}
	}
	if errkind.Of(results[0].Err) != errkind.Conflict || !strings.Contains(results[0].ErrorMessage, "deallocated") {
		t.Errorf("the stopped one: %v", results[0].Err)
	}
	now := l.public(l.defaultKey())
	if got, want := l.authorized("two"), head+"no-agent-forwarding "+now+"\n# end"; got != want {
		t.Errorf("two lets in\n%s\nwant\n%s", got, want)
	}
	if got := l.authorized("one"); got != now+"\n" {
		t.Errorf("one lets in %s", got)
	}

	// The one that was off still has the old key, which is offered, too. Another key is not begun with meanwhile.
	client = l.open(nil)
	if _, err := client.VMs.Start(t.Context(), vm.Ref{ResourceGroup: "g", Name: "off"}, vm.PowerOptions{}); err != nil {
		t.Fatal(err)
	}
	vms[0] = l.vm(client, "off")
	if got := l.authorized("off"); got != head+old+"\n" {
		t.Errorf("off lets in %s", got)
	}
	other, err := keypair.GenerateKeyPair(l.path("other"), "key")
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Rotator.RotateKeysBatch(t.Context(), vms, other.Public, keys.Options{})
	if errkind.Of(err) != errkind.Conflict || !errors.Is(err, keys.ErrRotation) {
		t.Errorf("another rotation in between: %v", err)
	}
	results, err = client.Rotator.RotateKeysBatch(t.Context(), nil, "", keys.Options{})
	if err != nil || len(results) != 1 || !results[0].Success || results[0].Name != "off" {
		t.Errorf("the rest: %+v, %v", results, err)
	}
	if got := l.authorized("off"); got != head+now+"\n" {
		t.Errorf("off lets in %s", got)
	}
	l.nothingLeft()

	// The copy is the old pair; restored, it is offered, and lets in nowhere; the present one is offered besides.
	backups := client.Rotator.Backups
	copied, err := backups.Find("", "")
	if err != nil {
		t.Fatal(err)
	}
	before, err := backups.Restore(t.Context(), copied, l.defaultKey(), time.Now())
	if err != nil || blob(l.public(l.defaultKey())) != blob(old) || blob(l.public(before.Path)) != blob(now) {
		t.Errorf("restored: %+v, %v", before, err)
	}
	l.authorized("one")
	// Everything goes back to it.
	results, err = l.open(nil).Rotator.RotateKeysBatch(t.Context(), vms, l.defaultKey()+".pub", keys.Options{})
	if err != nil || len(results) != 3 || !results[0].Success || !results[1].Success || !results[2].Success {
		t.Errorf("back: %+v, %v", results, err)
	}
	if got := l.authorized("two"); got != head+"no-agent-forwarding "+old+"\n# end" {
		t.Errorf("two lets in\n%s", got)
	}
	l.nothingLeft()

	for _, info := range l.open(nil).Rotator.List(t.Context(), vms[:1], keys.Options{}) {
		if info.Err != nil || info.User != "azureuser" || len(info.Fingerprints) != 2 || info.Keys[1].Role != keys.Default || info.Keys[0].Comment != "ann@laptop" {
			t.Errorf("%+v", info)
		}
	}
	records := 0
	log, err := os.ReadFile(l.path("state", "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(log) {
		if r, err := audit.Parse(line); err == nil && r.Event == audit.Key {
			records++
		}
	}
	if records < 20 || bytes.Contains(log, []byte("PRIVATE")) {
		t.Errorf("%d changes of keys are on record", records)
	}
}

// TestRotationTakesAKeyBack sees that a key which lets nobody in is taken away again, and the old one stays.
func TestRotationTakesAKeyBack(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.create("dev")
	old := l.public(l.defaultKey())
	// The new key gets the old one's options, and there they let nobody in: an agent holds another old one.
	content := old + "\n" + foreignLine
	l.letIn("dev", content)
	dir := t.TempDir()
	pair, err := keypair.GenerateKeyPair(dir, "spare")
	if err != nil {
		t.Fatal(err)
	}
	spare := l.public(pair.Public)
	content += "\nunknown-option " + spare + "\n"
	l.letIn("dev", content)
	next, err := keypair.GenerateKeyPair(dir, "next")
	if err != nil {
		t.Fatal(err)
	}
	client := l.open(nil)
	result, err := client.Rotator.RotateKey(t.Context(), vm.Ref{ResourceGroup: "g", Name: "dev"}, next.Public, keys.Options{OldKey: pair.Private})
	if !errors.Is(err, keys.ErrRotation) || result.Success || result.Added || !strings.Contains(err.Error(), "does not let in") {
		t.Errorf("%+v, %v", result, err)
	}
	if got := l.authorized("dev"); got != content {
		t.Errorf("it lets in\n%s\nwant\n%s", got, content)
	}
	if blob(l.public(l.defaultKey())) != blob(old) {
		t.Error("the default key was switched")
	}
	l.nothingLeft()

	// A key beside the default one is replaced without a word about that one.
	l.letIn("dev", old+"\n"+spare+"\n")
	result, err = client.Rotator.RotateKey(t.Context(), vm.Ref{ResourceGroup: "g", Name: "dev"}, next.Public, keys.Options{OldKey: pair.Public, NoBackup: true})
	if err != nil || !result.Success || result.OldKeyBackedUp || result.BackupPath != "" {
		t.Errorf("%+v, %v", result, err)
	}
	if got := l.authorized("dev"); got != old+"\n"+l.public(next.Public)+"\n" {
		t.Errorf("it lets in\n%s", got)
	}
	if copies, err := client.Rotator.Backups.List(); err != nil {
		t.Error(err)
	} else {
		for _, c := range copies {
			if blob(l.public(c.Path)) == blob(spare) {
				t.Error("there is a copy of the old key")
			}
		}
	}
	l.nothingLeft()
}

// TestRotationNeedsPrivateHalves refuses before anything is changed what could not be verified.
func TestRotationNeedsPrivateHalves(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.create("dev")
	dir := t.TempDir()
	pair, err := keypair.GenerateKeyPair(dir, "next")
	if err != nil {
		t.Fatal(err)
	}
	next := l.public(pair.Public)
	private, err := os.ReadFile(pair.Private)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(pair.Private); err != nil {
		t.Fatal(err)
	}
	before := l.authorized("dev")
	client := l.open(nil)
	dev := []vm.Info{l.vm(client, "dev")}
	for name, test := range map[string]struct {
		newKey string
		o      keys.Options
		kind   errkind.Kind
	}{
		"new key without private half": {pair.Public, keys.Options{}, errkind.Invalid},
		"old key without private half": {"", keys.Options{OldKey: pair.Public}, errkind.Invalid},
		"no such new key":              {filepath.Join(dir, "none.pub"), keys.Options{}, errkind.NotFound},
		"no such old key":              {"", keys.Options{OldKey: filepath.Join(dir, "none")}, errkind.NotFound},
		"the same key":                 {l.defaultKey(), keys.Options{}, errkind.Invalid},
	} {
		if _, err := client.Rotator.RotateKeysBatch(t.Context(), dev, test.newKey, test.o); errkind.Of(err) != test.kind || !errors.Is(err, keys.ErrRotation) {
			t.Errorf("%s: %v", name, err)
		}
	}
	client.Rotator.Reach.Guard.ReadOnly = true
	if _, err := client.Rotator.RotateKeysBatch(t.Context(), dev, "", keys.Options{}); errkind.Of(err) != errkind.Permission {
		t.Errorf("read-only: %v", err)
	}
	if got := l.authorized("dev"); got != before {
		t.Errorf("it was changed to %s", got)
	}
	if result, err := client.Rotator.RotateKey(t.Context(), vm.Ref{ResourceGroup: "g", Name: "nosuch"}, "", keys.Options{}); errkind.Of(err) != errkind.NotFound || result.ErrorMessage == "" {
		t.Errorf("no such vm: %+v, %v", result, err)
	}
	l.nothingLeft()

	// With the agent the same key is fine, in place of another one that is not the default key.
	socket := serveAgent(t, private)
	client = l.open(nil)
	client.Rotator.Reach.AgentSocket = socket
	if _, err := client.Rotator.RotateKeysBatch(t.Context(), dev, pair.Public, keys.Options{}); errkind.Of(err) != errkind.Invalid || !strings.Contains(err.Error(), "default key") {
		t.Errorf("the default key needs a file: %v", err)
	}
	spare, err := keypair.GenerateKeyPair(dir, "spare")
	if err != nil {
		t.Fatal(err)
	}
	l.letIn("dev", before+l.public(spare.Public)+"\n")
	result, err := client.Rotator.RotateKey(t.Context(), vm.Ref{ResourceGroup: "g", Name: "dev"}, pair.Public, keys.Options{OldKey: spare.Private})
	if err != nil || !result.Success {
		t.Fatalf("%+v, %v", result, err)
	}
	if got := l.authorized("dev"); got != before+next+"\n" {
		t.Errorf("it lets in %s", got)
	}
	l.nothingLeft()

	// A VM that lets nobody of this machine in.
	l.letIn("dev", foreignLine+"\n")
	client = l.open(nil)
	result, err = client.Rotator.RotateKey(t.Context(), vm.Ref{ResourceGroup: "g", Name: "dev"}, "", keys.Options{})
	if errkind.Of(err) != errkind.Permission || result.Success || !strings.Contains(err.Error(), "for user azureuser") {
		t.Errorf("%+v, %v", result, err)
	}
	l.nothingLeft()
}

// TestKeyWithAPassphrase becomes the default key when an agent holds it, and is one that is rotated again.
func TestKeyWithAPassphrase(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.create("dev")
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	open, err := ssh.MarshalPrivateKey(private, "locked")
	if err != nil {
		t.Fatal(err)
	}
	locked, err := ssh.MarshalPrivateKeyWithPassphrase(private, "locked", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, pem.EncodeToMemory(locked), 0o600); err != nil {
		t.Fatal(err)
	}
	client := l.open(nil)
	dev := []vm.Info{l.vm(client, "dev")}
	if _, err := client.Rotator.RotateKeysBatch(t.Context(), dev, path, keys.Options{}); errkind.Of(err) != errkind.Invalid {
		t.Errorf("without an agent: %v", err)
	}
	socket := serveAgent(t, pem.EncodeToMemory(open))
	client.Rotator.Reach.AgentSocket = socket
	result, err := client.Rotator.RotateKey(t.Context(), vm.Ref{ResourceGroup: "g", Name: "dev"}, path, keys.Options{})
	if err != nil || !result.Success || !result.Removed {
		t.Fatalf("%+v, %v", result, err)
	}
	now, err := keys.Public(l.defaultKey())
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(l.defaultKey()); err != nil || !bytes.Equal(data, pem.EncodeToMemory(locked)) {
		t.Errorf("the default key is not the locked one: %v", err)
	}
	// The next one is signed in for by the agent, too.
	client = l.open(nil)
	client.Rotator.Reach.AgentSocket = socket
	result, err = client.Rotator.RotateKey(t.Context(), vm.Ref{ResourceGroup: "g", Name: "dev"}, "", keys.Options{})
	if err != nil || !result.Success || !result.Removed {
		t.Fatalf("%+v, %v", result, err)
	}
	if got := l.authorized("dev"); strings.Contains(got, blob(now.Line)) || got != l.public(l.defaultKey())+"\n" {
		t.Errorf("it lets in %s", got)
	}
	l.nothingLeft()
}

// TestHalfASwitch goes on where the private half of the default key is new and the public one old.
func TestHalfASwitch(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.create("dev")
	client := l.open(nil)
	dev := []vm.Info{l.vm(client, "dev")}
	old, err := os.ReadFile(l.defaultKey() + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Rotator.RotateKeysBatch(t.Context(), dev, "", keys.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.defaultKey()+".pub", old, 0o600); err != nil {
		t.Fatal(err)
	}
	before := l.authorized("dev")
	if _, err := l.open(nil).Rotator.RotateKeysBatch(t.Context(), dev, "", keys.Options{}); err != nil {
		t.Fatal(err)
	}
	if got := l.authorized("dev"); got == before || got != l.public(l.defaultKey())+"\n" || strings.Count(got, "\n") != 1 {
		t.Errorf("it lets in %s", got)
	}
	l.nothingLeft()
	h, err := client.Hosts.Host(t.Context(), dev[0], reach.Options{KeyPath: l.defaultKey()})
	if err != nil || !remote.TestConnection(t.Context(), h, 0) {
		t.Error(err)
	}
}

// serveAgent is an agent that holds one key.
func serveAgent(t *testing.T, private []byte) (socket string) {
	t.Helper()
	key, err := ssh.ParseRawPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "agent") //nolint:usetesting // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = agent.ServeAgent(ring, conn) // until the other side has enough
				_ = conn.Close()
			}()
		}
	}()
	return socket
}
