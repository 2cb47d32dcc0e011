package remove

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/vm"
)

func newKillallCommand(a Commands) *cobra.Command {
	var flags removeFlags
	cmd := &cobra.Command{
		Use:   "killall",
		Short: "Delete all of azlin's VMs in a resource group",
		Long: `Deletes azlin's VMs in the resource group given with -g or set in the context (otherwise ` + config.DefaultResourceGroup + `), with
their disks, network interfaces, addresses and security groups. The shared network, the group, and everything azlin did not create
are kept.`,
		Example: "  azlin killall -g team --dry-run\n  azlin killall -g team --yes",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.remove(cmd.Context(), removal{
				again:    "azlin killall -g ",
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
		Short: "Delete a resource group with everything in it",
		Long: `Deletes a whole resource group: VMs, disks, networks and everything else. It refuses, and names the resources, if azlin
did not create the group or anything in it. You are asked to type the group's name.`,
		Example: "  azlin destroy azlin-rg --dry-run\n  azlin destroy azlin-rg --yes",
		Args:    app.Exactly(1, "one resource group"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.remove(cmd.Context(), removal{
				again: "azlin destroy ", typed: true,
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
	f.Add(cmd)
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would be deleted and stop")
}

// removal is one way of deleting what is in a group.
type removal struct {
	again    string
	question func(group string) string
	typed    bool // the group's name has to be typed on a terminal
	call     func(s *vm.Service, ctx context.Context, group string, o vm.DeleteOptions) (vm.DeletionSummary, error)
	options  vm.DeleteOptions
}

// doomedGroup is the plan of a removal.
type doomedGroup struct {
	group string
	vms   []vm.Info
	found vm.DeletionSummary
}

// remove deletes what is in a group.
func (a Commands) remove(ctx context.Context, r removal, group string, flags removeFlags) error {
	change := app.Change[doomedGroup]{
		Consent: flags.Consent, DryRun: flags.dryRun,
		Plan: func(ctx context.Context, s *app.Session) (d doomedGroup, err error) {
			d.group = cmp.Or(group, s.Azure.Target().ResourceGroup, config.DefaultResourceGroup)
			listing, err := s.VMs.List(ctx, vm.ListOptions{ResourceGroup: d.group})
			if err != nil {
				return d, err
			}
			options := r.options
			options.DryRun = true
			d.vms = listing.VMs
			d.found, err = r.call(s.VMs, ctx, d.group, options)
			return d, err
		},
		View: func(d doomedGroup) term.View { return deletionView(d.found) },
		Question: func(d doomedGroup) string {
			if d.found.TotalResources == 0 {
				return ""
			}
			return r.question(d.group)
		},
		Show:  a.showRemoval,
		Apply: func(ctx context.Context, s *app.Session, d doomedGroup) error { return a.carryOutRemoval(ctx, s, r, d) },
	}
	if r.typed {
		change.Typed = func(d doomedGroup) (kind, name string) { return "group", d.group }
	}
	return change.Do(ctx, a.App)
}

func (a Commands) carryOutRemoval(ctx context.Context, s *app.Session, r removal, d doomedGroup) error {
	options := r.options
	sum, err := a.deleting(d.group, func(report func(string)) (vm.DeletionSummary, error) {
		options.Report = report
		return r.call(s.VMs, ctx, d.group, options)
	})
	if err != nil && sum.TotalResources == 0 {
		return err
	}
	for _, i := range d.vms {
		if _, err := s.VMs.Get(ctx, i.Ref); !azure.IsNotFound(err) {
			continue // it could not be deleted, or nobody knows
		}
		if err := a.forgetVM(ctx, s, i.Ref, i.VMID); err != nil {
			return err
		}
	}
	return a.reportDeletion(sum, err, r.again+d.group)
}

// showRemoval says what is about to be deleted.
func (a Commands) showRemoval(s *app.Session, d doomedGroup) {
	a.sayDoomed(s, d.group)
	for _, i := range d.vms {
		a.Say("  vm         " + i.Name)
	}
	for _, p := range d.found.Results {
		if p.ResourceType != "vm" {
			a.Say(fmt.Sprintf("  %-10s %s", p.ResourceType, p.ResourceName))
		}
	}
	for _, c := range d.found.Contents {
		if c.ResourceType != "vm" {
			a.Say(fmt.Sprintf("  %-10s %s", c.ResourceType, c.ResourceName))
		}
	}
}
