// Package network makes and reads what stands around VMs: the virtual network that those of a region share with its way
// out, security groups and the rules that admit operators, public addresses and network interfaces.
package network
