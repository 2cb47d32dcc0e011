// Package resize changes the size of VMs.
// Azure resizes a VM while it is deallocated, and needs capacity when it starts again. So a resize deallocates the VM,
// changes its size, and restores its power state; if the new size has no capacity, it returns to the old one. Until the end,
// a tag holds the previous size and state, so that any machine can resume.
package resize

import (
	"context"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
)

// Resizer resizes the VMs of one subscription.
type Resizer struct {
	Azure   *azure.Client
	VMs     *vm.Service
	Catalog *catalog.Service
	Prices  *cost.Prices // nil: prices are unknown
}

// Plan is a resize that Azure would accept, as far as that can be known in advance.
type Plan struct {
	vm.Ref

	From    catalog.Size // only Name is set if the region no longer offers it
	To      catalog.Size
	Before  vm.PowerState // the power state to restore
	Now     vm.PowerState
	Resumes bool // an earlier resize was interrupted; From and Before are from before that one

	// The price of the VM per month of 730 hours while it runs, list price; nil: unknown.
	FromMonthly, ToMonthly *cost.Money

	Notes []string // what could not be checked, and why

	id      string
	wanted  catalog.Wanted
	current string // its current size
	asked   string // the target of the interrupted resize, from its tag; empty: unknown
	begun   string // when that began; empty: unknown, or now
}

// Unchanged reports whether there is nothing to do.
func (p Plan) Unchanged() bool { return !p.Resumes && strings.EqualFold(p.current, p.To.Name) }

// Downtime reports whether the VM will be off for some time.
func (p Plan) Downtime() bool { return !p.Unchanged() && p.Now != vm.Deallocated }

// Plan reads the VM (virtualMachines/get), the sizes of its region and the quota, and checks that the VM fits its new size:
// the image, the disks, the zone, the remaining quota. An absent VM is NotFound; an impossible size is Invalid, Capacity or
// Quota. It sends no write.
func (s *Resizer) Plan(ctx context.Context, ref vm.Ref, size string) (Plan, error) {
	ref, err := ref.In(s.Azure.Target())
	p := Plan{Ref: ref}
	if err != nil {
		return p, err
	}
	resp, err := s.Azure.VMs().Get(ctx, ref.ResourceGroup, ref.Name, &armcompute.VirtualMachinesClientGetOptions{Expand: new(armcompute.InstanceViewTypesInstanceView)})
	if err != nil {
		return p, azure.Wrap("resize", ref.Name, err)
	}
	m := modelOf(&resp.VirtualMachine)
	p.Name, p.id, p.current, p.Now = m.name, m.id, m.size, m.power
	p.From.Name, p.Before = m.size, m.power
	if left, ok := azure.Tag(azure.Tags(resp.Tags), azure.TagResize); ok {
		if was, ok := parseRecord(left); ok {
			p.Resumes, p.From.Name, p.Before, p.asked, p.begun = true, was.from, was.before, was.to, was.begun
		}
	}
	offer := s.Catalog.Offer(ctx, m.region, size)
	if from, err := s.Catalog.Size(ctx, m.region, p.From.Name); err == nil { // a size that is no longer offered has only its name
		p.From = from
	}
	p.wanted = m.wanted(p, size)
	judgement, err := s.Catalog.Judge(ctx, offer, p.wanted)
	p.To, p.Notes = judgement.Size, judgement.Notes
	if p.To.Name != "" && p.Unchanged() {
		return p, nil
	}
	if err != nil {
		return p, &errkind.Error{Kind: errkind.Of(err), Op: "resize", Resource: ref.Name, Err: err, Next: errkind.Step{Action: errkind.ListSizes, Region: m.region}}
	}
	s.price(ctx, m, &p)
	return p, nil
}

// model holds the properties of a VM that restrict its size.
type model struct {
	id, name, region, zone string
	size                   string
	power                  vm.PowerState
	generation             string // "V1" or "V2"; empty: unknown
	controller             string // "SCSI" or "NVMe"; empty: SCSI
	dataDisks              int
	premium                string // a disk that requires premium storage
	ephemeral              bool   // its OS disk is lost by deallocation
	trusted, encrypted     bool
	spot                   bool
}

func modelOf(v *armcompute.VirtualMachine) model {
	m := model{id: val(v.ID), name: val(v.Name), region: val(v.Location), power: vm.UnknownState}
	if len(v.Zones) > 0 {
		m.zone = val(v.Zones[0])
	}
	p := v.Properties
	if p == nil {
		return m
	}
	if p.HardwareProfile != nil {
		m.size = string(val(p.HardwareProfile.VMSize))
	}
	if view := p.InstanceView; view != nil {
		m.power = vm.PowerStateOf(view.Statuses)
		m.generation = string(val(view.HyperVGeneration))
	}
	if s := p.SecurityProfile; s != nil {
		m.trusted = val(s.SecurityType) == armcompute.SecurityTypesTrustedLaunch
		m.encrypted = val(s.EncryptionAtHost)
	}
	m.spot = val(p.Priority) == armcompute.VirtualMachinePriorityTypesSpot
	storage := p.StorageProfile
	if storage == nil {
		return m
	}
	m.controller, m.dataDisks = string(val(storage.DiskControllerType)), len(storage.DataDisks)
	needs := func(name *string, d *armcompute.ManagedDiskParameters) {
		if d != nil && strings.HasPrefix(string(val(d.StorageAccountType)), "Premium") {
			m.premium = val(name)
		}
	}
	if d := storage.OSDisk; d != nil {
		m.ephemeral = d.DiffDiskSettings != nil
		needs(d.Name, d.ManagedDisk)
	}
	for _, d := range storage.DataDisks {
		if d != nil {
			needs(d.Name, d.ManagedDisk)
		}
	}
	return m
}

// fits returns the reason why a VM cannot have a size; nil: no known reason.
func (m model) fits(from, to catalog.Size) error {
	bad := func(format string, args ...any) error {
		return errkind.New(errkind.Invalid, "it cannot be %s: "+format, append([]any{to.Name}, args...)...)
	}
	controllers := to.DiskControllers
	if len(controllers) == 0 {
		controllers = []string{"SCSI"}
	}
	controller := m.controller
	if controller == "" {
		controller = "SCSI"
	}
	switch {
	case m.ephemeral:
		return bad("its OS disk is ephemeral, and would be lost")
	case from.Architecture != "" && !strings.EqualFold(from.Architecture, to.Architecture):
		return bad("what is installed there is for %s, and that size is %s", from.Architecture, to.Architecture)
	case m.generation != "" && len(to.Generations) > 0 && !containsFold(to.Generations, m.generation):
		return bad("the VM is of generation %s, and that size is for %s", m.generation, strings.Join(to.Generations, ", "))
	case !containsFold(controllers, controller):
		return bad("its disks are attached by %s, and that size knows %s", controller, strings.Join(controllers, ", "))
	case from.VCPUs > 0 && from.TempDisk != to.TempDisk:
		return bad("Azure does not change a VM from a size with a temporary disk to one without, or back")
	case to.MaxDataDisks > 0 && m.dataDisks > to.MaxDataDisks:
		return bad("it has %d data disks, and that size takes %d", m.dataDisks, to.MaxDataDisks)
	case m.premium != "" && !to.PremiumDisks:
		return bad("disk %s is premium storage, and that size has none", m.premium)
	case m.trusted && !to.TrustedLaunch:
		return bad("it is a trusted launch VM, and that size knows no trusted launch")
	case m.encrypted && !to.EncryptionAtHost:
		return bad("it is encrypted at its host, and that size does not do that")
	}
	return nil
}

// wanted is the request for the catalog's judge: the cores in addition to those of the VM.
func (m model) wanted(p Plan, size string) catalog.Wanted {
	w := catalog.Wanted{
		Region: m.region, Size: size, Zone: m.zone, Spot: m.spot, Premium: m.premium != "", Fixed: true,
		Fits: func(to catalog.Size) error { return m.fits(p.From, to) },
	}
	switch held := p.Now != vm.Deallocated; {
	case p.Before == vm.Deallocated, // nothing is allocated until it is started
		held && strings.EqualFold(p.current, size):
		w.Counted = true
	case held && strings.EqualFold(p.current, p.From.Name):
		w.Held = &p.From
	}
	return w
}

func (s *Resizer) price(ctx context.Context, m model, p *Plan) {
	if s.Prices == nil {
		return
	}
	list := s.Prices.VMs(ctx, m.region, p.From.Name, p.To.Name)
	monthly := func(size string) *cost.Money {
		price := list.Sizes[size].OnDemand
		if m.spot {
			price = list.Sizes[size].Spot
		}
		if price == nil {
			return nil
		}
		return new(price.PerMonth())
	}
	p.FromMonthly, p.ToMonthly = monthly(p.From.Name), monthly(p.To.Name)
}

func containsFold(list []string, want string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, want) })
}

func val[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
