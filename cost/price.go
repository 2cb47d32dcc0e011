package cost

import "slices"

// VMPrice is the price of a Linux VM of a size per hour in a region.
type VMPrice struct {
	OnDemand *Money `json:"on_demand"` // nil: unknown
	Spot     *Money `json:"spot"`      // the current one; it changes. nil: unknown
	Source   Source `json:"source"`
}

// VMPrices are the prices of several sizes, by the names passed in.
type VMPrices struct {
	Sizes map[string]VMPrice

	// Failed is why the price service gave no answer; prices are then from the built-in list, where it has them.
	Failed error
}

// Price is the price of something other than a VM.
type Price struct {
	Money  *Money // nil: unknown
	Source Source
	Failed error // as in VMPrices
}

// Machine is what to estimate.
type Machine struct {
	Region, Size string // in Azure's spelling: "westus2", "Standard_D4s_v5"
	Spot         bool
	Disks        []Disk // the OS disk first
	PublicIP     bool   // a Standard static IPv4 address
	NATGateway   bool   // one created for it, with its own address
}

// Disk is a managed disk.
type Disk struct {
	Type   string // "Premium_LRS", "StandardSSD_LRS", "Standard_LRS" or their ZRS kinds
	SizeGB int
}

// Part is one line of an estimate.
type Part struct {
	Name    string  `json:"name"`          // "VM", "OS disk", "data disk 1", "public IP", "NAT gateway"
	Hourly  *Money  `json:"price_hourly"`  // nil: unknown
	Monthly *Money  `json:"price_monthly"` // of 730 hours
	Source  *Source `json:"source"`        // nil: unknown
}

// Estimate is the cost of a machine at list prices, without traffic.
type Estimate struct {
	Hourly  *Money   `json:"price_hourly"`  // the sum of the known parts; nil: none is known
	Monthly *Money   `json:"price_monthly"` // of 730 hours
	Unknown []string `json:"unknown"`       // names of the parts without a known price
	Parts   []Part   `json:"parts"`

	// Failed is why the price service gave no answer for a part.
	Failed error `json:"-"`
}

func (e *Estimate) add(p Part) {
	e.Parts = append(e.Parts, p)
	if p.Hourly == nil || p.Monthly == nil {
		e.Unknown = append(e.Unknown, p.Name)
		return
	}
	if e.Hourly == nil {
		e.Hourly, e.Monthly = new(*p.Hourly), new(*p.Monthly)
		return
	}
	hourly, err := e.Hourly.Add(*p.Hourly)
	monthly, err2 := e.Monthly.Add(*p.Monthly)
	if err != nil || err2 != nil { // different currencies cannot be added
		e.Unknown = append(e.Unknown, p.Name)
		return
	}
	e.Hourly, e.Monthly = &hourly, &monthly
}

// Without is the estimate without the part of that name, for a machine that is not billed at present.
func (e Estimate) Without(name string) Estimate {
	less := Estimate{Unknown: []string{}, Failed: e.Failed}
	for _, p := range e.Parts {
		if p.Name != name {
			less.add(p)
		}
	}
	return less
}

// Sources returns the parts' different sources, in order.
func (e Estimate) Sources() []Source {
	var all []Source
	for _, p := range e.Parts {
		if p.Source != nil && !slices.Contains(all, *p.Source) {
			all = append(all, *p.Source)
		}
	}
	return all
}
