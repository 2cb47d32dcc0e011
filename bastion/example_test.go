package bastion_test

import (
	"context"
	"fmt"
	"log"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/bastion"
)

// A pool keeps the tunnel to a VM open for whoever needs it next; ssh, scp and everything else connects to its local port.
func ExamplePool() {
	var client *azure.Client // of azure.Open
	service, err := bastion.New(client, bastion.Options{})
	if err != nil {
		log.Fatal(err)
	}
	pool := service.NewPool(bastion.PoolOptions{MaxTunnels: 10})
	defer pool.Close()
	tunnel, err := pool.GetByName(context.Background(), "my-vm", "my-bastion", "azlin-rg")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("Connected via localhost:%d\n", tunnel.LocalPort)
	// ... use the tunnel ...
	pool.Release(tunnel.ID)
}

// Straight into a client, without a local port.
func ExampleService_Dial() {
	var client *azure.Client // of azure.Open
	ctx := context.Background()
	service, err := bastion.New(client, bastion.Options{})
	if err != nil {
		log.Fatal(err)
	}
	vm := azure.NewID(client.SubscriptionID(), "azlin-rg", "Microsoft.Compute", "virtualMachines", "my-vm").String()
	vnet := azure.NewID(client.SubscriptionID(), "azlin-rg", "Microsoft.Network", "virtualNetworks", "azlin-vnet-westus2").String()
	b, err := service.Reaching(ctx, vnet)
	if err != nil || b == nil {
		log.Fatal("no Bastion reaches the network: ", err)
	}
	conn, err := service.Dial(ctx, *b, bastion.Target{VM: vm})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close() // conn is a net.Conn that ssh.NewClientConn takes
}
