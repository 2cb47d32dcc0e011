// Package network creates and reads the network resources of VMs: the virtual network that a region's VMs share and its way
// out, security groups and the rules that admit operators, public addresses and network interfaces.
package network
