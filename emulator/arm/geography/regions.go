// Package geography is where Azure has data centres.
package geography

import "strings"

// Region is a place where Azure has data centres.
type Region struct {
	Name, Display, Geography, Group string
	Latitude, Longitude             string
	Zones                           bool
}

// Regions are the regions of the emulated cloud.
func Regions() []Region {
	return []Region{
		{"eastus", "East US", "United States", "US", "37.3719", "-79.8164", true},
		{"eastus2", "East US 2", "United States", "US", "36.6681", "-78.3889", true},
		{"westus", "West US", "United States", "US", "37.783", "-122.417", false},
		{"westus2", "West US 2", "United States", "US", "47.233", "-119.852", true},
		{"westus3", "West US 3", "United States", "US", "33.448376", "-112.074036", true},
		{"centralus", "Central US", "United States", "US", "41.5908", "-93.6208", true},
		{"northcentralus", "North Central US", "United States", "US", "41.8819", "-87.6278", false},
		{"southcentralus", "South Central US", "United States", "US", "29.4167", "-98.5", true},
		{"canadacentral", "Canada Central", "Canada", "Canada", "43.653", "-79.383", true},
		{"brazilsouth", "Brazil South", "Brazil", "South America", "-23.55", "-46.633", true},
		{"northeurope", "North Europe", "Europe", "Europe", "53.3478", "-6.2597", true},
		{"westeurope", "West Europe", "Europe", "Europe", "52.3667", "4.9", true},
		{"uksouth", "UK South", "United Kingdom", "Europe", "50.941", "-0.799", true},
		{"francecentral", "France Central", "France", "Europe", "46.3772", "2.373", true},
		{"germanywestcentral", "Germany West Central", "Germany", "Europe", "50.110924", "8.682127", true},
		{"swedencentral", "Sweden Central", "Sweden", "Europe", "60.67488", "17.14127", true},
		{"switzerlandnorth", "Switzerland North", "Switzerland", "Europe", "47.451542", "8.564572", true},
		{"norwayeast", "Norway East", "Norway", "Europe", "59.913868", "10.752245", true},
		{"polandcentral", "Poland Central", "Poland", "Europe", "52.23334", "21.01666", true},
		{"italynorth", "Italy North", "Italy", "Europe", "45.46888", "9.18109", true},
		{"japaneast", "Japan East", "Japan", "Asia Pacific", "35.68", "139.77", true},
		{"southeastasia", "Southeast Asia", "Asia Pacific", "Asia Pacific", "1.283", "103.833", true},
		{"australiaeast", "Australia East", "Australia", "Asia Pacific", "-33.86", "151.2094", true},
		{"centralindia", "Central India", "India", "Asia Pacific", "18.5822", "73.9197", true},
		{"koreacentral", "Korea Central", "Korea", "Asia Pacific", "37.5665", "126.978", true},
	}
}

// Normal is a location as Azure stores it: "West US 2" is westus2.
func Normal(location string) string {
	return strings.ToLower(strings.ReplaceAll(location, " ", ""))
}

// FindRegion returns the region of a name, in any spelling.
func FindRegion(location string) (Region, bool) {
	for _, r := range Regions() {
		if r.Name == Normal(location) {
			return r, true
		}
	}
	return Region{}, false
}

// Names are the names of all.
func Names() []string {
	var l []string
	for _, r := range Regions() {
		l = append(l, r.Name)
	}
	return l
}
