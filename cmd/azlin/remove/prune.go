package remove

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/health/status"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/upkeep/prune"
)

type pruneFlags struct {
	consent app.Consent
	dryRun  bool
	idle    string
	timeout time.Duration
}

func newPruneCommand(a Commands) *cobra.Command {
	var flags pruneFlags
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Delete VMs that have been idle for a long time",
		Long: `Determines when each of azlin's VMs was last used, and deletes those idle for at least --idle (30 days) with all their
resources. On a running VM, use means terminal input, tmux output, changes in the home directory, or load; a stopped VM is idle
since it was stopped. Connections from this machine count as use.

VMs whose last use is unknown are kept, and so are VMs with the tag ` + azure.TagProtected + `. prune shows what it found, asks, and checks
each VM again before it deletes it.`,
		Example: "  azlin prune --dry-run\n  azlin prune --idle 14d -g team\n  azlin tag add dev " + azure.TagProtected + "=yes",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			idle, err := app.LongDuration(flags.idle)
			if err != nil || idle < time.Minute {
				return app.Usage(cmd, "--idle %s: give a time of a minute or more, such as 14d or 36h", flags.idle)
			}
			if flags.timeout <= 0 {
				return app.Usage(cmd, "--timeout %s: give a time above zero", flags.timeout)
			}
			return a.prune(cmd.Context(), flags, idle)
		},
	}
	flags.consent.Add(cmd)
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "show the idle VMs and stop")
	cmd.Flags().StringVar(&flags.idle, "idle", "30d", "minimum idle time, for example 14d or 36h")
	cmd.Flags().DurationVar(&flags.timeout, "timeout", status.DefaultTimeout, "timeout for each VM")
	return cmd
}

// pruning is the plan of a prune: the VMs that were looked at, of which some are idle.
type pruning struct {
	how  prune.Options
	vms  []prune.VM
	idle int
}

func (a Commands) prune(ctx context.Context, flags pruneFlags, idle time.Duration) error {
	return app.Change[pruning]{
		Consent: flags.consent, DryRun: flags.dryRun,
		Plan: func(ctx context.Context, s *app.Session) (p pruning, err error) {
			p.how = prune.Options{Idle: idle, Options: status.Options{SSH: reach.Options{KeyPath: a.KeyPath("")}, Timeout: flags.timeout}}
			p.vms, err = s.Pruner.Find(ctx, s.Azure.Target().ResourceGroup, p.how)
			for _, v := range p.vms {
				if v.Verdict == prune.Idle {
					p.idle++
				}
			}
			return p, err
		},
		View: func(p pruning) term.View { return pruneView(p.vms, nil) },
		Question: func(p pruning) string {
			if p.idle == 0 {
				return ""
			}
			return "Delete " + app.CountOf(p.idle, "VM") + "?"
		},
		Show: func(s *app.Session, p pruning) {
			a.Say(fmt.Sprintf("To be deleted, with everything that belongs to them (idle for at least %s):", flags.idle))
			a.SayTarget(s, s.Azure.Target().ResourceGroup)
			for _, v := range p.vms {
				if v.Verdict == prune.Idle {
					a.Say(fmt.Sprintf("  %s in %s, last used %s (%s)", v.Name, v.ResourceGroup, v.Used.Format("2006-01-02 15:04Z"), v.Basis))
				}
			}
		},
		Apply: a.carryOutPrune,
	}.Do(ctx, a.App)
}

func (a Commands) carryOutPrune(ctx context.Context, s *app.Session, p pruning) error {
	if p.idle == 0 {
		return a.Output.Print(pruneView(p.vms, nil))
	}
	var results []prune.Result
	var errs []error
	a.Stage("prune", "deleting "+app.CountOf(p.idle, "VM"), func(report func(string)) string {
		results, _ = s.Pruner.Delete(ctx, p.vms, p.how, report) // each result has its own error
		for _, r := range results {
			if r.Err != nil {
				errs = append(errs, &errkind.Error{Err: r.Err, Next: errkind.Step{Action: errkind.DeleteVM, VM: r.VM.Name, Group: r.VM.ResourceGroup}})
			}
		}
		return app.FailedOf(len(errs), len(results))
	})
	for _, r := range results {
		if r.Deleted {
			errs = append(errs, a.forgetVM(ctx, s, r.VM.Ref, r.VM.Info.VMID))
		}
	}
	err := errors.Join(errs...)
	if err != nil && len(results) > 1 {
		err = &errkind.Error{Kind: errkind.Partial, Err: err}
	}
	return errors.Join(a.Output.Print(pruneView(p.vms, results)), err)
}

// prunedVM is the JSON of one VM.
type prunedVM struct {
	Name     string      `json:"name"`
	Group    string      `json:"resource_group"`
	Power    string      `json:"power_state"`
	Verdict  string      `json:"verdict"` // idle, in use, protected, unknown
	LastUsed *time.Time  `json:"last_used"`
	Basis    string      `json:"basis"`
	Monthly  *cost.Money `json:"price_monthly"`
	Deleted  bool        `json:"deleted"`
	Spared   *string     `json:"spared"`
	Error    *string     `json:"error"`
}

func pruneView(vms []prune.VM, results []prune.Result) term.View {
	became := map[string]prune.Result{}
	for _, r := range results {
		became[r.VM.Info.ID] = r
	}
	views := make([]prunedVM, len(vms))
	for n, v := range vms {
		views[n] = prunedVM{
			Name: v.Name, Group: v.ResourceGroup, Power: string(v.PowerState), Verdict: string(v.Verdict), LastUsed: v.Used, Basis: v.Basis, Monthly: v.EstimatedCost,
		}
		if r, ok := became[v.Info.ID]; ok {
			views[n].Deleted, views[n].Spared = r.Deleted, app.Known(r.Spared)
			if r.Err != nil {
				views[n].Error = app.Known(r.Err.Error())
			}
		}
	}
	view := term.View{
		Data: views,
		Grid: term.Rows(views, []term.Column[prunedVM]{
			{Name: "name", Value: func(v prunedVM) string { return v.Name }},
			{Name: "resource_group", Title: "group", Value: func(v prunedVM) string { return v.Group }},
			{Name: "power_state", Title: "status", Value: func(v prunedVM) string { return v.Power }},
			{Name: "result", Value: pruneResult},
			{Name: "last_used", Value: func(v prunedVM) string {
				if v.LastUsed == nil {
					return ""
				}
				return v.LastUsed.Format("2006-01-02 15:04Z")
			}},
			{Name: "price_monthly", Title: "cost/month", Value: func(v prunedVM) string {
				if v.Monthly == nil {
					return ""
				}
				return v.Monthly.Cents()
			}},
			{Name: "basis", Title: "because", Value: func(v prunedVM) string { return v.Basis }},
		}),
	}
	if len(vms) == 0 {
		view.Note = "azlin manages no VMs here"
	}
	return view
}

func pruneResult(v prunedVM) string {
	switch {
	case v.Deleted:
		return "deleted"
	case v.Spared != nil:
		return "spared: " + *v.Spared
	case v.Error != nil:
		return "failed"
	}
	return cmp.Or(v.Verdict, string(prune.Unknown))
}
