package retail

// Item is one price, in the service's own words.
type Item struct {
	CurrencyCode         string  `json:"currencyCode"`
	TierMinimumUnits     float64 `json:"tierMinimumUnits"`
	RetailPrice          float64 `json:"retailPrice"`
	UnitPrice            float64 `json:"unitPrice"`
	ArmRegionName        string  `json:"armRegionName"`
	Location             string  `json:"location"`
	EffectiveStartDate   string  `json:"effectiveStartDate"`
	MeterID              string  `json:"meterId"`
	MeterName            string  `json:"meterName"`
	ProductID            string  `json:"productId"`
	SkuID                string  `json:"skuId"`
	ProductName          string  `json:"productName"`
	SkuName              string  `json:"skuName"`
	ServiceName          string  `json:"serviceName"`
	ServiceID            string  `json:"serviceId"`
	ServiceFamily        string  `json:"serviceFamily"`
	UnitOfMeasure        string  `json:"unitOfMeasure"`
	Type                 string  `json:"type"`
	IsPrimaryMeterRegion bool    `json:"isPrimaryMeterRegion"`
	ArmSkuName           string  `json:"armSkuName"`
}

// field is the value of a field that may stand in a filter.
func (i Item) field(name string) (string, bool) {
	switch name {
	case "currencyCode":
		return i.CurrencyCode, true
	case "armRegionName":
		return i.ArmRegionName, true
	case "Location", "location":
		return i.Location, true
	case "meterId":
		return i.MeterID, true
	case "meterName":
		return i.MeterName, true
	case "productName":
		return i.ProductName, true
	case "skuName":
		return i.SkuName, true
	case "serviceName":
		return i.ServiceName, true
	case "serviceFamily":
		return i.ServiceFamily, true
	case "priceType", "type":
		return i.Type, true
	case "armSkuName":
		return i.ArmSkuName, true
	}
	return "", false
}
