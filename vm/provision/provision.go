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

// Details describes a VM that was made.
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
	OperationID string   `json:"operation_id"` // the one that made it: another than Config's when Resumed
	HostKey     string   `json:"host_key,omitempty"`
	Resumed     bool     `json:"resumed,omitempty"` // an earlier run had asked Azure for it
	Notes       []string `json:"notes,omitempty"`   // what a person should know, like Secure Boot being off
}

// ProvisioningFailure says how far a create came. Provision's error carries one, for errors.As.
type ProvisioningFailure struct {
	VM       string
	Stage    string // "check", "network" or "vm"
	Code     string // Azure's
	Err      error
	LeftOver []string // ids of resources that exist because of it; Delete of the VM's name removes them
}

func (f *ProvisioningFailure) Error() string { return f.Err.Error() }

// Unwrap gives errors.Is and errors.As the cause.
func (f *ProvisioningFailure) Unwrap() error { return f.Err }

func newOperationID() string { return uuid.NewString() }

// run is one run of Provision.
type run struct {
	*Service
	cfg    Config
	names  vm.Names
	size   catalog.Size
	copies []string // ids of those that were copied, the OS disk first
	image  catalog.ImageChoice
	report func(step string)
	watch  func(accepted Accepted)
	left   leftOver
	stage  string
}

// Accepted is a VM that Azure is making.
type Accepted struct {
	PublicIP string // empty: it has none
	LookNow  func() // makes Provision ask Azure at once whether the VM is done, for who has seen that it answers
}

// Provision makes the VM that cfg describes with everything it needs: the resource group when there
// is none, the region's shared network, a security group that admits SSHSources, a public address,
// a network interface and the VM, and waits until Azure has it running. report (may be nil) hears
// what is going on.
//
// It reads before it writes, so that running it again after any interruption goes on where that left
// off and ends with one VM. With the same OperationID, or for the same Owner as long as Finish was
// not called, a VM of that name is taken as it is, and awaited; a finished one, or somebody else's, is
// a Conflict; one that Azure could not allocate is deleted and made anew.
//
// Errors are ErrProvisioning, carry a *ProvisioningFailure and name what was left over.
func (s *Service) Provision(ctx context.Context, cfg Config, report func(step string)) (Details, error) {
	return s.ProvisionWatched(ctx, cfg, report, nil)
}

// ProvisionWatched is Provision, which calls watch (may be nil) when Azure has accepted the VM. Azure wants to be asked
// every ten seconds only; a VM that answers earlier need not wait for that.
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

// Finish marks the VM as complete, after which its name is taken: a create of that name is a Conflict
// and no longer goes on. Call it when the VM has been reached over SSH.
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

// check looks for the VM, its group and its size at once. done is true when the VM is there already.
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

// createGroup makes the group, once for the VMs of one pool.
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

// surroundings prepares what the network interface refers to, all at once.
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

// place is where the network of the VM is made. Tags of what VMs share leave out what belongs to one of them.
func (p *run) place() network.Place {
	place := network.Place{
		Group: p.cfg.ResourceGroup, Region: p.cfg.Region, Tags: p.cfg.tags(p.now(), change.StepNetwork), Report: p.report, Left: p.left.add,
	}
	place.Shared = maps.Clone(place.Tags)
	delete(place.Shared, azure.TagSession)
	return place
}

func (p *run) now() time.Time { return p.azure.Clock().Now() }

// failure dresses an error with the stage and what is left over.
func (p *run) failure(err error) error {
	f := &ProvisioningFailure{VM: p.cfg.Name, Stage: p.stage, Code: azure.Code(err), Err: err, LeftOver: p.left.ids()}
	out := &errkind.Error{
		Kind: errkind.Of(err), Op: "create vm", Resource: p.cfg.Name, Code: f.Code, LeftOver: f.LeftOver, Class: ErrProvisioning, Err: f,
	}
	if out.Kind == errkind.Unknown {
		out.Kind = errkind.Provisioning
	}
	if e, ok := err.(*errkind.Error); ok && e.Op == out.Op && e.Resource == out.Resource { //nolint:errorlint // the text of the outermost one begins with it
		out.Op, out.Resource = "", "" // it is said already
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
		d.HostKey = p.cfg.HostKey // a policy stripped the tag
	}
	if p.size.GPUs > 0 && p.image.Trusted && p.size.TrustedLaunch {
		d.Notes = append(d.Notes, fmt.Sprintf("Secure Boot is off, because %s has GPUs whose drivers it refuses", p.cfg.Size))
	}
	return d
}

// sorted returns ids in a stable order, each once.
func sorted(ids []string) []string {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}
