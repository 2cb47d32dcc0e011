package vm

import (
	"strings"
	"time"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
)

// Info is what Azure reports about a VM. An unknown value is empty or nil, never zero.
type Info struct {
	Ref

	Location          string            `json:"location"`
	PowerState        PowerState        `json:"power_state"`
	PublicIP          string            `json:"public_ip,omitempty"`
	PrivateIP         string            `json:"private_ip,omitempty"`
	VMSize            string            `json:"vm_size,omitempty"`
	OSType            string            `json:"os_type,omitempty"`
	ProvisioningState string            `json:"provisioning_state,omitempty"`
	CreatedTime       *time.Time        `json:"created_time,omitempty"` // Azure's timeCreated, UTC
	ChangedTime       *time.Time        `json:"changed_time,omitempty"` // when Azure last created, started, stopped, or changed it; UTC
	Tags              map[string]string `json:"tags,omitempty"`
	SessionName       string            `json:"session_name,omitempty"` // tag azlin-session, else Options.SessionNames

	ID            string   `json:"id"`
	VMID          string   `json:"vm_id,omitempty"` // unchanged when a restore renames or moves the VM
	Zones         []string `json:"zones,omitempty"`
	AdminUsername string   `json:"admin_username,omitempty"`
	Spot          bool     `json:"spot,omitempty"`
	Image         string   `json:"image,omitempty"`    // publisher:offer:sku:version, or an id; empty: created from a disk
	Identity      string   `json:"identity,omitempty"` // "system", or the id of a user-assigned one; empty: none
	NICs          []string `json:"nics,omitempty"`     // ids
	Subnet        string   `json:"subnet,omitempty"`   // id of the first network interface's
	Disks         []string `json:"disks,omitempty"`    // ids, the OS disk first
	Managed       bool     `json:"managed"`            // carries managed-by=azlin
}

// PowerState is Azure's word for whether a VM runs.
type PowerState string

// The power states. Unknown is reported as unknown; it counts as neither running nor stopped.
const (
	Running      PowerState = "running"
	Starting     PowerState = "starting"
	Stopping     PowerState = "stopping"
	Stopped      PowerState = "stopped" // still allocated and billed
	Deallocating PowerState = "deallocating"
	Deallocated  PowerState = "deallocated"
	UnknownState PowerState = "unknown"
)

// IsRunning reports whether the state is exactly "running".
func (i Info) IsRunning() bool { return i.PowerState == Running }

// IsStopped reports whether the state is "stopped" or "deallocated". A VM that is starting or stopping is neither running
// nor stopped.
func (i Info) IsStopped() bool { return i.PowerState == Stopped || i.PowerState == Deallocated }

// StatusDisplay is the state for display: "Running", "Stopped (deallocated)", "Creating".
func (i Info) StatusDisplay() string {
	switch i.PowerState {
	case Deallocated:
		return "Stopped (deallocated)"
	case Stopped:
		return "Stopped (still billed)"
	case "", UnknownState:
		if i.ProvisioningState != "" && !strings.EqualFold(i.ProvisioningState, "Succeeded") {
			return i.ProvisioningState
		}
		return "Unknown"
	}
	return strings.ToUpper(string(i.PowerState[:1])) + string(i.PowerState[1:])
}

// DisplayName is the session name, or the VM's name when it has none.
func (i Info) DisplayName() string {
	if i.SessionName != "" {
		return i.SessionName
	}
	return i.Name
}

// HostKey is the VM's public SSH host key as azlin generated it, from its tag; empty: none.
func (i Info) HostKey() string {
	v, _ := azure.Tag(i.Tags, azure.TagHostKey)
	return v
}

// Finished reports whether the VM's creation has finished; an unfinished one can be resumed by a launch. VMs that azlin did
// not create are finished.
func (i Info) Finished() bool {
	tag, _ := azure.Tag(i.Tags, azure.TagOperation)
	m, ok := change.ParseMark(tag)
	return !ok || m.Step == change.StepDone
}
