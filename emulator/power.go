package emulator

import (
	"context"
	"net/http"
	"net/url"

	"github.com/azlin-dev/azlin/emulator/compute"
)

// PowerHistory tells when VMs were started, stopped, deallocated and deleted, in the cloud's time: of all VMs that there
// have been since the last reset, or of those with an id. VMs that had the same id one after the other are told apart
// by their VMID.
func (e *Emulator) PowerHistory(id string) []compute.PowerHistory {
	var l []compute.PowerHistory
	e.arm.Do(func() { l = e.compute.PowerHistory(id) })
	return l
}

// PowerHistory is Emulator.PowerHistory for the emulator that serves a directory.
func PowerHistory(ctx context.Context, dir, id string) ([]compute.PowerHistory, error) {
	var l []compute.PowerHistory
	err := control(ctx, dir, http.MethodGet, "power?vm="+url.QueryEscape(id), nil, &l)
	return l, err
}
