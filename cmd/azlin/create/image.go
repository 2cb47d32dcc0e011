package create

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/launch/image"
)

func newImageCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "image",
		Short: "Manage baked VM images",
		Long: `A baked image contains what is installed on a VM, without its users, home directories, keys and logs. 'azlin new --image
NAME' creates a VM from the newest version in the same resource group. To list the images of the marketplace, use 'azlin
images'.`,
		Example: "  azlin image bake dev --name base\n  azlin new --name next --image base\n  azlin image list",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(app.OneGroup(newImageBakeCommand(a)), newImageListCommand(a), newImageDeleteCommand(a))
	return cmd
}

func newImageListCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List baked images",
		Long:    "Lists the images that azlin baked in the subscription, or in the resource group given with -g, newest versions first.",
		Example: "  azlin image list\n  azlin image list -o json --jq '.[].version'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			images, err := s.Baker.List(cmd.Context(), a.Flags.Group)
			if err != nil {
				return err
			}
			v := bakedView(images)
			if len(images) == 0 {
				v.Note = "no image was baked yet; azlin image bake VM makes one"
			}
			return a.Output.Print(v)
		},
	}
	app.Listing[bakedImage](a.App, cmd)
	return cmd
}

// bakedImage is the JSON of a version of an image.
type bakedImage struct {
	Name    string     `json:"name"`
	Version string     `json:"version"`
	Group   string     `json:"resource_group"`
	Region  string     `json:"location"`
	Source  *string    `json:"baked_from"`
	Created *time.Time `json:"created"`
	State   *string    `json:"state"`
	ID      string     `json:"id"`
}

func bakedView(images []image.Image) term.View {
	views := make([]bakedImage, len(images))
	for n, i := range images {
		views[n] = bakedImage{Name: i.Name, Version: i.Version, Group: i.ResourceGroup, Region: i.Region, Source: app.Known(i.Source), State: app.Known(i.State), ID: i.ID}
		if !i.Created.IsZero() {
			views[n].Created = &images[n].Created
		}
	}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	return term.View{Data: views, Grid: term.Rows(views, []term.Column[bakedImage]{
		{Name: "name", Value: func(i bakedImage) string { return i.Name }},
		{Name: "version", Value: func(i bakedImage) string { return i.Version }},
		{Name: "state", Value: func(i bakedImage) string { return text(i.State) }},
		{Name: "baked_from", Value: func(i bakedImage) string { return text(i.Source) }},
		{Name: "location", Value: func(i bakedImage) string { return i.Region }},
		{Name: "group", Value: func(i bakedImage) string { return i.Group }},
		{Name: "created", Value: func(i bakedImage) string {
			if i.Created == nil {
				return ""
			}
			return i.Created.Format("2006-01-02 15:04Z")
		}},
	})}
}
