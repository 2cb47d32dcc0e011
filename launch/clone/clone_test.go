package clone_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch/clone"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/remote/knownhosts"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/local/person"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/disk"
	"github.com/azlin-dev/azlin/vm/provision"
)

func TestMain(m *testing.M) {
	emulator.HostMain()
	os.Exit(m.Run())
}

const group = "azlin-rg"

// place is a person's Azure with hosts, and the VM dev on it.
type place struct {
	*person.Person
	t *testing.T
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{person.New(t, emulator.Options{}), t}
	_, public, err := keypair.At(p.Key.Private)
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.cloner(p.Azure.Client()).Provisioner.Provision(t.Context(), provision.Config{
		Name: "dev", ResourceGroup: group, Region: "westus2", Size: "Standard_B2s", OperationID: "one", SSHPublicKeys: []string{public},
		SSHSources: local.OperatorOnly(), DataDisks: []provision.DataDisk{{SizeGB: 32}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// cloner is what a new process has; the known hosts are a new machine's.
func (p *place) cloner(c *azure.Client) *clone.Cloner {
	p.t.Helper()
	vms := vm.New(c, vm.Options{})
	known, err := os.MkdirTemp(p.Dir, "known")
	if err != nil {
		p.t.Fatal(err)
	}
	return &clone.Cloner{Azure: c, VMs: vms, Provisioner: provision.New(c, provision.Options{}), Catalog: catalog.New(c, ""), Disks: disk.New(c), Owner: "ann", Reach: reach.Finder{
		VMs: vms, Port: p.Runtime.Port(), KnownHosts: knownhosts.File{Path: filepath.Join(known, "known_hosts")},
	}}
}

// make clones dev once, as a process does that knows nothing of an earlier one.
func (p *place) make(c *clone.Cloner, name string, replicas int) (clone.Summary, error) {
	p.t.Helper()
	ctx := p.t.Context()
	dev, err := c.VMs.Get(ctx, vm.Ref{ResourceGroup: group, Name: "dev"})
	if err != nil {
		return clone.Summary{}, err
	}
	plan, err := c.Plan(ctx, clone.Request{
		Source: dev, Name: name, Replicas: replicas, SSHSources: local.OperatorOnly(), SSH: reach.Options{KeyPath: p.Key.Private},
	})
	if err != nil {
		return clone.Summary{}, err
	}
	return c.Run(ctx, plan, nil)
}

// seen fails the test when somebody who looks for what is unfinished does not find the snapshots that there are.
func (p *place) seen(c *clone.Cloner, cut int) {
	p.t.Helper()
	left, err := c.Provisioner.Unfinished(p.t.Context(), "")
	found := 0
	for _, u := range left {
		for _, id := range u.Resources {
			if strings.Contains(strings.ToLower(id), "/snapshots/") {
				found++
			}
		}
	}
	if n := p.Resources()["Microsoft.Compute/snapshots"]; err != nil || found != n {
		p.t.Errorf("cut %d: %d of %d snapshots are seen: %+v, %v", cut, found, n, left, err)
	}
}

func (p *place) remove(c *clone.Cloner, name string) {
	p.t.Helper()
	sum, err := c.VMs.Delete(p.t.Context(), vm.Ref{ResourceGroup: group, Name: name}, vm.DeleteOptions{})
	if err := errors.Join(err, sum.Err()); err != nil {
		p.t.Fatal(err)
	}
}

func TestClone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	before := p.Resources()
	c := p.cloner(p.Client())
	sum, err := p.make(c, "twin", 3)
	if err != nil || sum.Succeeded != 3 || sum.Total != 3 || sum.LeftOver != nil {
		t.Fatalf("%+v, %v", sum, err)
	}
	keys := map[string]bool{}
	for n, r := range sum.Results {
		i, err := c.VMs.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: r.Name})
		if err != nil || r.Name != fmt.Sprintf("twin-%02d", n+1) || i.PublicIP != r.Details.PublicIP || len(i.Disks) != 2 || i.AdminUsername != "azureuser" {
			t.Errorf("%+v, %+v, %v", r, i, err)
		}
		key, _ := azure.Tag(i.Tags, azure.TagHostKey)
		keys[key] = true
	}
	if len(keys) != 3 || keys[""] {
		t.Errorf("host keys: %v", keys)
	}
	if _, err := p.make(c, "twin", 3); errkind.Of(err) != errkind.Conflict {
		t.Errorf("again: %v", err)
	}
	for _, r := range sum.Results {
		p.remove(c, r.Name)
	}
	if diff := cmp.Diff(before, p.Resources()); diff != "" {
		t.Error(diff)
	}
}

// TestCloneOfFailedCopy: a snapshot or a disk that could not be made is there, with nothing in it; the second run takes
// another one, so that somebody can sign in.
func TestCloneOfFailedCopy(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	dev, err := p.cloner(p.Client()).VMs.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := p.cloner(p.Client()).Plan(t.Context(), clone.Request{Source: dev, Name: "twin"})
	if err != nil {
		t.Fatal(err)
	}
	for _, broken := range []string{plan.Disks[0].Snapshot, "twin-os"} {
		if _, err := p.Emulator.AddFault(fault.Rule{Effect: fault.Fail, Operation: "disk.put", Name: broken, Count: 1}); err != nil {
			t.Fatal(err)
		}
		if _, err := p.make(p.cloner(p.Client()), "twin", 1); errkind.Of(err) != errkind.Capacity {
			t.Fatalf("%s: %v", broken, err)
		}
	}
	if sum, err := p.make(p.cloner(p.Client()), "twin", 1); err != nil || sum.Succeeded != 1 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if n := p.Resources()["Microsoft.Compute/snapshots"]; n > 0 {
		t.Errorf("%d snapshots are left", n)
	}
}

// TestCloneOfEarlierCopy: a plan says since when the copy is there that it goes on with; one that Azure failed to make does
// not count.
func TestCloneOfEarlierCopy(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.cloner(p.Client())
	dev, err := c.VMs.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	plan := func() clone.Plan {
		t.Helper()
		made, err := c.Plan(t.Context(), clone.Request{Source: dev, Name: "twin"})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	fresh := plan()
	if !fresh.Copied.IsZero() {
		t.Errorf("nothing is copied yet, not at %s", fresh.Copied)
	}
	began := time.Now()
	data := fresh.Disks[1]
	_, key, _ := strings.Cut(data.Snapshot, "-clone-")
	snapshot := disk.Snapshot{
		Name: data.Snapshot, ResourceGroup: group, Region: dev.Location, Disk: data.ID, Operation: "clone:" + key + ":snapshot", Source: "dev",
	}
	if _, err := p.Emulator.AddFault(fault.Rule{Effect: fault.Fail, Operation: "disk.put", Name: data.Snapshot, Count: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Disks.EnsureSnapshot(t.Context(), snapshot); err == nil {
		t.Fatal("it was to fail")
	}
	if at := plan().Copied; !at.IsZero() || p.Resources()["Microsoft.Compute/snapshots"] != 1 {
		t.Errorf("the copy failed, but is said to be there since %s", at)
	}
	id, err := c.Disks.EnsureSnapshot(t.Context(), snapshot)
	if err != nil {
		t.Fatal(err)
	}
	if at := plan().Copied; at.Before(began.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("copied at %s, not now", at)
	}
	all, err := c.Provisioner.Unfinished(t.Context(), "")
	left := slices.DeleteFunc(all, func(u change.Unfinished) bool { return u.Kind != change.Clone })
	if err != nil || len(left) != 1 || left[0].Source != "dev" || left[0].VM != "" || len(left[0].Resources) != 1 || !strings.EqualFold(left[0].Resources[0], id) {
		t.Errorf("unfinished: %+v, %v", left, err)
	}
}

// TestCloneAfterAnyCrash cuts a clone off at requests that chance picks, before they are sent and after they were carried
// out: the second run ends it, and leaves no snapshot; deleted, nothing is left of it.
func TestCloneAfterAnyCrash(t *testing.T) {
	t.Parallel()
	afterCrashes(t, 6)
}

// afterCrashes does so at some of all requests; 0: at all.
func afterCrashes(t *testing.T, some int) {
	t.Helper()
	p := newPlace(t)
	before := p.Resources()
	c := p.Client()
	if _, err := p.make(p.cloner(c), "measure", 1); err != nil {
		t.Fatal(err)
	}
	p.remove(p.cloner(c), "measure")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	cuts := rand.New(rand.NewPCG(seed, 0)).Perm(2 * c.Requests())
	if some > 0 {
		cuts = cuts[:some]
	}
	for _, cut := range cuts {
		name := fmt.Sprintf("c%d", cut)
		crash := &local.Crash{N: cut/2 + 1, After: cut%2 == 1}
		first, err := p.make(p.cloner(p.Client(crash.Dying)), name, 1)
		if err != nil && !errors.Is(err, local.ErrKilled) {
			t.Fatalf("cut %d: it did not die, but failed: %+v, %v", cut, first, err)
		}
		fresh := p.cloner(p.Client())
		p.seen(fresh, cut)
		if _, err := p.make(fresh, name, 1); err != nil && errkind.Of(err) != errkind.Conflict { // which it is when it was done
			t.Fatalf("cut %d: the second run: %v", cut, err)
		}
		if n := p.Resources()["Microsoft.Compute/snapshots"]; n > 0 {
			t.Errorf("cut %d: %d snapshots are left", cut, n)
		}
		i, err := fresh.VMs.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: name})
		if tag, _ := azure.Tag(i.Tags, azure.TagHostKey); err != nil || !i.IsRunning() || tag == "" {
			t.Errorf("cut %d: %+v, %v", cut, i, err)
		}
		p.remove(fresh, name)
		if diff := cmp.Diff(before, p.Resources()); diff != "" {
			t.Fatalf("cut %d: %s", cut, diff)
		}
	}
}
