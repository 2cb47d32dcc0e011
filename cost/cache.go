package cost

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// freshFor is how long a price is cached.
const freshFor = 24 * time.Hour

// sizePrice is the service's answer for a size. Without either price, the service has none.
type sizePrice struct {
	OnDemand *Money    `json:"on_demand,omitempty"`
	Spot     *Money    `json:"spot,omitempty"`
	At       time.Time `json:"at"`
}

type tierPrices struct {
	Tiers map[string]Money `json:"tiers"`
	At    time.Time        `json:"at"`
}

type onePrice struct {
	Money *Money    `json:"money"`
	At    time.Time `json:"at"`
}

// regionPrices are the known prices of a region, as stored on disk.
type regionPrices struct {
	Sizes  map[string]sizePrice  `json:"sizes"`
	All    time.Time             `json:"all"` // when all sizes were read together; zero: never
	Disks  map[string]tierPrices `json:"disks"`
	Meters map[string]onePrice   `json:"meters"` // hourly, by name
}

func fresh(at, now time.Time) bool {
	age := now.Sub(at)
	return age >= 0 && age < freshFor
}

// size is the cached price of a size. If all sizes were read, it may also be known to have none.
func (r regionPrices) size(name string, now time.Time) (sizePrice, bool) {
	if p, ok := r.Sizes[name]; ok && fresh(p.At, now) {
		return p, true
	}
	return sizePrice{At: r.All}, fresh(r.All, now)
}

// with returns r updated by newer.
func (r regionPrices) with(newer regionPrices) regionPrices {
	out := regionPrices{Sizes: map[string]sizePrice{}, All: r.All, Disks: map[string]tierPrices{}, Meters: map[string]onePrice{}}
	for _, from := range []regionPrices{r, newer} {
		maps.Copy(out.Sizes, from.Sizes)
		maps.Copy(out.Disks, from.Disks)
		maps.Copy(out.Meters, from.Meters)
	}
	if newer.All.After(out.All) {
		out.All = newer.All
	}
	return out
}

// file is where a region's prices are stored, separately for each service and currency.
func (p *Prices) file(region string) string {
	host := p.retail.endpoint
	if u, err := url.Parse(host); err == nil {
		host = u.Host
	}
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '.':
			return r
		}
		return '_'
	}, "prices-"+host+"-"+p.retail.currency+"-"+region+".json")
	return filepath.Join(p.dir, name)
}

// known returns a region's prices from memory and disk.
func (p *Prices) known(region string) regionPrices {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r, ok := p.regions[region]; ok {
		return r
	}
	var r regionPrices
	if p.dir != "" {
		data, err := atomicfile.Read(p.file(region))
		if err != nil || atomicfile.VerifySealed(data) != nil || json.Unmarshal(data, &r) != nil {
			r = regionPrices{} // absent or damaged: it is only a cache
		}
	}
	p.regions[region] = r
	return r
}

// keep stores new prices. The file is best effort: without it, the next run sends the request again.
func (p *Prices) keep(ctx context.Context, region string, newer regionPrices) {
	p.mu.Lock()
	p.regions[region] = p.regions[region].with(newer)
	p.mu.Unlock()
	if p.dir == "" || os.MkdirAll(p.dir, 0o700) != nil {
		return
	}
	_ = atomicfile.Update(ctx, p.file(region), 0o600, func(old []byte) ([]byte, error) { // see above
		var r regionPrices
		if atomicfile.VerifySealed(old) != nil || json.Unmarshal(old, &r) != nil {
			r = regionPrices{}
		}
		data, err := json.Marshal(r.with(newer))
		if err != nil {
			return nil, err
		}
		return atomicfile.Seal(data)
	})
}
