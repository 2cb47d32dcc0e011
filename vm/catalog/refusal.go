package catalog

import (
	"fmt"

	"github.com/azlin-dev/azlin/internal/money"
)

// Refusal is a refusal by Azure, or one that was predicted before anything was written.
type Refusal struct {
	Size, Region string
	Reason       error // of kind errkind.Quota or errkind.Capacity; errkind.Invalid when there is no such size or region
	Alternatives []Alternative

	All []Alternative // the complete list that Alternatives begins; not all have prices
}

// Alternative is something that could be created instead.
type Alternative struct {
	Size      string       `json:"size"`
	Region    string       `json:"region"`
	Zone      string       `json:"zone,omitempty"` // empty: Azure's choice
	VCPUs     int          `json:"vcpus"`
	MemoryGiB float64      `json:"memory_gib"`
	Hourly    *money.Money `json:"price_hourly"`  // nil: unknown
	Monthly   *money.Money `json:"price_monthly"` // of 730 hours
	// PriceSource is the origin of the price; nil without a price.
	PriceSource *money.Source `json:"price_source"`

	Fixed bool `json:"-"` // the VM's region and zone, which cannot change
}

// Error returns the reason. The alternatives are in Alternatives.
func (r *Refusal) Error() string { return r.Reason.Error() }

// Unwrap returns the reason.
func (r *Refusal) Unwrap() error { return r.Reason }

// String is one line: "Standard_D4as_v5 in westus2: 4 vCPUs, 16 GiB, 0.172 USD per hour, 125.56 USD per month".
func (a Alternative) String() string { return a.Place() + ": " + a.Facts() }

// Facts describes its capacity and price: "4 vCPUs, 16 GiB, 0.172 USD per hour, 125.56 USD per month".
func (a Alternative) Facts() string {
	price := "price not known"
	if a.Hourly != nil && a.Monthly != nil {
		price = fmt.Sprintf("%s per hour, %s per month", a.Hourly, a.Monthly.Cents())
		if a.PriceSource != nil && a.PriceSource.Name == money.SourceBuiltIn {
			price += " (list of " + a.PriceSource.AsOf.Format("2006-01") + ")"
		}
	}
	return fmt.Sprintf("%d vCPUs, %g GiB, %s", a.VCPUs, a.MemoryGiB, price)
}

// Place is what to request: "Standard_D4as_v5 in westus2", or only the size when the place is fixed.
func (a Alternative) Place() string {
	if a.Fixed {
		return a.Size
	}
	where := a.Size + " in " + a.Region
	if a.Zone != "" {
		where += ", zone " + a.Zone
	}
	return where
}
