package bastion_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"net"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/test/local"
)

func newSigner(t testing.TB) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// privateVM makes a VM without a public address in the subnet of a network, and returns its id and address.
func (l *lab) privateVM(name, vnet string, key ssh.PublicKey) (id, address string) {
	l.Helper()
	ctx := l.Context()
	nic := must[armnetwork.InterfacesClientCreateOrUpdateResponse](l)(l.azure.NICs().BeginCreateOrUpdate(ctx, group, name+"-nic", armnetwork.Interface{
		Location: new(region), Properties: &armnetwork.InterfacePropertiesFormat{
			IPConfigurations: []*armnetwork.InterfaceIPConfiguration{{Name: new("c"), Properties: &armnetwork.InterfaceIPConfigurationPropertiesFormat{
				Subnet: &armnetwork.Subnet{ID: new(vnet + "/subnets/vms")},
			}}},
		},
	}, nil))
	vm := must[armcompute.VirtualMachinesClientCreateOrUpdateResponse](l)(l.azure.VMs().BeginCreateOrUpdate(ctx, group, name, armcompute.VirtualMachine{
		Location: new(region), Properties: &armcompute.VirtualMachineProperties{
			HardwareProfile: &armcompute.HardwareProfile{VMSize: new(armcompute.VirtualMachineSizeTypes("Standard_D2s_v5"))},
			StorageProfile: &armcompute.StorageProfile{
				ImageReference: &armcompute.ImageReference{Publisher: new("Canonical"), Offer: new("ubuntu-24_04-lts"), SKU: new("server"), Version: new("latest")},
				OSDisk:         &armcompute.OSDisk{CreateOption: new(armcompute.DiskCreateOptionTypesFromImage)},
			},
			OSProfile: &armcompute.OSProfile{
				ComputerName: new(name), AdminUsername: new("azureuser"),
				LinuxConfiguration: &armcompute.LinuxConfiguration{
					DisablePasswordAuthentication: new(true),
					SSH: &armcompute.SSHConfiguration{PublicKeys: []*armcompute.SSHPublicKey{{
						Path: new("/home/azureuser/.ssh/authorized_keys"), KeyData: new(string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(key)))),
					}}},
				},
			},
			NetworkProfile: &armcompute.NetworkProfile{NetworkInterfaces: []*armcompute.NetworkInterfaceReference{{ID: nic.ID}}},
		},
	}, nil))
	return *vm.ID, *nic.Properties.IPConfigurations[0].Properties.PrivateIPAddress
}

// run signs in over a connection and runs a command. The connection ends with it.
func run(conn net.Conn, signer ssh.Signer, command string) (string, error) {
	defer conn.Close()
	// The test looks at who is let in, not at who the host is.
	c, chans, reqs, err := ssh.NewClientConn(conn, "vm", &ssh.ClientConfig{
		User: "azureuser", Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: func(string, net.Addr, ssh.PublicKey) error { return nil },
	})
	if err != nil {
		return "", err
	}
	client := ssh.NewClient(c, chans, reqs)
	defer client.Close()
	s, err := client.NewSession()
	if err != nil {
		return "", err
	}
	out, err := s.Output(command)
	return strings.TrimSpace(string(out)), err
}

// private is a lab with one private VM behind a Bastion.
type private struct {
	*lab
	signer      ssh.Signer
	vnet        string
	vm, address string
}

func newPrivate(t *testing.T) private {
	t.Helper()
	p := private{lab: newLab(t, emulator.Options{Hosts: local.Hosts(t, host.Options{})}), signer: newSigner(t)}
	p.vnet = p.lab.vnet("net", "10.1.0.0/16")
	p.vm, p.address = p.privateVM("box", p.vnet, p.signer.PublicKey())
	return p
}
