package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/launch/image"
)

func newImageDeleteCommand(a createCommands) *cobra.Command {
	var ask consent
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "delete NAME[:VERSION]",
		Short: "Delete images that were baked",
		Long: `Deletes an image with all its versions, or one version of it. VMs that were made from it do not need it. The gallery goes
with the last image in it.`,
		Example: "  azlin image delete base:2026.1129.101500\n  azlin image delete base --dry-run",
		Args:    exactly(1, "an image"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.deleteImage(cmd.Context(), args[0], ask, dryRun)
		},
	}
	ask.add(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be deleted and stop")
	return cmd
}

func (a createCommands) deleteImage(ctx context.Context, name string, ask consent, dryRun bool) error {
	if !dryRun { // before anything is asked
		if err := a.possibleHere("deleting images", ask); err != nil {
			return err
		}
	}
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	baker := &image.Baker{Azure: s.Azure, VMs: s.VMs}
	plan, err := baker.PlanDeletion(ctx, s.Azure.Target().ResourceGroup, name)
	if err != nil {
		return err
	}
	if dryRun {
		return a.output.Print(bakedView(plan.Images))
	}
	a.sayTarget(s, plan.ResourceGroup)
	for _, i := range plan.Images {
		a.say(fmt.Sprintf("  image %s, version %s, baked from %s", i.Name, i.Version, i.Source))
	}
	if plan.Gallery {
		a.say("  and the gallery, which is empty then")
	}
	if err := a.confirm(ctx, "Delete?", s.context, ask); err != nil {
		return err
	}
	if err := a.showing("delete", "deleting "+name, func(report func(string)) error { return baker.Delete(ctx, plan, report) }); err != nil {
		return err
	}
	return a.output.Print(bakedView(plan.Images))
}
