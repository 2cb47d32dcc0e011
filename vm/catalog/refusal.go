package catalog

import (
	"fmt"

	"github.com/azlin-dev/azlin/internal/money"
)

// Refusal is what Azure would refuse, found before anything was written, or what it did refuse.
type Refusal struct {
	Size, Region string
	Reason       error // of kind errkind.Quota or errkind.Capacity; errkind.Invalid when there is no such size or region
	Alternatives []Alternative

	All []Alternative // of which those are the first; not all of these have prices
}

// Alternative is what could be had instead.
type Alternative struct {
	Size      string       `json:"size"`
	Region    string       `json:"region"`
	Zone      string       `json:"zone,omitempty"` // empty: Azure's choice
	VCPUs     int          `json:"vcpus"`
	MemoryGiB float64      `json:"memory_gib"`
	Hourly    *money.Money `json:"price_hourly"`  // nil: not known
	Monthly   *money.Money `json:"price_monthly"` // of 730 hours
	// PriceSource is where the price is from; nil without one.
	PriceSource *money.Source `json:"price_source"`

	Fixed bool `json:"-"` // the region, and the zone, are those of the VM anyway
}

// Error says why. What there is instead is in Alternatives.
func (r *Refusal) Error() string { return r.Reason.Error() }

// Unwrap gives the reason.
func (r *Refusal) Unwrap() error { return r.Reason }

// String is one line: "Standard_D4as_v5 in westus2: 4 vCPUs, 16 GiB, 0.172 USD per hour, 125.56 USD per month".
func (a Alternative) String() string { return a.Place() + ": " + a.Facts() }

// Facts are what it has and what it costs: "4 vCPUs, 16 GiB, 0.172 USD per hour, 125.56 USD per month".
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

// Place is what to ask for, "Standard_D4as_v5 in westus2"; where only the size may be another, its name.
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
