package create

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/launch/image"
)

func newImageDeleteCommand(a Commands) *cobra.Command {
	var ask app.Consent
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "delete NAME[:VERSION]",
		Short: "Delete baked images",
		Long: `Deletes an image with all its versions, or one version of it. VMs created from it are not affected. The gallery is deleted
with its last image.`,
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
	return app.Change[image.Deletion]{
		Consent: ask, DryRun: dryRun,
		Plan: func(ctx context.Context, s *app.Session) (image.Deletion, error) {
			return s.Baker.PlanDeletion(ctx, s.Azure.Target().ResourceGroup, name)
		},
		View:     func(plan image.Deletion) term.View { return bakedView(plan.Images) },
		Question: func(image.Deletion) string { return "Delete " + name + "?" },
		Show: func(s *app.Session, plan image.Deletion) {
			a.SayTarget(s, plan.ResourceGroup)
			for _, i := range plan.Images {
				a.Say(fmt.Sprintf("  image %s, version %s, baked from %s", i.Name, i.Version, i.Source))
			}
			if plan.Gallery {
				a.Say("  and the gallery, which is empty then")
			}
		},
		Apply: func(ctx context.Context, s *app.Session, plan image.Deletion) error {
			if err := a.Showing("delete", "deleting "+name, func(report func(string)) error { return s.Baker.Delete(ctx, plan, report) }); err != nil {
				return err
			}
			return a.Output.Print(bakedView(plan.Images))
		},
	}.Do(ctx, a.App)
}
