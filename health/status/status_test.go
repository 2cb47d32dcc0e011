package status_test

import (
	"context"
	"errors"
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
	"github.com/azlin-dev/azlin/health/status"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/history"
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

// place is an emulator with hosts and a dashboard on it.
type place struct {
	*azlin.Client

	hosts *host.Runtime
	key   keypair.KeyPair
	board status.Dashboard
}

func newPlace(t *testing.T) *place {
	t.Helper()
	dir, operator := t.TempDir(), netip.MustParseAddr("203.0.113.10")
	p := &place{}
	var err error
	if p.hosts, err = host.Open(host.Options{Dir: filepath.Join(dir, "hosts"), Port: 4200 + os.Getpid()%200, OperatorIP: operator}); err != nil {
		t.Fatal(err)
	}
	if err := p.hosts.Available(); err != nil {
		t.Skip("emulated VMs cannot run here: ", err)
	}
	local, err := emulator.New(emulator.Options{Hosts: p.hosts, OperatorIP: operator})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(local.Close(), p.hosts.Close()); err != nil {
			t.Error(err)
		}
	})
	if p.key, err = keypair.GenerateKeyPair(filepath.Join(dir, "ssh"), ""); err != nil {
		t.Fatal(err)
	}
	id := local.Identity()
	cloud, err := azure.Custom("emulator", "https://azure.test", "https://azure.test", "", "")
	if err != nil {
		t.Fatal(err)
	}
	auth, err := signin.NewAuthenticator(signin.Options{
		Cloud: cloud, TenantID: id.TenantID, SubscriptionID: id.SubscriptionID, ClientID: id.ClientID, ClientSecret: id.ClientSecret, HTTP: local.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	credential, err := auth.Credential()
	if err != nil {
		t.Fatal(err)
	}
	p.Client, err = azlin.Open(azlin.Options{
		Target:     azure.Target{Cloud: cloud, TenantID: id.TenantID, SubscriptionID: id.SubscriptionID, ResourceGroup: "team", Region: "westus2"},
		Credential: credential, HTTP: local.Client(), StateDir: filepath.Join(dir, "azlin"), SSHPort: p.hosts.Port(), User: "someone",
		PriceService: "https://azure.test/api/retail/prices",
	})
	if err != nil {
		t.Fatal(err)
	}
	p.board = p.Statuses
	return p
}

func (p *place) launch(t *testing.T, name string) *launch.Result {
	t.Helper()
	display := progress.New(0, nil)
	plan, err := p.Launcher.Plan(t.Context(), launch.Request{
		Config: provision.Config{Name: name, Size: "Standard_B2s"}, Setup: launch.Setup{Tools: []string{}}, KeyPath: p.key.Private, SSHSource: "203.0.113.10",
	}, display)
	if err != nil {
		t.Fatal(err)
	}
	result, err := p.Launcher.Run(t.Context(), plan, display)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestStatus looks at a VM that runs, one that is stopped, and one that is dead although Azure says that it runs, which
// delays nobody for long.
func TestStatus(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ctx := t.Context()
	live := p.launch(t, "live")
	p.launch(t, "off")
	dead := p.launch(t, "dead")
	if _, err := p.VMs.Stop(ctx, vm.Ref{ResourceGroup: "team", Name: "off"}, vm.PowerOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := p.hosts.Stop(ctx, azure.IDKey(dead.VM.ID)); err != nil {
		t.Fatal(err)
	}
	if err := p.board.History.Record(ctx, "live", live.VM.PublicIP, "azlin"); err != nil {
		t.Fatal(err)
	}
	tmux := startTmux(ctx, live.Host)
	how := status.Options{SSH: reach.Options{KeyPath: p.key.Private}, Timeout: time.Minute}
	began := time.Now()
	report, err := p.board.List(ctx, vm.ListOptions{ResourceGroup: "team"}, how)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s: a dead VM has delayed it", took)
	}
	if err != nil || len(report.VMs) != 3 {
		t.Fatalf("%+v, %v", report, err)
	}
	by := map[string]status.VM{}
	for _, v := range report.VMs {
		by[v.Name] = v
	}
	v := by["live"]
	if v.Err != nil || v.Uptime == nil || v.MemoryUsage == nil || v.DiskUsage == nil || v.LastUsed == nil || v.PowerState != vm.Running || v.Status != "Running" ||
		v.ResourceGroup != "team" || v.Location != "westus2" || v.Size != "Standard_B2s" || v.PublicIP == "" || v.ProvisioningState != "Succeeded" || v.OSType != "Linux" {
		t.Errorf("live: %+v", v)
	}
	if v.EstimatedCost == nil || !v.EstimatedCost.Amount.IsPositive() {
		t.Errorf("cost of live: %v, unknown %v, %v", v.EstimatedCost, v.Cost.Unknown, v.Cost.Failed)
	}
	if tmux && (len(v.TmuxSessions) != 1 || v.TmuxSessions[0].Name != "my work" || v.TmuxSessions[0].IsConnected || v.TmuxSessions[0].NumWindows != 1 || v.TmuxSessions[0].Created.IsZero()) {
		t.Errorf("sessions of live: %+v", v.TmuxSessions)
	}
	off := by["off"]
	if off.Err != nil || off.Uptime != nil || off.CPUUsage != nil || off.TmuxSessions != nil || off.LastUsed != nil || off.Status != "Stopped (deallocated)" {
		t.Errorf("off: %+v", off)
	}
	if off.EstimatedCost == nil || off.EstimatedCost.Amount.Cmp(v.EstimatedCost.Amount) >= 0 {
		t.Errorf("off costs %v, live %v", off.EstimatedCost, v.EstimatedCost)
	}
	if d := by["dead"]; errkind.Of(d.Err) != errkind.Unreachable || d.Uptime != nil || d.EstimatedCost == nil {
		t.Errorf("dead: %+v", d)
	}

	one, err := p.board.Get(ctx, vm.Ref{ResourceGroup: "team", Name: "live"}, how)
	if err != nil || one.Uptime == nil || one.Name != "live" {
		t.Errorf("%+v, %v", one, err)
	}
	if _, err := p.board.Get(ctx, vm.Ref{ResourceGroup: "team", Name: "nosuch"}, how); errkind.Of(err) != errkind.NotFound {
		t.Errorf("nosuch: %v", err)
	}
	p.board.Prices, p.board.History = nil, history.Log{}
	how.SSH = reach.Options{User: "nobody-there", KeyPath: p.key.Private}
	if one, err = p.board.Get(ctx, vm.Ref{ResourceGroup: "team", Name: "live"}, how); err != nil || one.EstimatedCost != nil || one.LastUsed != nil || errkind.Of(one.Err) != errkind.Permission {
		t.Errorf("%+v, %v", one, err)
	}
}

// startTmux starts a session on a VM, if tmux is there.
func startTmux(ctx context.Context, h remote.Host) bool {
	r, err := remote.Execute(ctx, h, "tmux new-session -d -s 'my work'", 20*time.Second)
	return err == nil && r.Success
}
