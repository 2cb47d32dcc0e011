package catalog

import (
	"fmt"
	"strings"

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
	Hourly    *money.Money `json:"hourly"`  // nil: not known
	Monthly   *money.Money `json:"monthly"` // of 730 hours
	// PriceSource is where the price is from; nil without one.
	PriceSource *money.Source `json:"price_source"`

	fixed bool // the region, and the zone, are those of the VM anyway
}

// Error says why, and what there is instead.
func (r *Refusal) Error() string {
	if len(r.Alternatives) == 0 {
		return r.Reason.Error()
	}
	texts := make([]string, len(r.Alternatives))
	for n, a := range r.Alternatives {
		texts[n] = a.String()
	}
	return r.Reason.Error() + "\navailable instead:\n  " + strings.Join(texts, "\n  ")
}

// Unwrap gives the reason.
func (r *Refusal) Unwrap() error { return r.Reason }

// String is one line: "--size Standard_D4as_v5 --region westus2: 4 vCPUs, 16 GiB, 0.172 USD per hour, 125.56 USD per month".
func (a Alternative) String() string {
	where := a.Place()
	price := "price not known"
	if a.Hourly != nil && a.Monthly != nil {
		price = fmt.Sprintf("%s per hour, %s per month", a.Hourly, a.Monthly.Cents())
		if a.PriceSource != nil && a.PriceSource.Name == money.SourceBuiltIn {
			price += " (list of " + a.PriceSource.AsOf.Format("2006-01") + ")"
		}
	}
	return fmt.Sprintf("%s: %d vCPUs, %g GiB, %s", where, a.VCPUs, a.MemoryGiB, price)
}

// Place is the flags that ask for it; where only the size may be another, its name.
func (a Alternative) Place() string {
	if a.fixed {
		return a.Size
	}
	where := "--size " + a.Size + " --region " + a.Region
	if a.Zone != "" {
		where += " --zone " + a.Zone
	}
	return where
}
