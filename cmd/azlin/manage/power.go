package manage

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

// powerFlags are what the power commands share.
type powerFlags struct {
	which  app.Selecting
	noWait bool
	keep   bool
}

// powerCall is one of the service's power methods.
type powerCall func(s *vm.Service, ctx context.Context, ref vm.Ref, o vm.PowerOptions) (vm.LifecycleResult, error)

// newPowerCommand returns the command for a verb; the caller adds what is its own.
func newPowerCommand(a Commands, verb, short string, flags *powerFlags, call powerCall) *cobra.Command {
	cmd := &cobra.Command{
		Use:     verb + " VM...",
		Short:   short,
		Example: "  azlin " + verb + " dev\n  azlin " + verb + " dev 'web-*' --no-wait\n  azlin " + verb + " --select tag:env=dev",
		Args:    func(cmd *cobra.Command, args []string) error { return flags.which.Check(cmd, args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.power(cmd.Context(), args, verb, *flags, call)
		},
	}
	flags.which.Add(cmd, verb+" every VM that azlin manages, in the resource group if one is set")
	cmd.Flags().BoolVar(&flags.noWait, "no-wait", false, "return when Azure has accepted the request; 'azlin operations resume VM' waits for the end")
	return cmd
}

func newStartCommand(a Commands) *cobra.Command {
	return newPowerCommand(a, "start", "Start VMs", new(powerFlags), (*vm.Service).Start)
}

func newStopCommand(a Commands) *cobra.Command {
	flags := new(powerFlags)
	cmd := newPowerCommand(a, "stop", "Stop VMs, so that they cost no compute", flags, (*vm.Service).Stop)
	cmd.Long = `Stops and deallocates VMs: their compute is no longer paid for, their disks and addresses stay and are.
With --keep-allocated the machine stays reserved and goes on costing the same.`
	cmd.Example += "\n  azlin stop dev --keep-allocated"
	cmd.Flags().BoolVar(&flags.keep, "keep-allocated", false, "power off without deallocating (still billed)")
	return cmd
}

func newRestartCommand(a Commands) *cobra.Command {
	return newPowerCommand(a, "restart", "Restart running VMs", new(powerFlags), (*vm.Service).Restart)
}

// power resolves all names before it changes anything, then changes all VMs at once.
func (a Commands) power(ctx context.Context, names []string, verb string, flags powerFlags, call powerCall) error {
	s, err := a.OpenToChange(ctx)
	if err != nil {
		return err
	}
	sel, err := s.Choose(ctx, names, flags.which)
	if err != nil {
		return err
	}
	targets := sel.VMs()
	var results []vm.LifecycleResult
	var sum vm.LifecycleSummary
	a.Stage(verb, verb+" "+summaryOf(targets), func(report func(string)) string {
		for _, r := range batch.Run(ctx, targets, batch.Options{}, func(ctx context.Context, t vm.Info) (vm.LifecycleResult, error) {
			return call(s.VMs, ctx, t.Ref, vm.PowerOptions{NoWait: flags.noWait, KeepAllocation: flags.keep, Report: func(o azure.OperationState) {
				report(t.Name + ": " + o.Status)
			}})
		}) {
			if r.Took == 0 { // it was not begun
				r.Value = vm.LifecycleResult{Ref: targets[len(results)].Ref, Operation: verb, Err: r.Err}
			}
			results = append(results, r.Value) // it holds the error, too
		}
		sum = vm.Summarize(results)
		return app.FailedOf(sum.Failed, sum.Total)
	})
	if err := s.VMs.Remember(s.Operations.Store, results); err != nil {
		a.Say("warning: 'azlin operations' will not know of this: " + err.Error())
	}
	if err := a.Output.Print(powerView(sum)); err != nil {
		return err
	}
	return powerError(sum, verb)
}

// powerError says what failed, and how to repeat that.
func powerError(sum vm.LifecycleSummary, verb string) error {
	var failed []batch.Failure
	var names []string
	for _, r := range sum.Results {
		if r.Err != nil {
			failed = append(failed, batch.Failure{Name: r.Name, Err: r.Err})
			names = append(names, r.Name)
		}
	}
	next := errkind.Step{}
	if sum.Total > 1 {
		next = app.Next("azlin", verb, strings.Join(names, " "))
	}
	return batch.Err(verb, sum.Total, failed, next)
}

func summaryOf(targets []vm.Info) string {
	if len(targets) == 1 {
		return targets[0].Name
	}
	return fmt.Sprintf("%d VMs", len(targets))
}

// lifecycleView is the JSON of a power operation on one VM.
type lifecycleView struct {
	VM          string  `json:"vm"`
	Operation   string  `json:"operation"`
	Success     bool    `json:"success"`
	Unchanged   bool    `json:"unchanged"`
	Before      *string `json:"before"`
	After       *string `json:"after"`
	OperationID *string `json:"operation_id"`
	Seconds     float64 `json:"duration_seconds"`
	Error       *string `json:"error"`
}

func powerView(sum vm.LifecycleSummary) term.View {
	views := make([]lifecycleView, len(sum.Results))
	for n, r := range sum.Results {
		views[n] = lifecycleView{
			VM: r.Name, Operation: r.Operation, Success: r.Success, Unchanged: r.Unchanged,
			Before: app.Known(string(r.Before)), After: app.Known(string(r.After)), OperationID: app.Known(r.OperationID),
			Seconds: r.Duration.Round(time.Millisecond).Seconds(),
		}
		if r.Err != nil {
			views[n].Error = app.Known(r.Err.Error())
		}
	}
	return term.View{
		Data: struct {
			Total     int             `json:"total"`
			Succeeded int             `json:"succeeded"`
			Failed    int             `json:"failed"`
			Results   []lifecycleView `json:"results"`
		}{sum.Total, sum.Succeeded, sum.Failed, views},
		Grid: term.Rows(sum.Results, []term.Column[vm.LifecycleResult]{
			{Name: "vm", Value: func(r vm.LifecycleResult) string { return r.Name }},
			{Name: "operation", Value: func(r vm.LifecycleResult) string { return r.Operation }},
			{Name: "result", Value: resultText},
			{Name: "before", Value: func(r vm.LifecycleResult) string { return string(r.Before) }},
			{Name: "after", Value: func(r vm.LifecycleResult) string { return string(r.After) }},
		}),
	}
}

func resultText(r vm.LifecycleResult) string {
	switch {
	case !r.Success:
		return "failed"
	case r.Unchanged:
		return "was already"
	case r.After == "":
		return "accepted"
	}
	return "done"
}
