package create

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/launch/clone"
	"github.com/azlin-dev/azlin/reach"
)

type cloneFlags struct {
	consent  app.Consent
	dryRun   bool
	name     string
	replicas int
	user     string
	key      string
	wait     time.Duration
}

func newCloneCommand(a Commands) *cobra.Command {
	var flags cloneFlags
	cmd := &cobra.Command{
		Use:   "clone VM",
		Short: "Create copies of a VM",
		Long: `Creates one or more VMs of the same size in the same network, whose disks are copies of another VM's: its system, files,
users and their keys. The source can keep running; data that is being written during the copy may be incomplete. A clone
has its own host keys, name and addresses. It gets the source's tags except azlin's own.

azlin copies the disks through temporary snapshots. If clone is interrupted, run the same command again to resume it.`,
		Example: "  azlin clone dev\n  azlin clone dev --name ci --replicas 5\n  azlin clone dev --dry-run -o json",
		Args:    app.Exactly(1, "a VM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.wait <= 0 {
				return app.Usage(cmd, "--ssh-timeout %s: give a time above zero", flags.wait)
			}
			return a.clone(cmd.Context(), args[0], flags)
		},
	}
	flags.consent.Add(cmd)
	f := cmd.Flags()
	f.BoolVar(&flags.dryRun, "dry-run", false, "show what would be created and stop")
	f.StringVar(&flags.name, "name", "", "name of the clone, or name prefix with --replicas (default: the VM's name with -clone)")
	f.IntVar(&flags.replicas, "replicas", 1, "number of clones")
	f.StringVar(&flags.user, "user", "", "login user (default: the source's admin user)")
	f.StringVar(&flags.key, "key", "", "private key for the source (default: ~/.ssh/azlin_key, then the agent's keys)")
	f.DurationVar(&flags.wait, "ssh-timeout", 5*time.Minute, "how long to wait for SSH")
	return cmd
}

func (a Commands) clone(ctx context.Context, name string, flags cloneFlags) error {
	return app.Change[clone.Plan]{
		Consent: flags.consent, DryRun: flags.dryRun,
		Plan: func(ctx context.Context, s *app.Session) (clone.Plan, error) {
			request, err := a.cloneRequest(ctx, s, name, flags)
			if err != nil {
				return clone.Plan{}, err
			}
			plan, err := s.Cloner.Plan(ctx, request)
			a.SayNotes(plan.Notes)
			return plan, err
		},
		View:     clonePlanView,
		Question: func(plan clone.Plan) string { return "Create " + app.CountOf(len(plan.Names), "clone") + "?" },
		Show:     a.showClone,
		Apply: func(ctx context.Context, s *app.Session, plan clone.Plan) error {
			var sum clone.Summary
			var err error
			a.Stage("clone", "cloning "+plan.Source.Name, func(report func(string)) string {
				if sum, err = s.Cloner.Run(ctx, plan, report); err != nil {
					return fmt.Sprintf("%d of %d were made", sum.Succeeded, sum.Total)
				}
				return ""
			})
			return errors.Join(a.Output.Print(cloneView(sum)), err)
		},
	}.Do(ctx, a.App)
}

func (a Commands) cloneRequest(ctx context.Context, s *app.Session, name string, flags cloneFlags) (clone.Request, error) {
	match, err := s.Find(ctx, name)
	if err != nil {
		return clone.Request{}, err
	}
	request := clone.Request{Source: match.VM, Name: flags.name, Replicas: flags.replicas, SSHTimeout: flags.wait}
	// The clone's login user is the source's: Azure tells none of a VM that was made from a disk.
	request.SSH = reach.Options{User: cmp.Or(flags.user, match.VM.AdminUsername), KeyPath: a.KeyPath(flags.key)}
	if match.VM.PublicIP != "" {
		source, err := s.Operator.From(ctx)
		if err != nil {
			return clone.Request{}, err
		}
		request.SSHSources = []netip.Prefix{source}
	}
	return request, nil
}

// showClone says what is about to be made.
func (a Commands) showClone(s *app.Session, plan clone.Plan) {
	a.SayTarget(s, plan.Source.ResourceGroup)
	each := "price not known"
	if plan.Hourly != nil {
		each = fmt.Sprintf("%s per hour, %s per month each", plan.Hourly, plan.Hourly.PerMonth().Cents())
	}
	a.Say(fmt.Sprintf("%s of %s: %s, %s, %d disks; %s", app.CountOf(len(plan.Names), "clone"), plan.Source.Name, strings.Join(plan.Names, ", "), plan.Size, len(plan.Disks), each))
	if !plan.Copied.IsZero() && len(plan.Done) < len(plan.Names) {
		a.Say(fmt.Sprintf("This resumes an earlier run, with its copy of %s. For what is on %s now use another --name.", plan.Copied.Format("2006-01-02 15:04Z"), plan.Source.Name))
	}
}

// clonePlan is the JSON of clones that are not made.
type clonePlan struct {
	Source  string      `json:"source"`
	Group   string      `json:"resource_group"`
	Names   []string    `json:"names"`
	Size    string      `json:"size"`
	Private bool        `json:"private"`
	Disks   []cloneDisk `json:"disks"`
	Hourly  *cost.Money `json:"price_hourly"` // of one
	Copied  *time.Time  `json:"copied_at"`    // by an earlier run that this one would go on with
}

type cloneDisk struct {
	ID       string `json:"id"`
	Snapshot string `json:"snapshot"`
	SizeGB   *int   `json:"size_gb"`
}

func clonePlanView(p clone.Plan) term.View {
	v := clonePlan{Source: p.Source.Name, Group: p.Source.ResourceGroup, Names: p.Names, Size: p.Size, Private: p.Private, Hourly: p.Hourly}
	if !p.Copied.IsZero() {
		v.Copied = &p.Copied
	}
	for _, d := range p.Disks {
		disk := cloneDisk{ID: d.ID, Snapshot: d.Snapshot}
		if d.SizeGB > 0 {
			disk.SizeGB = &d.SizeGB
		}
		v.Disks = append(v.Disks, disk)
	}
	return term.View{Data: v, Grid: term.Rows(p.Names, []term.Column[string]{
		{Name: "clone", Value: func(name string) string { return name }},
		{Name: "of", Value: func(string) string { return v.Source }},
		{Name: "size", Value: func(string) string { return v.Size }},
		{Name: "disks", Value: func(string) string { return fmt.Sprint(len(v.Disks)) }},
		{Name: "month", Value: func(string) string {
			if p.Hourly == nil {
				return ""
			}
			return p.Hourly.PerMonth().Cents()
		}},
	})}
}

// clonedVM is the JSON of one clone.
type clonedVM struct {
	VM       string  `json:"vm"`
	Success  bool    `json:"success"`
	Earlier  bool    `json:"made_earlier"`
	PublicIP *string `json:"public_ip"`
	ID       *string `json:"id"`
	Seconds  float64 `json:"duration_seconds"`
	Error    *string `json:"error"`
}

func cloneView(sum clone.Summary) term.View {
	views := make([]clonedVM, len(sum.Results))
	for n, r := range sum.Results {
		views[n] = clonedVM{
			VM: r.Name, Success: r.Success, Earlier: r.Earlier, PublicIP: app.Known(r.Details.PublicIP), ID: app.Known(r.Details.ID), Seconds: r.Duration.Round(time.Millisecond).Seconds(),
		}
		if r.Err != nil {
			views[n].Error = app.Known(r.Err.Error())
		}
	}
	return term.View{
		Data: struct {
			Total     int        `json:"total"`
			Succeeded int        `json:"succeeded"`
			Failed    int        `json:"failed"`
			Clones    []clonedVM `json:"clones"`
			LeftOver  []string   `json:"left_over"`
		}{sum.Total, sum.Succeeded, sum.Failed, views, append([]string{}, sum.LeftOver...)},
		Grid: term.Rows(views, []term.Column[clonedVM]{
			{Name: "vm", Value: func(v clonedVM) string { return v.VM }},
			{Name: "result", Value: func(v clonedVM) string {
				if v.Earlier {
					return "was ready"
				}
				if v.Success {
					return "ready"
				}
				return "failed"
			}},
			{Name: "public_ip", Value: func(v clonedVM) string {
				if v.PublicIP == nil {
					return ""
				}
				return *v.PublicIP
			}},
		}),
	}
}
