package azure

import "strings"

// RegionName is a region's name in resources: "West US 2" is westus2.
func RegionName(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }

// SameRegion reports whether two spellings name one region.
func SameRegion(a, b string) bool {
	return strings.EqualFold(strings.ReplaceAll(a, " ", ""), strings.ReplaceAll(b, " ", ""))
}
