package vm

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/azlin-dev/azlin/errkind"
)

// NewName returns a VM name: <custom>-<unix seconds>, or azlin-vm-<unix seconds> when custom is empty.
func NewName(custom string, now time.Time) string {
	if custom == "" {
		custom = "azlin-vm"
	}
	return custom + "-" + strconv.FormatInt(now.Unix(), 10)
}

// maxName leaves room for the suffixes of derived names.
const maxName = 54

// ValidateName checks a name for a VM that azlin is to create: 1 to 54 letters, digits and hyphens, with no hyphen at either
// end. Names of existing VMs may break these rules.
func ValidateName(name string) error {
	if name == "" || len(name) > maxName {
		return errkind.New(errkind.Invalid, "vm name %q: use 1 to %d characters", name, maxName)
	}
	for _, r := range name {
		if !isAlnum(r) && r != '-' {
			return errkind.New(errkind.Invalid, "vm name %q: use letters, digits and hyphens", name)
		}
	}
	if name[0] == '-' || name[len(name)-1] == '-' {
		return errkind.New(errkind.Invalid, "vm name %q: it may not begin or end with a hyphen", name)
	}
	if strings.Trim(name, "0123456789") == "" {
		return errkind.New(errkind.Invalid, "vm name %q: Azure refuses a host name of digits only; use a letter, too", name)
	}
	return nil
}

func isAlnum(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// ValidSession allows the characters of VM names, and underscores.
func ValidSession(name string) error {
	if len(name) > 64 {
		return errkind.New(errkind.Invalid, "session name %q: use at most 64 characters", name)
	}
	for _, r := range name {
		if !isAlnum(r) && r != '-' && r != '_' {
			return errkind.New(errkind.Invalid, "session name %q: use letters, digits, hyphens and underscores", name)
		}
	}
	return nil
}

// Names are the names of the resources of one VM. They are derived from the VM's name alone, so remains can be found without
// any other record.
type Names struct {
	VM, NIC, PublicIP, NSG, OSDisk string
}

// NamesOf returns the names of the resources that azlin creates for a VM.
func NamesOf(vm string) Names {
	return Names{VM: vm, NIC: vm + "-nic", PublicIP: vm + "-ip", NSG: vm + "-nsg", OSDisk: vm + "-os"}
}

// PoolName is the name of the n-th VM (from 1) of a pool of count VMs. All have the same number of digits, at least two.
func PoolName(pool string, n, count int) string {
	return fmt.Sprintf("%s-%0*d", pool, max(2, len(strconv.Itoa(count))), n)
}

// poolOf is the pool that a VM's name may belong to.
func poolOf(vm string) (pool string, ok bool) {
	base := strings.TrimRight(vm, "0123456789")
	pool, dash := strings.CutSuffix(base, "-")
	return pool, dash && pool != "" && len(vm)-len(base) >= 2
}

// DataDisk is the name of the n-th data disk, from 0.
func (n Names) DataDisk(i int) string { return fmt.Sprintf("%s-data-%d", n.VM, i) }
