package money

import "time"

// The names of the sources of prices.
const (
	SourceRetail  = "retail"   // Azure's retail price service, now or within the last day
	SourceBuiltIn = "built-in" // the list in this program
)

// Source says where a price comes from and of when it is.
type Source struct {
	Name string    `json:"name"`
	AsOf time.Time `json:"as_of"` // UTC: when the service was asked, or the date of the list
}

// Price is what an hour of something costs.
type Price struct {
	Hourly Money
	Source Source
}
