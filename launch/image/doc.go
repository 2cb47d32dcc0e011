// Package image makes images of VMs, from which others begin with everything installed.
//
// Baking leaves the VM as it is: a copy of its system disk goes to a VM of its own, is cleaned there of whatever belongs to
// people or to one machine, and becomes a version of an image in a gallery (Azure Compute Gallery) of its resource group.
// VMs with trusted launch take no simpler way. The temporary VM has no public address; azlin talks to it by Run Command.
//
// Everything has a name that follows from the VM and the image, so that the same request goes on after any interruption.
package image

import (
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/disk"
	"github.com/azlin-dev/azlin/vm/provision"
)

// Baker makes, lists and deletes the images of one subscription.
type Baker struct {
	Azure       *azure.Client
	VMs         *vm.Service
	Provisioner *provision.Service
	Catalog     *catalog.Service
	Disks       *disk.Service
	Owner       string // goes into the tag azlin-owner
}

// Image is one version of an image that was baked.
type Image struct {
	Name          string
	Version       string // "2026.1129.101500": when it was baked, UTC
	ResourceGroup string
	Region        string
	Source        string // the VM that it was baked from; empty: not known
	Created       time.Time
	State         string // Azure's: "Succeeded", "Creating", "Failed"
	ID            string
}
