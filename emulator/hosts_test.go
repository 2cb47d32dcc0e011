package emulator_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/test/wait"
)

// reach tries to sign in to a VM; what names how far it got.
func reach(ctx context.Context, addr string, port int, signer ssh.Signer, within time.Duration) (out string, err error) {
	d := net.Dialer{Timeout: within}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(addr, fmt.Sprint(port)))
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(max(within, 5*time.Second))); err != nil {
		return "", err
	}
	// The test looks at who is let in, not at who the host is.
	c, chans, reqs, err := ssh.NewClientConn(conn, addr, &ssh.ClientConfig{
		User: "azureuser", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: func(string, net.Addr, ssh.PublicKey) error { return nil },
	})
	if err != nil {
		return "", err
	}
	client := ssh.NewClient(c, chans, reqs)
	defer func() { _ = client.Close() }()
	s, err := client.NewSession()
	if err != nil {
		return "", err
	}
	raw, err := s.Output("hostname")
	return strings.TrimSpace(string(raw)), err
}

// TestHosts sees that the VMs' hosts follow the resources.
func TestHosts(t *testing.T) {
	t.Parallel()
	rt, err := host.Open(host.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rt.Close() })
	if err := rt.Available(); err != nil {
		t.Skipf("VMs do not boot here: %v", err)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	authorized := string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	l := newLab(t, emulator.Options{Hosts: rt, OperatorIP: netip.MustParseAddr("203.0.113.10")})
	ctx := t.Context()
	l.network()
	nic, pip := l.nic("box")
	addr := *pip.Properties.IPAddress
	body := spec("box", *nic.ID)
	body.Properties.OSProfile.LinuxConfiguration.SSH.PublicKeys[0].KeyData = &authorized
	finish[armcompute.VirtualMachinesClientCreateOrUpdateResponse](l)(l.vms.BeginCreateOrUpdate(ctx, group, "box", body, nil))
	in := func() error { _, err := reach(ctx, addr, rt.Port(), signer, 400*time.Millisecond); return err }
	if name, err := reach(ctx, addr, rt.Port(), signer, 2*time.Second); err != nil || name != "box" {
		t.Fatalf("after creation: %q %v", name, err)
	}

	// A rule that does not admit the operator closes the VM by the time it is answered.
	finish[armnetwork.SecurityRulesClientCreateOrUpdateResponse](l)(l.rules.BeginCreateOrUpdate(ctx, group, "nsg", "ssh", *sshRule("ssh", 1000, "198.51.100.1/32"), nil))
	if err := in(); err == nil {
		t.Error("the VM lets in whom its rules do not admit")
	}
	finish[armnetwork.SecurityRulesClientCreateOrUpdateResponse](l)(l.rules.BeginCreateOrUpdate(ctx, group, "nsg", "ssh", *sshRule("ssh", 1000, "203.0.113.0/24"), nil))
	if err := in(); err != nil {
		t.Errorf("admitted again: %v", err)
	}

	out := finish[armcompute.VirtualMachinesClientRunCommandResponse](l)(l.vms.BeginRunCommand(ctx, group, "box", armcompute.RunCommandInput{
		CommandID: new("RunShellScript"),
		Script:    []*string{new("echo seen by $(hostname)"), new("echo oops >&2")},
	}, nil))
	if m := *out.Value[0].Message; !strings.Contains(m, "[stdout]\nseen by box") || !strings.Contains(m, "[stderr]\noops") {
		t.Errorf("Run Command: %q", m)
	}

	logs, err := l.vms.RetrieveBootDiagnosticsData(ctx, group, "box", nil)
	if err != nil {
		t.Fatal(err)
	}
	if text := fetch(t, l.e.Client(), *logs.SerialConsoleLogBlobURI); !strings.Contains(text, "ssh-ed25519") {
		t.Errorf("serial log without a host key: %.300s", text)
	}

	finish[armcompute.VirtualMachinesClientDeallocateResponse](l)(l.vms.BeginDeallocate(ctx, group, "box", nil))
	if err := in(); err == nil {
		t.Error("a deallocated VM answers")
	}
	finish[armcompute.VirtualMachinesClientStartResponse](l)(l.vms.BeginStart(ctx, group, "box", nil))
	if err := in(); err != nil {
		t.Errorf("after start: %v", err)
	}

	if err := l.e.Seed(emulator.SeedOptions{VMs: 3, Keys: []string{authorized}}); err != nil {
		t.Fatal(err)
	}
	ips, err := l.ips.Get(ctx, "fleet", "vm-002-ip", nil)
	if err != nil {
		t.Fatal(err)
	}
	if name, err := reach(ctx, *ips.Properties.IPAddress, rt.Port(), signer, 2*time.Second); err != nil || name != "vm-002" {
		t.Errorf("seeded VM: %q %v", name, err)
	}

	finish[armcompute.VirtualMachinesClientDeleteResponse](l)(l.vms.BeginDelete(ctx, group, "box", nil))
	wait.Until(t, "the host of a deleted VM is gone", func() bool {
		for _, h := range rt.Hosts() {
			if strings.HasSuffix(h.ID, "/box") {
				return false
			}
		}
		return true
	})
}

func fetch(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s %v", url, resp.StatusCode, data, err)
	}
	return string(data)
}
