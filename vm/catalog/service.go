package catalog

import (
	"context"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/internal/money"
)

// Service reads what the regions of one subscription offer. It is safe for concurrent use.
type Service struct {
	// Prices are used for the alternatives of refusals; nil: they have no prices. Set it before the first use.
	Prices Prices

	azure *azure.Client
	sizes *sizeCache
}

// Prices looks up prices of sizes. It is an interface because package cost, which implements it, imports this package.
type Prices interface {
	// Known reports whether the size exists in any region.
	Known(size string) bool
	// Hourly returns the hourly prices of sizes in a region, by the names passed in; unknown prices are left out.
	Hourly(ctx context.Context, region string, spot bool, sizes ...string) map[string]money.Price
}

// New returns the catalog of c's subscription. A region's sizes are cached for a day in cacheDir; empty: in memory only. It
// sends no request.
func New(c *azure.Client, cacheDir string) *Service {
	return &Service{azure: c, sizes: newSizeCache(c, cacheDir)}
}
