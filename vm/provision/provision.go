package provision

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v9"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/pacing"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
)

// Details describes a provisioned VM.
type Details struct {
	vm.Ref

	PublicIP      string `json:"public_ip,omitempty"`
	Region        string `json:"region"`
	VMSize        string `json:"vm_size"`
	AdminUsername string `json:"admin_username"`
	SSHKeyPath    string `json:"ssh_key_path,omitempty"`

	ID          string   `json:"id"`
	VMID        string   `json:"vm_id,omitempty"`
	PrivateIP   string   `json:"private_ip,omitempty"`
	Zones       []string `json:"zones,omitempty"`
	OperationID string   `json:"operation_id"` // the operation that created it; differs from Config's when Resumed
	HostKey     string   `json:"host_key,omitempty"`
	Resumed     bool     `json:"resumed,omitempty"` // an earlier run had requested it
	Notes       []string `json:"notes,omitempty"`   // for the user, such as Secure Boot being off
}

// ProvisioningFailure reports how far a create came. Provision's error wraps one, for errors.As.
type ProvisioningFailure struct {
	VM       string
	Stage    string // "check", "network" or "vm"
	Code     string // Azure's
	Err      error
	LeftOver []string // ids of resources it created; Delete with the VM's name removes them
}

func (f *ProvisioningFailure) Error() string { return f.Err.Error() }

// Unwrap returns the cause, for errors.Is and errors.As.
func (f *ProvisioningFailure) Unwrap() error { return f.Err }

func newOperationID() string { return uuid.NewString() }

// run is one run of Provision.
type run struct {
	*Service
	cfg    Config
	names  vm.Names
	size   catalog.Size
	copies []string // ids of the copied disks, the OS disk first
	image  catalog.ImageChoice
	report func(step string)
	watch  func(accepted Accepted)
	left   leftOver
	stage  string
}

// Accepted is a VM that Azure is creating.
type Accepted struct {
	PublicIP string // empty: it has none
	LookNow  func() // makes Provision check the VM's state at once, for a caller that sees it answer
}

// Provision creates the VM that cfg describes with everything it needs: the resource group if absent, the region's shared
// network, a security group that admits SSHSources, a public address, a network interface and the VM. It waits until the VM
// runs. report (may be nil) receives progress.
// It reads before it writes, so running it again after an interruption resumes and ends with one VM. With the same
// OperationID, or for the same Owner before Finish was called, it reuses an existing VM of that name and waits for it. A
// finished VM, or one of another owner, is a Conflict. A VM that Azure could not allocate is deleted and created again.
// Errors are ErrProvisioning, wrap a *ProvisioningFailure and name what was left over.
func (s *Service) Provision(ctx context.Context, cfg Config, report func(step string)) (Details, error) {
	return s.ProvisionWatched(ctx, cfg, report, nil)
}

// ProvisionWatched is Provision, and calls watch (may be nil) when Azure has accepted the VM. Azure allows a status request
// only every ten seconds; with Accepted.LookNow, a VM that answers earlier does not wait for that.
func (s *Service) ProvisionWatched(ctx context.Context, cfg Config, report func(step string), watch func(Accepted)) (Details, error) {
	cfg = cfg.withDefaults()
	p := &run{Service: s, cfg: cfg, names: vm.NamesOf(cfg.Name), report: report, watch: watch, stage: "check"}
	if err := cfg.Validate(); err != nil {
		return Details{}, &errkind.Error{Kind: errkind.Of(err), Class: ErrProvisioning, Err: err}
	}
	if report != nil {
		ctx = pacing.WithNotice(ctx, report)
	}
	d, err := p.run(ctx)
	if err != nil {
		return Details{}, p.failure(err)
	}
	return d, nil
}

// Finish marks the VM as complete: a later create of that name is a Conflict and does not resume. Call it when the VM was
// reached over SSH.
func (s *Service) Finish(ctx context.Context, id, operationID string) error {
	return s.azure.MergeTags(ctx, id, map[string]string{azure.TagOperation: mark(operationID, change.StepDone)})
}

func (p *run) run(ctx context.Context) (Details, error) {
	azure.Report(p.report, "checking what exists")
	d, done, err := p.check(ctx)
	if err != nil || done {
		return d, err
	}
	p.stage = "network"
	azure.Report(p.report, "preparing the network")
	subnet, nsg, ip, err := p.surroundings(ctx)
	if err != nil {
		return Details{}, err
	}
	nic, err := p.network.EnsureInterface(ctx, p.place(), network.Interface{
		Name: p.names.NIC, VM: p.vmID(p.cfg.ResourceGroup, p.cfg.Name), Subnet: subnet, SecurityGroup: nsg, Address: ip,
		Accelerated: p.size.AcceleratedNetworking,
	})
	if err != nil {
		return Details{}, err
	}
	p.stage = "vm"
	if p.cfg.Copy != nil {
		if p.copies, err = p.ensureDisks(ctx); err != nil {
			return Details{}, err
		}
	}
	return p.createVM(ctx, nic, ip)
}

// check reads the VM, its group and its size in parallel. done is true when the VM already exists.
func (p *run) check(ctx context.Context) (d Details, done bool, err error) {
	var existing *vm.Info
	var groupExists bool
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		existing, err = p.find(gctx)
		return err
	})
	g.Go(func() (err error) {
		groupExists, err = p.groups.Exists(gctx, p.cfg.ResourceGroup)
		return err
	})
	g.Go(func() (err error) {
		if p.size, err = p.catalog.Size(gctx, p.cfg.Region, p.cfg.Size); err != nil || p.cfg.Copy != nil {
			return err
		}
		p.image, err = p.catalog.Image(gctx, p.cfg.ResourceGroup, p.cfg.Region, p.size, p.cfg.Image)
		return err
	})
	if err := g.Wait(); err != nil {
		return Details{}, false, err
	}
	if existing != nil {
		d, done, err := p.adopt(ctx, *existing)
		if err != nil || done {
			return d, done, err
		}
	} else if err := p.size.Check(p.cfg.Zone); err != nil {
		return Details{}, false, err
	}
	if !groupExists {
		return Details{}, false, p.createGroup(ctx)
	}
	return Details{}, false, nil
}

// createGroup creates the group, once for all VMs of a pool.
func (p *run) createGroup(ctx context.Context) error {
	unlock, err := p.locks.Lock(ctx, "group "+strings.ToLower(p.cfg.ResourceGroup))
	if err != nil {
		return azure.Wrap("create resource group", p.cfg.ResourceGroup, err)
	}
	defer unlock()
	azure.Report(p.report, "creating resource group "+p.cfg.ResourceGroup)
	tags := p.cfg.tags(p.now(), change.StepNetwork)
	_, _, err = p.groups.Ensure(ctx, p.cfg.ResourceGroup, p.cfg.Region, tags)
	return err
}

// find reads the VM with its power state but without addresses; nil when there is none.
func (p *run) find(ctx context.Context) (*vm.Info, error) {
	i, err := p.vms.Peek(ctx, p.cfg.Ref())
	if azure.IsNotFound(err) {
		return nil, nil
	}
	return &i, err
}

// surroundings creates what the network interface refers to, in parallel.
func (p *run) surroundings(ctx context.Context) (subnet, nsg string, ip *armnetwork.PublicIPAddress, err error) {
	place := p.place()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		if subnet = p.cfg.SubnetID; subnet == "" {
			subnet, err = p.network.EnsureSubnet(ctx, place, p.cfg.Private, p.cfg.NATGateway)
		}
		return err
	})
	g.Go(func() (err error) {
		name, place := p.names.NSG, place
		if p.cfg.Pool != "" {
			name, place.Tags = vm.NamesOf(p.cfg.Pool).NSG, place.Shared
		}
		nsg, err = p.network.EnsureSecurityGroup(ctx, place, name, network.SSHAccess{Rule: p.cfg.SSHRule, Sources: p.cfg.SSHSources, Port: p.cfg.SSHPort})
		return err
	})
	if !p.cfg.Private {
		g.Go(func() (err error) {
			nic := azure.NewID(p.azure.SubscriptionID(), p.cfg.ResourceGroup, "Microsoft.Network", "networkInterfaces", p.names.NIC)
			ip, err = p.network.EnsureAddress(ctx, place, p.names.PublicIP, nic.String())
			return err
		})
	}
	err = g.Wait()
	return subnet, nsg, ip, err
}

// place is where the VM's network is created. The tags of shared resources leave out those of one VM.
func (p *run) place() network.Place {
	place := network.Place{
		Group: p.cfg.ResourceGroup, Region: p.cfg.Region, Tags: p.cfg.tags(p.now(), change.StepNetwork), Report: p.report, Left: p.left.add,
	}
	place.Shared = maps.Clone(place.Tags)
	delete(place.Shared, azure.TagSession)
	return place
}

func (p *run) now() time.Time { return p.azure.Clock().Now() }

// failure adds the stage and what is left over to an error.
func (p *run) failure(err error) error {
	f := &ProvisioningFailure{VM: p.cfg.Name, Stage: p.stage, Code: azure.Code(err), Err: err, LeftOver: p.left.ids()}
	out := &errkind.Error{
		Kind: errkind.Of(err), Op: "create vm", Resource: p.cfg.Name, Code: f.Code, LeftOver: f.LeftOver, Class: ErrProvisioning, Err: f,
	}
	if out.Kind == errkind.Unknown {
		out.Kind = errkind.Provisioning
	}
	if e, ok := err.(*errkind.Error); ok && e.Op == out.Op && e.Resource == out.Resource { //nolint:errorlint // the text of the outermost one begins with it
		out.Op, out.Resource = "", "" // already in the failure
	}
	return out
}

// details describes the finished VM.
func (p *run) details(i vm.Info, resumed bool) Details {
	d := Details{
		Ref: i.Ref, PublicIP: i.PublicIP, PrivateIP: i.PrivateIP, Region: i.Location,
		VMSize: i.VMSize, AdminUsername: i.AdminUsername, SSHKeyPath: p.cfg.SSHKeyPath, ID: i.ID, VMID: i.VMID, Zones: i.Zones,
		OperationID: p.cfg.OperationID, HostKey: i.HostKey(), Resumed: resumed,
	}
	if tag, ok := azure.Tag(i.Tags, azure.TagOperation); ok {
		if m, ok := change.ParseMark(tag); ok {
			d.OperationID = m.ID
		}
	}
	if d.HostKey == "" && d.OperationID == p.cfg.OperationID {
		d.HostKey = p.cfg.HostKey // a policy removed the tag
	}
	if p.size.GPUs > 0 && p.image.Trusted && p.size.TrustedLaunch {
		d.Notes = append(d.Notes, fmt.Sprintf("Secure Boot is off, because %s has GPUs whose drivers it refuses", p.cfg.Size))
	}
	return d
}

// sorted returns the ids sorted, without duplicates.
func sorted(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}
