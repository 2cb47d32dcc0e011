package network

import (
	"time"

	"github.com/azlin-dev/azlin/emulator/arm"
	"github.com/azlin-dev/azlin/emulator/arm/azjson"
)

// reservation is how long the interface of a VM that could not be created belongs to it.
const reservation = 180 * time.Second

// Reserve keeps an interface for a VM whose creation failed.
func (p *Provider) Reserve(nic *arm.Resource, vm string) {
	nic.Hidden["reservedFor"] = vm
	nic.Hidden["reservedUntil"] = p.s.Now().Add(reservation).Format(time.RFC3339Nano)
	p.s.Touch(nic)
}

// ReservedUntil is when a reservation ends; the zero time when there is none.
func ReservedUntil(nic *arm.Resource) time.Time {
	t, err := time.Parse(time.RFC3339Nano, azjson.Str(nic.Hidden, "reservedUntil"))
	if err != nil {
		return time.Time{}
	}
	return t
}

// ReservedFor is the VM that an interface is kept for at this time, or "".
func (p *Provider) ReservedFor(nic *arm.Resource) string {
	if p.s.Now().Before(ReservedUntil(nic)) {
		return azjson.Str(nic.Hidden, "reservedFor")
	}
	return ""
}

// Reserved refuses the use of an interface that is kept for another VM.
func Reserved(nic *arm.Resource, vm string) *arm.Error {
	return arm.BadRequest("NicReservedForAnotherVm",
		"Nic(s) in request is reserved for another Virtual Machine for 180 seconds. Please provide another nic(s) or retry after 180 seconds. Reserved VM: %s", vm).Empty()
}
