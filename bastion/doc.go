// Package bastion reaches VMs without a public address through Azure Bastion: which Bastions reach a network,
// tunnels through them as network connections, a pool of tunnels with local ports, and making and deleting them.
//
// The tunnels speak Bastion's own protocol; no Azure CLI is run. It knows neither SSH nor VMs: a target is an
// Azure Resource Manager id or an address.
package bastion
