//go:build linux

package bastion_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/test/local"
)

// serveEnv makes this test binary the daemon that the clients talk to.
const serveEnv = "BASTION_TEST_SERVE"

func TestMain(m *testing.M) {
	emulator.HostMain()
	if dir, ok := os.LookupEnv(serveEnv); ok {
		if err := emulator.Serve(context.Background(), emulator.ServeOptions{Dir: dir, Log: os.Stderr}); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// python is Debian's, whose packages the client is written for: not one that somebody has put before it on the PATH.
const python = "/usr/bin/python3"

// world is an emulator with a private VM and Bastions.
type world struct {
	*testing.T
	emulator.Status
	dir   string
	azure *azure.Client
	token string // file
}

func open(t *testing.T) *world {
	t.Helper()
	if err := exec.CommandContext(t.Context(), python, "-c", "import requests, websocket").Run(); err != nil {
		t.Skip("python3-requests and python3-websocket are not installed")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	st, err := emulator.Start(ctx, emulator.StartOptions{Dir: state, Command: []string{"env", serveEnv + "=" + state, exe}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = emulator.Stop(context.Background(), state) }) // the directory goes next
	if st.HostsNote != "" {
		t.Skipf("VMs do not boot here: %s", st.HostsNote)
	}
	c, err := local.DoorOf(st)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, Status: st, dir: dir, azure: c}
	token, err := c.AccessToken(ctx)
	if err != nil {
		t.Fatal(err)
	}
	w.token = w.file("token", []byte(token))
	return w
}

// file writes a secret file.
func (w *world) file(name string, data []byte) string {
	w.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		w.Fatal(err)
	}
	return path
}

func (w *world) id(kind string) string {
	return "/subscriptions/" + w.SubscriptionID + "/resourceGroups/rg/providers/" + kind
}

// put makes a resource and returns its properties.
func (w *world) put(path, version string, body map[string]any) map[string]any {
	w.Helper()
	raw, err := w.azure.DoOperation(w.Context(), "PUT", path, version, body, nil)
	if err != nil {
		w.Fatalf("put %s: %v", path, err)
	}
	var out struct {
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		w.Fatal(err)
	}
	return out.Properties
}

const networkVersion, computeVersion = "2024-05-01", "2024-07-01"

type object = map[string]any

func (w *world) vnet(name, net string) string {
	id := w.id("Microsoft.Network/virtualNetworks/" + name)
	subnet := func(name, prefix string) object {
		return object{"name": name, "properties": object{"addressPrefix": prefix}}
	}
	w.put(id, networkVersion, object{"location": "westus2", "properties": object{
		"addressSpace": object{"addressPrefixes": []string{net + ".0.0/16"}},
		"subnets":      []object{subnet("vms", net+".0.0/24"), subnet("AzureBastionSubnet", net+".1.0/26")},
	}})
	return id
}

// bastion makes one and returns its name.
func (w *world) bastion(name, vnet, sku string, tunneling bool) string {
	ip := w.id("Microsoft.Network/publicIPAddresses/" + name)
	w.put(ip, networkVersion, object{"location": "westus2", "sku": object{"name": "Standard"}, "properties": object{"publicIPAllocationMethod": "Static"}})
	props := w.put(w.id("Microsoft.Network/bastionHosts/"+name), networkVersion, object{
		"location": "westus2", "sku": object{"name": sku}, "properties": object{
			"enableTunneling": tunneling, "ipConfigurations": []object{{"name": "c", "properties": object{
				"subnet": object{"id": vnet + "/subnets/AzureBastionSubnet"}, "publicIPAddress": object{"id": ip},
			}}},
		},
	})
	return props["dnsName"].(string)
}

// vm makes a private one whose host key is known.
func (w *world) vm(name, vnet, user string, hostKey ssh.Signer, hostPEM []byte) string {
	nic := w.id("Microsoft.Network/networkInterfaces/" + name)
	w.put(nic, networkVersion, object{"location": "westus2", "properties": object{
		"ipConfigurations": []object{{"name": "c", "properties": object{"subnet": object{"id": vnet + "/subnets/vms"}}}},
	}})
	public := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(hostKey.PublicKey())))
	data := "#cloud-config\nssh_keys:\n  ed25519_private: |\n    " + strings.ReplaceAll(strings.TrimSpace(string(hostPEM)), "\n", "\n    ") +
		"\n  ed25519_public: " + public + "\n"
	id := w.id("Microsoft.Compute/virtualMachines/" + name)
	w.put(id, computeVersion, object{"location": "westus2", "properties": object{
		"hardwareProfile": object{"vmSize": "Standard_D2s_v5"},
		"storageProfile": object{
			"imageReference": object{"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"},
			"osDisk":         object{"createOption": "FromImage"},
		},
		"osProfile": object{
			"computerName": name, "adminUsername": "azureuser", "customData": base64.StdEncoding.EncodeToString([]byte(data)),
			"linuxConfiguration": object{"disablePasswordAuthentication": true, "ssh": object{"publicKeys": []object{
				{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": user},
			}}},
		},
		"networkProfile": object{"networkInterfaces": []object{{"id": nic}}},
	}})
	return id
}

func newKey(t *testing.T) (ssh.Signer, []byte) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	return signer, pem.EncodeToMemory(block)
}

// TestPythonClient reaches a private VM through the Bastion with a client that is not ours.
func TestPythonClient(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.put("/subscriptions/"+w.SubscriptionID+"/resourcegroups/rg", "2021-04-01", object{"location": "westus2"})
	vnet, other, third := w.vnet("net", "10.1"), w.vnet("other", "10.2"), w.vnet("third", "10.3")
	host, hostPEM := newKey(t)
	user, userPEM := newKey(t)
	vm := w.vm("box", vnet, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(user.PublicKey()))), host, hostPEM)
	for _, h := range w.status().Hosts {
		if len(h.Addresses) > 0 {
			t.Errorf("the private VM listens at %v", h.Addresses)
		}
	}
	dns := w.bastion("hub", vnet, "Standard", true)

	script, err := filepath.Abs("tunnel.py")
	if err != nil {
		t.Fatal(err)
	}
	tunnel := func(dns string, more ...string) []string {
		return append([]string{python, script, "--bastion", dns, "--resource", vm, "--ca", w.CAFile, "--token-file", w.token}, more...)
	}
	options := []string{
		"-F", "none", "-i", w.file("key", userPEM), "-o", "IdentitiesOnly=yes", "-o", "HostKeyAlias=box", "-o", "StrictHostKeyChecking=yes",
		"-o", "UserKnownHostsFile=" + w.file("known_hosts", append([]byte("box "), ssh.MarshalAuthorizedKey(host.PublicKey())...)),
		"-o", "ProxyCommand=" + strings.Join(tunnel(dns), " "),
	}
	run := func(program string, args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		cmd := exec.CommandContext(t.Context(), program, append(append([]string{}, options...), args...)...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s %q: %v\n%s", program, args, err, stderr.String())
		}
		return strings.TrimSpace(stdout.String())
	}
	if got := run("ssh", "azureuser@box", "hostname; echo ${SSH_CLIENT%% *}"); got != "box\n10.1.1.4" {
		t.Errorf("ssh through the tunnel: %q", got)
	}

	data := make([]byte, 64<<20)
	_, _ = rand.Read(data) // does not fail
	sum := sha256.Sum256(data)
	file := w.file("big", data)
	began := time.Now()
	run("scp", file, "azureuser@box:big")
	up := time.Since(began)
	if got, _, _ := strings.Cut(run("ssh", "azureuser@box", "sha256sum big"), " "); got != hex.EncodeToString(sum[:]) {
		t.Errorf("the copy has the checksum %s", got)
	}
	began = time.Now()
	run("scp", "azureuser@box:big", filepath.Join(w.dir, "back"))
	t.Logf("64 MiB: %.1f s up, %.1f s down", up.Seconds(), time.Since(began).Seconds())
	back, err := os.ReadFile(filepath.Join(w.dir, "back"))
	if err != nil || sha256.Sum256(back) != sum {
		t.Errorf("what came back is not what went: %d bytes, %v", len(back), err)
	}

	w.refusals(tunnel, dns, w.bastion("basic", other, "Basic", false), w.bastion("closed", third, "Standard", false))
}

func (w *world) refusals(tunnel func(dns string, more ...string) []string, dns, basic, closed string) {
	const refused, notReached = 3, 4
	foreign := w.file("foreign", []byte("eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJodHRwczovL21hbmFnZW1lbnQuYXp1cmUuY29tIn0.x"))
	for name, test := range map[string]struct {
		argv []string
		code int
		says string
	}{
		"a wrong token":              {tunnel(dns, "--token-file", foreign), refused, "status 401"},
		"no token":                   {tunnel(dns, "--token-file", os.DevNull), refused, "status 401"},
		"a wrong node":               {tunnel(dns, "--node", "0123456789abcdef"), refused, "404"},
		"a wrong websocket token":    {tunnel(dns, "--websocket-token", "nonsense"), refused, "401"},
		"a Basic SKU":                {tunnel(basic), refused, "Standard SKU"},
		"enableTunneling=false":      {tunnel(closed), refused, "not enabled"},
		"a VM that does not exist":   {tunnel(dns, "--resource", w.id("Microsoft.Compute/virtualMachines/nosuch")), refused, "status 404"},
		"a port out of range":        {tunnel(dns, "--port", "70000"), refused, "status 400"},
		"a port without a listener":  {tunnel(dns, "--port", "8080"), notReached, "not reached"},
		"IP-connect that is off":     {tunnel(dns, "--hostname", "10.1.0.4"), refused, "not enabled"},
		"Azure Resource Manager":     {tunnel(strings.TrimPrefix(w.Endpoint, "https://")), refused, "status 4"},
		"a token that is used again": {tunnel(dns, "--twice", "--port", "8080"), notReached, "not reached"},
	} {
		w.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			cmd := exec.CommandContext(t.Context(), test.argv[0], test.argv[1:]...)
			cmd.Stderr = &stderr
			_ = cmd.Run() // the exit code is looked at
			if code := cmd.ProcessState.ExitCode(); code != test.code || !strings.Contains(stderr.String(), test.says) {
				t.Errorf("exit code %d, want %d; it should say %q:\n%s", code, test.code, test.says, stderr.String())
			}
		})
	}
}

func (w *world) status() emulator.Status {
	w.Helper()
	st, err := emulator.Read(w.Context(), filepath.Join(w.dir, "state"))
	if err != nil {
		w.Fatal(fmt.Errorf("status: %w", err))
	}
	return st
}
