package offer

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/vm/catalog"
)

// imageView is the JSON of an image, or of a part of the marketplace, of which only the name is known.
type imageView struct {
	Name          string  `json:"name"`
	Region        string  `json:"region"`
	Version       *string `json:"version"`
	Architecture  *string `json:"architecture"`
	Generation    *string `json:"generation"`
	TrustedLaunch *bool   `json:"trusted_launch"`
}

func newImagesCommand(a Commands) *cobra.Command {
	var region string
	cmd := &cobra.Command{
		Use:   "images [PUBLISHER[:OFFER[:SKU]]]",
		Short: "List images to create VMs from",
		Long: `Lists the Ubuntu images that azlin chooses from. With a publisher, it lists the publisher's offers, with an offer its
SKUs, and with a SKU its versions. 'azlin new --image' takes publisher:offer:sku:version; the version can be 'latest'.`,
		Example: `  azlin images
  azlin images Canonical:ubuntu-24_04-lts
  azlin images Debian:debian-12:12-gen2 -o json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			at := cmp.Or(region, s.Azure.Target().Region)
			views := []imageView{}
			if len(args) > 0 {
				names, err := s.Catalog.ImageNames(cmd.Context(), at, args[0])
				if err != nil {
					return err
				}
				for _, n := range names {
					views = append(views, imageView{Name: n, Region: at})
				}
				return a.Output.Print(imagesView(views))
			}
			images, err := s.Catalog.UbuntuImages(cmd.Context(), at)
			if err != nil {
				return err
			}
			for _, i := range images {
				views = append(views, viewOfImage(at, i))
			}
			return a.Output.Print(imagesView(views))
		},
	}
	cmd.Flags().StringVar(&region, "region", "", "region (default: the context's, or default_region)")
	app.Listing[imageView](a.App, cmd)
	return cmd
}

func viewOfImage(region string, i catalog.Image) imageView {
	return imageView{i.Name, region, app.Known(i.Version), app.Known(i.Architecture), app.Known(i.Generation), &i.TrustedLaunch}
}

func imagesView(views []imageView) term.View {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	columns := []term.Column[imageView]{{Name: "name", Value: func(i imageView) string { return i.Name }}}
	if len(views) > 0 && views[0].Version != nil {
		columns = append(columns,
			term.Column[imageView]{Name: "version", Value: func(i imageView) string { return text(i.Version) }},
			term.Column[imageView]{Name: "architecture", Title: "arch", Value: func(i imageView) string { return text(i.Architecture) }},
			term.Column[imageView]{Name: "generation", Value: func(i imageView) string { return text(i.Generation) }},
			term.Column[imageView]{Name: "trusted_launch", Value: func(i imageView) string {
				if i.TrustedLaunch != nil && *i.TrustedLaunch {
					return "yes"
				}
				return "no"
			}},
		)
	}
	return term.View{
		Data: views,
		Grid: term.Rows(views, columns),
	}
}
