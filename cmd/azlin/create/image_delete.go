package create

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/launch/image"
)

func newImageDeleteCommand(a Commands) *cobra.Command {
	var ask app.Consent
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "delete NAME[:VERSION]",
		Short: "Delete images that were baked",
		Long: `Deletes an image with all its versions, or one version of it. VMs that were made from it do not need it. The gallery goes
with the last image in it.`,
		Example: "  azlin image delete base:2026.1129.101500\n  azlin image delete base --dry-run",
		Args:    app.Exactly(1, "an image"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.deleteImage(cmd.Context(), args[0], ask, dryRun)
		},
	}
	ask.Add(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be deleted and stop")
	return cmd
}

func (a Commands) deleteImage(ctx context.Context, name string, ask app.Consent, dryRun bool) error {
	if !dryRun { // before anything is asked
		if err := a.PossibleHere("deleting images", ask); err != nil {
			return err
		}
	}
	s, err := a.Open(ctx)
	if err != nil {
		return err
	}
	baker := &image.Baker{Azure: s.Azure, VMs: s.VMs, Catalog: s.Catalog, Disks: s.Disks}
	plan, err := baker.PlanDeletion(ctx, s.Azure.Target().ResourceGroup, name)
	if err != nil {
		return err
	}
	if dryRun {
		return a.Output.Print(bakedView(plan.Images))
	}
	a.SayTarget(s, plan.ResourceGroup)
	for _, i := range plan.Images {
		a.Say(fmt.Sprintf("  image %s, version %s, baked from %s", i.Name, i.Version, i.Source))
	}
	if plan.Gallery {
		a.Say("  and the gallery, which is empty then")
	}
	if err := a.Confirm(ctx, "Delete?", s.Context, ask); err != nil {
		return err
	}
	if err := a.Showing("delete", "deleting "+name, func(report func(string)) error { return baker.Delete(ctx, plan, report) }); err != nil {
		return err
	}
	return a.Output.Print(bakedView(plan.Images))
}
