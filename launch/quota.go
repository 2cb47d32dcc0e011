package launch

import (
	"fmt"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
)

// Quota is one limit of the subscription in a region, and how much of it a launch needs.
type Quota struct {
	catalog.Quota

	Needed int64 `json:"needed"`
}

// Fits reports whether the limit leaves room for what is needed.
func (q Quota) Fits() bool { return q.Needed <= q.Left() }

// needed picks the limits that count VMs of a kind count against. A limit that Azure does not tell is not in the
// result.
func needed(quotas []catalog.Quota, size catalog.Size, config vm.Config, count int) []Quota {
	cores := int64(size.VCPUs * count)
	needs := map[string]int64{}
	if config.Spot {
		needs[strings.ToLower(catalog.QuotaSpotCores)] = cores
	} else {
		needs[strings.ToLower(catalog.QuotaCores)] = cores
		needs[strings.ToLower(size.Family)] = cores
	}
	switch {
	case !config.Private:
		needs[strings.ToLower(catalog.QuotaPublicIPs)] = int64(count)
	case config.NATGateway:
		needs[strings.ToLower(catalog.QuotaPublicIPs)] = 1
	}
	var all []Quota
	for _, q := range quotas {
		if n := needs[strings.ToLower(q.Name)]; n > 0 {
			all = append(all, Quota{q, n})
		}
	}
	return all
}

// exceeded is the error of the first limit that leaves too little room; nil when all fit.
func exceeded(quotas []Quota, region string) error {
	for _, q := range quotas {
		if q.Fits() {
			continue
		}
		unit := "vCPUs"
		if strings.EqualFold(q.Name, catalog.QuotaPublicIPs) {
			unit = "public addresses"
		}
		return &errkind.Error{
			Kind: errkind.Quota, Op: "check quota", Resource: q.Name,
			Err: fmt.Errorf("%d of %d %s (%s) are in use in %s, and %d more are needed: the limit would have to be %d at least",
				q.Current, q.Limit, unit, q.Label, region, q.Needed, q.Current+q.Needed),
		}
	}
	return nil
}
