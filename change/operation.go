// Package change is what all changes of several steps have in common: how they are found when they were cut off, on any
// machine, gone on with, and undone.
//
// What was begun is marked in tags (Mark), and where tags cannot hold what is needed to go on, in a file of this machine
// (Operation). Each kind of operation has a Handler; Service has them all.
//
// A file holds secrets: the private half of a host key until SSH has been verified with it, or Azure's
// signed address of an operation. Files have mode 0600 in a directory of mode 0700.
package change

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"
)

// Kind is what an operation does.
type Kind string

// The kinds of operations.
const (
	New     Kind = "new"
	Clone   Kind = "clone"
	Bake    Kind = "bake" // an image
	Resize  Kind = "resize"
	Bastion Kind = "bastion" // that is created

	Update     Kind = "update"      // a job of a VM, which goes on by itself
	RotateKeys Kind = "rotate-keys" // on several VMs: Group and Name are empty

	// Azure's own, which were not waited for.
	Start      Kind = "start"
	Stop       Kind = "stop"
	Deallocate Kind = "deallocate"
	Restart    Kind = "restart"
)

// Waits is whether going on with it is only waiting, for what Azure or a VM does by itself: nobody has to agree to that.
func (k Kind) Waits() bool {
	switch k {
	case Update, Start, Stop, Deallocate, Restart:
		return true
	}
	return false
}

// Operation is one that has not ended, as far as this machine knows.
type Operation struct {
	Version      int       `json:"version"`
	ID           string    `json:"id"` // ours; of New also the one in the tags of its resources
	Kind         Kind      `json:"kind"`
	Subscription string    `json:"subscription_id"`
	Group        string    `json:"resource_group"`
	Name         string    `json:"name"`    // of the VM
	Created      time.Time `json:"created"` // UTC
	Updated      time.Time `json:"updated"` // UTC; zero: not since Created

	Stage     string          `json:"stage,omitempty"`      // how far it came
	LastError string          `json:"last_error,omitempty"` // why it stopped there; empty: it was cut off
	Request   json.RawMessage `json:"request,omitempty"`    // of New, Update and RotateKeys: what was asked for
	HostKey   *HostKey        `json:"host_key,omitempty"`   // of New: the VM's

	AzureID     string `json:"azure_operation_id,omitempty"`
	ResumeToken string `json:"resume_token,omitempty"` // secret

	file string
}

// HostKey is the SSH host key that a VM is given. Private is empty once the VM has shown that it holds it.
type HostKey struct {
	Private string `json:"private,omitempty"`
	Public  string `json:"public"`
}

// version is what this azlin writes; it reads all from 1. From 3 on files have a checksum.
const (
	version       = 3
	sealedVersion = 3
)

// Make makes an operation that is nowhere on disk yet.
func Make(kind Kind, subscription, group, name string, now time.Time) *Operation {
	return &Operation{
		Version: version, ID: strings.ToLower(rand.Text()[:16]), Kind: kind,
		Subscription: subscription, Group: group, Name: name, Created: now.UTC(),
	}
}

// On reports whether the operation works on this VM. Azure's names do not know case.
func (o *Operation) On(subscription, group, name string) bool {
	return strings.EqualFold(o.Subscription, subscription) && strings.EqualFold(o.Group, group) && strings.EqualFold(o.Name, name)
}

// Provisional reports whether the VM's host key has not been shown yet.
func (o *Operation) Provisional() bool { return o.HostKey != nil && o.HostKey.Private != "" }
