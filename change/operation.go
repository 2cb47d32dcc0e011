// Package change is the common part of all multi-step changes: finding interrupted ones on any machine, resuming them, and
// undoing them.
// A started operation is marked in tags (Mark); what tags cannot hold is in a file on this machine (Operation). Each kind of
// operation has a Handler; Service combines them.
// A file contains secrets: the private half of a host key until SSH was verified with it, or Azure's signed address of an
// operation. Files have mode 0600 in a directory of mode 0700.
package change

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"
)

// Kind is the kind of an operation.
type Kind string

// The kinds of operations.
const (
	New     Kind = "new"
	Clone   Kind = "clone"
	Bake    Kind = "bake" // an image
	Resize  Kind = "resize"
	Bastion Kind = "bastion" // creates a Bastion

	Update     Kind = "update"      // a job of a VM, which continues by itself
	RotateKeys Kind = "rotate-keys" // on several VMs: Group and Name are empty

	// Azure's operations whose end was not awaited.
	Start      Kind = "start"
	Stop       Kind = "stop"
	Deallocate Kind = "deallocate"
	Restart    Kind = "restart"
)

// Waits reports whether resuming only waits for Azure or a VM, which needs no confirmation.
func (k Kind) Waits() bool {
	switch k {
	case Update, Start, Stop, Deallocate, Restart:
		return true
	}
	return false
}

// Operation is an unfinished operation, as recorded on this machine.
type Operation struct {
	Version      int       `json:"version"`
	ID           string    `json:"id"` // azlin's; for New, also in the tags of its resources
	Kind         Kind      `json:"kind"`
	Subscription string    `json:"subscription_id"`
	Group        string    `json:"resource_group"`
	Name         string    `json:"name"`    // of the VM
	Created      time.Time `json:"created"` // UTC
	Updated      time.Time `json:"updated"` // UTC; zero: never updated

	Stage     string          `json:"stage,omitempty"`      // how far it came
	LastError string          `json:"last_error,omitempty"` // why it stopped; empty: it was interrupted
	Request   json.RawMessage `json:"request,omitempty"`    // for New, Update and RotateKeys: the request
	HostKey   *HostKey        `json:"host_key,omitempty"`   // for New: the VM's

	AzureID     string `json:"azure_operation_id,omitempty"`
	ResumeToken string `json:"resume_token,omitempty"` // secret

	file string
}

// HostKey is a VM's generated SSH host key. Private is empty once the VM has proven that it has the key.
type HostKey struct {
	Private string `json:"private,omitempty"`
	Public  string `json:"public"`
}

// version is the format that is written; all from 1 are read. Files have a checksum from version 3.
const (
	version       = 3
	sealedVersion = 3
)

// Make returns an operation that is not stored yet.
func Make(kind Kind, subscription, group, name string, now time.Time) *Operation {
	return &Operation{
		Version: version, ID: strings.ToLower(rand.Text()[:16]), Kind: kind,
		Subscription: subscription, Group: group, Name: name, Created: now.UTC(),
	}
}

// On reports whether the operation works on this VM. Azure's names ignore case.
func (o *Operation) On(subscription, group, name string) bool {
	return strings.EqualFold(o.Subscription, subscription) && strings.EqualFold(o.Group, group) && strings.EqualFold(o.Name, name)
}

// Provisional reports whether the VM's host key is not verified yet.
func (o *Operation) Provisional() bool { return o.HostKey != nil && o.HostKey.Private != "" }
