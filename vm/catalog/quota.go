package catalog

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
)

// Quota is a limit of a subscription in a region, and how much of it is used.
type Quota struct {
	Name    string `json:"name"`  // Azure's name: "cores", "standardDSv5Family", "PublicIPAddresses"
	Label   string `json:"label"` // for people
	Current int64  `json:"current"`
	Limit   int64  `json:"limit"`
}

// Left is how much is unused. It is never negative, although Azure may lower a limit below the usage.
func (q Quota) Left() int64 { return max(0, q.Limit-q.Current) }

// The names of the quotas that VMs use, in addition to their family's. A spot VM uses QuotaSpotCores instead of its family's
// quota and QuotaCores.
const (
	QuotaCores     = "cores"
	QuotaSpotCores = "lowPriorityCores"
	QuotaPublicIPs = "PublicIPAddresses" // of Microsoft.Network
)

// Quotas reads a region's compute and network quotas (Microsoft.Compute and Microsoft.Network usages, two requests plus one
// per further page), sorted by name.
func (s *Service) Quotas(ctx context.Context, region string) ([]Quota, error) {
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
