// Package keypair generates and reads this machine's SSH key pairs, and generates the host keys of new VMs. Existing keys
// are never overwritten.
package keypair
