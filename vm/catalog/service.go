package catalog

import "github.com/azlin-dev/azlin/azure"

// Service is what the regions of one subscription offer. It may be used by several goroutines.
type Service struct {
	azure *azure.Client
	sizes *sizeCache
}

// New returns the catalog of c's subscription. The sizes of a region are kept for a day in cacheDir; empty: in
// memory only. It sends nothing.
func New(c *azure.Client, cacheDir string) *Service {
	return &Service{azure: c, sizes: newSizeCache(c, cacheDir)}
}
