package status_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/health/status"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/history"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/test/local/person"
	"github.com/azlin-dev/azlin/vm"
)

func TestMain(m *testing.M) {
	emulator.HostMain()
	os.Exit(m.Run())
}

// place is a person's Azure with hosts, and a dashboard on it.
type place struct {
	*person.Person
	*azlin.Client

	board status.Dashboard
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{Person: person.New(t, emulator.Options{})}
	p.Client = p.Open(func(o *azlin.Options) { o.Target.ResourceGroup = "team" })
	p.board = p.Statuses
	return p
}

func (p *place) launch(name string) *launch.Result {
	return p.Launch(p.Client, name, func(r *launch.Request) { r.ResourceGroup = "team" })
}

// TestStatus looks at a VM that runs, one that is stopped, and one that is dead although Azure says that it runs, which
// delays nobody for long.
func TestStatus(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ctx := t.Context()
	live := p.launch("live")
	p.launch("off")
	dead := p.launch("dead")
	if _, err := p.VMs.Stop(ctx, vm.Ref{ResourceGroup: "team", Name: "off"}, vm.PowerOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := p.Runtime.Stop(ctx, azure.IDKey(dead.VM.ID)); err != nil {
		t.Fatal(err)
	}
	if err := p.board.History.Record(ctx, "live", live.VM.PublicIP, "azlin"); err != nil {
		t.Fatal(err)
	}
	tmux := startTmux(ctx, live.Host)
	how := status.Options{SSH: reach.Options{KeyPath: p.Key.Private}, Timeout: time.Minute}
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
	how.SSH = reach.Options{User: "nobody-there", KeyPath: p.Key.Private}
	if one, err = p.board.Get(ctx, vm.Ref{ResourceGroup: "team", Name: "live"}, how); err != nil || one.EstimatedCost != nil || one.LastUsed != nil || errkind.Of(one.Err) != errkind.Permission {
		t.Errorf("%+v, %v", one, err)
	}
}

// startTmux starts a session on a VM, if tmux is there.
func startTmux(ctx context.Context, h remote.Host) bool {
	r, err := remote.Execute(ctx, h, "tmux new-session -d -s 'my work'", 20*time.Second)
	return err == nil && r.Success
}
