// Package clone creates VMs from copies of another VM's disks.
// The disks are copied through snapshots, each at one moment: files being written meanwhile may be incomplete, as after a
// power failure. A clone is a separate machine: it has its own host keys, name and addresses, and none of azlin's record
// tags of the original.
package clone

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/disk"
	"github.com/azlin-dev/azlin/vm/provision"
)

// Cloner clones the VMs of one subscription.
type Cloner struct {
	Azure       *azure.Client
	VMs         *vm.Service
	Provisioner *provision.Service
	Catalog     *catalog.Service
	Disks       *disk.Service
	Reach       reach.Finder
	Prices      *cost.Prices // nil: prices are unknown
	Owner       string       // goes into the tag azlin-owner
}

// Request describes a clone.
type Request struct {
	Source     vm.Info
	Name       string         // of the clone; for several, their common prefix. Empty: the source's name with -clone
	Replicas   int            // 0: 1
	SSHSources []netip.Prefix // who may reach the clones, if the source has a public address
	SSH        reach.Options  // how to sign in, as on the source
	SSHTimeout time.Duration  // how long to wait for SSH after Azure reports the clone as running; zero: five minutes
}

// MaxReplicas is the highest number of clones in one request.
const MaxReplicas = 50

// Plan is a clone that Azure would accept, as far as that can be known in advance.
type Plan struct {
	Source  vm.Info
	Names   []string // the names of the clones
	Size    string
	Private bool
	Disks   []Disk      // the source's disks, the OS disk first
	Hourly  *cost.Money // price of one clone per hour, list price without traffic; nil: partly unknown

	Done    []string  // names that an earlier run of the same request has finished
	Copied  time.Time // when that run copied the first disk, UTC: the state the clones start with; zero: nothing is copied yet
	Notes   []string  // what could not be checked, and why
	left    []string  // ids of snapshots left by an earlier run
	begun   int       // how many clones exist in Azure, unfinished
	config  provision.Config
	request Request
	key     string // common part of the names of snapshots and operations
}

// Disk is one disk of the source.
type Disk struct {
	ID       string
	Snapshot string // name of its temporary snapshot
	SizeGB   int    // 0: unknown
	Type     string
}

// Plan reads the source (virtualMachines/get) and checks names, size and quota. Names in use are a Conflict; unfinished
// clones of the same source are resumed. It sends no write.
func (c *Cloner) Plan(ctx context.Context, r Request) (Plan, error) {
	r.Name, r.Replicas = cmp.Or(r.Name, r.Source.Name+"-clone"), cmp.Or(r.Replicas, 1)
	p := Plan{Source: r.Source, Names: names(r), request: r, Private: r.Source.PublicIP == ""}
	if r.Replicas < 1 || r.Replicas > MaxReplicas {
		return p, errkind.New(errkind.Invalid, "%d replicas: make 1 to %d at once", r.Replicas, MaxReplicas)
	}
	for _, name := range p.Names {
		if err := vm.ValidateName(name); err != nil {
			return p, err
		}
	}
	fail := func(err error) (Plan, error) {
		return p, &errkind.Error{Kind: errkind.Of(err), Op: "clone", Resource: r.Source.Name, Err: err}
	}
	resp, err := c.Azure.VMs().Get(ctx, r.Source.ResourceGroup, r.Source.Name, nil)
	if err != nil {
		return p, azure.Wrap("clone", r.Source.Name, err)
	}
	p.key = change.KeyOf(r.Source.VMID, r.Name)
	if p.config, err = c.Provisioner.Model(ctx, r.Source.Ref); err != nil {
		return p, err
	}
	if err := p.take(&resp.VirtualMachine, r, c.Owner); err != nil {
		return fail(err)
	}
	if err := c.free(ctx, &p); err != nil {
		return fail(err)
	}
	wanted := p.wanted()
	judgement, err := c.Catalog.Judge(ctx, c.Catalog.Offer(ctx, wanted.Region, wanted.Size), wanted)
	if err != nil {
		return fail(err)
	}
	p.Notes = judgement.Notes
	c.price(ctx, &p)
	return p, nil
}

// wanted is the request for the catalog's judge. Existing clones already count in the quota.
func (p Plan) wanted() catalog.Wanted {
	missing := len(p.Names) - len(p.Done) - p.begun
	w := p.config.Wanted(max(1, missing))
	w.Counted = missing <= 0
	return w
}

// names returns the names of the clones: the name itself for one, numbered names for several.
func names(r Request) []string {
	if r.Replicas <= 1 {
		return []string{r.Name}
	}
	list := make([]string, r.Replicas)
	for n := range list {
		list[n] = fmt.Sprintf("%s-%02d", r.Name, n+1)
	}
	return list
}

// take reads the source's properties that a clone needs.
func (p *Plan) take(m *armcompute.VirtualMachine, r Request, owner string) error {
	c := &p.config
	disk, err := c.CopyOf(m)
	if err != nil {
		return err
	}
	storage := m.Properties.StorageProfile
	p.add(disk, "os", c.OSDiskSizeGB, c.OSDiskType)
	c.DataDisks = nil
	for n, d := range storage.DataDisks {
		if d == nil || d.ManagedDisk == nil || d.ManagedDisk.ID == nil {
			continue
		}
		kind, size := "", 0
		if d.ManagedDisk.StorageAccountType != nil {
			kind = string(*d.ManagedDisk.StorageAccountType)
		}
		if d.DiskSizeGB != nil {
			size = int(*d.DiskSizeGB)
		}
		p.add(*d.ManagedDisk.ID, fmt.Sprintf("data-%d", n), size, kind)
		c.DataDisks = append(c.DataDisks, provision.DataDisk{SizeGB: max(1, size), Type: kind})
	}
	c.Image, c.SessionName, c.Template, c.Pool, c.HostKey, c.CustomData, c.OSDiskSizeGB = "", "", "", "", "", nil, 0
	c.Private, c.SubnetID, c.SSHSources, c.Owner, c.Source = p.Private, r.Source.Subnet, r.SSHSources, owner, r.Source.Name
	p.Size = c.Size
	return nil
}

// maxSnapshotName is Azure's limit.
const maxSnapshotName = 80

func (p *Plan) add(id, suffix string, size int, kind string) {
	name := "-" + suffix + "-clone-" + p.key
	p.Disks = append(p.Disks, Disk{ID: id, Snapshot: p.Source.Name[:min(len(p.Source.Name), maxSnapshotName-len(name))] + name, SizeGB: size, Type: kind})
}

// operation is the mark of a clone's resources, by which the same request resumes them.
func (p Plan) operation(name string) string {
	return change.CopyID(change.Clone, p.key+"-"+name[max(0, len(name)-20):])
}

// mine reports whether this request created the VM, and whether it is finished.
func (p Plan) mine(i vm.Info) (mine, done bool) {
	m, ok := change.MarkOf(i.Tags)
	return ok && m.ID == p.operation(i.Name), m.Step == change.StepDone
}

// free refuses names of existing VMs, except clones of the same request while some of those are unfinished.
func (c *Cloner) free(ctx context.Context, p *Plan) error {
	listing, err := c.VMs.List(ctx, vm.ListOptions{ResourceGroup: p.Source.ResourceGroup, All: true})
	if err != nil {
		return err
	}
	for _, name := range p.Names {
		if err := vm.NotASession(listing.VMs, name); err != nil {
			return err
		}
	}
	var taken []string
	for _, i := range listing.VMs {
		if !slices.ContainsFunc(p.Names, func(n string) bool { return strings.EqualFold(n, i.Name) }) {
			continue
		}
		switch mine, done := p.mine(i); {
		case mine && done:
			p.Done = append(p.Done, i.Name)
		case mine:
			p.begun++
		default:
			taken = append(taken, i.Name)
		}
	}
	if err := c.existing(ctx, p); err != nil {
		return err
	}
	if len(p.Done) == len(p.Names) && p.left == nil {
		taken = append(taken, p.Done...)
	}
	if taken != nil {
		slices.Sort(taken)
		e := errkind.New(errkind.Conflict, "there is a VM %s already: choose another name", strings.Join(taken, ", "))
		e.Next = errkind.Step{Action: errkind.CloneVM, VM: p.Source.Name, Group: p.Source.ResourceGroup}
		return e
	}
	return nil
}

func (c *Cloner) price(ctx context.Context, p *Plan) {
	if c.Prices == nil {
		return
	}
	m := cost.Machine{Region: p.config.Region, Size: p.Size, Spot: p.config.Spot, PublicIP: !p.Private}
	for _, d := range p.Disks {
		m.Disks = append(m.Disks, cost.Disk{Type: d.Type, SizeGB: d.SizeGB})
	}
	if e := c.Prices.Estimate(ctx, m); len(e.Unknown) == 0 {
		p.Hourly = e.Hourly
	}
}
