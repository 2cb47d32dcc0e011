package create

import (
	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/launch/template"
)

func (a Commands) templates() template.Store { return template.Store{Dir: a.Paths.Templates} }

// templateFor reads the template that the command line names, nil without one, and gives the flags its repository,
// so that --branch may choose in it.
func (a Commands) templateFor(cmd *cobra.Command, flags *newFlags) (*launch.Request, error) {
	if !cmd.Flags().Changed("template") {
		return nil, nil
	}
	t, err := a.templates().Load(flags.template)
	if err != nil {
		return nil, err
	}
	if !cmd.Flags().Changed("repo") {
		flags.repo = t.Repo
		if !cmd.Flags().Changed("branch") {
			flags.branch = t.Branch
		}
	}
	r, err := t.Request()
	return &r, err
}

// fromTemplate puts what a template asks for into a request wherever the command line says nothing. Tags add up.
func fromTemplate(cmd *cobra.Command, r *launch.Request, t launch.Request) {
	for flag, take := range map[string]func(){
		"size":           func() { r.Size = t.Size },
		"region":         func() { r.Region = t.Region },
		"zone":           func() { r.Zone = t.Zone },
		"image":          func() { r.Image = t.Image },
		"admin-user":     func() { r.AdminUsername = t.AdminUsername },
		"disk-size":      func() { r.OSDiskSizeGB = t.OSDiskSizeGB },
		"data-disk":      func() { r.DataDisks = t.DataDisks },
		"spot":           func() { r.Spot = t.Spot },
		"identity":       func() { r.Identity = t.Identity },
		"tools":          func() { r.Tools = t.Tools },
		"startup-script": func() { r.StartupScript = t.StartupScript },
		"cloud-init":     func() { r.CloudInit = t.CloudInit },
	} {
		if !cmd.Flags().Changed(flag) {
			take()
		}
	}
	given := cmd.Flags().Changed
	// Each of these says how the VM is reached, so that one of them takes the place of all.
	if !given("private") && !given("public") && !given("ssh-source") {
		r.Private, r.Public = t.Private, t.Public
		if !given("nat-gateway") {
			r.NATGateway = t.NATGateway
		}
	}
	r.Tags = azure.WithTags(t.Tags, r.Tags)
	r.Template = t.Template
}
