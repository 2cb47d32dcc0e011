package catalogue

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// Size is one VM size.
type Size struct {
	Name, Family string
	VCPUs        int
	MemoryGB     string // as Azure writes it: 0.5, 16
	Arch         string // x64, Arm64
	Generations  string // V1,V2
	TempMB       int    // size of the temporary disk; 0: none
	DataDisks    int
	Premium      bool
	Trusted      bool   // trusted launch is possible
	NVMe         string // values of DiskControllerTypes
	GPUs         int
	Everywhere   bool // offered in every region, else in the large ones only
}

// sizeTable has one line per size: name family vCPUs memory arch generations temp-MB data-disks flags.
// Flags: p premium storage, t trusted launch, n NVMe too, N NVMe only, g<n> GPUs, r large regions only.
const sizeTable = `
Standard_A1_v2 standardAv2Family 1 2 x64 V1 10240 2 -
Standard_A2_v2 standardAv2Family 2 4 x64 V1 20480 4 -
Standard_B1ls standardBSFamily 1 0.5 x64 V1,V2 4096 2 pt
Standard_B1s standardBSFamily 1 1 x64 V1,V2 4096 2 pt
Standard_B1ms standardBSFamily 1 2 x64 V1,V2 4096 2 pt
Standard_B2s standardBSFamily 2 4 x64 V1,V2 8192 4 pt
Standard_B2ms standardBSFamily 2 8 x64 V1,V2 16384 4 pt
Standard_B4ms standardBSFamily 4 16 x64 V1,V2 32768 8 pt
Standard_B8ms standardBSFamily 8 32 x64 V1,V2 65536 16 pt
Standard_B2s_v2 standardBsv2Family 2 8 x64 V1,V2 0 4 pt
Standard_B2ts_v2 standardBsv2Family 2 1 x64 V1,V2 0 4 pt
Standard_B4s_v2 standardBsv2Family 4 16 x64 V1,V2 0 8 pt
Standard_B2as_v2 standardBasv2Family 2 8 x64 V1,V2 0 4 pt
Standard_B4as_v2 standardBasv2Family 4 16 x64 V1,V2 0 8 pt
Standard_B2pts_v2 standardBpsv2Family 2 1 Arm64 V2 0 4 p
Standard_B2ps_v2 standardBpsv2Family 2 8 Arm64 V2 0 4 p
Standard_DS1_v2 standardDSv2Family 1 3.5 x64 V1,V2 7168 4 pt
Standard_DS2_v2 standardDSv2Family 2 7 x64 V1,V2 14336 8 pt
Standard_DS3_v2 standardDSv2Family 4 14 x64 V1,V2 28672 16 pt
Standard_D2_v3 standardDv3Family 2 8 x64 V1 51200 4 -
Standard_D2s_v3 standardDSv3Family 2 8 x64 V1,V2 16384 4 pt
Standard_D4s_v3 standardDSv3Family 4 16 x64 V1,V2 32768 8 pt
Standard_D8s_v3 standardDSv3Family 8 32 x64 V1,V2 65536 16 pt
Standard_D2s_v4 standardDSv4Family 2 8 x64 V1,V2 0 4 pt
Standard_D4s_v4 standardDSv4Family 4 16 x64 V1,V2 0 8 pt
Standard_D2_v5 standardDv5Family 2 8 x64 V1,V2 0 4 t
Standard_D2s_v5 standardDSv5Family 2 8 x64 V1,V2 0 4 pt
Standard_D4s_v5 standardDSv5Family 4 16 x64 V1,V2 0 8 pt
Standard_D8s_v5 standardDSv5Family 8 32 x64 V1,V2 0 16 pt
Standard_D16s_v5 standardDSv5Family 16 64 x64 V1,V2 0 32 pt
Standard_D32s_v5 standardDSv5Family 32 128 x64 V1,V2 0 32 pt
Standard_D64s_v5 standardDSv5Family 64 256 x64 V1,V2 0 32 pt
Standard_D2ds_v5 standardDDSv5Family 2 8 x64 V1,V2 76800 4 pt
Standard_D4ds_v5 standardDDSv5Family 4 16 x64 V1,V2 153600 8 pt
Standard_D2as_v5 standardDASv5Family 2 8 x64 V1,V2 0 4 pt
Standard_D4as_v5 standardDASv5Family 4 16 x64 V1,V2 0 8 pt
Standard_D8as_v5 standardDASv5Family 8 32 x64 V1,V2 0 16 pt
Standard_D2ps_v5 standardDPSv5Family 2 8 Arm64 V2 0 4 p
Standard_D4ps_v5 standardDPSv5Family 4 16 Arm64 V2 0 8 p
Standard_D8ps_v5 standardDPSv5Family 8 32 Arm64 V2 0 16 p
Standard_D2s_v6 StandardDsv6Family 2 8 x64 V2 0 8 ptN
Standard_D4s_v6 StandardDsv6Family 4 16 x64 V2 0 12 ptN
Standard_D8s_v6 StandardDsv6Family 8 32 x64 V2 0 24 ptN
Standard_D2as_v6 standardDav6Family 2 8 x64 V2 0 4 ptn
Standard_D4as_v6 standardDav6Family 4 16 x64 V2 0 8 ptn
Standard_D4ps_v6 StandardDpsv6Family 4 16 Arm64 V2 0 12 pN
Standard_E2s_v5 standardESv5Family 2 16 x64 V1,V2 0 4 pt
Standard_E4s_v5 standardESv5Family 4 32 x64 V1,V2 0 8 pt
Standard_E8s_v5 standardESv5Family 8 64 x64 V1,V2 0 16 pt
Standard_E16s_v5 standardESv5Family 16 128 x64 V1,V2 0 32 pt
Standard_E32s_v5 standardESv5Family 32 256 x64 V1,V2 0 32 pt
Standard_E64s_v5 standardESv5Family 64 512 x64 V1,V2 0 32 pt
Standard_E4as_v5 standardEASv5Family 4 32 x64 V1,V2 0 8 pt
Standard_F2s_v2 standardFSv2Family 2 4 x64 V1,V2 16384 4 pt
Standard_F4s_v2 standardFSv2Family 4 8 x64 V1,V2 32768 8 pt
Standard_F8s_v2 standardFSv2Family 8 16 x64 V1,V2 65536 16 pt
Standard_F16s_v2 standardFSv2Family 16 32 x64 V1,V2 131072 32 pt
Standard_L8s_v3 standardLSv3Family 8 64 x64 V1,V2 81920 16 ptr
Standard_NC4as_T4_v3 StandardNCASv3_T4Family 4 28 x64 V1,V2 180224 8 ptg1r
Standard_NC24ads_A100_v4 StandardNCADSA100v4Family 24 220 x64 V2 65536 8 pg1r
Standard_NV6ads_A10_v5 StandardNVADSA10v5Family 6 55 x64 V1,V2 184320 4 pg1r
`

// Sizes is the list of the sizes that are emulated. It is not the caller's to change.
func Sizes() []Size { return sizes() }

// sizes reads the table once.
var sizes = sync.OnceValue(parseSizes)

func parseSizes() []Size {
	var l []Size
	for line := range strings.Lines(sizeTable) {
		f := strings.Fields(line)
		if len(f) != 9 {
			continue
		}
		num := func(i int) int { n, _ := strconv.Atoi(f[i]); return n }
		s := Size{
			Name: f[0], Family: f[1], VCPUs: num(2), MemoryGB: f[3], Arch: f[4], Generations: f[5], TempMB: num(6), DataDisks: num(7),
			Premium: strings.Contains(f[8], "p"), Trusted: strings.Contains(f[8], "t"), Everywhere: !strings.Contains(f[8], "r"), NVMe: "SCSI",
		}
		switch {
		case strings.Contains(f[8], "n"):
			s.NVMe = "SCSI, NVMe"
		case strings.Contains(f[8], "N"):
			s.NVMe = "NVMe"
		}
		if _, g, ok := strings.Cut(f[8], "g"); ok {
			s.GPUs, _ = strconv.Atoi(g[:1])
		}
		l = append(l, s)
	}
	return l
}

// MemoryMB is the memory in MB.
func (s Size) MemoryMB() int {
	f, _ := strconv.ParseFloat(s.MemoryGB, 64)
	return int(f * 1024)
}

// FindSize returns a size that a region offers.
func FindSize(name, location string) (Size, bool) {
	for _, s := range Sizes() {
		if azjson.Fold(s.Name, name) && s.In(location) {
			return s, true
		}
	}
	return Size{}, false
}

// In reports whether a region offers the size.
func (s Size) In(location string) bool {
	return s.Everywhere || slices.Contains([]string{"eastus", "eastus2", "westus2", "westus3", "southcentralus", "westeurope", "northeurope", "uksouth"}, location)
}

// Listed reports whether a size stands in a list of "size", "size@region" and "size@region/zone".
func Listed(list []string, size, location, zone string) bool {
	for _, e := range list {
		name, place, at := strings.Cut(e, "@")
		region, z, zonal := strings.Cut(place, "/")
		if azjson.Fold(name, size) && (!at || azjson.Fold(region, location)) && (!zonal || z == zone) {
			return true
		}
	}
	return false
}
