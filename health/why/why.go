// Package why finds what is wrong with a VM: it queries all sources in parallel and draws conclusions.
package why

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"golang.org/x/sync/errgroup"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/health/logs"
	"github.com/azlin-dev/azlin/network"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

// Defaults of Options.
const (
	DefaultSince   = 7 * 24 * time.Hour
	DefaultLines   = 20
	DefaultTimeout = 20 * time.Second
)

// Inquirer examines VMs. It changes nothing.
type Inquirer struct {
	Azure    *azure.Client
	VMs      *vm.Service
	Reach    reach.Finder
	Operator *network.Operator // who must be admitted by the security groups; nil: not checked
}

// Options limit the search. The zero value is ready for use.
type Options struct {
	SSH     reach.Options
	Since   time.Duration // how far to look back in the activity log; zero: DefaultSince
	Lines   int           // of the serial console; zero: DefaultLines
	Timeout time.Duration // for the VM itself; zero: DefaultTimeout
}

// Problem is one thing that is wrong.
type Problem struct {
	What string       `json:"what"`
	Next errkind.Step `json:"next_step,omitzero"` // zero: no command fixes it
}

// Source is a source that could not be read.
type Source struct {
	Name string
	Err  error
}

// Report is the result.
type Report struct {
	VM       vm.Info
	Problems []Problem // what is wrong, causes first; none: no known problem

	ProvisioningCode    string // why Azure's last operation failed; empty: it succeeded
	ProvisioningMessage string
	AgentReady          *bool // whether the VM's Azure agent is ready; nil: unknown

	SSH          error              // why sign-in failed; nil: it succeeded, or was not tried
	SSHTried     bool               // it is running, and has a route
	Installation *logs.Installation // of azlin's tools; nil: unknown
	CloudInit    string             // "done", "running", "error", "degraded done"; empty: unknown
	CloudErrors  []string           // cloud-init's own
	FullDisk     bool               // the root file system is full

	Events []Event  // failed operations, newest first
	Serial []string // the last lines of its console

	Unknown []Source // unreadable sources, and why
}

// Ask examines a listed VM.
func (q Inquirer) Ask(ctx context.Context, i vm.Info, o Options) Report {
	r := Report{VM: i, Events: []Event{}, Serial: []string{}, Problems: []Problem{}}
	var admission, view, events, serial error
	var all errgroup.Group
	all.Go(func() error { view = q.view(ctx, &r); return nil })
	all.Go(func() error {
		r.Events, events = Failures(ctx, q.Azure, i.ID, q.Azure.Clock().Now().Add(-cmp.Or(o.Since, DefaultSince)))
		return nil
	})
	all.Go(func() error {
		r.Serial, serial = logs.ReadSerial(ctx, q.VMs, i.Ref, cmp.Or(o.Lines, DefaultLines))
		return nil
	})
	if i.IsRunning() {
		all.Go(func() error { q.inside(ctx, &r, o); return nil })
	}
	if i.PublicIP != "" && q.Operator != nil {
		all.Go(func() error { admission = q.Operator.Check(ctx, i.Name, i.NICs); return nil })
	}
	_ = all.Wait() // none returns an error
	refused, _ := errors.AsType[*network.NotAdmitted](admission)
	if refused != nil {
		admission = nil
	}
	for _, s := range []Source{{"Azure's view of the VM", view}, {"the activity log", events}, {"the serial console", serial}, {"the security groups", admission}} {
		if s.Err != nil {
			r.Unknown = append(r.Unknown, s)
		}
	}
	r.conclude(refused)
	return r
}

// view reads Azure's status of the VM's last operation and of its agent.
func (q Inquirer) view(ctx context.Context, r *Report) error {
	v, err := q.Azure.VMs().InstanceView(ctx, r.VM.ResourceGroup, r.VM.Name, nil)
	if err != nil {
		return azure.Wrap("read the state of", r.VM.Name, err)
	}
	for _, s := range v.Statuses {
		if s == nil {
			continue
		}
		if parts := strings.Split(deref(s.Code), "/"); len(parts) > 2 && strings.EqualFold(parts[0], "ProvisioningState") && strings.EqualFold(parts[1], "failed") {
			r.ProvisioningCode, r.ProvisioningMessage = parts[2], deref(s.Message)
		}
	}
	if v.VMAgent != nil {
		r.AgentReady = new(slices.ContainsFunc(v.VMAgent.Statuses, func(s *armcompute.InstanceViewStatus) bool {
			return s != nil && strings.EqualFold(deref(s.DisplayStatus), "Ready")
		}))
	}
	return nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// question is the script run on the VM: cloud-init's result, and free space.
const question = `cloud-init status --long 2>/dev/null | tr -d '\r'
echo "--"
df -Pk / | awk 'NR == 2 { print $5 }'`

// inside signs in and queries the VM itself.
func (q Inquirer) inside(ctx context.Context, r *Report, o Options) {
	limit := cmp.Or(o.Timeout, DefaultTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it did not answer within %s", limit))
	defer cancel()
	host, err := q.Reach.Host(ctx, r.VM, o.SSH)
	if err != nil {
		r.SSH, r.SSHTried = err, true
		return
	}
	r.SSHTried = true
	client, err := remote.Dial(ctx, host)
	if err != nil {
		r.SSH = err
		return
	}
	defer client.Close()
	if i, err := logs.Tools(ctx, client); err == nil && i.State != logs.Unknown {
		r.Installation = &i
	}
	out, err := client.Script(ctx, question)
	if err != nil {
		r.SSH = err
		return
	}
	said, disk, _ := strings.Cut(out.Stdout, "--\n")
	about := logs.ParseCloudInit(said)
	r.CloudInit, r.CloudErrors = about.State, about.Problems
	r.FullDisk = strings.TrimSpace(disk) == "100%"
}

// conclude derives the problems and what to do.
func (r *Report) conclude(refused *network.NotAdmitted) {
	name := r.VM.Name
	add := func(next errkind.Step, format string, args ...any) {
		r.Problems = append(r.Problems, Problem{fmt.Sprintf(format, args...), next})
	}
	switch {
	case r.ProvisioningCode != "" || strings.EqualFold(r.VM.ProvisioningState, "Failed"):
		what := strings.TrimSpace(cmp.Or(r.ProvisioningCode, "no code") + ": " + r.ProvisioningMessage)
		next := errkind.Step{Action: errkind.DeleteVM, VM: name, Group: r.VM.ResourceGroup}
		if r.VM.IsStopped() {
			next = errkind.Step{Action: errkind.StartVM, VM: name}
		}
		add(next, "Azure's last operation on it failed (%s)", strings.TrimSuffix(what, ":"))
	case !strings.EqualFold(r.VM.ProvisioningState, "Succeeded"):
		add(errkind.Step{Action: errkind.ShowVM, VM: name}, "Azure is not done with it: %s", strings.ToLower(r.VM.ProvisioningState))
	}
	switch r.VM.PowerState {
	case vm.Running:
	case vm.Stopped, vm.Deallocated:
		add(errkind.Step{Action: errkind.StartVM, VM: name}, "it does not run: it is %s", r.VM.PowerState)
	default:
		add(errkind.Step{Action: errkind.ShowVM, VM: name}, "its power state is %s", r.VM.PowerState)
	}
	if refused != nil {
		add(errkind.Step{Action: errkind.AdmitMe, VM: name}, "%s", strings.TrimPrefix(refused.Error(), "connect to "+name+": "))
	}
	switch {
	case errors.Is(r.SSH, remote.ErrLoginShell): // which no log records
		add(errkind.Step{}, "%s", strings.TrimPrefix(r.SSH.Error(), "connect to "+name+": "))
	case r.SSH != nil:
		add(cmp.Or(errkind.Next(r.SSH), errkind.Step{Action: errkind.ReadLog, VM: name, Name: "serial"}), "nobody can sign in: %s", strings.TrimPrefix(r.SSH.Error(), "connect to "+name+": "))
	}
	if r.AgentReady != nil && !*r.AgentReady && r.VM.IsRunning() {
		add(errkind.Step{Action: errkind.ReadLog, VM: name, Name: "serial"}, "its Azure agent does not report")
	}
	if r.FullDisk {
		add(errkind.Step{Action: errkind.ExecOnVM, VM: name, Command: "sudo du -xh / 2>/dev/null | sort -h | tail"}, "its disk is full")
	}
	if strings.Contains(r.CloudInit, "error") || len(r.CloudErrors) > 0 {
		add(errkind.Step{Action: errkind.ReadLog, VM: name, Name: "cloud-init"}, "cloud-init ended with %s: %s", cmp.Or(r.CloudInit, "errors"), cmp.Or(strings.Join(r.CloudErrors, "; "), "no details"))
	}
	if r.Installation != nil && r.Installation.Over() {
		if err := r.Installation.Err(name); err != nil {
			add(errkind.Step{Action: errkind.ReadLog, VM: name, Name: "tools"}, "%s", strings.TrimPrefix(err.Error(), "install tools on "+name+": "))
		}
	}
}
