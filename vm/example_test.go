package vm_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

// Signing in, making a VM, listing it and deleting it again, here against a local Azure. Leave out
// Cloud and HTTP, and it is the public one.
func Example() {
	ctx := context.Background()
	local, err := emulator.New(emulator.Options{})
	if err != nil {
		log.Fatal(err)
	}
	id := local.Identity()
	cloud, err := azure.Custom("local", "https://azure.test", "https://azure.test", "", "")
	if err != nil {
		log.Fatal(err)
	}
	auth, err := signin.NewAuthenticator(signin.Options{
		Cloud: cloud, TenantID: id.TenantID, ClientID: id.ClientID, ClientSecret: id.ClientSecret, HTTP: local.Client(),
	})
	if err != nil {
		log.Fatal(err)
	}
	credential, err := auth.Credential()
	if err != nil {
		log.Fatal(err)
	}
	client, err := azure.Open(azure.Options{
		Target: azure.Target{Cloud: cloud, SubscriptionID: id.SubscriptionID}, Credential: credential, HTTP: local.Client(),
	})
	if err != nil {
		log.Fatal(err)
	}

	vms := vm.New(client, vm.Options{})
	_, err = provision.New(client, provision.Options{VMs: vms}).Provision(ctx, provision.Config{
		Name: "dev", ResourceGroup: "azlin-rg", Region: "westus2", Size: "Standard_B2s", Owner: "ann",
		SSHPublicKeys: []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9hJ5Wq3X0mV9p4mYQ0gJd2bq0m2m8zjv6iWf6yqk3f"},
		SSHSources:    []netip.Prefix{netip.MustParsePrefix("203.0.113.10/32")},
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
	list, err := vms.List(ctx, vm.ListOptions{ResourceGroup: "azlin-rg"})
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range list.VMs {
		fmt.Println(v.DisplayName(), v.VMSize, v.StatusDisplay())
	}
	summary, err := vms.Delete(ctx, vm.Ref{ResourceGroup: "azlin-rg", Name: "dev"}, vm.DeleteOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("deleted %d of %d, kept %s\n", summary.DeletedResources, summary.TotalResources, summary.Kept[0].ResourceName)
	// Output:
	// dev Standard_B2s Running
	// deleted 5 of 5, kept azlin-vnet-westus2
}
