package cost

import "github.com/azlin-dev/azlin/internal/money"

// Money is an amount in a currency.
type Money = money.Money

// Source is the origin and date of a price.
type Source = money.Source

// The names of the sources of prices.
const (
	SourceRetail  = money.SourceRetail  // Azure's retail price service, at most a day old
	SourceBuiltIn = money.SourceBuiltIn // the list in this program
)

// HoursPerMonth is the number of hours in an estimated month.
const HoursPerMonth = money.HoursPerMonth

// ErrCurrency is returned when amounts in different currencies are added.
var ErrCurrency = money.ErrCurrency

// USD is an amount in US dollars, for example USD("0.192").
func USD(amount string) (Money, error) { return money.USD(amount) }
