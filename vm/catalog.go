package vm

import "github.com/azlin-dev/azlin/azure"

// Catalog is what the regions of one subscription offer. It may be used by several goroutines.
type Catalog struct {
	azure *azure.Client
	sizes *sizeCache
}

// NewCatalog returns the catalog of c's subscription. The sizes of a region are kept for a day in cacheDir; empty: in
// memory only. It sends nothing.
func NewCatalog(c *azure.Client, cacheDir string) *Catalog {
	return &Catalog{azure: c, sizes: newSizeCache(c, cacheDir)}
}
