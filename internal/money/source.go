package money

import "time"

// The names of the sources of prices.
const (
	SourceRetail  = "retail"   // Azure's retail price service, at most a day old
	SourceBuiltIn = "built-in" // the list in this program
)

// Source is the origin and date of a price.
type Source struct {
	Name string    `json:"name"`
	AsOf time.Time `json:"as_of"` // UTC: when it was requested, or the date of the list
}

// Price is a price per hour.
type Price struct {
	Hourly Money
	Source Source
}
