package remove

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
	"github.com/azlin-dev/azlin/upkeep/cleanup"
)

type cleanupFlags struct {
	consent             app.Consent
	remove, dryRun, all bool
	olderThan           time.Duration
}

func newCleanupCommand(a Commands) *cobra.Command {
	var flags cleanupFlags
	cmd := &cobra.Command{
		Use:   "cleanup",
		Short: "Find and delete unused resources",
		Long: `Finds unused disks, network interfaces, public addresses and security groups that azlin created, snapshots whose source is
gone, those left by an interrupted clone or image, and VMs that are stopped but still billed. Shows what each costs per month
(list prices; '-' if unknown). With --delete, asks, checks each resource again, and deletes it. VMs are never deleted.

Resources held by a NAT gateway, a load balancer, a private endpoint, a subnet or a shared access signature are in use.
Resources younger than --older-than, or needed to resume an unfinished operation, are kept.

Without -g, the whole subscription is searched, unless the context or the configuration names a group.`,
		Example: `  azlin cleanup
  azlin cleanup --older-than 168h -o json --jq '.resources[].resource_name'
  azlin cleanup --delete
  azlin cleanup --delete --yes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.olderThan < 0 {
				return app.Usage(cmd, "--older-than %s is negative", flags.olderThan)
			}
			return a.cleanup(cmd.Context(), flags)
		},
	}
	flags.consent.Add(cmd)
	f := cmd.Flags()
	f.BoolVar(&flags.remove, "delete", false, "delete the unused resources after confirmation")
	f.BoolVar(&flags.dryRun, "dry-run", false, "show what would be deleted and stop (the default without --delete)")
	f.BoolVar(&flags.all, "all", false, "include resources that azlin did not create")
	f.DurationVar(&flags.olderThan, "older-than", cleanup.DefaultAge, "only resources unused for at least this long, for example 168h")
	return cmd
}

func (a Commands) cleanup(ctx context.Context, flags cleanupFlags) error {
	options := cleanup.FindOptions{OlderThan: flags.olderThan, All: flags.all}
	if flags.olderThan == 0 {
		options.OlderThan = -1 // of any age
	}
	return app.Change[cleanup.Summary]{
		Consent: flags.consent, DryRun: flags.dryRun || !flags.remove,
		Plan: func(ctx context.Context, s *app.Session) (cleanup.Summary, error) {
			return s.Cleaner.Plan(ctx, s.Azure.Target().ResourceGroup, options)
		},
		View: func(plan cleanup.Summary) term.View {
			view := cleanupView(plan)
			if plan.TotalFound > plan.Shown() && !flags.remove {
				view.Note += "\n'azlin cleanup --delete' deletes them"
			}
			return view
		},
		Question: func(plan cleanup.Summary) string {
			if plan.TotalFound == plan.Shown() {
				return ""
			}
			return "Delete " + app.CountOf(plan.TotalFound-plan.Shown(), "resource") + "?"
		},
		Show: a.sayCleanup,
		Apply: func(ctx context.Context, s *app.Session, plan cleanup.Summary) error {
			var sum cleanup.Summary
			var err error
			if plan.TotalFound == plan.Shown() {
				plan.DryRun = false
				return a.Output.Print(cleanupView(plan))
			}
			a.Stage("delete", "deleting orphans", func(report func(string)) string {
				switch sum, err = s.Cleaner.Delete(ctx, plan, options, report); {
				case sum.TotalFailed > 0:
					return fmt.Sprintf("%d are left", sum.TotalFailed)
				case err != nil:
					return err.Error()
				}
				return ""
			})
			if err != nil && sum.TotalFailed == 0 {
				return err
			}
			if perr := a.Output.Print(cleanupView(sum)); perr != nil {
				return perr
			}
			if err != nil {
				return &errkind.Error{Err: err, Next: app.Next(strings.TrimSpace("azlin cleanup --delete " + groupFlag(s.Azure.Target().ResourceGroup)))}
			}
			return nil
		},
	}.Do(ctx, a.App)
}

func groupFlag(group string) string {
	if group == "" {
		return ""
	}
	return "-g " + group
}

// sayCleanup shows a plan to whoever is to agree to it.
func (a Commands) sayCleanup(s *app.Session, plan cleanup.Summary) {
	a.sayDoomed(s, s.Azure.Target().ResourceGroup)
	for _, r := range plan.Resources {
		if r.Deletable() {
			a.Say(fmt.Sprintf("  %-10s %-30s %10s  %s", r.ResourceType, r.ResourceName, orDash(r.EstimatedCostMonthly), r.Reason))
		}
	}
	a.Say("  " + savings(plan))
}

func orDash(m *cost.Money) string {
	if text := app.MoneyText(m, cost.Money.Cents); text != "" {
		return text
	}
	return "-"
}

// savings says what a cleanup is worth.
func savings(sum cleanup.Summary) string {
	text := "Total: " + orDash(sum.EstimatedSavingsMonthly) + " per month (list prices)"
	if sum.UnknownCosts > 0 {
		text += fmt.Sprintf(", and %d whose cost is not known", sum.UnknownCosts)
	}
	return text
}

func cleanupView(sum cleanup.Summary) term.View {
	if sum.Kept == nil {
		sum.Kept = []cleanup.Kept{}
	}
	v := term.View{Data: sum, Grid: term.Rows(sum.Resources, []term.Column[cleanup.CleanedResource]{
		{Name: "type", Value: func(r cleanup.CleanedResource) string { return r.ResourceType }},
		{Name: "name", Value: func(r cleanup.CleanedResource) string { return r.ResourceName }},
		{Name: "group", Value: func(r cleanup.CleanedResource) string { return r.ResourceGroup }},
		{Name: "per month", Value: func(r cleanup.CleanedResource) string { return app.MoneyText(r.EstimatedCostMonthly, cost.Money.Cents) }},
		{Name: "since", Value: func(r cleanup.CleanedResource) string { return app.Moment(r.Since) }},
		{Name: "result", Value: func(r cleanup.CleanedResource) string { return outcome(sum, r) }},
		{Name: "reason", Value: func(r cleanup.CleanedResource) string { return r.Reason }},
		{Name: "error", Value: func(r cleanup.CleanedResource) string { return r.ErrorMessage }, Wide: true},
	})}
	var notes []string
	if sum.TotalFound == 0 {
		notes = append(notes, "nothing is left over")
	} else if n := len(sum.Resources) - sum.Shown(); n > 0 {
		notes = append(notes, savings(sum))
	}
	foreign := 0
	for _, k := range sum.Kept {
		if k.Reason == cleanup.NotManaged {
			foreign++
			continue
		}
		notes = append(notes, fmt.Sprintf("%s %s stays: %s", k.ResourceType, k.ResourceName, k.Reason))
	}
	if foreign > 0 {
		notes = append(notes, fmt.Sprintf("%d more that azlin did not make; --all shows them", foreign))
	}
	v.Note = strings.Join(notes, "\n")
	return v
}

func outcome(sum cleanup.Summary, r cleanup.CleanedResource) string {
	switch {
	case !r.Deletable():
		return "shown only"
	case r.Outcome == cleanup.Found && sum.DryRun:
		return "would be deleted"
	}
	return string(r.Outcome)
}
