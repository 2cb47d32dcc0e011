package cost

import "slices"

// VMPrice is what a Linux VM of a size costs per hour in a region.
type VMPrice struct {
	OnDemand *Money `json:"on_demand"` // nil: not known
	Spot     *Money `json:"spot"`      // the present one; it changes. nil: not known
	Source   Source `json:"source"`
}

// VMPrices are the prices of several sizes, by the names that were asked for.
type VMPrices struct {
	Sizes map[string]VMPrice

	// Failed says why the price service could not be asked; prices are then from the built-in list as far
	// as that goes.
	Failed error
}

// Price is what something else costs.
type Price struct {
	Money  *Money // nil: not known
	Source Source
	Failed error // as in VMPrices
}

// Machine is what an estimate is made of.
type Machine struct {
	Region, Size string // names as Azure writes them: "westus2", "Standard_D4s_v5"
	Spot         bool
	Disks        []Disk // the OS disk first
	PublicIP     bool   // a Standard static IPv4 address
	NATGateway   bool   // one made for it, with an address of its own
}

// Disk is a managed disk.
type Disk struct {
	Type   string // "Premium_LRS", "StandardSSD_LRS", "Standard_LRS" or their ZRS kinds
	SizeGB int
}

// Part is one line of an estimate.
type Part struct {
	Name    string  `json:"name"`          // "VM", "OS disk", "data disk 1", "public IP", "NAT gateway"
	Hourly  *Money  `json:"price_hourly"`  // nil: not known
	Monthly *Money  `json:"price_monthly"` // of 730 hours
	Source  *Source `json:"source"`        // nil: not known
}

// Estimate is what a machine costs at list prices, without traffic.
type Estimate struct {
	Hourly  *Money   `json:"price_hourly"`  // the sum of what is known; nil: nothing is
	Monthly *Money   `json:"price_monthly"` // of 730 hours
	Unknown []string `json:"unknown"`       // names of the parts whose price is not known
	Parts   []Part   `json:"parts"`

	// Failed says why the price service could not be asked for a part.
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
	if err != nil || err2 != nil { // a cent and a penny make no sum
		e.Unknown = append(e.Unknown, p.Name)
		return
	}
	e.Hourly, e.Monthly = &hourly, &monthly
}

// Without is the estimate without the part of that name, for a machine that is not paid for at present.
func (e Estimate) Without(name string) Estimate {
	less := Estimate{Unknown: []string{}, Failed: e.Failed}
	for _, p := range e.Parts {
		if p.Name != name {
			less.add(p)
		}
	}
	return less
}

// Sources are the different sources of the parts, the first one first.
func (e Estimate) Sources() []Source {
	var all []Source
	for _, p := range e.Parts {
		if p.Source != nil && !slices.Contains(all, *p.Source) {
			all = append(all, *p.Source)
		}
	}
	return all
}
