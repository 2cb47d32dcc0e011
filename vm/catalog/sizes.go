package catalog

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
	"github.com/azlin-dev/azlin/internal/keylock"
)

// Size is a VM size as a region offers it to the subscription.
type Size struct {
	Name                  string   `json:"name"`
	Family                string   `json:"family"` // its quota: "standardDSv5Family"
	VCPUs                 int      `json:"vcpus"`
	MemoryGiB             float64  `json:"memory_gib"`
	GPUs                  int      `json:"gpus,omitempty"`
	Architecture          string   `json:"architecture"` // "x64" or "Arm64"
	Generations           []string `json:"generations"`  // "V1", "V2"
	DiskControllers       []string `json:"disk_controllers,omitempty"`
	MaxDataDisks          int      `json:"max_data_disks,omitempty"`
	TempDisk              bool     `json:"temp_disk"` // has a temporary disk, which a deallocation empties
	TrustedLaunch         bool     `json:"trusted_launch"`
	PremiumDisks          bool     `json:"premium_disks"`
	AcceleratedNetworking bool     `json:"accelerated_networking"`
	EncryptionAtHost      bool     `json:"encryption_at_host"`
	Spot                  bool     `json:"spot"`
	Zones                 []string `json:"zones,omitempty"`            // zones that offer it
	RestrictedZones       []string `json:"restricted_zones,omitempty"` // zones closed to this subscription
	Restriction           string   `json:"restriction,omitempty"`      // why the whole region is closed: "NotAvailableForSubscription"
}

// Check returns the reason why the size cannot be created in zone (empty: anywhere in the region); nil when it probably can.
func (z Size) Check(zone string) error {
	refuse := func(format string, args ...any) error {
		e := errkind.New(errkind.Capacity, format, args...)
		return &errkind.Error{Kind: errkind.Capacity, Op: "check size", Resource: z.Name, Code: "SkuNotAvailable", Err: e}
	}
	switch {
	case z.Restriction != "":
		return refuse("not offered in this region (%s)", z.Restriction)
	case zone != "" && !slices.Contains(z.Zones, zone):
		return refuse("does not exist in zone %s, only in zones %s", zone, strings.Join(z.Zones, ", "))
	case zone != "" && slices.Contains(z.RestrictedZones, zone):
		return refuse("not offered to this subscription in zone %s", zone)
	}
	return nil
}

// DiskType is the disk type for a requested kind; empty means premium where the size supports it, else standard SSD.
func (z Size) DiskType(kind string) string {
	switch {
	case kind != "":
		return kind
	case z.PremiumDisks:
		return string(armcompute.StorageAccountTypesPremiumLRS)
	}
	return string(armcompute.StorageAccountTypesStandardSSDLRS)
}

// Sizes lists the VM sizes of a region, from the cache if it is younger than a day, because the request returns several
// megabytes (Microsoft.Compute/skus).
func (s *Service) Sizes(ctx context.Context, region string) ([]Size, error) {
	return s.sizes.get(ctx, region)
}

// Size finds one size of a region. A size the region does not have is Invalid.
func (s *Service) Size(ctx context.Context, region, name string) (Size, error) {
	sizes, err := s.sizes.get(ctx, region)
	if err != nil {
		return Size{}, err
	}
	for _, z := range sizes {
		if strings.EqualFold(z.Name, name) {
			return z, nil
		}
	}
	return Size{}, &errkind.Error{
		Kind: errkind.Invalid, Op: "find size", Resource: name, Err: errkind.New(errkind.Invalid, "region %s has no such size", region),
	}
}

// sizesFor is how long a region's sizes are cached.
const sizesFor = 24 * time.Hour

type sizeCache struct {
	azure *azure.Client
	dir   string

	fetching keylock.Locks // by region: several VMs of one region send one request
	mu       sync.Mutex
	byRegion map[string]cachedSizes
}

type cachedSizes struct {
	Version int       `json:"version"` // sizesVersion when it was written
	At      time.Time `json:"at"`
	Sizes   []Size    `json:"sizes"`
}

// sizesVersion is increased when Size gets a field, because an older cache file lacks that field.
const sizesVersion = 2

func newSizeCache(c *azure.Client, dir string) *sizeCache {
	return &sizeCache{azure: c, dir: dir, byRegion: map[string]cachedSizes{}}
}

func (c *sizeCache) get(ctx context.Context, region string) ([]Size, error) {
	region = strings.ToLower(region)
	unlock, err := c.fetching.Lock(ctx, region)
	if err != nil {
		return nil, azure.Wrap("list sizes of", region, err)
	}
	defer unlock()
	have, ok := c.known(region)
	if !ok {
		have = c.read(region)
	}
	if age := time.Since(have.At); len(have.Sizes) > 0 && age >= 0 && age < sizesFor {
		c.keep(region, have)
		return have.Sizes, nil
	}
	skus, err := azure.Pages(ctx, "list sizes of "+region, c.azure.SKUs().NewListPager(&armcompute.ResourceSKUsClientListOptions{
		Filter: new("location eq '" + strings.ReplaceAll(region, "'", "''") + "'"),
	}), func(p armcompute.ResourceSKUsClientListResponse) []*armcompute.ResourceSKU { return p.Value })
	if err != nil {
		return nil, err
	}
	have = cachedSizes{Version: sizesVersion, At: time.Now().UTC()}
	for _, sku := range skus {
		if strings.EqualFold(azure.Value(sku.ResourceType), "virtualMachines") {
			have.Sizes = append(have.Sizes, sizeOf(sku, region))
		}
	}
	c.keep(region, have)
	c.write(region, have)
	return have.Sizes, nil
}

func (c *sizeCache) known(region string) (cachedSizes, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	have, ok := c.byRegion[region]
	return have, ok
}

func (c *sizeCache) keep(region string, have cachedSizes) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byRegion[region] = have
}

func (c *sizeCache) file(region string) string {
	name := "sizes-" + c.azure.Target().Cloud.Name + "-" + c.azure.SubscriptionID() + "-" + region + ".json"
	return filepath.Join(c.dir, strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, name))
}

// read returns an empty value for an absent or damaged file: it is only a cache.
func (c *sizeCache) read(region string) cachedSizes {
	var have cachedSizes
	if c.dir == "" {
		return have
	}
	data, err := atomicfile.Read(c.file(region))
	if err != nil || atomicfile.VerifySealed(data) != nil || json.Unmarshal(data, &have) != nil || have.Version != sizesVersion {
		return cachedSizes{}
	}
	return have
}

// write is best effort: without the file, the next run sends the request again.
func (c *sizeCache) write(region string, have cachedSizes) {
	if c.dir == "" || os.MkdirAll(c.dir, 0o700) != nil {
		return
	}
	data, err := json.Marshal(have)
	if err == nil {
		data, err = atomicfile.Seal(data)
	}
	if err == nil {
		_ = atomicfile.Write(c.file(region), data, 0o600)
	}
}

// sizeOf reads a SKU's capabilities, which Azure returns as strings.
func sizeOf(sku *armcompute.ResourceSKU, region string) Size {
	caps := map[string]string{}
	for _, c := range sku.Capabilities {
		if c != nil {
			caps[strings.ToLower(azure.Value(c.Name))] = azure.Value(c.Value)
		}
	}
	yes := func(name string) bool { return strings.EqualFold(caps[name], "true") }
	number := func(name string) int { n, _ := strconv.Atoi(caps[name]); return n } // 0 when absent
	z := Size{
		Name: azure.Value(sku.Name), Family: azure.Value(sku.Family), VCPUs: number("vcpus"), GPUs: number("gpus"),
		Architecture: caps["cpuarchitecturetype"], MaxDataDisks: number("maxdatadiskcount"),
		Generations: split(caps["hypervgenerations"]), DiskControllers: split(caps["diskcontrollertypes"]),
		TrustedLaunch: !yes("trustedlaunchdisabled"), PremiumDisks: yes("premiumio"),
		AcceleratedNetworking: yes("acceleratednetworkingenabled"), EncryptionAtHost: yes("encryptionathostsupported"),
		Spot: yes("lowprioritycapable"), TempDisk: number("maxresourcevolumemb") > 0,
	}
	z.MemoryGiB, _ = strconv.ParseFloat(caps["memorygb"], 64) // 0 when absent
	if z.Architecture == "" {
		z.Architecture = "x64"
	}
	for _, info := range sku.LocationInfo {
		if info == nil || !strings.EqualFold(azure.Value(info.Location), region) {
			continue
		}
		for _, zone := range info.Zones {
			z.Zones = append(z.Zones, azure.Value(zone))
		}
	}
	slices.Sort(z.Zones)
	for _, r := range sku.Restrictions {
		z.restrict(r, region)
	}
	return z
}

func (z *Size) restrict(r *armcompute.ResourceSKURestrictions, region string) {
	switch {
	case r == nil:
	case azure.Value(r.Type) == armcompute.ResourceSKURestrictionsTypeLocation:
		for _, l := range r.Values {
			if strings.EqualFold(azure.Value(l), region) {
				z.Restriction = string(azure.Value(r.ReasonCode))
			}
		}
	case azure.Value(r.Type) == armcompute.ResourceSKURestrictionsTypeZone && r.RestrictionInfo != nil:
		for _, zone := range r.RestrictionInfo.Zones {
			z.RestrictedZones = append(z.RestrictedZones, azure.Value(zone))
		}
		slices.Sort(z.RestrictedZones)
	}
}

func split(list string) []string {
	var out []string
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}
