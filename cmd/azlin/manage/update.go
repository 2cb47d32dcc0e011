package manage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/upkeep/update"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/cloudinit"
)

// updateFlags are what update and os-update share.
type updateFlags struct {
	host    app.HostFlags
	which   app.Selecting
	timeout time.Duration
}

func (f *updateFlags) add(cmd *cobra.Command, timeout time.Duration) {
	f.host.Add(cmd)
	f.which.Add(cmd, "all running VMs that azlin manages, instead of named VMs")
	cmd.Flags().DurationVar(&f.timeout, "timeout", timeout, "how long to wait for each VM; the update continues after that")
}

func (f *updateFlags) check(cmd *cobra.Command, args []string) error {
	if f.timeout <= 0 {
		return app.Usage(cmd, "--timeout %s: give a time above zero", f.timeout)
	}
	return f.which.Check(cmd, args)
}

func newUpdateCommand(a Commands) *cobra.Command {
	var flags updateFlags
	var tools []string
	cmd := &cobra.Command{
		Use:   "update VM...",
		Short: "Update the tools on VMs",
		Long: `Updates the tools on VMs to their newest versions, one by one, and then the system packages, reported as "apt". A tool
that fails does not stop the others. By default, every installed tool is updated
(` + strings.Join(cloudinit.ToolNames(), ", ") + `). With --tools, only the listed tools are; each must be installed.

The update runs as a job on the VM. It continues when the connection is lost, and azlin reconnects. After --timeout, or
Ctrl-C, run the same command to follow it again, or to see how it ended.`,
		Example: "  azlin update dev\n  azlin update dev test --tools gh,docker\n  azlin update --all --timeout 20m",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(cmd, args); err != nil {
				return err
			}
			if unknown := slices.IndexFunc(tools, func(t string) bool { return !slices.Contains(updatable(), t) }); unknown >= 0 {
				return app.Usage(cmd, "--tools: there is no %q; there are %s", tools[unknown], strings.Join(updatable(), ", "))
			}
			sum, err := a.update(cmd.Context(), args, flags, "update", func(ctx context.Context, u update.Updater, infos []vm.Info, o update.Options) (update.Summary, error) {
				o.Tools = tools
				return u.VMs(ctx, infos, o)
			})
			if err != nil {
				return err
			}
			return errors.Join(a.Output.Print(updateView(sum)), updateError(sum))
		},
	}
	flags.add(cmd, update.DefaultTimeout)
	cmd.Flags().StringSliceVar(&tools, "tools", nil, "tools to update; apt means the system packages (default: all installed tools, and apt)")
	app.Complete(cmd, "tools", updatable())
	return cmd
}

func updatable() []string { return append(cloudinit.ToolNames(), update.Packages) }

func newOSUpdateCommand(a Commands) *cobra.Command {
	var flags updateFlags
	cmd := &cobra.Command{
		Use:   "os-update VM...",
		Short: "Update the system packages of VMs",
		Long: `Upgrades all packages of VMs with 'apt-get update' and 'apt-get upgrade', and keeps changed configuration files. Reports
which VMs need a restart but does not restart them. -o json includes apt's output.

The update runs as a job on the VM. It continues if the connection is lost, and azlin reconnects. After --timeout or
Ctrl-C, run the same command again to follow it or to see its result.`,
		Example: "  azlin os-update dev\n  azlin os-update --all -o json --jq '.results[] | select(.restart_required) | .vm'",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(cmd, args); err != nil {
				return err
			}
			sum, err := a.update(cmd.Context(), args, flags, "os-update", func(ctx context.Context, u update.Updater, infos []vm.Info, o update.Options) (update.Summary, error) {
				return u.Systems(ctx, infos, o)
			})
			if err != nil {
				return err
			}
			return errors.Join(a.Output.Print(updateView(sum)), updateError(sum))
		},
	}
	flags.add(cmd, update.DefaultSystemTimeout)
	return cmd
}

// update finds the VMs and has them updated.
func (a Commands) update(ctx context.Context, names []string, flags updateFlags, verb string, run func(context.Context, update.Updater, []vm.Info, update.Options) (update.Summary, error)) (update.Summary, error) {
	s, err := a.OpenToChange(ctx)
	if err != nil {
		return update.Summary{}, err
	}
	targets, err := a.updateTargets(ctx, s, names, flags.which)
	if err != nil {
		return update.Summary{}, err
	}
	var sum update.Summary
	a.Stage(verb, "updating "+summaryOf(targets), func(report func(string)) string {
		sum, err = run(ctx, s.Updater, targets, update.Options{
			Timeout: flags.timeout,
			SSH: reach.Options{
				User: flags.host.User, KeyPath: a.KeyPath(flags.host.Key), AcceptNewHostKey: flags.host.AcceptNew, Bastion: flags.host.Bastion,
			},
			Report: func(p update.Progress) { report(updateProgress(p)) },
		})
		if sum.Total == 0 && err != nil { // nothing was begun
			return err.Error()
		}
		err = nil // that of the summary says what to type next
		return app.FailedOf(sum.Failed, sum.Total)
	})
	return sum, err
}

// updateTargets are the VMs that are meant. Those that do not run are left out, unless they were named.
func (a Commands) updateTargets(ctx context.Context, s *app.Session, names []string, which app.Selecting) ([]vm.Info, error) {
	sel, err := s.Choose(ctx, names, which, func(q *vm.Query) {
		q.Where = func(i vm.Info) string {
			if i.IsRunning() {
				return ""
			}
			return "it is " + string(i.PowerState)
		}
	})
	if err != nil {
		return nil, err
	}
	a.SayLeft(sel)
	if len(sel.Matches) == 0 {
		return nil, &errkind.Error{Kind: errkind.NotFound, Err: errors.New("no VM that azlin manages is running"), Next: errkind.Step{Action: errkind.ListVMs}}
	}
	return sel.VMs(), nil
}

func updateProgress(p update.Progress) string {
	switch {
	case p.Lost != nil:
		return p.Name + ": connecting again: " + p.Lost.Error()
	case p.Current == "" && p.Done > 0:
		return fmt.Sprintf("%s: %d of %d done", p.Name, p.Done, p.Total)
	case p.Current == "":
		return fmt.Sprintf("%s: reading the package lists", p.Name)
	}
	return fmt.Sprintf("%s: %s, %d of %d done", p.Name, p.Current, p.Done, p.Total)
}

// updateError says what failed.
func updateError(sum update.Summary) error {
	var failed []batch.Failure
	for _, r := range sum.Results {
		if r.Err != nil {
			failed = append(failed, batch.Failure{Name: r.Name, Err: app.Stranded(r.Err, r.Name)})
		}
	}
	return batch.Err("update", sum.Total, failed, errkind.Step{})
}

// updatedTool is the JSON of one tool.
type updatedTool struct {
	Name   string  `json:"name"`
	Before *string `json:"before"`
	After  *string `json:"after"`
	Kept   bool    `json:"left_alone"`
	Error  *string `json:"error"`
}

// updatedVM is the JSON of one VM.
type updatedVM struct {
	VM            string        `json:"vm"`
	ResourceGroup string        `json:"resource_group"`
	Success       bool          `json:"success"`
	Tools         []updatedTool `json:"tools"`
	Restart       bool          `json:"restart_required"`
	Joined        bool          `json:"joined"`
	Output        *string       `json:"output"`
	Seconds       float64       `json:"duration_seconds"`
	Error         *string       `json:"error"`
}

func updateView(sum update.Summary) term.View {
	type row struct {
		vm   string
		tool update.Tool
	}
	var rows []row
	var notes []string
	views := make([]updatedVM, len(sum.Results))
	for n, r := range sum.Results {
		v := updatedVM{
			VM: r.Name, ResourceGroup: r.ResourceGroup, Success: r.Success, Tools: []updatedTool{}, Restart: r.Restart, Joined: r.Joined,
			Output: app.Known(r.Output), Seconds: r.Duration.Round(time.Millisecond).Seconds(),
		}
		if r.Err != nil {
			v.Error = app.Known(r.Err.Error())
		}
		for _, t := range r.Tools {
			tool := updatedTool{Name: t.Name, Before: app.Known(t.Before), After: app.Known(t.After), Kept: t.Kept}
			if t.Err != nil {
				tool.Error = app.Known(t.Err.Error())
			}
			v.Tools = append(v.Tools, tool)
			rows = append(rows, row{r.Name, t})
		}
		if r.Joined {
			notes = append(notes, r.Name+": this update was begun before")
		}
		if r.Restart {
			notes = append(notes, fmt.Sprintf("%s wants a restart: azlin restart %s", r.Name, r.Name))
		}
		views[n] = v
	}
	return term.View{
		Data: struct {
			Total     int         `json:"total"`
			Succeeded int         `json:"succeeded"`
			Failed    int         `json:"failed"`
			Results   []updatedVM `json:"results"`
		}{sum.Total, sum.Succeeded, sum.Failed, views},
		Note: strings.Join(notes, "\n"),
		Grid: term.Rows(rows, []term.Column[row]{
			{Name: "vm", Value: func(r row) string { return r.vm }},
			{Name: "tool", Value: func(r row) string { return r.tool.Name }},
			{Name: "result", Value: func(r row) string { return toolResult(r.tool) }},
			{Name: "before", Value: func(r row) string { return r.tool.Before }},
			{Name: "after", Value: func(r row) string { return r.tool.After }},
		}),
	}
}

func toolResult(t update.Tool) string {
	switch {
	case t.Err != nil:
		return "failed: " + t.Err.Error()
	case t.Kept:
		return "left alone: neither apt nor pipx installed it"
	case t.Before == t.After:
		return "was current"
	}
	return "updated"
}
