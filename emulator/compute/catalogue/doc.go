// Package catalogue is what Microsoft.Compute has to offer: sizes, the SKUs of each region, and the images of the
// marketplace.
package catalogue

import "github.com/azlin-dev/azlin/emulator/arm"

// Catalogue answers the lists of what there is.
type Catalogue struct {
	s          *arm.Server
	restricted []string
}

// Register adds the lists to a server. restricted are sizes that the subscription may not use: "size", "size@region" or
// "size@region/zone".
func Register(s *arm.Server, restricted []string) {
	p := &Catalogue{s: s, restricted: restricted}
	p.images()
	p.sizes()
}
