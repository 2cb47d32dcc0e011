package provision_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	if err := config("dev").Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*provision.Config){
		"no name":            func(c *provision.Config) { c.Name = "" },
		"long name":          func(c *provision.Config) { c.Name = strings.Repeat("x", 55) },
		"name with dot":      func(c *provision.Config) { c.Name = "a.b" },
		"name ends in -":     func(c *provision.Config) { c.Name = "a-" },
		"session with space": func(c *provision.Config) { c.SessionName = "a b" },
		"no group":           func(c *provision.Config) { c.ResourceGroup = "" },
		"group with slash":   func(c *provision.Config) { c.ResourceGroup = "a/b" },
		"no region":          func(c *provision.Config) { c.Region = "" },
		"no size":            func(c *provision.Config) { c.Size = "" },
		"root":               func(c *provision.Config) { c.AdminUsername = "root" },
		"upper-case user":    func(c *provision.Config) { c.AdminUsername = "Ann" },
		"user with a digit":  func(c *provision.Config) { c.AdminUsername = "1ann" },
		"ecdsa key":          func(c *provision.Config) { c.SSHPublicKeys = []string{"ecdsa-sha2-nistp256 AAAA x"} },
		"damaged key":        func(c *provision.Config) { c.SSHPublicKeys = []string{"ssh-ed25519 A!A"} },
		"two keys in one":    func(c *provision.Config) { c.SSHPublicKeys = []string{key + "\n" + key} },
		"private key":        func(c *provision.Config) { c.SSHPublicKeys = []string{"-----BEGIN OPENSSH PRIVATE KEY-----"} },
		"custom data":        func(c *provision.Config) { c.CustomData = make([]byte, 65536) },
		"OS disk":            func(c *provision.Config) { c.OSDiskSizeGB = 5000 },
		"data disk":          func(c *provision.Config) { c.DataDisks = []provision.DataDisk{{}} },
		"zone":               func(c *provision.Config) { c.Zone = "4" },
		"no sources":         func(c *provision.Config) { c.SSHSources = nil },
		"invalid source":     func(c *provision.Config) { c.SSHSources = []netip.Prefix{{}} },
		"port":               func(c *provision.Config) { c.SSHPort = 70000 },
		"rule":               func(c *provision.Config) { c.SSHRule = "default-allow-ssh" },
		"subnet":             func(c *provision.Config) { c.SubnetID = "/subscriptions/s" },
		"operation":          func(c *provision.Config) { c.OperationID = "a:b" },
		"reserved tag":       func(c *provision.Config) { c.Tags = map[string]string{"azure-x": "y"} },
		"azlin's tag":        func(c *provision.Config) { c.Tags = map[string]string{"Azlin-Op": "y"} },
		"managed-by":         func(c *provision.Config) { c.Tags = map[string]string{"managed-by": "me"} },
		"identity":           func(c *provision.Config) { c.Identity = "mine" },
		"identity of a VM": func(c *provision.Config) {
			c.Identity = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/x"
		},
		"long owner": func(c *provision.Config) { c.Owner = strings.Repeat("x", 300) },
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
