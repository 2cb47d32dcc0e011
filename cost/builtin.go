package cost

import (
	_ "embed"
	"strings"
	"sync"
	"time"
)

//go:embed builtin.tsv
var builtInList string

// builtIn is the built-in list: lower-case size and region, to US dollars per hour.
var builtIn = sync.OnceValue(func() map[[2]string]string { return parseBuiltIn(builtInList) })

// parseBuiltIn parses a table with the regions in its first line and one line per size. '#' starts a comment, '-' is an
// unknown price.
func parseBuiltIn(table string) map[[2]string]string {
	prices := map[[2]string]string{}
	var regions []string
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		switch {
		case len(fields) < 2 || strings.HasPrefix(line, "#"):
		case regions == nil:
			regions = fields[1:]
		default:
			for i, price := range fields[1:] {
				if price != "-" && i < len(regions) {
					prices[[2]string{strings.ToLower(fields[0]), regions[i]}] = price
				}
			}
		}
	}
	return prices
}

// BuiltInDate is the date of the built-in list.
func BuiltInDate() time.Time { return time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC) }

// BuiltIn is a size's price in the built-in list, which has the on-demand prices of the common sizes in the large regions,
// in US dollars. OnDemand is nil for all others.
func BuiltIn(region, size string) VMPrice {
	price := VMPrice{Source: Source{Name: SourceBuiltIn, AsOf: BuiltInDate()}}
	if amount, ok := builtIn()[[2]string{strings.ToLower(size), foldRegion(region)}]; ok {
		if m, err := USD(amount); err == nil {
			price.OnDemand = &m
		}
	}
	return price
}

// Known reports whether the built-in list has the size in any region.
func Known(size string) bool {
	for key := range builtIn() {
		if key[0] == strings.ToLower(size) {
			return true
		}
	}
	return false
}

// foldRegion is a region in Azure's spelling: "West US 2" is westus2.
func foldRegion(region string) string {
	return strings.ToLower(strings.ReplaceAll(region, " ", ""))
}
