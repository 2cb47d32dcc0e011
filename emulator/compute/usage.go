package compute

import (
	"net/http"
	"slices"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
	"github.com/azlin-dev/azlin/emulator/compute/catalogue"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

// Limits that a subscription starts with, in vCPUs or VMs.
const (
	familyLimit   = 2000
	regionLimit   = 3000
	spotLimit     = 1000
	machinesLimit = 25000
)

func (p *Provider) limit(name string, standard int) int {
	for k, n := range p.opt.Quota {
		if azjson.Fold(k, name) {
			return n
		}
	}
	return standard
}

// allocated reports whether a VM has hardware: only then it counts against the vCPU limits.
func allocated(vm *arm.Resource) bool {
	switch power(vm) {
	case powerDeallocated, powerNone:
		return false
	}
	return true
}

// used counts the vCPUs in a region: of a family, of all ("") or of spot VMs.
func (p *Provider) used(location, family string, spot bool) int {
	n := 0
	for _, vm := range p.s.OfType(schema.VMType) {
		if vm.Location() != location || !allocated(vm) || isSpot(vm.Body) != spot {
			continue
		}
		if size, ok := catalogue.FindSize(azjson.Str(vm.Body, "properties", "hardwareProfile", "vmSize"), location); ok && (family == "" || size.Family == family) {
			n += size.VCPUs
		}
	}
	return n
}

func isSpot(body azjson.Object) bool {
	pr := azjson.Str(body, "properties", "priority")
	return azjson.Fold(pr, "Spot") || azjson.Fold(pr, "Low")
}

// quota refuses vCPUs beyond the limits of the region.
func (p *Provider) quota(location string, size catalogue.Size, more int, spot bool) error {
	refuse := func(what string, limit, used int) error {
		return arm.Conflict("OperationNotAllowed",
			"Operation could not be completed as it results in exceeding approved %s quota. Additional details - Deployment Model: Resource Manager, Location: %s, Current Limit: %d, Current Usage: %d, Additional Required: %d, (Minimum) New Limit Required: %d. Setup Alerts when Quota reaches threshold. Learn more at https://aka.ms/quotamonitoringalerting . Submit a request for Quota increase at https://aka.ms/ProdportalCRP by specifying parameters listed in the 'Details' section for deployment to succeed. Please read more about quota limits at https://docs.microsoft.com/en-us/azure/azure-supportability/per-vm-quota-requests",
			what, location, limit, used, more, used+more)
	}
	if spot {
		if limit, used := p.limit("lowPriorityCores", spotLimit), p.used(location, "", true); used+more > limit {
			return refuse("LowPriorityCores", limit, used)
		}
		return nil
	}
	if limit, used := p.limit("cores", regionLimit), p.used(location, "", false); used+more > limit {
		return refuse("Total Regional Cores", limit, used)
	}
	if limit, used := p.limit(size.Family, familyLimit), p.used(location, size.Family, false); used+more > limit {
		return refuse(size.Family+" Cores", limit, used)
	}
	return nil
}

func (p *Provider) usages() {
	p.s.Handle(http.MethodGet, schema.InPlace+"/usages", schema.Versions(), func(c *arm.Call) (*arm.Reply, error) {
		region, ok := geography.FindRegion(c.Param("location"))
		if !ok {
			return nil, arm.LocationNotAvailable(c.Param("location"), "locations/usages")
		}
		l := []any{}
		add := func(name, text string, limit, used int) {
			l = append(l, azjson.Object{"limit": limit, "unit": "Count", "currentValue": used, "name": azjson.Object{"value": name, "localizedValue": text}})
		}
		vms := 0
		for _, vm := range p.s.OfType(schema.VMType) {
			if vm.Location() == region.Name {
				vms++
			}
		}
		add("availabilitySets", "Availability Sets", 2500, 0)
		add("cores", "Total Regional vCPUs", p.limit("cores", regionLimit), p.used(region.Name, "", false))
		add("virtualMachines", "Virtual Machines", machinesLimit, vms)
		add("virtualMachineScaleSets", "Virtual Machine Scale Sets", 2500, 0)
		add("lowPriorityCores", "Total Regional Low-priority vCPUs", p.limit("lowPriorityCores", spotLimit), p.used(region.Name, "", true))
		var families []string
		for _, s := range catalogue.Sizes() {
			if s.In(region.Name) {
				families = append(families, s.Family)
			}
		}
		slices.Sort(families)
		for _, f := range slices.Compact(families) {
			add(f, f+" vCPUs", p.limit(f, familyLimit), p.used(region.Name, f, false))
		}
		return c.Page(l), nil
	})
}
