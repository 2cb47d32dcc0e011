package remove

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/vm"
)

func newKillallCommand(a Commands) *cobra.Command {
	var flags removeFlags
	cmd := &cobra.Command{
		Use:   "killall",
		Short: "Delete all VMs of a resource group that azlin created",
		Long: `Deletes azlin's VMs of the resource group given with -g or by the context (else ` + config.DefaultResourceGroup + `), each with
everything that belongs to it, several at once. The shared network and the group stay, and so does whatever
azlin did not create.`,
		Example: "  azlin killall -g team --dry-run\n  azlin killall -g team --yes",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.remove(cmd.Context(), removal{
				what: "deleting all VMs of a group", again: "azlin killall -g ",
				question: func(group string) string { return "Delete all of azlin's VMs in " + group + "?" },
				call:     (*vm.Service).DeleteAll,
			}, "", flags)
		},
	}
	flags.add(cmd)
	return cmd
}

func newDestroyCommand(a Commands) *cobra.Command {
	var flags removeFlags
	cmd := &cobra.Command{
		Use:   "destroy GROUP",
		Short: "Delete a resource group that is azlin's, with everything in it",
		Long: `Deletes a whole resource group: VMs, disks, networks and all. It refuses when azlin did not create the group,
or when anything in it is not azlin's, and names what that is. On a terminal the group's name has to be
typed.`,
		Example: "  azlin destroy azlin-rg --dry-run\n  azlin destroy azlin-rg --yes",
		Args:    app.Exactly(1, "one resource group"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.remove(cmd.Context(), removal{
				what: "deleting a resource group", again: "azlin destroy ", typed: true,
				question: func(group string) string { return "Delete the group " + group + " and everything in it?" },
				call:     (*vm.Service).DeleteAll, options: vm.DeleteOptions{ResourceGroup: true},
			}, args[0], flags)
		},
	}
	flags.add(cmd)
	return cmd
}

type removeFlags struct {
	app.Consent

	dryRun bool
}

func (f *removeFlags) add(cmd *cobra.Command) {
	f.Consent.Add(cmd)
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would be deleted and stop")
}

// removal is one way of deleting what is in a group.
type removal struct {
	what, again string
	question    func(group string) string
	typed       bool // the group's name has to be typed on a terminal
	call        func(s *vm.Service, ctx context.Context, group string, o vm.DeleteOptions) (vm.DeletionSummary, error)
	options     vm.DeleteOptions
}

// remove plans, shows, asks, deletes and reports.
func (a Commands) remove(ctx context.Context, r removal, group string, flags removeFlags) error {
	if !flags.dryRun { // before the emulator is started, or anything asked
		settings, err := a.Resolution()
		if err != nil {
			return err
		}
		if err := a.Possible(r.what, settings.Context, flags.Consent); err != nil {
			return err
		}
	}
	s, err := a.Open(ctx)
	if err != nil {
		return err
	}
	group = cmp.Or(group, s.Azure.Target().ResourceGroup, config.DefaultResourceGroup)
	listing, err := s.VMs.List(ctx, vm.ListOptions{ResourceGroup: group})
	if err != nil {
		return err
	}
	options := r.options
	options.DryRun = true
	plan, err := r.call(s.VMs, ctx, group, options)
	if err != nil {
		return err
	}
	if flags.dryRun {
		return a.Output.Print(deletionView(plan))
	}
	if err := a.confirmRemoval(ctx, s, r, group, plan, listing.VMs, flags); err != nil {
		return err
	}
	options.DryRun = false
	sum, err := a.deleting(group, func(report func(string)) (vm.DeletionSummary, error) {
		options.Report = report
		return r.call(s.VMs, ctx, group, options)
	})
	if err != nil {
		return err
	}
	for _, i := range listing.VMs {
		if _, err := s.VMs.Get(ctx, i.ResourceGroup, i.Name); err == nil {
			continue // it could not be deleted
		}
		if err := a.forgetVM(ctx, s, i.ResourceGroup, i.Name, i.VMID); err != nil {
			return err
		}
	}
	return a.reportDeletion(sum, r.again+group)
}

// confirmRemoval shows the plan and asks.
func (a Commands) confirmRemoval(ctx context.Context, s *app.Session, r removal, group string, plan vm.DeletionSummary, vms []vm.Info, flags removeFlags) error {
	if plan.TotalResources == 0 {
		return nil
	}
	a.Say("To be deleted:")
	a.SayTarget(s, group)
	for _, i := range vms {
		a.Say("  vm         " + i.Name)
	}
	for _, p := range plan.Results {
		if p.ResourceType != "vm" {
			a.Say(fmt.Sprintf("  %-10s %s", p.ResourceType, p.ResourceName))
		}
	}
	for _, c := range plan.Contents {
		if c.ResourceType != "vm" {
			a.Say(fmt.Sprintf("  %-10s %s", c.ResourceType, c.ResourceName))
		}
	}
	if r.typed && a.Streams.InTTY && !flags.Yes {
		if err := a.TypeName(ctx, r.question(group), "group", group); err != nil {
			return err
		}
		flags.Yes = true // said by typing; a protected context still wants its own name
	}
	return a.Confirm(ctx, r.question(group), s.Context, flags.Consent)
}
