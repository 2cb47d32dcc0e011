package image_test

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch/image"
	"github.com/azlin-dev/azlin/test/local"
	"github.com/azlin-dev/azlin/test/local/lab"
	"github.com/azlin-dev/azlin/test/wait"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/catalog"
	"github.com/azlin-dev/azlin/vm/disk"
	"github.com/azlin-dev/azlin/vm/provision"
)

func TestMain(m *testing.M) {
	emulator.HostMain()
	os.Exit(m.Run())
}

const (
	group  = "azlin-rg"
	public = lab.Key
)

// place is an emulator with hosts, and the VM dev on it.
type place struct {
	*local.Azure

	t *testing.T
}

func newPlace(t *testing.T) *place {
	t.Helper()
	hosts := local.Hosts(t, host.Options{OperatorIP: local.Operator()})
	p := &place{local.New(t, emulator.Options{Hosts: hosts, OperatorIP: local.Operator()}), t}
	p.provision("dev", "")
	p.run("dev", `echo baked >/opt/baked; echo secret >/root/.netrc; echo secret >/home/azureuser/token; mkdir -p /var/lib/azlin; echo secret >/var/lib/azlin/startup-script
mkdir -p /var/lib/waagent; echo secret >/var/lib/waagent/CustomData; echo secret >/tmp/leftover; echo secret >>/var/log/syslog`)
	return p
}

func (p *place) vms() *vm.Service { return vm.New(p.Client(), vm.Options{}) }

func (p *place) provision(name, image string) {
	p.t.Helper()
	_, err := provision.New(p.Client(), provision.Options{}).Provision(p.t.Context(), provision.Config{
		Name: name, ResourceGroup: group, Region: "westus2", Size: "Standard_D2s_v5", Image: image, OperationID: name, SSHPublicKeys: []string{public},
		SSHSources: local.OperatorOnly(),
	}, nil)
	if err != nil {
		p.t.Fatal(err)
	}
}

// run is what a script prints on a VM.
func (p *place) run(name, script string) string {
	p.t.Helper()
	out, err := p.vms().RunCommand(p.t.Context(), vm.Ref{ResourceGroup: group, Name: name}, script)
	if err != nil {
		p.t.Fatal(err)
	}
	return out.Stdout
}

func baker(c *azure.Client) *image.Baker {
	return &image.Baker{Azure: c, VMs: vm.New(c, vm.Options{}), Provisioner: provision.New(c, provision.Options{}), Catalog: catalog.New(c, ""), Disks: disk.New(c), Owner: "ann"}
}

// bake bakes an image of dev, as a process does that knows nothing of an earlier one.
func (p *place) bake(b *image.Baker, name string) (image.Image, error) {
	p.t.Helper()
	dev, err := b.VMs.Get(p.t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"})
	if err != nil {
		return image.Image{}, err
	}
	plan, err := b.Plan(p.t.Context(), image.Request{Source: dev, Name: name})
	if err != nil {
		return image.Image{}, err
	}
	return b.Run(p.t.Context(), plan, nil)
}

// nextSecond waits for another one: versions have it in their names.
func nextSecond(t *testing.T) {
	t.Helper()
	now := time.Now().Unix()
	wait.Until(t, "the next second", func() bool { return time.Now().Unix() > now })
}

// remove deletes an image with all its versions.
func (p *place) remove(name string) {
	p.t.Helper()
	b := baker(p.Client())
	d, err := b.PlanDeletion(p.t.Context(), group, name)
	if err == nil {
		err = b.Delete(p.t.Context(), d, nil)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// TestBake bakes an image and makes a VM from it: what was installed is there, and nothing of people or of the first
// machine. The VM that it was baked from stays as it was, and nothing temporary is left.
func TestBake(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	before := p.Resources()
	made, err := p.bake(baker(p.Client()), "base")
	if err != nil || made.Name != "base" || made.State != "Succeeded" || made.Source != "dev" || made.Created.IsZero() {
		t.Fatalf("%+v, %v", made, err)
	}
	after := p.Resources()
	for _, kind := range []string{"Microsoft.Compute/galleries", "Microsoft.Compute/galleries/images", "Microsoft.Compute/galleries/images/versions"} {
		if after[kind] != 1 {
			t.Errorf("%d of %s", after[kind], kind)
		}
		delete(after, kind)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	if got := p.run("dev", "cat /home/azureuser/token /root/.netrc /opt/baked"); got != "secret\nsecret\nbaked\n" {
		t.Errorf("dev has %q", got)
	}

	p.provision("next", "base")
	got := p.run("next", "cat /opt/baked; hostname; ls /home; grep -rls secret /root /home /tmp /var/lib/waagent/CustomData /var/lib/azlin /var/log; cat /etc/ssh/ssh_host_ed25519_key.pub | wc -l")
	if got != "baked\nnext\nazureuser\n1\n" {
		t.Errorf("the VM from the image says %q", got)
	}
	if a, b := p.run("dev", "cat /etc/ssh/*.pub"), p.run("next", "cat /etc/ssh/*.pub"); a == b {
		t.Error("both have the same host key")
	}
	i, err := p.vms().Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "next"})
	if err != nil || !strings.Contains(strings.ToLower(strings.Join(i.Disks, "")), "next-os") {
		t.Errorf("%+v, %v", i, err)
	}

	// A second one that is cut off early is gone on with, and not taken for the first; or it is given up, with its snapshot.
	cut := func(at string) image.Plan {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		dev, err := p.vms().Get(ctx, vm.Ref{ResourceGroup: group, Name: "dev"})
		if err != nil {
			t.Fatal(err)
		}
		b := baker(p.Client())
		plan, err := b.Plan(ctx, image.Request{Source: dev, Name: "base"})
		if err != nil || plan.Resumes || !plan.Begun().IsZero() {
			t.Fatalf("%+v, %v", plan, err)
		}
		if _, err := b.Run(ctx, plan, func(step string) {
			if strings.HasPrefix(step, at) {
				cancel()
			}
		}); errkind.Of(err) != errkind.Cancelled {
			t.Fatalf("cut at %q: %v", at, err)
		}
		return plan
	}
	nextSecond(t)
	begun := cut("creating disk")
	if again, err := p.bake(baker(p.Client()), "base"); err != nil || again.Version != begun.Version {
		t.Errorf("%s was cut off, then %+v, %v", begun.Version, again, err)
	}
	begun = cut("checking what exists") // there is no more than the snapshot
	if p.Resources()["Microsoft.Compute/snapshots"] != 1 {
		t.Errorf("%v", p.Resources())
	}
	if sum, err := p.vms().Delete(t.Context(), vm.Ref{ResourceGroup: group, Name: begun.Builder}, vm.DeleteOptions{}); err != nil || sum.DeletedResources != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
	if p.Resources()["Microsoft.Compute/snapshots"] != 0 {
		t.Errorf("%v", p.Resources())
	}

	// A second version of it; the newest one counts, and one can be named.
	nextSecond(t)
	if second, err := p.bake(baker(p.Client()), "base"); err != nil || second.Version == made.Version {
		t.Fatalf("%+v, %v", second, err)
	}
	images, err := baker(p.Client()).List(t.Context(), group)
	if err != nil || len(images) < 2 || catalog.CompareVersions(images[0].Version, images[1].Version) <= 0 {
		t.Fatalf("%+v, %v", images, err)
	}
	p.provision("old", "base:"+made.Version)
	d, err := baker(p.Client()).PlanDeletion(t.Context(), group, "base:"+made.Version)
	if err != nil || len(d.Images) != 1 || d.Names != nil || d.Gallery {
		t.Errorf("%+v, %v", d, err)
	}
	p.remove("base:" + made.Version)
	p.remove("base")
	for kind, n := range p.Resources() {
		if strings.Contains(kind, "galleries") {
			t.Errorf("%d of %s are left", n, kind)
		}
	}
	if _, err := baker(p.Client()).PlanDeletion(t.Context(), group, "base"); errkind.Of(err) != errkind.NotFound {
		t.Errorf("deleted again: %v", err)
	}
}

// TestBakeRefuses asks for images that cannot be, which sends no write.
func TestBakeRefuses(t *testing.T) {
	t.Parallel()
	p := &place{local.New(t, emulator.Options{Quota: map[string]int{"standardDSv5Family": 2}}), t}
	p.provision("dev", "")
	c := p.Client()
	b := baker(c)
	dev, err := b.VMs.Get(t.Context(), vm.Ref{ResourceGroup: group, Name: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		request image.Request
		kind    errkind.Kind
		says    string
	}{
		"a name":          {image.Request{Source: dev, Name: "a_b"}, errkind.Invalid, "letters, digits and hyphens"},
		"no quota":        {image.Request{Source: dev}, errkind.Quota, "2 of 2"},
		"no such size":    {image.Request{Source: dev, Size: "Standard_X"}, errkind.Invalid, "Standard_X"},
		"a VM that is no": {image.Request{Source: vm.Info{Ref: vm.Ref{Name: "none", ResourceGroup: group}, VMID: "x"}}, errkind.NotFound, "none"},
	} {
		if _, err := b.Plan(t.Context(), test.request); errkind.Of(err) != test.kind || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: kind %q, %v", name, errkind.Of(err), err)
		}
	}
	// What is left of one that was cut off can be given up all the same.
	plan, err := b.Plan(t.Context(), image.Request{Source: dev, Abandon: true})
	if err == nil {
		err = b.Abandon(t.Context(), plan, nil)
	}
	if err != nil {
		t.Error(err)
	}
	if n := p.Resources()["Microsoft.Compute/galleries"]; n != 0 {
		t.Errorf("%d galleries", n)
	}
}

// TestBakeAfterAnyCrash cuts a bake off at requests that chance picks, before they are sent and after they were carried
// out: the second run ends it with one version, and leaves nothing temporary.
func TestBakeAfterAnyCrash(t *testing.T) {
	t.Parallel()
	afterCrashes(t, 5)
}

// afterCrashes does so at some of all requests; 0: at all.
func afterCrashes(t *testing.T, some int) {
	t.Helper()
	p := newPlace(t)
	before := p.Resources()
	c := p.Client()
	if _, err := p.bake(baker(c), "measure"); err != nil {
		t.Fatal(err)
	}
	p.remove("measure")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d requests", seed, c.Requests())
	cuts := rand.New(rand.NewPCG(seed, 0)).Perm(2 * c.Requests())
	if some > 0 {
		cuts = cuts[:some]
	}
	for _, cut := range cuts {
		crash := &local.Crash{N: cut/2 + 1, After: cut%2 == 1}
		first, err := p.bake(baker(p.Client(crash.Dying)), "base")
		if err != nil && !errors.Is(err, local.ErrKilled) {
			t.Fatalf("cut %d: it did not die, but failed: %+v, %v", cut, first, err)
		}
		// It may have been cut off when everything was done: then there is nothing to go on with.
		if !p.done(before) {
			if _, err := p.bake(baker(p.Client()), "base"); err != nil {
				t.Fatalf("cut %d: the second run: %v", cut, err)
			}
		}
		images, err := baker(p.Client()).List(t.Context(), group)
		if err != nil || len(images) != 1 || images[0].State != "Succeeded" {
			t.Errorf("cut %d: %+v, %v", cut, images, err)
		}
		p.remove("base")
		if diff := cmp.Diff(before, p.Resources()); diff != "" {
			t.Fatalf("cut %d: %s", cut, diff)
		}
	}
}

// done is whether there is an image, and nothing temporary.
func (p *place) done(before map[string]int) bool {
	now := p.Resources()
	for kind := range now {
		if strings.Contains(kind, "galleries") {
			delete(now, kind)
		}
	}
	images, err := baker(p.Client()).List(p.t.Context(), group)
	return err == nil && len(images) == 1 && images[0].State == "Succeeded" && maps.Equal(before, now)
}
