package cost

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/internal/money"
)

// Options of Prices. The zero value uses Microsoft's service in US dollars and stores nothing on disk.
type Options struct {
	Endpoint string       // of the retail price service; empty: DefaultEndpoint
	HTTP     *http.Client // nil: http.DefaultClient
	CacheDir string       // where prices are cached for a day, mode 0600; empty: memory only
	Currency string       // ISO 4217; empty: "USD"
}

// Prices looks up Azure's list prices. It is safe for concurrent use.
type Prices struct {
	retail retail
	dir    string

	mu      sync.Mutex
	regions map[string]regionPrices
	turns   map[string]chan struct{} // by request: simultaneous callers send one request
	failed  map[string]failure
}

// failure saves waiting again for a service that does not answer.
type failure struct {
	err error
	at  time.Time
}

// failedFor is how long a failed service is not used again.
const failedFor = time.Minute

// atOnce is the maximum of sizes for individual requests. For more, all sizes of the region are read, about ten pages.
const atOnce = 8

// New creates Prices. It sends no request.
func New(o Options) *Prices {
	return &Prices{
		retail: retail{
			endpoint: cmp.Or(o.Endpoint, DefaultEndpoint), currency: cmp.Or(o.Currency, "USD"), http: cmp.Or(o.HTTP, http.DefaultClient),
		},
		dir: o.CacheDir, regions: map[string]regionPrices{}, turns: map[string]chan struct{}{}, failed: map[string]failure{},
	}
}

// Known reports whether the built-in list has the size in any region.
func (p *Prices) Known(size string) bool { return Known(size) }

// Hourly returns the prices of VMs as VMs does, without the unknown ones.
func (p *Prices) Hourly(ctx context.Context, region string, spot bool, sizes ...string) map[string]money.Price {
	all := map[string]money.Price{}
	for size, price := range p.VMs(ctx, region, sizes...).Sizes {
		hourly := price.OnDemand
		if spot {
			hourly = price.Spot
		}
		if hourly != nil {
			all[size] = money.Price{Hourly: *hourly, Source: price.Source}
		}
	}
	return all
}

// VMs returns the hourly prices of VM sizes in Azure's spelling, "Standard_D4s_v5" (GET /api/retail/prices, one request per
// size that is not cached, or all of the region for many). When the service does not answer, they are from the built-in
// list.
func (p *Prices) VMs(ctx context.Context, region string, sizes ...string) VMPrices {
	region = foldRegion(region)
	missing := func() (l []string) {
		known := p.known(region)
		for _, size := range sizes {
			if _, ok := known.size(size, time.Now()); !ok {
				l = append(l, size)
			}
		}
		return l
	}
	out := VMPrices{Sizes: make(map[string]VMPrice, len(sizes))}
	out.Failed = p.ask(ctx, "vm "+region, func() bool { return len(missing()) == 0 }, func() error {
		newer, err := p.sizes(ctx, region, missing())
		if err != nil {
			return err
		}
		p.keep(ctx, region, newer)
		return nil
	})
	known := p.known(region)
	for _, size := range sizes {
		if k, ok := known.size(size, time.Now()); ok {
			out.Sizes[size] = VMPrice{OnDemand: k.OnDemand, Spot: k.Spot, Source: Source{Name: SourceRetail, AsOf: k.At}}
		} else {
			out.Sizes[size] = p.builtIn(region, size)
		}
	}
	return out
}

// builtIn is the built-in price, which is in US dollars only.
func (p *Prices) builtIn(region, size string) VMPrice {
	price := BuiltIn(region, size)
	if p.retail.currency != "USD" {
		price.OnDemand = nil
	}
	return price
}

func (p *Prices) sizes(ctx context.Context, region string, missing []string) (regionPrices, error) {
	newer := regionPrices{Sizes: map[string]sizePrice{}}
	if len(missing) > atOnce {
		items, err := p.retail.items(ctx, condition{"serviceName", "Virtual Machines"}, condition{"armRegionName", region})
		now := time.Now().UTC()
		newer.Sizes, newer.All = vmPrices(items, region, now), now
		return newer, err
	}
	answers := make([]sizePrice, len(missing))
	g, gctx := errgroup.WithContext(ctx)
	for n, size := range missing {
		g.Go(func() error {
			items, err := p.retail.items(gctx, condition{"serviceName", "Virtual Machines"},
				condition{"armRegionName", region}, condition{"armSkuName", size})
			now := time.Now().UTC()
			answers[n] = vmPrices(items, region, now)[size]
			answers[n].At = now
			return err
		})
	}
	err := g.Wait()
	for n, size := range missing {
		newer.Sizes[size] = answers[n]
	}
	return newer, err
}

// Disk is the monthly price of a disk, by its billing tier.
func (p *Prices) Disk(ctx context.Context, region string, d Disk) Price {
	region = foldRegion(region)
	tier, ok := DiskTier(d)
	if !ok {
		return Price{}
	}
	name := product(tier)
	known := func() bool { return fresh(p.known(region).Disks[name].At, time.Now()) }
	err := p.ask(ctx, name+" "+region, known, func() error {
		items, err := p.retail.items(ctx, condition{"serviceName", "Storage"}, condition{"armRegionName", region}, condition{"productName", name})
		if err != nil {
			return err
		}
		now := time.Now().UTC()
		p.keep(ctx, region, regionPrices{Disks: map[string]tierPrices{name: {diskPrices(items, region, now), now}}})
		return nil
	})
	if err != nil {
		return Price{Failed: err}
	}
	list := p.known(region).Disks[name]
	price := Price{Source: Source{Name: SourceRetail, AsOf: list.At}}
	if m, ok := list.Tiers[tier]; ok {
		price.Money = &m
	}
	return price
}

// Nothing is a price of zero, in the currency of the prices.
func (p *Prices) Nothing() Money { return Money{Currency: p.retail.currency} }

// PublicIP is the hourly price of a Standard static IPv4 address.
func (p *Prices) PublicIP(ctx context.Context, region string) Price {
	return p.hourly(ctx, region, "Virtual Network", addressMeter)
}

// NATGateway is the hourly price of a NAT gateway, without its address and traffic.
func (p *Prices) NATGateway(ctx context.Context, region string) Price {
	return p.hourly(ctx, region, "NAT Gateway", natMeter)
}

// Bastion is the hourly price of a Bastion of a SKU with its two included instances, without its address and traffic.
// Developer is free.
func (p *Prices) Bastion(ctx context.Context, region, sku string) Price {
	if strings.EqualFold(sku, "Developer") {
		free := p.Nothing()
		return Price{Money: &free, Source: Source{Name: SourceRetail, AsOf: time.Now().UTC()}}
	}
	return p.hourly(ctx, region, "Azure Bastion", sku+" Gateway")
}

// hourly is the price of a service's meter.
func (p *Prices) hourly(ctx context.Context, region, service, meter string) Price {
	region = foldRegion(region)
	key := service + "/" + meter // two services may have meters of the same name
	known := func() bool { return fresh(p.known(region).Meters[key].At, time.Now()) }
	err := p.ask(ctx, key+" "+region, known, func() error {
		// Without a region: a price that is the same everywhere is listed for some regions only.
		items, err := p.retail.items(ctx, condition{"serviceName", service}, condition{"meterName", meter})
		if err != nil {
			return err
		}
		now := time.Now().UTC()
		p.keep(ctx, region, regionPrices{Meters: map[string]onePrice{key: {meterPrice(items, meter, region, now), now}}})
		return nil
	})
	if err != nil {
		return Price{Failed: err}
	}
	m := p.known(region).Meters[key]
	return Price{Money: m.Money, Source: Source{Name: SourceRetail, AsOf: m.At}}
}

// ask requests what is not known yet, once for simultaneous callers.
func (p *Prices) ask(ctx context.Context, what string, known func() bool, fetch func() error) error {
	if known() {
		return nil
	}
	turn := p.turn(what)
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if known() {
		return nil
	}
	p.mu.Lock()
	last := p.failed[what]
	p.mu.Unlock()
	if last.err != nil && time.Since(last.at) < failedFor {
		return last.err
	}
	err := fetch()
	if err != nil && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		p.mu.Lock()
		p.failed[what] = failure{err, time.Now()}
		p.mu.Unlock()
	}
	return err
}

func (p *Prices) turn(what string) chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.turns[what]
	if !ok {
		t = make(chan struct{}, 1)
		p.turns[what] = t
	}
	return t
}
