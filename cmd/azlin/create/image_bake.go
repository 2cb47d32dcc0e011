package create

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/launch/image"
)

type bakeFlags struct {
	consent app.Consent
	dryRun  bool
	abandon bool
	name    string
	size    string
}

func newImageBakeCommand(a Commands) *cobra.Command {
	var flags bakeFlags
	cmd := &cobra.Command{
		Use:   "bake VM",
		Short: "Create an image from a VM",
		Long: `Creates a version of an image from a VM's system disk. The VM can keep running and is not changed: azlin copies the disk
to a temporary VM without a public address, and removes users, home directories, keys, logs and machine identity there.
Files outside home directories are kept, so remove secrets first. Then azlin deletes the temporary VM. Baking takes about
ten minutes; a version costs as much as a snapshot of the disk.

Baking again creates another version, and 'azlin new --image NAME' uses the newest. If bake is interrupted, run the same
command again to resume it, or with --abandon to delete the temporary resources.`,
		Example: "  azlin image bake dev\n  azlin image bake dev --name base\n  azlin image bake dev --size Standard_D2s_v5 --dry-run",
		Args:    app.Exactly(1, "a VM"),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.bake(cmd.Context(), args[0], flags) },
	}
	flags.consent.Add(cmd)
	f := cmd.Flags()
	f.BoolVar(&flags.dryRun, "dry-run", false, "show what would be created and stop")
	f.StringVar(&flags.name, "name", "", "name of the image (default: the VM's name)")
	f.BoolVar(&flags.abandon, "abandon", false, "delete the temporary resources of an interrupted bake instead of resuming it")
	f.StringVar(&flags.size, "size", "", "size of the temporary VM (default: the VM's)")
	cmd.MarkFlagsMutuallyExclusive("abandon", "dry-run")
	return cmd
}

func (a Commands) bake(ctx context.Context, name string, flags bakeFlags) error {
	change := app.Change[image.Plan]{
		Consent: flags.consent, DryRun: flags.dryRun,
		Plan: func(ctx context.Context, s *app.Session) (image.Plan, error) {
			match, err := s.Find(ctx, name)
			if err != nil {
				return image.Plan{}, err
			}
			plan, err := s.Baker.Plan(ctx, image.Request{Source: match.VM, Name: flags.name, Size: flags.size, Abandon: flags.abandon})
			a.SayNotes(plan.Notes)
			return plan, err
		},
		View: bakePlanView,
	}
	if flags.abandon {
		change.Question = func(image.Plan) string { return "Delete them?" }
		change.Show = func(s *app.Session, plan image.Plan) {
			a.SayTarget(s, plan.Group)
			a.Say(fmt.Sprintf("The temporary VM %s and its snapshot are deleted, if they are there; %s and what was baked of it stay.", plan.Builder, plan.Source.Name))
		}
		change.Apply = func(ctx context.Context, s *app.Session, plan image.Plan) error {
			return a.Showing("abandon", "deleting "+plan.Builder, func(report func(string)) error { return s.Baker.Abandon(ctx, plan, report) })
		}
		return change.Do(ctx, a.App)
	}
	change.Question = func(plan image.Plan) string { return "Bake " + plan.Name + "?" }
	change.Show = func(s *app.Session, plan image.Plan) {
		a.SayTarget(s, plan.Group)
		a.Say(fmt.Sprintf("Image %s, version %s, of %s; temporary VM %s, %s.", plan.Name, plan.Version, plan.Source.Name, plan.Builder, plan.Size))
		if plan.Resumes {
			a.Say("This resumes an earlier bake that was cut off, with the disk as it was at " + plan.Begun().Format("2006-01-02 15:04:05Z") + ".")
			a.Say("To begin anew, abandon it first with --abandon.")
		}
	}
	change.Apply = func(ctx context.Context, s *app.Session, plan image.Plan) error {
		var made image.Image
		err := a.Showing("bake", "baking "+plan.Name, func(report func(string)) (err error) {
			made, err = s.Baker.Run(ctx, plan, report)
			return err
		})
		if err != nil {
			return err
		}
		if err := a.Output.Print(bakedView([]image.Image{made})); err != nil {
			return err
		}
		a.Say(fmt.Sprintf("create VMs from it with 'azlin new --image %s -g %s'", made.Name, made.ResourceGroup))
		return nil
	}
	return change.Do(ctx, a.App)
}

// bakePlan is the JSON of an image that is not made.
type bakePlan struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	Group       string `json:"resource_group"`
	Region      string `json:"location"`
	Source      string `json:"baked_from"`
	TemporaryVM string `json:"temporary_vm"`
	Size        string `json:"temporary_size"`
	DiskGB      *int   `json:"disk_gb"`
	Resumes     bool   `json:"resumes"`

	Begun *time.Time `json:"begun"` // of what it goes on with: the disk is as it was then; null: now
}

func bakePlanView(p image.Plan) term.View {
	v := bakePlan{Name: p.Name, Version: p.Version, Group: p.Group, Region: p.Region, Source: p.Source.Name, TemporaryVM: p.Builder, Size: p.Size, Resumes: p.Resumes}
	if begun := p.Begun(); !begun.IsZero() {
		v.Begun = &begun
	}
	if p.DiskGB > 0 {
		v.DiskGB = &p.DiskGB
	}
	return term.View{Data: v, Grid: term.Rows([]bakePlan{v}, []term.Column[bakePlan]{
		{Name: "image", Value: func(p bakePlan) string { return p.Name }},
		{Name: "version", Value: func(p bakePlan) string { return p.Version }},
		{Name: "baked_from", Value: func(p bakePlan) string { return p.Source }},
		{Name: "disk", Value: func(p bakePlan) string {
			if p.DiskGB == nil {
				return ""
			}
			return fmt.Sprintf("%d GB", *p.DiskGB)
		}},
		{Name: "temporary_vm", Value: func(p bakePlan) string { return p.TemporaryVM }},
		{Name: "size", Value: func(p bakePlan) string { return p.Size }},
	})}
}
