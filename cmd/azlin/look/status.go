package look

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/health/status"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/vm"
)

type statusFlags struct {
	which app.Selecting

	all, running      bool
	watch             app.Watching
	interval, timeout time.Duration
	user, key         string
}

func newStatusCommand(a Commands) *cobra.Command {
	var flags statusFlags
	cmd := &cobra.Command{
		Use:     "status [VM...]",
		Aliases: []string{"ps"},
		Short:   "Show load, sessions, cost and last use of VMs",
		Long: `Shows, for the given VMs or all that 'azlin list' shows, their power state, what each running VM reports (uptime, CPU,
memory, disk, tmux sessions), their cost per month at list prices if nothing changes, and when you last connected from
this machine. azlin opens one SSH connection to each VM, all at once.

VMs that do not answer are reported with the reason and do not delay the others. A star marks a tmux session that someone
is attached to. Unknown values are '-', and null in JSON.`,
		Example: `  azlin status
  azlin status dev
  azlin status --watch --interval 10s
  azlin status -o json --jq '.[] | select(.cpu_usage > 80) | .name'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case flags.timeout <= 0:
				return app.Usage(cmd, "--timeout %s: give a time above zero", flags.timeout)
			case (len(args) > 0 || !flags.which.Empty()) && (flags.all || flags.running):
				return app.Usage(cmd, "--all and --running are for all VMs, and some are named or selected")
			}
			if err := flags.watch.Check(cmd); err != nil {
				return err
			}
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			return a.Watch(cmd.Context(), flags.watch, func(ctx context.Context) error { return a.showStatus(ctx, s, args, flags) })
		},
	}
	flags.which.Add(cmd, "")
	f := cmd.Flags()
	f.BoolVar(&flags.all, "all", false, "include VMs that azlin did not create")
	f.BoolVar(&flags.running, "running", false, "only running VMs")
	flags.watch.Add(cmd)
	f.DurationVar(&flags.timeout, "timeout", status.DefaultTimeout, "timeout for each VM")
	f.StringVar(&flags.user, "user", "", "login user (default: the VM's admin user)")
	f.StringVar(&flags.key, "key", "", "private key (default: ~/.ssh/azlin_key)")
	app.Listing[vmStatusView](a.App, cmd)
	return cmd
}

func (a Commands) showStatus(ctx context.Context, s *app.Session, args []string, flags statusFlags) error {
	how := status.Options{Timeout: flags.timeout, SSH: reach.Options{User: flags.user, KeyPath: a.KeyPath(flags.key)}}
	if len(args) == 0 && flags.which.Empty() {
		done := a.Working()
		report, err := s.Statuses.List(ctx, vm.ListOptions{ResourceGroup: s.Azure.Target().ResourceGroup, All: flags.all, RunningOnly: flags.running}, how)
		done()
		if err == nil {
			err = context.Cause(ctx) // what was not asked any more is not shown as if it could not be
		}
		if err != nil {
			return err
		}
		s.KeepSessions(report.VMs)
		view := dashboardView(report)
		view.Note = app.Notes(view.Note, s.Limit())
		return a.Output.Print(view)
	}
	sel, err := s.Choose(ctx, args, flags.which)
	if err != nil {
		return err
	}
	done := a.Working()
	report := status.Report{VMs: s.Statuses.Of(ctx, sel.VMs(), how)}
	done()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	s.KeepSessions(report.VMs)
	return a.Output.Print(dashboardView(report))
}

// vmStatusView is the JSON of how a VM is. What is not known is null.
type vmStatusView struct {
	Name              string        `json:"name"`
	PowerState        string        `json:"power_state"`
	ResourceGroup     string        `json:"resource_group"`
	Location          string        `json:"location"`
	Size              *string       `json:"size"`
	PublicIP          *string       `json:"public_ip"`
	PrivateIP         *string       `json:"private_ip"`
	ProvisioningState *string       `json:"provisioning_state"`
	OSType            *string       `json:"os_type"`
	SessionName       *string       `json:"session"`
	UptimeSeconds     *int64        `json:"uptime_seconds"`
	CPUUsage          *float64      `json:"cpu_usage"`
	MemoryUsage       *float64      `json:"memory_usage"`
	DiskUsage         *float64      `json:"disk_usage"`
	EstimatedCost     *cost.Money   `json:"price_monthly"`
	Cost              cost.Estimate `json:"cost"`
	TmuxSessions      []tmuxView    `json:"tmux_sessions"`
	LastUsed          *time.Time    `json:"last_used"`
	Error             *string       `json:"error"`
	ErrorKind         *string       `json:"error_kind"`
}

type tmuxView struct {
	Name        string    `json:"name"`
	IsConnected bool      `json:"is_connected"`
	NumWindows  int       `json:"num_windows"`
	Created     time.Time `json:"created"`
}

func viewOfStatus(v status.VM) vmStatusView {
	view := vmStatusView{
		Name: v.Name, PowerState: string(v.PowerState), ResourceGroup: v.ResourceGroup, Location: v.Location,
		Size: app.Known(v.Size), PublicIP: app.Known(v.PublicIP), PrivateIP: app.Known(v.PrivateIP), ProvisioningState: app.Known(v.ProvisioningState),
		OSType: app.Known(v.OSType), SessionName: app.Known(v.Info.SessionName), CPUUsage: v.CPUUsage, MemoryUsage: v.MemoryUsage,
		DiskUsage: v.DiskUsage, EstimatedCost: v.EstimatedCost, Cost: v.Cost, LastUsed: v.LastUsed,
	}
	if v.Uptime != nil {
		view.UptimeSeconds = new(int64(v.Uptime.Seconds()))
	}
	if v.TmuxSessions != nil {
		view.TmuxSessions = []tmuxView{}
	}
	for _, t := range v.TmuxSessions {
		view.TmuxSessions = append(view.TmuxSessions, tmuxView(t))
	}
	if v.Err != nil {
		view.Error, view.ErrorKind = app.Known(v.Err.Error()), app.Known(string(errkind.Of(v.Err)))
	}
	return view
}

func dashboardView(r status.Report) term.View {
	views := make([]vmStatusView, len(r.VMs)) // not nil: an empty list is [] in JSON
	var why []string
	for n, v := range r.VMs {
		views[n] = viewOfStatus(v)
		if v.Err != nil {
			why = append(why, "could not ask "+v.Name+": "+v.Err.Error())
		}
	}
	view := term.View{
		Data: views,
		Grid: term.Rows(r.VMs, []term.Column[status.VM]{
			{Name: "name", Value: func(v status.VM) string { return v.Name }},
			{Name: "power_state", Title: "status", Value: func(v status.VM) string { return v.Status }, Color: func(v status.VM) term.Color { return statusColor(v.Info) }},
			{Name: "public_ip", Value: func(v status.VM) string { return v.PublicIP }},
			{Name: "private_ip", Value: func(v status.VM) string { return v.PrivateIP }, Wide: true},
			{Name: "size", Value: func(v status.VM) string { return v.Size }},
			{Name: "location", Value: func(v status.VM) string { return v.Location }, Wide: true},
			{Name: "resource_group", Title: "group", Value: func(v status.VM) string { return v.ResourceGroup }, Wide: true},
			{Name: "uptime_seconds", Title: "uptime", Value: uptimeText},
			{Name: "cpu_usage", Title: "cpu", Value: func(v status.VM) string { return percentText(v.CPUUsage) }},
			{Name: "memory_usage", Title: "mem", Value: func(v status.VM) string { return percentText(v.MemoryUsage) }},
			{Name: "disk_usage", Title: "disk", Value: func(v status.VM) string { return percentText(v.DiskUsage) }},
			{Name: "price_monthly", Title: "cost/month", Value: costText},
			{Name: "tmux_sessions", Title: "sessions", Value: sessionsText},
			{Name: "last_used", Value: lastUsedText, Wide: true},
		}),
	}
	if len(r.VMs) == 0 {
		why = append(why, "no VMs; create one with 'azlin new'")
	}
	if r.Hidden > 0 {
		why = append(why, fmt.Sprintf("%d more not created by azlin; show them with --all", r.Hidden))
	}
	view.Note = strings.Join(why, "\n")
	return view
}

func percentText(p *float64) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("%.0f%%", *p)
}

func uptimeText(v status.VM) string {
	if v.Uptime == nil {
		return ""
	}
	minutes := int(v.Uptime.Minutes())
	switch days, hours := minutes/(24*60), minutes/60%24; {
	case days > 0:
		return fmt.Sprintf("%dd%dh", days, hours)
	case hours > 0:
		return fmt.Sprintf("%dh%dm", hours, minutes%60)
	}
	return fmt.Sprintf("%dm", minutes)
}

// costText is what a VM costs per month; with a > in front when more than that, because not all is known.
func costText(v status.VM) string {
	switch {
	case v.EstimatedCost != nil:
		return v.EstimatedCost.Cents()
	case v.Cost.Monthly != nil:
		return ">" + v.Cost.Monthly.Cents()
	}
	return ""
}

func sessionsText(v status.VM) string {
	if v.TmuxSessions != nil && len(v.TmuxSessions) == 0 {
		return "none"
	}
	names := make([]string, len(v.TmuxSessions))
	for n, t := range v.TmuxSessions {
		if names[n] = t.Name; t.IsConnected {
			names[n] += "*"
		}
	}
	return strings.Join(names, ", ")
}

func lastUsedText(v status.VM) string {
	if v.LastUsed == nil {
		return ""
	}
	return v.LastUsed.UTC().Format("2006-01-02 15:04Z")
}
