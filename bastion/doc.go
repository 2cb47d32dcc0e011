// Package bastion reaches VMs without a public address through Azure Bastion. It finds the Bastions that reach a network,
// opens tunnels through them as network connections, keeps a pool of tunnels with local ports, and creates and deletes
// Bastions.
// The tunnels use Bastion's own protocol, without the Azure CLI. The package has no knowledge of SSH or VMs: a target is an
// Azure Resource Manager id or an address.
package bastion
