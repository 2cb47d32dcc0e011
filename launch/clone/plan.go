// Package clone makes VMs that begin with the disks of another one.
//
// The disks are copied through snapshots, at one moment each: what is being written meanwhile may be there in part, as
// after a power cut. A clone is another machine: it has its own host keys, name and addresses, and none of the tags that
// azlin keeps records of the original in.
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
	Prices      *cost.Prices // nil: prices are not known
	Owner       string       // goes into the tag azlin-owner
}

// Request is what is wanted.
type Request struct {
	Source     vm.Info
	Name       string         // of the clone; of several ones, what their names begin with. Empty: the source's with -clone
	Replicas   int            // 0: 1
	SSHSources []netip.Prefix // who may reach the clones, when the source has a public address
	SSH        reach.Options  // how to sign in, as on the source
	SSHTimeout time.Duration  // how long a clone may take to answer after Azure has it running; zero: five minutes
}

// MaxReplicas bounds how many clones are made at once.
const MaxReplicas = 50

// Plan is a clone that Azure would accept, as far as can be known before it is asked.
type Plan struct {
	Source  vm.Info
	Names   []string // of the clones
	Size    string
	Private bool
	Disks   []Disk      // of the source, the OS disk first
	Hourly  *cost.Money // of one clone, at list prices and without traffic; nil: not all of it is known

	Done    []string  // names of those that an earlier run of the same request has made
	Copied  time.Time // when that run copied the first disk, in UTC: this is what the clones begin with; zero: nothing is copied yet
	Notes   []string  // what could not be checked, and why
	left    []string  // ids of snapshots that an earlier run has left
	begun   int       // how many of the clones Azure has already, unfinished
	config  provision.Config
	request Request
	key     string // what the names of snapshots and operations have in common
}

// Disk is one disk of the source.
type Disk struct {
	ID       string
	Snapshot string // name of the snapshot that is made of it, and goes again
	SizeGB   int    // 0: not known
	Type     string
}

// Plan reads the source (virtualMachines/get) and checks names, size and quota. Names that are taken are a Conflict;
// unfinished clones of the same source are gone on with. It sends no write.
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

// wanted is what Azure is asked for. What it has already counts already.
func (p Plan) wanted() catalog.Wanted {
	missing := len(p.Names) - len(p.Done) - p.begun
	w := p.config.Wanted(max(1, missing))
	w.Counted = missing <= 0
	return w
}

// names are those of the clones: the name itself for one, numbered for several.
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

// take reads what a clone is made from out of the source.
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

// operation is what a clone's resources are marked with, so that the same request goes on with them.
func (p Plan) operation(name string) string {
	return change.CopyID(change.Clone, p.key+"-"+name[max(0, len(name)-20):])
}

// mine is whether a VM is a clone that this request made, and whether it ended that.
func (p Plan) mine(i vm.Info) (mine, done bool) {
	m, ok := change.MarkOf(i.Tags)
	return ok && m.ID == p.operation(i.Name), m.Step == change.StepDone
}

// free refuses names of VMs that there are, but for clones of the same request, as long as not all of those are done.
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
