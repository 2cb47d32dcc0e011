// Package image bakes images from VMs; a VM created from an image has everything installed.
// Baking does not change the VM: a temporary VM gets a copy of its system disk, is cleaned of everything that belongs to
// people or to one machine, and becomes a version of an image in a gallery (Azure Compute Gallery) of its resource group.
// VMs with trusted launch allow no simpler way. The temporary VM has no public address; azlin uses Run Command in it.
// All names are derived from the VM and the image, so the same request resumes after any interruption.
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

// Image is one version of a baked image.
type Image struct {
	Name          string
	Version       string // "2026.1129.101500": when it was baked, in UTC
	ResourceGroup string
	Region        string
	Source        string // the VM it was baked from; empty: unknown
	Created       time.Time
	State         string // Azure's: "Succeeded", "Creating", "Failed"
	ID            string
}
