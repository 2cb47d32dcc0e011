package manage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/cost"
	"github.com/azlin-dev/azlin/upkeep/resize"
	"github.com/azlin-dev/azlin/vm/catalog"
)

func newResizeCommand(a Commands) *cobra.Command {
	var ask app.Consent
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "resize VM SIZE",
		Short: "Change the size of a VM",
		Long: `Changes the size of a VM and returns it to its power state. A running VM is deallocated, changed and started again: this
takes a few minutes and deletes its temporary disk. azlin first checks that the VM fits the size (architecture,
generation, disks, zone) and the quota, and shows the new cost.

If Azure has no capacity for the new size, the VM returns to its old size. If resize is interrupted, run the same command
again, on any machine, to resume it.`,
		Example: "  azlin resize dev Standard_B4ms\n  azlin resize dev Standard_B4ms --dry-run",
		Args:    app.Exactly(2, "a VM and a size"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.resize(cmd.Context(), args[0], args[1], ask, dryRun)
		},
	}
	ask.Add(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be done and stop")
	return cmd
}

func (a Commands) resize(ctx context.Context, name, size string, ask app.Consent, dryRun bool) error {
	return app.Change[resize.Plan]{
		Consent: ask, DryRun: dryRun,
		Plan: func(ctx context.Context, s *app.Session) (resize.Plan, error) {
			match, err := s.Find(ctx, name)
			if err != nil {
				return resize.Plan{}, err
			}
			plan, err := s.Resizer.Plan(ctx, match.VM.Ref, size)
			a.SayNotes(plan.Notes)
			return plan, err
		},
		View: resizePlanView,
		Question: func(plan resize.Plan) string {
			if plan.Unchanged() {
				return ""
			}
			return "Resize " + plan.Name + "?"
		},
		Show: func(s *app.Session, plan resize.Plan) {
			a.SayTarget(s, plan.ResourceGroup)
			a.Say(fmt.Sprintf("%s: from %s to %s (%s to %s per month)", plan.Name, plan.From.Name, plan.To.Name, app.MonthlyText(plan.FromMonthly), app.MonthlyText(plan.ToMonthly)))
			if plan.Downtime() {
				a.Say(fmt.Sprintf("%s is %s, and will be off for a while.", plan.Name, plan.Now))
			}
			if plan.Resumes {
				a.Say("This resumes an earlier resize that was cut off.")
			}
		},
		Apply: func(ctx context.Context, s *app.Session, plan resize.Plan) error {
			var result resize.Result
			err := a.Showing("resize", "resizing "+plan.Name, func(report func(string)) (err error) {
				result, err = s.Resizer.Run(ctx, plan, report)
				return err
			})
			return errors.Join(a.Output.Print(resizeView(result)), err)
		},
	}.Do(ctx, a.App)
}

// resizePlan is the JSON of a resize that is not carried out.
type resizePlan struct {
	VM          string       `json:"vm"`
	Group       string       `json:"resource_group"`
	From        string       `json:"from"`
	To          catalog.Size `json:"to"`
	PowerState  string       `json:"power_state"`
	RestoredTo  string       `json:"restored_to"`
	Unchanged   bool         `json:"unchanged"`
	Downtime    bool         `json:"downtime"`
	Resumes     bool         `json:"resumes"`
	FromMonthly *cost.Money  `json:"price_monthly_before"`
	ToMonthly   *cost.Money  `json:"price_monthly_after"`
}

func resizePlanView(p resize.Plan) term.View {
	v := resizePlan{p.Name, p.ResourceGroup, p.From.Name, p.To, string(p.Now), string(p.Before), p.Unchanged(), p.Downtime(), p.Resumes, p.FromMonthly, p.ToMonthly}
	note := ""
	if v.Unchanged {
		note = p.Name + " has that size: there is nothing to do"
	}
	return term.View{Data: v, Note: note, Grid: term.Rows([]resizePlan{v}, []term.Column[resizePlan]{
		{Name: "vm", Value: func(v resizePlan) string { return v.VM }},
		{Name: "from", Value: func(v resizePlan) string { return v.From }},
		{Name: "to", Value: func(v resizePlan) string { return v.To.Name }},
		{Name: "vcpus", Value: func(v resizePlan) string { return fmt.Sprint(v.To.VCPUs) }},
		{Name: "memory", Value: func(v resizePlan) string { return fmt.Sprintf("%g GiB", v.To.MemoryGiB) }},
		{Name: "month_before", Value: func(v resizePlan) string { return app.MonthlyText(v.FromMonthly) }},
		{Name: "month_after", Value: func(v resizePlan) string { return app.MonthlyText(v.ToMonthly) }},
		{Name: "power_state", Value: func(v resizePlan) string { return v.PowerState }},
	})}
}

// resized is the JSON of a resize.
type resized struct {
	VM        string  `json:"vm"`
	Group     string  `json:"resource_group"`
	Success   bool    `json:"success"`
	Unchanged bool    `json:"unchanged"`
	WentBack  bool    `json:"went_back"`
	From      string  `json:"from"`
	To        string  `json:"to"`
	Size      *string `json:"size"`
	Before    *string `json:"before"`
	After     *string `json:"after"`
	Seconds   float64 `json:"duration_seconds"`
	Error     *string `json:"error"`
}

func resizeView(r resize.Result) term.View {
	v := resized{
		VM: r.Name, Group: r.ResourceGroup, Success: r.Success, Unchanged: r.Unchanged, WentBack: r.WentBack, From: r.From, To: r.To, Size: app.Known(r.Size),
		Before: app.Known(string(r.Before)), After: app.Known(string(r.After)), Seconds: r.Duration.Round(time.Millisecond).Seconds(),
	}
	if r.Err != nil {
		v.Error = app.Known(r.Err.Error())
	}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	return term.View{Data: v, Grid: term.Rows([]resized{v}, []term.Column[resized]{
		{Name: "vm", Value: func(v resized) string { return v.VM }},
		{Name: "result", Value: resizeResult},
		{Name: "size", Value: func(v resized) string { return text(v.Size) }},
		{Name: "before", Value: func(v resized) string { return text(v.Before) }},
		{Name: "after", Value: func(v resized) string { return text(v.After) }},
	})}
}

func resizeResult(v resized) string {
	switch {
	case v.Unchanged:
		return "was already"
	case v.Success:
		return "done"
	case v.WentBack:
		return "went back"
	}
	return "failed"
}
