package cost

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// item is one price of the retail price service.
type item struct {
	Currency    string      `json:"currencyCode"`
	Price       json.Number `json:"retailPrice"`
	MinimumUnit json.Number `json:"tierMinimumUnits"`
	Region      string      `json:"armRegionName"`
	Size        string      `json:"armSkuName"`
	SKU         string      `json:"skuName"`
	Meter       string      `json:"meterName"`
	Product     string      `json:"productName"`
	Unit        string      `json:"unitOfMeasure"`
	Type        string      `json:"type"`
	Since       string      `json:"effectiveStartDate"`
}

// page is one answer of the service.
type page struct {
	Items []item `json:"Items"`
	Next  string `json:"NextPageLink"` // empty: the last page
}

func parsePage(data []byte) (page, error) {
	var p page
	if err := json.Unmarshal(data, &p); err != nil {
		return page{}, fmt.Errorf("read prices: %w", err)
	}
	return p, nil
}

// money is the item's price, if it is usable.
func (i item) money() (Money, bool) {
	if len(i.Price) > 40 || len(i.Currency) != 3 {
		return Money{}, false
	}
	d, err := decimal.NewFromString(i.Price.String())
	if err != nil || !d.IsPositive() || d.Exponent() < -18 || d.Exponent() > 9 {
		return Money{}, false
	}
	return Money{Amount: d, Currency: i.Currency}, true
}

// valid reports whether the price is a pay-as-you-go price from the first unit.
func (i item) valid() bool {
	first, err := i.MinimumUnit.Float64()
	return (i.Type == "" || i.Type == "Consumption") && (i.MinimumUnit == "" || err == nil && first == 0)
}

// future reports whether the price starts later than now.
func (i item) future(now time.Time) bool {
	since, err := time.Parse(time.RFC3339, i.Since)
	return err == nil && since.After(now)
}

func (i item) per(unit string) bool { return strings.ReplaceAll(i.Unit, " ", "") == unit }

// linux reports whether the item is the hourly price of a Linux VM (ok), and of a spot VM (spot). Low priority is the
// predecessor of spot, for scale sets only.
func (i item) linux() (spot, ok bool) {
	if !i.per("1Hour") || strings.HasSuffix(i.Product, " Windows") || strings.Contains(i.Product, "Cloud Services") ||
		strings.HasSuffix(i.Meter, " Low Priority") || strings.HasSuffix(i.SKU, " Low Priority") {
		return false, false
	}
	return strings.HasSuffix(i.SKU, " Spot") || strings.HasSuffix(i.Meter, " Spot"), true
}

// newest keeps the price with the latest start date among several for one thing. A future price counts only if there is no
// other: this machine's clock may be wrong.
type newest struct {
	money  Money
	since  string
	future bool
}

func (n *newest) take(i item, now time.Time) {
	m, ok := i.money()
	if !ok {
		return
	}
	future := i.future(now)
	if n.money.Currency == "" || n.future && (!future || i.Since < n.since) || !n.future && !future && i.Since > n.since {
		*n = newest{m, i.Since, future}
	}
}

func (n *newest) known() *Money {
	if n == nil || n.money.Currency == "" {
		return nil
	}
	return &n.money
}

// vmPrices returns the prices of a region's VM sizes among items.
func vmPrices(items []item, region string, now time.Time) map[string]sizePrice {
	type pair struct{ onDemand, spot newest }
	found := map[string]*pair{}
	for _, i := range items {
		spot, ok := i.linux()
		if !ok || i.Size == "" || i.Region != region || !i.valid() {
			continue
		}
		p := found[i.Size]
		if p == nil {
			p = &pair{}
			found[i.Size] = p
		}
		if spot {
			p.spot.take(i, now)
		} else {
			p.onDemand.take(i, now)
		}
	}
	prices := make(map[string]sizePrice, len(found))
	for size, p := range found {
		prices[size] = sizePrice{OnDemand: p.onDemand.known(), Spot: p.spot.known(), At: now}
	}
	return prices
}

// diskPrices returns the monthly prices of a region's disks among items, by tier: "P10 LRS".
func diskPrices(items []item, region string, now time.Time) map[string]Money {
	found := map[string]*newest{}
	for _, i := range items {
		if i.Meter != i.SKU+" Disk" || i.Region != region || !i.per("1/Month") || !i.valid() {
			continue
		}
		if found[i.SKU] == nil {
			found[i.SKU] = &newest{}
		}
		found[i.SKU].take(i, now)
	}
	prices := map[string]Money{}
	for tier, n := range found {
		if m := n.known(); m != nil {
			prices[tier] = *m
		}
	}
	return prices
}

// meterPrice is the hourly price of a meter: the region's own, else the global one.
func meterPrice(items []item, meter, region string, now time.Time) *Money {
	var here, everywhere newest
	for _, i := range items {
		if i.Meter != meter || !i.per("1Hour") || !i.valid() {
			continue
		}
		switch i.Region {
		case region:
			here.take(i, now)
		case "", "Global":
			everywhere.take(i, now)
		}
	}
	if m := here.known(); m != nil {
		return m
	}
	return everywhere.known()
}
