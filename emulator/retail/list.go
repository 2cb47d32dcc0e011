package retail

import (
	_ "embed"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed prices.tsv
var table string

// items is the whole list, made once.
var items = sync.OnceValue(func() []Item { return machines(table) })

const since = "2026-06-01T00:00:00Z"

// machines makes the prices from a table with the regions in its first line and a line per size.
func machines(table string) []Item {
	var all []Item
	var regions []string
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		if regions == nil {
			regions = f[1:]
			continue
		}
		for n, text := range f[1:] {
			if price, err := strconv.ParseFloat(text, 64); err == nil {
				all = append(all, machine(f[0], regions[n], price)...)
			}
		}
	}
	for _, r := range regions {
		all = append(all, disks(r)...)
	}
	slices.SortStableFunc(all, func(a, b Item) int { return strings.Compare(a.ArmRegionName, b.ArmRegionName) })
	return append(append(all, address(), gateway()), bastions()...)
}

// machine is what the service lists for a size: Linux and Windows, on demand, spot and low priority, and the
// same hardware under its old name of a cloud service.
func machine(size, region string, price float64) []Item {
	short := strings.ReplaceAll(strings.TrimPrefix(size, "Standard_"), "_", " ")
	series, _, _ := strings.Cut(short, " ")
	product := "Virtual Machines " + strings.TrimRight(series, "0123456789") + " Series"
	var all []Item
	for _, v := range []struct {
		product, suffix string
		share           float64
	}{
		{product, "", 1},
		{product, " Spot", 0.2},
		{product, " Low Priority", 0.2},
		{product + " Windows", "", 1.9},
		{product + " Windows", " Spot", 0.4},
		{strings.Replace(product, "Virtual Machines", "Cloud Services", 1), "", 1.1},
	} {
		if v.suffix != "" && strings.HasPrefix(size, "Standard_B") {
			continue // burstable sizes are not sold that way
		}
		i := newItem(region, v.product, short+v.suffix, price*v.share)
		i.ArmSkuName, i.ServiceName, i.ServiceFamily, i.UnitOfMeasure = size, "Virtual Machines", "Compute", "1 Hour"
		all = append(all, i)
	}
	return all
}

func disks(region string) []Item {
	var all []Item
	for _, kind := range []struct {
		letter, product string
		perGB           float64
	}{{"P", "Premium SSD Managed Disks", 0.15}, {"E", "Standard SSD Managed Disks", 0.075}, {"S", "Standard HDD Managed Disks", 0.045}} {
		for _, t := range []struct {
			number int
			gb     float64
		}{{1, 4}, {2, 8}, {3, 16}, {4, 32}, {6, 64}, {10, 128}, {15, 256}, {20, 512}, {30, 1024}, {40, 2048}, {50, 4096}, {60, 8192}, {70, 16384}, {80, 32767}} {
			if kind.letter == "S" && t.number < 4 {
				continue // hard disks begin at 32 GB
			}
			sku := fmt.Sprintf("%s%d LRS", kind.letter, t.number)
			i := newItem(region, kind.product, sku, kind.perGB*t.gb)
			i.MeterName = sku + " Disk"
			if kind.letter == "P" {
				i.ArmSkuName = fmt.Sprintf("Premium_SSD_Managed_Disk_P%d", t.number)
			}
			i.ServiceName, i.ServiceFamily, i.UnitOfMeasure = "Storage", "Storage", "1/Month"
			mount := i
			mount.ArmSkuName = ""
			mount.MeterName, mount.RetailPrice, mount.UnitPrice = sku+" Disk Mount", i.RetailPrice/20, i.UnitPrice/20
			all = append(all, i, mount)
		}
	}
	return all
}

func address() Item {
	i := newItem("Global", "IP Addresses", "Standard", 0.005)
	i.MeterName, i.ServiceName, i.ServiceFamily, i.UnitOfMeasure = "Standard IPv4 Static Public IP", "Virtual Network", "Networking", "1 Hour"
	return i
}

func gateway() Item {
	i := newItem("Global", "NAT Gateway", "Standard", 0.045)
	i.MeterName, i.ServiceName, i.ServiceFamily, i.UnitOfMeasure = "Standard Gateway", "NAT Gateway", "Networking", "1 Hour"
	return i
}

func bastions() []Item {
	var all []Item
	for _, b := range []struct {
		sku   string
		price float64
	}{{"Basic", 0.19}, {"Standard", 0.29}, {"Premium", 0.45}} {
		i := newItem("Global", "Azure Bastion", b.sku, b.price)
		i.MeterName, i.ServiceName, i.ServiceFamily, i.UnitOfMeasure = b.sku+" Gateway", "Azure Bastion", "Networking", "1 Hour"
		all = append(all, i)
	}
	return all
}

func newItem(region, product, sku string, price float64) Item {
	price = math.Round(price*1e6) / 1e6
	h := fnv.New64a()
	_, _ = h.Write([]byte(region + "|" + product + "|" + sku)) // a hash never fails
	id := h.Sum64()
	return Item{
		CurrencyCode: "USD", RetailPrice: price, UnitPrice: price, ArmRegionName: region, Location: region, EffectiveStartDate: since,
		MeterID:   fmt.Sprintf("%08x-%04x-5%03x-8%03x-%012x", uint32(id>>32), uint16(id>>16), id&0xfff, id>>52, id&0xffffffffffff),
		MeterName: sku, ProductID: "DZH318" + strconv.FormatUint(id%0xffffff, 36), SkuID: "DZH318" + strconv.FormatUint(id%0xffffff, 36) + "/0001",
		ProductName: product, SkuName: sku, ServiceID: "DZH" + strconv.FormatUint(id%0xffff, 36), Type: "Consumption", IsPrimaryMeterRegion: true,
	}
}
