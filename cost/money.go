package cost

import "github.com/azlin-dev/azlin/internal/money"

// Money is an amount in a currency.
type Money = money.Money

// Source says where a price comes from and of when it is.
type Source = money.Source

// The names of the sources of prices.
const (
	SourceRetail  = money.SourceRetail  // Azure's retail price service, now or within the last day
	SourceBuiltIn = money.SourceBuiltIn // the list in this program
)

// HoursPerMonth is what a month of running is estimated with.
const HoursPerMonth = money.HoursPerMonth

// ErrCurrency is returned when amounts in different currencies are to be added.
var ErrCurrency = money.ErrCurrency

// USD is an amount in US dollars, for example USD("0.192").
func USD(amount string) (Money, error) { return money.USD(amount) }
