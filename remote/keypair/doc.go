// Package keypair makes and reads SSH key pairs of this machine, and the host keys that new VMs are given. Existing keys are
// never overwritten.
package keypair
