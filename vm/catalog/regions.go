package catalog

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Region is a region in which the subscription may create VMs.
type Region struct {
	Name      string   `json:"name"`  // "westus2"
	Label     string   `json:"label"` // "West US 2"
	Geography string   `json:"geography"`
	Zones     []string `json:"zones"` // of the subscription's availability zones; empty: the region has none

	latitude, longitude float64
	placed              bool
}

const locationsVersion = "2022-12-01"

// Regions lists the physical regions of the subscription, by name (GET locations, one request).
func (s *Service) Regions(ctx context.Context) ([]Region, error) {
	var all []Region
	err := s.azure.Page(ctx, "/subscriptions/"+s.azure.SubscriptionID()+"/locations", locationsVersion, func(page []byte) error {
		list, err := parseRegions(page)
		all = append(all, list...)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b Region) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

func parseRegions(page []byte) ([]Region, error) {
	var answer struct {
		Value []struct {
			Name        string `json:"name"`
			DisplayName string `json:"displayName"`
			Metadata    struct {
				RegionType string `json:"regionType"`
				Geography  string `json:"geography"`
				Latitude   string `json:"latitude"`
				Longitude  string `json:"longitude"`
			} `json:"metadata"`
			Zones []struct {
				Logical string `json:"logicalZone"`
			} `json:"availabilityZoneMappings"`
		} `json:"value"`
	}
	if err := json.Unmarshal(page, &answer); err != nil {
		return nil, fmt.Errorf("list regions: %w", err)
	}
	var all []Region
	for _, v := range answer.Value {
		if !strings.EqualFold(v.Metadata.RegionType, "Physical") {
			continue // "United States" and similar, which are no places to create resources
		}
		r := Region{Name: v.Name, Label: v.DisplayName, Geography: v.Metadata.Geography, Zones: []string{}}
		var err, err2 error
		r.latitude, err = strconv.ParseFloat(v.Metadata.Latitude, 64)
		r.longitude, err2 = strconv.ParseFloat(v.Metadata.Longitude, 64)
		r.placed = err == nil && err2 == nil
		for _, z := range v.Zones {
			r.Zones = append(r.Zones, z.Logical)
		}
		slices.Sort(r.Zones)
		all = append(all, r)
	}
	return all, nil
}

// Nearest returns the other regions, those nearest to the named one first. Regions without a known location come last. For a
// name that is not in the list, the order of the list is kept.
func Nearest(all []Region, name string) []Region {
	others := slices.DeleteFunc(slices.Clone(all), func(r Region) bool { return strings.EqualFold(r.Name, name) })
	here := slices.IndexFunc(all, func(r Region) bool { return strings.EqualFold(r.Name, name) })
	if here < 0 || !all[here].placed {
		return others
	}
	slices.SortStableFunc(others, func(a, b Region) int {
		return cmp.Compare(all[here].distance(a), all[here].distance(b))
	})
	return others
}

// distance is the angle between two regions, by the haversine formula.
func (r Region) distance(to Region) float64 {
	if !to.placed {
		return math.Inf(1)
	}
	const degree = math.Pi / 180
	square := func(x float64) float64 { return math.Sin(x/2) * math.Sin(x/2) }
	h := square((to.latitude-r.latitude)*degree) +
		math.Cos(r.latitude*degree)*math.Cos(to.latitude*degree)*square((to.longitude-r.longitude)*degree)
	return 2 * math.Asin(math.Sqrt(min(1, h)))
}
