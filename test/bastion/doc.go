// Package bastion drives the emulator's Bastion with clients that know none of our code: tunnel.py, which was written
// from the description of the protocol, and the system's ssh.
package bastion
