package cost

import (
	"testing"
	"time"
)

// FuzzPage reads answers of the price service: whatever comes, no price is zero, negative or monstrous.
func FuzzPage(f *testing.F) {
	f.Add([]byte(`{"Items":[{"currencyCode":"USD","tierMinimumUnits":0.0,"retailPrice":0.192,"armRegionName":"westus2","meterName":"D4s v5","productName":"Virtual Machines Dsv5 Series","skuName":"D4s v5","unitOfMeasure":"1 Hour","type":"Consumption","armSkuName":"Standard_D4s_v5","effectiveStartDate":"2021-10-01T00:00:00Z"}],"NextPageLink":null,"Count":1}`))
	f.Add([]byte(`{"Items":[{"currencyCode":"USD","retailPrice":1e99999999,"armRegionName":"westus2","skuName":"P4 LRS","meterName":"P4 LRS Disk","unitOfMeasure":"1/Month"}]}`))
	f.Add([]byte(`{"Items":null,"NextPageLink":"https://prices.azure.com:443/?$skip=100"}`))
	f.Add([]byte(`[]`))
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePage(data)
		if err != nil {
			return
		}
		check := func(m *Money) {
			if m != nil && (!m.Amount.IsPositive() || m.Currency == "" || len(m.String()) > 80 || len(m.PerMonth().Cents()) > 80) {
				t.Errorf("price %v", m)
			}
		}
		for _, v := range vmPrices(p.Items, "westus2", now) {
			check(v.OnDemand)
			check(v.Spot)
		}
		for _, m := range diskPrices(p.Items, "westus2", now) {
			check(&m)
		}
		check(meterPrice(p.Items, addressMeter, "westus2", now))
	})
}

func TestItemsThatAreNotMeant(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	good := item{
		Currency: "USD", Price: "0.2", Region: "westus2", Size: "S", SKU: "S", Meter: "S", Product: "Virtual Machines S Series", Unit: "1 Hour",
		Type: "Consumption", Since: "2025-01-01T00:00:00Z", MinimumUnit: "0.0",
	}
	price := func(more ...item) string {
		m := vmPrices(append([]item{good}, more...), "westus2", now)["S"].OnDemand
		if m == nil {
			return "-"
		}
		return m.String()
	}
	for name, change := range map[string]func(*item){
		"Windows":        func(i *item) { i.Product += " Windows" },
		"low priority":   func(i *item) { i.Meter += " Low Priority" },
		"spot":           func(i *item) { i.SKU += " Spot" },
		"cloud services": func(i *item) { i.Product = "S Cloud Services" },
		"reservation":    func(i *item) { i.Type = "Reservation" },
		"another region": func(i *item) { i.Region = "eastus" },
		"not yet":        func(i *item) { i.Since = "2027-01-01T00:00:00Z" },
		"a later tier":   func(i *item) { i.MinimumUnit = "100" },
		"older":          func(i *item) { i.Since = "2020-01-01T00:00:00Z" },
		"free":           func(i *item) { i.Price = "0" },
		"by the month":   func(i *item) { i.Unit = "1/Month" },
	} {
		other := good
		other.Price, other.Since = "0.9", "2026-01-01T00:00:00Z"
		change(&other)
		if got := price(other); got != "0.20 USD" {
			t.Errorf("%s: %s", name, got)
		}
	}
	newer := good
	newer.Price, newer.Since = "0.3", "2026-01-01T00:00:00Z"
	if got := price(newer); got != "0.30 USD" {
		t.Errorf("the newer price: %s", got)
	}
}
