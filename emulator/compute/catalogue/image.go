package catalogue

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
	"github.com/azlin-dev/azlin/emulator/arm/geography"
	"github.com/azlin-dev/azlin/emulator/compute/schema"
)

// Image is one marketplace image.
type Image struct {
	Publisher, Offer, SKU string
	Versions              []string // oldest first
	Generation            string   // V1, V2
	Arch                  string   // x64, Arm64
	OSName, OSVersion     string   // as the guest agent reports them
	Trusted               bool
	Alias                 string // name in the alias document, or ""
}

// ImageGB is the size of the images' OS disk.
const ImageGB = 30

// Images is the list of the images that are emulated.
func Images() []Image {
	noble := []string{"24.04.202409120", "24.04.202504030", "24.04.202610140"}
	jammy := []string{"22.04.202405140", "22.04.202504020", "22.04.202610120"}
	return []Image{
		{"Canonical", "ubuntu-24_04-lts", "server", noble, "V2", "x64", "ubuntu", "24.04", true, "Ubuntu2404"},
		{"Canonical", "ubuntu-24_04-lts", "server-gen1", noble, "V1", "x64", "ubuntu", "24.04", false, ""},
		{"Canonical", "ubuntu-24_04-lts", "server-arm64", noble, "V2", "Arm64", "ubuntu", "24.04", false, ""},
		{"Canonical", "ubuntu-24_04-lts", "minimal", noble, "V2", "x64", "ubuntu", "24.04", true, ""},
		{"Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts", jammy, "V1", "x64", "ubuntu", "22.04", false, ""},
		{"Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2", jammy, "V2", "x64", "ubuntu", "22.04", true, "Ubuntu2204"},
		{"Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-arm64", jammy, "V2", "Arm64", "ubuntu", "22.04", false, ""},
		{"Debian", "debian-11", "11", []string{"0.20240717.1811", "0.20250602.2131"}, "V1", "x64", "debian", "11", false, ""},
		{"Debian", "debian-11", "11-backports-gen2", []string{"0.20240717.1811", "0.20250602.2131"}, "V2", "x64", "debian", "11", true, "Debian11"},
		{"Debian", "debian-12", "12-gen2", []string{"0.20250428.2096", "0.20260911.2231"}, "V2", "x64", "debian", "12", true, "Debian12"},
		{"Debian", "debian-12", "12-arm64", []string{"0.20250428.2096", "0.20260911.2231"}, "V2", "Arm64", "debian", "12", false, ""},
		{"RedHat", "RHEL", "8-lvm-gen2", []string{"8.10.2024101516"}, "V2", "x64", "redhat", "8.10", true, "RHELRaw8LVMGen2"},
		{"SUSE", "opensuse-leap-15-4", "gen2", []string{"2023.07.24"}, "V2", "x64", "opensuse-leap", "15.4", true, "OpenSuseLeap154Gen2"},
	}
}

// FindImage resolves a reference to an image and its exact version.
func FindImage(publisher, offer, sku, version string) (Image, string, bool) {
	for _, i := range Images() {
		if !azjson.Fold(i.Publisher, publisher) || !azjson.Fold(i.Offer, offer) || !azjson.Fold(i.SKU, sku) {
			continue
		}
		if version == "" || azjson.Fold(version, "latest") {
			return i, i.Versions[len(i.Versions)-1], true
		}
		return i, version, slices.Contains(i.Versions, version)
	}
	return Image{}, "", false
}

// Aliases is the document behind the short image names of az.
func Aliases() azjson.Object {
	linux := azjson.Object{}
	for _, i := range Images() {
		if i.Alias != "" {
			linux[i.Alias] = azjson.Object{"publisher": i.Publisher, "offer": i.Offer, "sku": i.SKU, "version": "latest", "architecture": i.Arch}
		}
	}
	return azjson.Object{
		"$schema": "http://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json", "contentVersion": "1.0.0.0",
		"parameters": azjson.Object{}, "variables": azjson.Object{}, "resources": []any{},
		"outputs": azjson.Object{"aliases": azjson.Object{"type": "object", "value": azjson.Object{"Linux": linux, "Windows": azjson.Object{}}}},
	}
}

func (p *Catalogue) images() {
	s, v := p.s, schema.Versions()
	s.Register(&arm.Type{Name: schema.ImageType, Versions: v, Rank: 40})
	empty := func(c *arm.Call) (*arm.Reply, error) { return c.Page(s.Views(s.OfType(schema.ImageType))), nil }
	s.Handle(http.MethodGet, schema.InSub+"/images", v, empty)
	s.Handle(http.MethodGet, schema.InGroup+"/images", v, empty)
	const one = schema.InGroup + "/images/{imageName}"
	s.Handle(http.MethodGet, one, v, func(c *arm.Call) (*arm.Reply, error) { return nil, c.NotFound() })
	s.Handle(http.MethodDelete, one, v, func(*arm.Call) (*arm.Reply, error) { return arm.Status(http.StatusNoContent), nil })
	s.Handle(http.MethodPut, one, v, func(c *arm.Call) (*arm.Reply, error) { return nil, arm.NotImplemented(c.Method, c.Path) })
	publishers := schema.InPlace + "/publishers"
	offers := publishers + "/{publisherName}/artifacttypes/vmimage/offers"
	skus := offers + "/{offer}/skus"
	versions := skus + "/{skus}/versions"
	s.Handle(http.MethodGet, publishers, v, p.imageNames(func(i Image) string { return i.Publisher }))
	s.Handle(http.MethodGet, offers, v, p.imageNames(func(i Image) string { return i.Offer }))
	s.Handle(http.MethodGet, skus, v, p.imageNames(func(i Image) string { return i.SKU }))
	s.Handle(http.MethodGet, versions, v, p.imageVersions)
	s.Handle(http.MethodGet, versions+"/{version}", v, p.imageVersion)
}

// chosen reports whether an image is under the part of the tree that a path names.
func chosen(c *arm.Call, i Image) bool {
	for param, have := range map[string]string{"publisherName": i.Publisher, "offer": i.Offer, "skus": i.SKU} {
		if want := c.Param(param); want != "" && !azjson.Fold(want, have) {
			return false
		}
	}
	return true
}

// imageNames answers a level of the tree of images: a bare array, without pages.
func (p *Catalogue) imageNames(name func(Image) string) arm.Handler {
	return func(c *arm.Call) (*arm.Reply, error) {
		if _, ok := geography.FindRegion(c.Param("location")); !ok {
			return nil, arm.LocationNotAvailable(c.Param("location"), "locations/publishers")
		}
		seen, l := map[string]bool{}, []any{}
		for _, i := range Images() {
			n := name(i)
			if !chosen(c, i) || seen[n] {
				continue
			}
			seen[n] = true
			o := azjson.Object{"location": geography.Normal(c.Param("location")), "name": n, "id": imagePath(c) + "/" + n}
			if c.Param("offer") != "" {
				o["properties"] = azjson.Object{"automaticOSUpgradeProperties": azjson.Object{"automaticOSUpgradeSupported": false}}
			}
			l = append(l, o)
		}
		if len(l) == 0 {
			return nil, noArtifact()
		}
		return arm.OK(l), nil
	}
}

func noArtifact() error {
	return arm.Refuse(http.StatusNotFound, "NotFound", "Artifact: VMImage was not found.")
}

// imagePath is how Azure writes the ids of images: with capitals in places of their own.
func imagePath(c *arm.Call) string {
	var path strings.Builder
	path.WriteString("/Subscriptions/" + c.Sub() + "/Providers/Microsoft.Compute/Locations/" + geography.Normal(c.Param("location")) + "/Publishers")
	for _, e := range [][2]string{{"/", "publisherName"}, {"/ArtifactTypes/VMImage/Offers/", "offer"}, {"/Skus/", "skus"}} {
		if v := c.Param(e[1]); v != "" {
			path.WriteString(e[0] + v)
		}
	}
	switch {
	case c.Param("skus") != "":
		return path.String() + "/Versions"
	case c.Param("offer") != "":
		return path.String() + "/Skus"
	case c.Param("publisherName") != "":
		return path.String() + "/ArtifactTypes/VMImage/Offers"
	}
	return path.String()
}

func (p *Catalogue) imageVersions(c *arm.Call) (*arm.Reply, error) {
	if _, ok := geography.FindRegion(c.Param("location")); !ok {
		return nil, arm.LocationNotAvailable(c.Param("location"), "locations/publishers")
	}
	l := []any{}
	for _, i := range Images() {
		if !chosen(c, i) {
			continue
		}
		versions := slices.Clone(i.Versions)
		if strings.EqualFold(strings.TrimSpace(c.Arg("$orderby")), "name desc") {
			slices.Reverse(versions)
		}
		if n, err := strconv.Atoi(c.Arg("$top")); err == nil && n > 0 {
			versions = versions[:min(n, len(versions))]
		}
		for _, v := range versions {
			l = append(l, azjson.Object{"location": geography.Normal(c.Param("location")), "name": v, "id": imagePath(c) + "/" + v})
		}
	}
	if len(l) == 0 {
		return nil, noArtifact()
	}
	return arm.OK(l), nil
}

func (p *Catalogue) imageVersion(c *arm.Call) (*arm.Reply, error) {
	if _, ok := geography.FindRegion(c.Param("location")); !ok {
		return nil, arm.LocationNotAvailable(c.Param("location"), "locations/publishers")
	}
	if azjson.Fold(c.Param("version"), "latest") { // a word for VMs alone
		return nil, arm.InvalidParameter("version", "The value of parameter version is invalid.")
	}
	i, version, ok := FindImage(c.Param("publisherName"), c.Param("offer"), c.Param("skus"), c.Param("version"))
	if !ok {
		return nil, noArtifact()
	}
	feature := func(name, value string) any { return azjson.Object{"name": name, "value": value} }
	features := []any{feature("IsAcceleratedNetworkSupported", "True"), feature("DiskControllerTypes", strings.Join(i.Controllers(), ", ")), feature("IsHibernateSupported", "True")}
	if i.Trusted {
		features = append([]any{feature("SecurityType", "TrustedLaunchSupported")}, features...)
	}
	return arm.OK(azjson.Object{
		"location": geography.Normal(c.Param("location")), "name": version, "id": imagePath(c) + "/" + version,
		"properties": azjson.Object{
			"hyperVGeneration": i.Generation, "architecture": i.Arch, "replicaType": "Managed", "replicaCount": 10,
			"osDiskImage":                  azjson.Object{"operatingSystem": "Linux", "sizeInGb": ImageGB + 1},
			"dataDiskImages":               []any{},
			"disallowed":                   azjson.Object{"vmDiskType": "Unmanaged"},
			"automaticOSUpgradeProperties": azjson.Object{"automaticOSUpgradeSupported": false},
			"imageDeprecationStatus":       azjson.Object{"imageState": "Active"},
			"features":                     features,
		},
	}), nil
}
