package cost

import (
	"strconv"
	"strings"
)

// Names of the retail price service.
const (
	productPremium  = "Premium SSD Managed Disks"
	productStandard = "Standard SSD Managed Disks"
	productHDD      = "Standard HDD Managed Disks"
	addressMeter    = "Standard IPv4 Static Public IP"
	natMeter        = "Standard Gateway"
)

// DiskTier is a disk's billing tier: a premium SSD of 100 GB is "P10 LRS". A disk is billed as the next larger size. ok is
// false for types that are billed differently, and for impossible sizes.
func DiskTier(d Disk) (tier string, ok bool) {
	kind, redundancy, _ := strings.Cut(d.Type, "_")
	letter, least := "", 1
	switch {
	case redundancy != "LRS" && redundancy != "ZRS", d.SizeGB < 1:
		return "", false
	case kind == "Premium":
		letter = "P"
	case kind == "StandardSSD":
		letter = "E"
	case kind == "Standard" && redundancy == "LRS":
		letter, least = "S", 4
	default:
		return "", false
	}
	for _, t := range []struct{ number, gb int }{
		{1, 4},
		{2, 8},
		{3, 16},
		{4, 32},
		{6, 64},
		{10, 128},
		{15, 256},
		{20, 512},
		{30, 1024},
		{40, 2048},
		{50, 4096},
		{60, 8192},
		{70, 16384},
		{80, 32767},
	} {
		if t.number >= least && d.SizeGB <= t.gb {
			return letter + strconv.Itoa(t.number) + " " + redundancy, true
		}
	}
	return "", false
}

// product is the price service's name for a disk type, by the first letter of its tier.
func product(tier string) string {
	switch tier[0] {
	case 'P':
		return productPremium
	case 'E':
		return productStandard
	}
	return productHDD
}
