package emulator_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/test/wait"
)

// TestHostsComeBack sees that after a restart running VMs boot when somebody connects, and that
// deallocated ones stay silent until they are started.
func TestHostsComeBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	open := func() (*lab, *host.Runtime) {
		rt, err := host.Open(host.Options{Dir: filepath.Join(dir, "hosts")})
		if err != nil {
			t.Fatal(err)
		}
		if err := rt.Available(); err != nil {
			_ = rt.Close()
			t.Skipf("VMs do not boot here: %v", err)
		}
		e, err := emulator.New(emulator.Options{Dir: dir, Hosts: rt})
		if err != nil {
			t.Fatal(err)
		}
		return connect(t, e, "https://management.azure.com", e.Client(), e.Identity()), rt
	}
	shut := func(l *lab, rt *host.Runtime) {
		if err := l.e.Close(); err != nil {
			t.Error(err)
		}
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	}
	l, rt := open()
	err = l.e.Seed(emulator.SeedOptions{VMs: 2, Stopped: 1, Keys: []string{string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(signer.PublicKey())))}})
	if err != nil {
		t.Fatal(err)
	}
	address := func(name string) string {
		ip, err := l.ips.Get(t.Context(), "fleet", name+"-ip", nil)
		if err != nil {
			t.Fatal(err)
		}
		return *ip.Properties.IPAddress
	}
	up, down := address("vm-001"), address("vm-002")
	for range 2 {
		if name, err := reach(t.Context(), up, rt.Port(), signer, 3*time.Second); err != nil || name != "vm-001" {
			t.Errorf("the running VM: %q %v", name, err)
		}
		var timeout net.Error
		if _, err := reach(t.Context(), down, rt.Port(), signer, 300*time.Millisecond); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("the deallocated VM does not let a connection time out: %v", err)
		}
		shut(l, rt)
		l, rt = open()
	}
	if _, err := l.vms.BeginStart(t.Context(), "fleet", "vm-002", nil); err != nil {
		t.Fatal(err)
	}
	wait.Until(t, "the started VM answers", func() bool {
		name, err := reach(t.Context(), down, rt.Port(), signer, time.Second)
		return err == nil && name == "vm-002"
	})
	shut(l, rt)
}
