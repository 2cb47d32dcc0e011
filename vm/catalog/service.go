package catalog

import (
	"context"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/internal/money"
)

// Service is what the regions of one subscription offer. It may be used by several goroutines.
type Service struct {
	// Prices are for the alternatives of refusals; nil: those have none. It is set before the first use.
	Prices Prices

	azure *azure.Client
	sizes *sizeCache
}

// Prices knows what sizes cost. The package cost is such a list, and stands above this one.
type Prices interface {
	// Known reports whether there is a size of that name in any region.
	Known(size string) bool
	// Hourly is what sizes cost in a region, by the names that were asked for; without those whose price is not known.
	Hourly(ctx context.Context, region string, spot bool, sizes ...string) map[string]money.Price
}

// New returns the catalog of c's subscription. The sizes of a region are kept for a day in cacheDir; empty: in
// memory only. It sends nothing.
func New(c *azure.Client, cacheDir string) *Service {
	return &Service{azure: c, sizes: newSizeCache(c, cacheDir)}
}
