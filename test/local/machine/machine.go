// Package machine is one booted VM for tests of SSH: a host of the emulator without an Azure around it.
package machine

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/remote/knownhosts"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/vm/cloudinit"
)

// Machine is a VM that runs, and what azlin knows of it.
type Machine struct {
	remote.Host // with the key of its user, and its own key

	Runtime *host.Runtime
	Spec    host.Machine
	Known   knownhosts.File // its key is pinned

	t *testing.T
}

// started numbers the VMs of this process, for addresses that no other test of it uses.
var started atomic.Uint32

// Boot starts a VM whose host key was made beforehand, as a launch does it. Its document may be changed.
func Boot(t *testing.T, change ...func(*cloudinit.Config)) *Machine {
	t.Helper()
	dir := t.TempDir()
	runtime := local.Hosts(t, host.Options{})
	pair, err := keypair.GenerateKeyPair(filepath.Join(dir, "ssh"), "")
	if err != nil {
		t.Fatal(err)
	}
	public, err := keypair.PublicKeyContent(pair.Public)
	if err != nil {
		t.Fatal(err)
	}
	key, own := HostKey(t)
	config := cloudinit.Config{HostKeyPrivate: own.Private, HostKeyPublic: own.Public, Tools: []string{}}
	for _, f := range change {
		f(&config)
	}
	document, err := cloudinit.Render(config)
	if err != nil {
		t.Fatal(err)
	}
	n := started.Add(1)
	m := &Machine{t: t, Runtime: runtime, Known: knownhosts.File{Path: filepath.Join(dir, "known_hosts")}}
	m.Spec = host.Machine{
		ID: fmt.Sprintf("/vm/%d", n), VMID: fmt.Sprintf("id-%d-%d", os.Getpid(), n), Hostname: "dev", AdminUser: "azureuser",
		AdminKeys: []string{public}, CustomData: document, Admitted: true,
		Addresses: []netip.Addr{netip.AddrFrom4([4]byte{127, 78, byte(os.Getpid()), byte(n)})},
	}
	m.Host = remote.Host{
		Name: "dev", VMID: m.Spec.VMID, Address: m.Spec.Addresses[0].String(), Port: runtime.Port(), KeyPath: pair.Private, HostKey: key,
	}
	if err := m.Known.Pin(t.Context(), m.VMID, key); err != nil {
		t.Fatal(err)
	}
	if err := runtime.Start(t.Context(), m.Spec); err != nil {
		t.Fatal(err)
	}
	return m
}

// Dial connects, until the end of the test.
func (m *Machine) Dial() *remote.Client {
	m.t.Helper()
	c, err := remote.WaitForSSH(m.t.Context(), m.Host, 0, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = c.Close() }) // the VM may have gone before
	return c
}

// Suffer gives the VM a fault, and nothing else.
func (m *Machine) Suffer(r fault.Rule) *fault.Set {
	m.t.Helper()
	set := &fault.Set{}
	if _, err := set.Add(r); err != nil {
		m.t.Fatal(err)
	}
	m.Runtime.SetFaults(set.OnSSH)
	return set
}

// Stop takes the VM down.
func (m *Machine) Stop() {
	m.t.Helper()
	if err := m.Runtime.Stop(m.t.Context(), m.Spec.ID); err != nil {
		m.t.Fatal(err)
	}
}

// HostKey makes the key of a host.
func HostKey(t *testing.T) (ssh.PublicKey, keypair.HostKey) {
	t.Helper()
	both, err := keypair.NewHostKey()
	if err != nil {
		t.Fatal(err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(both.Public))
	if err != nil {
		t.Fatal(err)
	}
	return key, both
}
