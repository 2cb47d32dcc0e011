package cost

import (
	"cmp"
	"context"
	"strconv"
	"sync"
)

// Estimate sums up the cost of a running machine, at list prices and without traffic. The prices are requested in parallel.
func (p *Prices) Estimate(ctx context.Context, m Machine) Estimate {
	var machine VMPrices
	var address, gateway Price
	disks := make([]Price, len(m.Disks))
	var asking sync.WaitGroup
	asking.Go(func() { machine = p.VMs(ctx, m.Region, m.Size) })
	if m.PublicIP || m.NATGateway {
		asking.Go(func() { address = p.PublicIP(ctx, m.Region) })
	}
	if m.NATGateway {
		asking.Go(func() { gateway = p.NATGateway(ctx, m.Region) })
	}
	for n, d := range m.Disks {
		asking.Go(func() { disks[n] = p.Disk(ctx, m.Region, d) })
	}
	asking.Wait()

	e := Estimate{Unknown: []string{}, Failed: machine.Failed}
	of := machine.Sizes[m.Size]
	hourly := of.OnDemand
	if m.Spot {
		hourly = of.Spot
	}
	e.add(hourlyPart("VM", hourly, of.Source))
	for n, d := range disks {
		name := "OS disk"
		if n > 0 {
			name = "data disk " + strconv.Itoa(n)
		}
		part := Part{Name: name}
		if d.Money != nil {
			part.Hourly, part.Monthly, part.Source = new(d.Money.PerHour()), d.Money, &disks[n].Source
		}
		e.add(part)
		e.Failed = cmp.Or(e.Failed, d.Failed)
	}
	if m.NATGateway {
		e.add(hourlyPart("NAT gateway", gateway.Money, gateway.Source))
	}
	if m.PublicIP || m.NATGateway {
		e.add(hourlyPart("public IP", address.Money, address.Source))
	}
	e.Failed = cmp.Or(e.Failed, gateway.Failed, address.Failed)
	return e
}

func hourlyPart(name string, hourly *Money, source Source) Part {
	if hourly == nil {
		return Part{Name: name}
	}
	return Part{Name: name, Hourly: hourly, Monthly: new(hourly.PerMonth()), Source: &source}
}
