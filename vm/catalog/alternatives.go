package catalog

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/azlin-dev/azlin/internal/money"
)

const (
	alternatives = 3 // how many are offered
	regionsToTry = 6 // how many other regions are checked when the requested one has no room
)

// place is a region and what it offers.
type place struct {
	region string
	sizes  []Size
	quotas []Quota // nil: unknown
}

// refuse returns the refusal for a reason, with alternatives in the same region first, then in the nearest regions.
func (s *Service) refuse(ctx context.Context, want request, reason error) error {
	found := otherZones(want)
	if sizes, err := s.Sizes(ctx, want.Region); err == nil {
		found = append(found, nearestSizes(place{want.Region, sizes, want.quotas}, want)...)
	}
	if len(found) < alternatives && !want.Fixed {
		if regions, err := s.Regions(ctx); err == nil {
			for _, p := range s.places(ctx, Nearest(regions, want.Region)) {
				near := nearestSizes(p, want)
				found = append(found, near[:min(1, len(near))]...)
			}
		}
	}
	return s.refusal(ctx, want, reason, found)
}

// refusal returns the error for a reason with the best alternatives: priced and within the limit.
func (s *Service) refusal(ctx context.Context, want request, reason error, found []Alternative) error {
	r := &Refusal{Size: want.size.Name, Region: want.Region, Reason: reason}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if want.Limit != nil {
		s.price(ctx, found, want.Spot)
		found = slices.DeleteFunc(found, func(a Alternative) bool {
			return a.Hourly == nil || a.Hourly.Currency != want.Limit.Currency || a.Hourly.Amount.GreaterThan(want.Limit.Amount)
		})
	}
	r.All = found
	r.Alternatives = slices.Clone(found[:min(alternatives, len(found))])
	s.price(ctx, r.Alternatives, want.Spot)
	return r
}

// places reads the first regions in parallel. A region that cannot be read is left out.
func (s *Service) places(ctx context.Context, regions []Region) []place {
	asked := make([]place, min(regionsToTry, len(regions)))
	var asking sync.WaitGroup
	for n := range asked {
		name := regions[n].Name
		asking.Go(func() {
			if sizes, err := s.Sizes(ctx, name); err == nil {
				asked[n].region, asked[n].sizes = name, sizes
			}
		})
		asking.Go(func() {
			if quotas, err := s.Quotas(ctx, name); err == nil {
				asked[n].quotas = quotas
			}
		})
	}
	asking.Wait()
	return slices.DeleteFunc(asked, func(p place) bool { return p.region == "" })
}

// otherZones returns the requested size in the region's other zones, when only the zone is the problem.
func otherZones(want request) []Alternative {
	if want.Fixed || want.Zone == "" || want.size.Check("") != nil || want.size.Check(want.Zone) == nil && !want.spent ||
		exceeded(want.demands(want.quotas, want.size), "") != nil {
		return nil
	}
	var all []Alternative
	for _, zone := range want.size.Zones {
		if zone != want.Zone && want.size.Check(zone) == nil {
			a := alternative(want.size, want.Region)
			a.Zone = zone
			all = append(all, a)
		}
	}
	return all
}

func alternative(z Size, region string) Alternative {
	return Alternative{Size: z.Name, Region: region, VCPUs: z.VCPUs, MemoryGiB: z.MemoryGiB}
}

// nearestSizes returns the sizes that could replace the requested one at a place, nearest first: same architecture, GPUs
// only if the requested size has them, offered to the subscription, and within its quota. In another region the requested
// size itself is the nearest.
func nearestSizes(at place, want request) []Alternative {
	here := strings.EqualFold(at.region, want.Region)
	var fit []Size
	for _, z := range at.sizes {
		switch {
		case here && strings.EqualFold(z.Name, want.size.Name),
			want.Held != nil && strings.EqualFold(z.Name, want.Held.Name),
			!strings.EqualFold(z.Architecture, want.size.Architecture),
			(z.GPUs > 0) != (want.size.GPUs > 0),
			want.Spot && !z.Spot,
			want.Premium && !z.PremiumDisks,
			z.Check(want.Zone) != nil,
			want.Fits != nil && want.Fits(z) != nil,
			exceeded(want.demands(at.quotas, z), at.region) != nil:
		default:
			fit = append(fit, z)
		}
	}
	slices.SortFunc(fit, func(a, b Size) int {
		return cmp.Or(
			cmp.Compare(distance(want.size, a), distance(want.size, b)),
			-cmp.Compare(likeness(want.size.Name, a.Name), likeness(want.size.Name, b.Name)),
			cmp.Compare(b.Name, a.Name), // the newer version
		)
	})
	all := make([]Alternative, len(fit))
	for n, z := range fit {
		all[n] = alternative(z, at.region)
		all[n].Zone, all[n].Fixed = want.Zone, want.Fixed
	}
	return all
}

// distance is how far a size is from the requested one in cores and memory; 1 means a factor of two in one of them. Too
// little counts double, because too much only costs money.
func distance(want, have Size) float64 {
	apart := func(want, have float64) float64 {
		if want <= 0 || have <= 0 {
			return 10 // unknown: after all known ones
		}
		d := math.Log2(have / want)
		if d < 0 {
			d *= -2
		}
		return math.Round(d*100) / 100
	}
	return apart(float64(want.VCPUs), float64(have.VCPUs)) + apart(want.MemoryGiB, have.MemoryGiB)
}

// likeness prefers the same size, then the same series, version and features, in this order: D4as_v5 is more
// like D4s_v5 than D4s_v3 is.
func likeness(want, have string) int {
	if strings.EqualFold(want, have) {
		return 100
	}
	a, b := nameOf(want), nameOf(have)
	n := 0
	if a.series == b.series {
		n += 4
	}
	if a.version == b.version {
		n += 2
	}
	if a.features == b.features {
		n++
	}
	return n
}

// sizeName is the parsed name of a size: Standard_D4as_v5 is series D, features as, version 5.
type sizeName struct{ series, features, version string }

func nameOf(size string) sizeName {
	shape, version, _ := strings.Cut(strings.TrimPrefix(size, "Standard_"), "_v")
	first := strings.IndexAny(shape, "0123456789")
	if first < 0 {
		return sizeName{shape, "", version}
	}
	return sizeName{shape[:first], strings.TrimLeft(shape[first:], "0123456789"), version}
}

// price fills in the prices, with one request per region.
func (s *Service) price(ctx context.Context, all []Alternative, spot bool) {
	if s.Prices == nil {
		return
	}
	sizes := map[string][]string{}
	for _, a := range all {
		sizes[a.Region] = append(sizes[a.Region], a.Size)
	}
	var mu sync.Mutex
	lists := map[string]map[string]money.Price{}
	var asking sync.WaitGroup
	for region, names := range sizes {
		slices.Sort(names)
		asking.Go(func() {
			list := s.Prices.Hourly(ctx, region, spot, slices.Compact(names)...)
			mu.Lock()
			defer mu.Unlock()
			lists[region] = list
		})
	}
	asking.Wait()
	for n := range all {
		a := &all[n]
		if p, ok := lists[a.Region][a.Size]; ok {
			a.Hourly, a.Monthly, a.PriceSource = new(p.Hourly), new(p.Hourly.PerMonth()), new(p.Source)
		}
	}
}
