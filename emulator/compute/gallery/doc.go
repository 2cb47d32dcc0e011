// Package gallery emulates the compute galleries of Microsoft.Compute: galleries, the images in them and their versions.
package gallery

import (
	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/compute/manageddisk"
)

// Galleries are the galleries on a server.
type Galleries struct {
	s     *arm.Server
	disks *manageddisk.Disks
}

// Register adds galleries to a server. What is in a version comes from the disks.
func Register(s *arm.Server, disks *manageddisk.Disks) *Galleries {
	p := &Galleries{s: s, disks: disks}
	p.galleries()
	return p
}
