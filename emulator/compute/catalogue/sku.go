package catalogue

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

func (p *Catalogue) sizes() {
	s := p.s
	sizes := func(c *arm.Call) (*arm.Reply, error) {
		region, ok := geography.FindRegion(c.Param("location"))
		if !ok {
			return nil, arm.LocationNotAvailable(c.Param("location"), "locations/vmSizes")
		}
		return arm.OK(azjson.Object{"value": sizeList(region.Name)}), nil
	}
	s.Handle(http.MethodGet, schema.InPlace+"/vmSizes", schema.Versions(), sizes)
	s.Handle(http.MethodGet, schema.InGroup+"/virtualMachines/{vmName}/vmSizes", schema.Versions(), func(c *arm.Call) (*arm.Reply, error) {
		vm := s.FindType(schema.VMType, c.ID("Microsoft.Compute", "virtualMachines", c.Param("vmName")))
		if vm == nil {
			return nil, c.NotFound()
		}
		return arm.OK(azjson.Object{"value": sizeList(vm.Location())}), nil
	})
	s.Handle(http.MethodGet, schema.InSub+"/skus", schema.SKUVersions(), p.skus)
}

func sizeList(location string) []any {
	l := []any{}
	for _, s := range Sizes() {
		if s.In(location) {
			l = append(l, azjson.Object{
				"name": s.Name, "numberOfCores": s.VCPUs, "osDiskSizeInMB": 1047552, "resourceDiskSizeInMB": s.TempMB,
				"memoryInMB": s.MemoryMB(), "maxDataDiskCount": s.DataDisks,
			})
		}
	}
	return l
}

// byLocation is the only filter that the list of SKUs knows.
var byLocation = regexp.MustCompile(`(?i)^\s*location\s+eq\s+'([^']*)'\s*$`)

func (p *Catalogue) skus(c *arm.Call) (*arm.Reply, error) {
	only := ""
	if f := c.Arg("$filter"); f != "" {
		m := byLocation.FindStringSubmatch(f)
		if m == nil {
			return nil, arm.BadRequest("InvalidParameter", "The filter '%s' is not supported. Only 'location' can be filtered on.", f).At("$filter")
		}
		only = geography.Normal(m[1])
	}
	l := []any{}
	for _, r := range geography.Regions() {
		if only != "" && r.Name != only {
			continue
		}
		for _, s := range Sizes() {
			if s.In(r.Name) {
				l = append(l, p.sku(s, r))
			}
		}
		for _, d := range []string{"Premium_LRS", "StandardSSD_LRS", "Standard_LRS"} {
			l = append(l, azjson.Object{
				"resourceType": "disks", "name": d, "tier": strings.TrimSuffix(d, "_LRS"), "size": "P10", "locations": []any{r.Name},
				"locationInfo": []any{azjson.Object{"location": r.Name, "zones": []any{}, "zoneDetails": []any{}}}, "capabilities": []any{}, "restrictions": []any{},
			})
		}
	}
	return arm.OK(azjson.Object{"value": l}), nil
}

func (p *Catalogue) sku(s Size, r geography.Region) azjson.Object {
	_, size, _ := strings.Cut(s.Name, "_")
	zones := []any{}
	if r.Zones {
		zones = []any{"1", "2", "3"}
	}
	yes := func(b bool) string { return strings.ToUpper(strconv.FormatBool(b)[:1]) + strconv.FormatBool(b)[1:] }
	var caps []any
	add := func(name, value string) { caps = append(caps, azjson.Object{"name": name, "value": value}) }
	add("MaxResourceVolumeMB", strconv.Itoa(s.TempMB))
	add("OSVhdSizeMB", "1047552")
	add("vCPUs", strconv.Itoa(s.VCPUs))
	add("MemoryPreservingMaintenanceSupported", "True")
	add("HyperVGenerations", s.Generations)
	add("DiskControllerTypes", s.NVMe)
	add("MemoryGB", s.MemoryGB)
	add("MaxDataDiskCount", strconv.Itoa(s.DataDisks))
	add("CpuArchitectureType", s.Arch)
	add("LowPriorityCapable", yes(s.VCPUs > 1 && !strings.HasPrefix(s.Name, "Standard_B"))) // burstable sizes are not sold as spot
	add("PremiumIO", yes(s.Premium))
	add("VMDeploymentTypes", "IaaS")
	add("vCPUsAvailable", strconv.Itoa(s.VCPUs))
	if s.GPUs > 0 {
		add("GPUs", strconv.Itoa(s.GPUs))
	}
	add("vCPUsPerCore", "2")
	add("EphemeralOSDiskSupported", yes(s.TempMB > 0))
	add("EncryptionAtHostSupported", "True")
	add("CapacityReservationSupported", "False")
	add("AcceleratedNetworkingEnabled", yes(s.VCPUs > 1))
	add("RdmaEnabled", "False")
	add("MaxNetworkInterfaces", "2")
	// The list says only where trusted launch is not possible.
	if !s.Trusted && strings.Contains(s.Generations, "V2") {
		add("TrustedLaunchDisabled", "True")
	}
	restrictions := []any{}
	restrict := func(kind string, info azjson.Object) {
		restrictions = append(restrictions, azjson.Object{"type": kind, "values": []any{r.Name}, "restrictionInfo": info, "reasonCode": "NotAvailableForSubscription"})
	}
	if Listed(p.restricted, s.Name, r.Name, "") {
		restrict("Location", azjson.Object{"locations": []any{r.Name}})
	} else {
		var closed []any
		for _, z := range zones {
			if Listed(p.restricted, s.Name, r.Name, z.(string)) {
				closed = append(closed, z)
			}
		}
		if closed != nil {
			restrict("Zone", azjson.Object{"locations": []any{r.Name}, "zones": closed})
		}
	}
	return azjson.Object{
		"resourceType": "virtualMachines", "name": s.Name, "tier": "Standard", "size": size, "family": s.Family, "locations": []any{r.Name},
		"locationInfo": []any{azjson.Object{"location": r.Name, "zones": zones, "zoneDetails": []any{}}}, "capabilities": caps, "restrictions": restrictions,
	}
}
