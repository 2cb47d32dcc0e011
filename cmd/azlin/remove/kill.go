package remove

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure/teardown"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/vm"
)

type killFlags struct {
	consent         app.Consent
	dryRun, foreign bool
}

func newKillCommand(a Commands) *cobra.Command {
	var flags killFlags
	cmd := &cobra.Command{
		Use:   "kill VM",
		Short: "Delete a VM and everything that belongs to it",
		Long: `Deletes a VM, its disks, its network interfaces, their public addresses and its security group, and checks
that they are gone. The network that VMs of a region share stays, and so does the resource group.

What an unfinished 'azlin new' of that name left behind is deleted, too. A VM that is not there is no
error.`,
		Example: "  azlin kill dev\n  azlin kill dev --dry-run\n  azlin kill dev --yes",
		Args:    app.Exactly(1, "one VM"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.kill(cmd.Context(), args[0], flags) },
	}
	flags.consent.Add(cmd)
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "show what would be deleted and stop")
	cmd.Flags().BoolVar(&flags.foreign, "foreign", false, "also a VM that azlin did not create")
	return cmd
}

func (a Commands) kill(ctx context.Context, name string, flags killFlags) error {
	if !flags.dryRun { // before the emulator is started, or anything asked
		settings, err := a.Resolution()
		if err != nil {
			return err
		}
		if err := a.Possible("deleting a VM", settings.Context, flags.consent); err != nil {
			return err
		}
	}
	s, err := a.Open(ctx)
	if err != nil {
		return err
	}
	group := s.Azure.Target().ResourceGroup
	match, err := s.VMs.Resolve(ctx, name, group)
	switch {
	case err == nil:
		name, group = match.VM.Name, match.VM.ResourceGroup
		if !match.VM.Managed && !flags.foreign {
			return &errkind.Error{
				Kind: errkind.Conflict, Op: "delete vm", Resource: name,
				Err: fmt.Errorf("azlin did not create it; say --foreign if it is to be deleted all the same"),
			}
		}
	case errkind.Of(err) == errkind.NotFound:
		// No VM, but perhaps the remains of one that was never finished.
		if group, err = s.Launcher.GroupOf(name); err != nil {
			return err
		}
		group = cmp.Or(group, s.Azure.Target().ResourceGroup, config.DefaultResourceGroup)
	default:
		return err
	}
	plan, err := s.VMs.Delete(ctx, group, name, vm.DeleteOptions{DryRun: true})
	if err != nil {
		return err
	}
	if flags.dryRun {
		return a.Output.Print(deletionView(plan))
	}
	if plan.TotalResources > 0 {
		a.Say("To be deleted:")
		a.SayTarget(s, group)
		for _, r := range plan.Results {
			a.Say(fmt.Sprintf("  %-10s %s", r.ResourceType, r.ResourceName))
		}
		if err := a.Confirm(ctx, "Delete "+name+"?", s.Context, flags.consent); err != nil {
			return err
		}
	}
	sum, err := a.deleting(name, func(report func(string)) (vm.DeletionSummary, error) {
		return s.VMs.Delete(ctx, group, name, vm.DeleteOptions{Report: report})
	})
	if err != nil {
		return err
	}
	if sum.FailedResources == 0 {
		if err := a.forgetVM(ctx, s, group, name, match.VM.VMID); err != nil {
			return err
		}
	}
	return a.reportDeletion(sum, fmt.Sprintf("azlin kill %s -g %s", name, group))
}

// reportDeletion prints what came of a deletion; again is the command that finishes what failed.
func (a Commands) reportDeletion(sum vm.DeletionSummary, again string) error {
	if err := a.Output.Print(deletionView(sum)); err != nil {
		return err
	}
	if err := sum.Err(); err != nil {
		return &errkind.Error{Err: err, Next: again}
	}
	return nil
}

// forgetVM removes what this machine remembers of a VM that was deleted.
func (a Commands) forgetVM(ctx context.Context, s *app.Session, group, name, vmID string) error {
	a.forgetNames(ctx, name)
	return s.Launcher.Forget(ctx, group, name, vmID)
}

// forgetNames takes what the configuration remembers of a VM out of it.
func (a Commands) forgetNames(ctx context.Context, name string) {
	err := config.File{Path: a.Paths.Config}.Update(ctx, func(c *config.Config) error {
		delete(c.SessionNames, name)
		if c.LastVMName == name {
			c.LastVMName = ""
		}
		return nil
	})
	if err != nil {
		a.Say("warning: the name of the VM stays in the configuration: " + err.Error())
	}
}

// deleting runs a deletion and shows how far it is.
func (a Commands) deleting(what string, call func(report func(step string)) (vm.DeletionSummary, error)) (vm.DeletionSummary, error) {
	var sum vm.DeletionSummary
	var err error
	a.Stage("delete", "deleting "+what, func(report func(string)) string {
		switch sum, err = call(report); {
		case err != nil:
			return err.Error()
		case sum.FailedResources > 0:
			return fmt.Sprintf("%d of %d resources are left", sum.FailedResources, sum.TotalResources)
		}
		return ""
	})
	return sum, err
}

// deletionView shows a summary. A resource's own error is in its row, and in the error that follows.
func deletionView(sum vm.DeletionSummary) term.View {
	rows := slices.Clone(sum.Results)
	for _, c := range sum.Contents {
		rows = append(rows, teardown.Result{ResourceType: c.ResourceType, ResourceName: c.ResourceName, Success: true})
	}
	v := term.View{Data: sum, Grid: term.Rows(rows, []term.Column[teardown.Result]{
		{Name: "type", Value: func(r teardown.Result) string { return r.ResourceType }},
		{Name: "name", Value: func(r teardown.Result) string { return r.ResourceName }},
		{Name: "result", Value: func(r teardown.Result) string {
			switch {
			case !r.Success:
				return "failed"
			case sum.DryRun:
				return "would be deleted"
			}
			return "deleted"
		}},
	})}
	if sum.TotalResources == 0 {
		v.Note = "nothing of " + sum.VMName + " exists in resource group " + sum.ResourceGroup
	}
	for _, k := range sum.Kept {
		if v.Note != "" {
			v.Note += "\n"
		}
		v.Note += fmt.Sprintf("%s %s stays: %s", k.ResourceType, k.ResourceName, k.Reason)
	}
	return v
}
