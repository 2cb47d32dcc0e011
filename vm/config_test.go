package vm_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/vm"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	if err := config("dev").Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*vm.Config){
		"no name":            func(c *vm.Config) { c.Name = "" },
		"long name":          func(c *vm.Config) { c.Name = strings.Repeat("x", 55) },
		"name with dot":      func(c *vm.Config) { c.Name = "a.b" },
		"name ends in -":     func(c *vm.Config) { c.Name = "a-" },
		"session with space": func(c *vm.Config) { c.SessionName = "a b" },
		"no group":           func(c *vm.Config) { c.ResourceGroup = "" },
		"group with slash":   func(c *vm.Config) { c.ResourceGroup = "a/b" },
		"no region":          func(c *vm.Config) { c.Region = "" },
		"no size":            func(c *vm.Config) { c.Size = "" },
		"root":               func(c *vm.Config) { c.AdminUsername = "root" },
		"upper-case user":    func(c *vm.Config) { c.AdminUsername = "Ann" },
		"user with a digit":  func(c *vm.Config) { c.AdminUsername = "1ann" },
		"ecdsa key":          func(c *vm.Config) { c.SSHPublicKeys = []string{"ecdsa-sha2-nistp256 AAAA x"} },
		"damaged key":        func(c *vm.Config) { c.SSHPublicKeys = []string{"ssh-ed25519 A!A"} },
		"two keys in one":    func(c *vm.Config) { c.SSHPublicKeys = []string{key + "\n" + key} },
		"private key":        func(c *vm.Config) { c.SSHPublicKeys = []string{"-----BEGIN OPENSSH PRIVATE KEY-----"} },
		"custom data":        func(c *vm.Config) { c.CustomData = make([]byte, 65536) },
		"OS disk":            func(c *vm.Config) { c.OSDiskSizeGB = 5000 },
		"data disk":          func(c *vm.Config) { c.DataDisks = []vm.DataDisk{{}} },
		"zone":               func(c *vm.Config) { c.Zone = "4" },
		"no sources":         func(c *vm.Config) { c.SSHSources = nil },
		"invalid source":     func(c *vm.Config) { c.SSHSources = []netip.Prefix{{}} },
		"port":               func(c *vm.Config) { c.SSHPort = 70000 },
		"rule":               func(c *vm.Config) { c.SSHRule = "default-allow-ssh" },
		"subnet":             func(c *vm.Config) { c.SubnetID = "/subscriptions/s" },
		"operation":          func(c *vm.Config) { c.OperationID = "a:b" },
		"reserved tag":       func(c *vm.Config) { c.Tags = map[string]string{"azure-x": "y"} },
		"azlin's tag":        func(c *vm.Config) { c.Tags = map[string]string{"Azlin-Op": "y"} },
		"managed-by":         func(c *vm.Config) { c.Tags = map[string]string{"managed-by": "me"} },
		"identity":           func(c *vm.Config) { c.Identity = "mine" },
		"identity of a VM": func(c *vm.Config) {
			c.Identity = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/x"
		},
		"long owner": func(c *vm.Config) { c.Owner = strings.Repeat("x", 300) },
	} {
		c := config("dev")
		change(&c)
		if err := c.Validate(); errkind.Of(err) != errkind.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	if got := vm.NewName("", now); got != "azlin-vm-1700000000" {
		t.Error(got)
	}
	if got := vm.NewName("worker", now); got != "worker-1700000000" {
		t.Error(got)
	}
	n := vm.NamesOf("a")
	if n != (vm.Names{VM: "a", NIC: "a-nic", PublicIP: "a-ip", NSG: "a-nsg", OSDisk: "a-os"}) || n.DataDisk(2) != "a-data-2" {
		t.Errorf("%+v", n)
	}
	if network.SSHRuleName("ann") == network.SSHRuleName("bob") || !strings.HasPrefix(network.SSHRuleName("ann"), network.SSHRulePrefix) {
		t.Error("rule names")
	}
}

func FuzzValidateName(f *testing.F) {
	f.Add("a-b")
	f.Add("-")
	f.Fuzz(func(t *testing.T, name string) {
		if vm.ValidateName(name) != nil {
			return
		}
		if len(name) > 54 || strings.Trim(name, "-") != name || strings.ContainsFunc(name, func(r rune) bool { return r > 0x7f || r == '/' || r == ' ' }) {
			t.Errorf("%q was taken", name)
		}
	})
}
