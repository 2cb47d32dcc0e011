package azlin_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/host"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/progress"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/keypair"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

func TestMain(m *testing.M) {
	emulator.HostMain()
	os.Exit(m.Run())
}

// workplace is an Azure to show examples on: the emulator, in this process. A program for the real Azure
// signs in with azure.NewAuthenticator and leaves out everything that names the emulator.
type workplace struct {
	*azlin.Client

	auth *signin.Authenticator
	dir  string
	key  keypair.KeyPair
	stop func()
}

func open() *workplace {
	dir, err := os.MkdirTemp("", "azlin-example-")
	check(err)
	operator := netip.MustParseAddr("203.0.113.10")
	hosts, err := host.Open(host.Options{Dir: filepath.Join(dir, "hosts"), Port: 2950, OperatorIP: operator})
	check(err)
	local, err := emulator.New(emulator.Options{Hosts: hosts, OperatorIP: operator})
	check(err)
	w := &workplace{dir: dir}
	w.stop = func() { check(errors.Join(local.Close(), hosts.Close(), os.RemoveAll(dir))) }
	w.key, err = keypair.GenerateKeyPair(filepath.Join(dir, "ssh"), "")
	check(err)

	id := local.Identity()
	cloud, err := azure.Custom("emulator", "https://azure.test", "https://azure.test", "", "")
	check(err)
	w.auth, err = signin.NewAuthenticator(signin.Options{
		Cloud: cloud, TenantID: id.TenantID, SubscriptionID: id.SubscriptionID,
		ClientID: id.ClientID, ClientSecret: id.ClientSecret, HTTP: local.Client(),
	})
	check(err)
	credential, err := w.auth.Credential()
	check(err)
	w.Client, err = azlin.Open(azlin.Options{
		Target: azure.Target{
			Cloud: cloud, TenantID: id.TenantID, SubscriptionID: id.SubscriptionID, ResourceGroup: "azlin-rg", Region: "westus2",
		},
		Credential: credential, HTTP: local.Client(), StateDir: filepath.Join(dir, "azlin"), SSHPort: hosts.Port(), User: "someone",
		Launch: launch.Defaults{Size: "Standard_B2s", KeyPath: w.key.Private, SSHSource: "203.0.113.10"},
	})
	check(err)
	return w
}

// launch makes a VM that is ready to be worked on.
func (w *workplace) launch(name string) *launch.Result {
	plan, err := w.Launcher.Plan(context.Background(), launch.Request{
		Config:  provision.Config{Name: name, Size: "Standard_B2s"},
		KeyPath: w.key.Private, SSHSource: "203.0.113.10",
	}, nil)
	check(err)
	result, err := w.Launcher.Run(context.Background(), plan, nil)
	check(err)
	return result
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// The main job: from a name to a VM that is ready to be worked on.
func Example() {
	w := open()
	defer w.stop()
	display := progress.New(len(launch.Stages()), func(e progress.Event) {
		if e.Phase == progress.Completed {
			fmt.Println("done:", e.Stage.Name)
		}
	})
	plan, err := w.Launcher.Plan(context.Background(), launch.Request{
		Config:    provision.Config{Name: "dev", Size: "Standard_B2s"},
		KeyPath:   w.key.Private,
		SSHSource: "203.0.113.10",
	}, display)
	check(err)
	result, err := w.Launcher.Run(context.Background(), plan, display)
	check(err)
	fmt.Println(result.VM.Name, "is", result.VM.PowerState)
	// Output:
	// done: prerequisites
	// done: sign-in
	// done: ssh-key
	// done: plan
	// done: vm
	// done: ssh
	// dev is running
}

// azlin.azure_auth: who is signed in.
func Example_authentication() {
	w := open()
	defer w.stop()
	if !w.auth.CheckLoggedIn(context.Background()) {
		fmt.Println("Not logged in to Azure. Please run: az login")
		return
	}
	who, err := w.auth.Authenticate(context.Background())
	if errors.Is(err, azure.ErrAuthentication) {
		fmt.Println("Authentication failed:", err)
	}
	fmt.Println(who.SubscriptionID == w.Azure.SubscriptionID(), who.TenantID != "")
	// Output: true true
}

// azlin.vm_manager: list VMs, find one, and those that run.
func Example_listing() {
	w := open()
	defer w.stop()
	ctx := context.Background()
	w.launch("dev")
	listing, err := w.VMs.List(ctx, vm.ListOptions{ResourceGroup: "azlin-rg"})
	check(err)
	for _, i := range listing.VMs {
		fmt.Printf("%s: %s, has an address: %v\n", i.DisplayName(), i.StatusDisplay(), i.PublicIP != "")
	}
	i, err := w.VMs.Get(ctx, vm.Ref{Name: "dev"})
	check(err)
	fmt.Println(i.Name, i.IsRunning(), i.IsStopped())
	running, err := w.VMs.Running(ctx, "azlin-rg")
	check(err)
	fmt.Println("running VMs:", len(running))
	_, err = w.VMs.Get(ctx, vm.Ref{Name: "nosuch"})
	fmt.Println(errkind.Of(err), errors.Is(err, vm.ErrManager))
	// Output:
	// dev: Running, has an address: true
	// dev true false
	// running VMs: 1
	// notfound true
}

// azlin.vm_lifecycle_control: stop, start and restart.
func Example_power() {
	w := open()
	defer w.stop()
	ctx := context.Background()
	w.launch("dev")
	for _, step := range []func() (vm.LifecycleResult, error){
		func() (vm.LifecycleResult, error) { return w.VMs.Stop(ctx, vm.Ref{Name: "dev"}, vm.PowerOptions{}) },
		func() (vm.LifecycleResult, error) { return w.VMs.Start(ctx, vm.Ref{Name: "dev"}, vm.PowerOptions{}) },
		func() (vm.LifecycleResult, error) { return w.VMs.Restart(ctx, vm.Ref{Name: "dev"}, vm.PowerOptions{}) },
	} {
		r, err := step()
		check(err)
		fmt.Println(r.Operation, r.Success, r.Before, r.After)
	}
	// Output:
	// deallocate true running deallocated
	// start true deallocated running
	// restart true running running
}

// azlin.vm_lifecycle: what would be deleted, and then deleting it.
func Example_deletion() {
	w := open()
	defer w.stop()
	ctx := context.Background()
	w.launch("dev")
	plan, err := w.VMs.Delete(ctx, vm.Ref{Name: "dev"}, vm.DeleteOptions{DryRun: true})
	check(err)
	fmt.Println("would delete", plan.TotalResources, "resources")
	sum, err := w.VMs.Delete(ctx, vm.Ref{Name: "dev"}, vm.DeleteOptions{})
	check(err)
	fmt.Printf("deleted %d/%d\n", sum.DeletedResources, sum.TotalResources)
	for _, k := range sum.Kept {
		fmt.Println("stays:", k.ResourceType)
	}
	// Output:
	// would delete 5 resources
	// deleted 5/5
	// stays: vnet
}

// azlin.vm_provisioning: a VM without the rest of the main job, and a pool with it.
func Example_provisioning() {
	w := open()
	defer w.stop()
	public, err := keypair.PublicKeyContent(w.key.Public)
	check(err)
	details, err := w.Provisioner.Provision(context.Background(), provision.Config{
		Name: "my-dev-vm", ResourceGroup: "azlin-rg", Region: "westus2", Size: "Standard_B2s", SSHPublicKeys: []string{public},
		SSHSources: []netip.Prefix{netip.MustParsePrefix("203.0.113.10/32")},
	}, nil)
	if errors.Is(err, provision.ErrProvisioning) {
		fmt.Println("Provisioning failed:", err)
		return
	}
	fmt.Println(details.Name, details.VMSize, details.AdminUsername, details.PublicIP != "")

	// A pool of them, ready to be worked on.
	plan, err := w.Launcher.PlanPool(context.Background(), launch.Request{
		Config:  provision.Config{Name: "worker", Size: "Standard_B2s"},
		KeyPath: w.key.Private, SSHSource: "203.0.113.10",
	}, 3, nil)
	check(err)
	pool, err := w.Launcher.RunPool(context.Background(), plan, nil)
	check(err)
	fmt.Println(len(pool.Successful), "made,", len(pool.Failed), "failed;", pool.Successful[2].VM.Name, "is", pool.Successful[2].VM.PowerState)
	// Output:
	// my-dev-vm Standard_B2s azureuser true
	// 3 made, 0 failed; worker-03 is running
}

// azlin.modules.ssh_keys: azlin's key pair is made once and never replaced.
func Example_keys() {
	dir, err := os.MkdirTemp("", "azlin-example-")
	check(err)
	defer os.RemoveAll(dir)
	fmt.Println(keypair.KeyExists(dir, "azlin_key"))
	pair, err := keypair.GenerateKeyPair(dir, "azlin_key")
	check(err)
	public, err := keypair.PublicKeyContent(pair.Public)
	check(err)
	fmt.Println(keypair.KeyExists(dir, "azlin_key"), filepath.Base(pair.Private), public[:11])
	// Output:
	// false
	// true azlin_key ssh-ed25519
}

// azlin.modules.ssh_connector and azlin.remote_exec: a host with a verified key, and a command on it.
func Example_remoteExecution() {
	w := open()
	defer w.stop()
	ctx := context.Background()
	w.launch("dev")
	match, err := w.VMs.Resolve(ctx, "dev", "azlin-rg")
	check(err)
	h, err := w.Hosts.Host(ctx, match.VM, reach.Options{KeyPath: w.key.Private})
	check(err)
	client, err := remote.WaitForSSH(ctx, h, time.Second, nil)
	check(err)
	check(client.Close())
	fmt.Println("answers:", remote.TestConnection(ctx, h, 10*time.Second))
	result, err := remote.Execute(ctx, h, "hostname; exit 3", 30*time.Second)
	if errors.Is(err, remote.ErrExec) {
		fmt.Println("Error:", err)
	}
	fmt.Printf("%q %d %v\n", result.Stdout, result.ExitCode, result.Success)
	// Output:
	// answers: true
	// "dev\n" 3 false
}
