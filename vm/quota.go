package vm

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
)

// Quota is how much of something a subscription uses in a region, and how much it may.
type Quota struct {
	Name    string `json:"name"`  // Azure's: "cores", "standardDSv5Family", "PublicIPAddresses"
	Label   string `json:"label"` // for people
	Current int64  `json:"current"`
	Limit   int64  `json:"limit"`
}

// Left is how much may still be used; never below zero, although Azure lowers limits below what is used.
func (q Quota) Left() int64 { return max(0, q.Limit-q.Current) }

// The names of the quotas that VMs count against, besides that of their family. A spot VM counts against
// QuotaSpotCores instead of the family's and QuotaCores.
const (
	QuotaCores     = "cores"
	QuotaSpotCores = "lowPriorityCores"
	QuotaPublicIPs = "PublicIPAddresses" // of the network
)

// Quotas reads a region's compute and network quotas (Microsoft.Compute and Microsoft.Network usages, two
// requests plus one for each further page), sorted by name.
func (s *Catalog) Quotas(ctx context.Context, region string) ([]Quota, error) {
	var compute, network []Quota
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		list, err := azure.Pages(gctx, "list compute quotas of "+region, s.azure.ComputeUsages().NewListPager(region, nil),
			func(p armcompute.UsageClientListResponse) []*armcompute.Usage { return p.Value })
		for _, u := range list {
			if u.Name != nil && u.CurrentValue != nil && u.Limit != nil {
				compute = append(compute, Quota{azure.Value(u.Name.Value), azure.Value(u.Name.LocalizedValue), int64(azure.Value(u.CurrentValue)), azure.Value(u.Limit)})
			}
		}
		return err
	})
	g.Go(func() error {
		list, err := azure.Pages(gctx, "list network quotas of "+region, s.azure.NetworkUsages().NewListPager(region, nil),
			func(p armnetwork.UsagesClientListResponse) []*armnetwork.Usage { return p.Value })
		for _, u := range list {
			if u.Name != nil && u.CurrentValue != nil && u.Limit != nil {
				network = append(network, Quota{azure.Value(u.Name.Value), azure.Value(u.Name.LocalizedValue), azure.Value(u.CurrentValue), azure.Value(u.Limit)})
			}
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	all := append(compute, network...)
	slices.SortFunc(all, func(a, b Quota) int { return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return all, nil
}

// Room says whether a region's quota has room for so many more VMs of a Config, of kind Quota when it has not.
func (s *Catalog) Room(ctx context.Context, c Config, count int) error {
	size, err := s.Size(ctx, c.Region, c.Size)
	if err != nil {
		return err
	}
	quotas, err := s.Quotas(ctx, c.Region)
	if err != nil {
		return err
	}
	cores := int64(size.VCPUs * count)
	needed := map[string]int64{QuotaCores: cores, size.Family: cores}
	if c.Spot {
		needed = map[string]int64{QuotaSpotCores: cores}
	}
	if !c.Private {
		needed[QuotaPublicIPs] = int64(count)
	}
	for _, q := range quotas {
		for name, n := range needed {
			if strings.EqualFold(name, q.Name) && n > q.Left() {
				return &errkind.Error{Kind: errkind.Quota, Err: fmt.Errorf("%d of %d (%s) are in use in %s, and %d more are needed", q.Current, q.Limit, q.Label, c.Region, n), Next: "azlin quota --region " + c.Region}
			}
		}
	}
	return nil
}
