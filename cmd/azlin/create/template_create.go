package create

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/launch/template"
)

// templateFlags are the fields of a template as flags, named as those of new.
type templateFlags struct {
	config  template.Config
	fromVM  string
	replace bool
	setup   setupFlags
}

func newTemplateCreateCommand(a Commands) *cobra.Command {
	var flags templateFlags
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a template from flags or from a VM",
		Long: `Stores the given flags as a template. With --from-vm, everything else is taken from a VM: its size, region, image, disks,
login user, identity, tags, and whether it is private. Azure does not know what a VM ran at its first boot, so scripts and
tools are not included.`,
		Example: `  azlin template create web --size Standard_D4s_v5 --region westus2 --tools docker,nodejs --tag environment=development
  azlin template create like-dev --from-vm dev --spot`,
		Args: app.Exactly(1, "one name"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.createTemplate(cmd, args[0], &flags) },
	}
	f, c := cmd.Flags(), &flags.config
	f.StringVar(&flags.fromVM, "from-vm", "", "VM to take the other options from")
	f.BoolVar(&flags.replace, "replace", false, "replace an existing template of that name")
	f.StringVar(&c.Description, "description", "", "description")
	f.StringVar(&c.VMSize, "size", "", "VM size")
	f.StringVar(&c.Region, "region", "", "region")
	f.StringVar(&c.Zone, "zone", "", "availability zone: 1, 2 or 3")
	f.StringVar(&c.Image, "image", "", "a baked image's name, publisher:offer:sku:version, an id, or UbuntuLTS")
	f.StringVar(&c.AdminUsername, "admin-user", "", "login user")
	f.StringSliceVar(&flags.setup.tools, "tools", nil, "tools to install: all, none, or some (default: all)")
	f.StringVar(&flags.setup.startup, "startup-script", "", "script file that the VM runs once, as root, after everything else")
	f.StringVar(&flags.setup.cloudInit, "cloud-init", "", "file with #cloud-config or a script for the first boot")
	f.StringToStringVar(&c.Tags, "tag", nil, "tag as NAME=VALUE (repeatable)")
	f.IntVar(&c.OSDiskGB, "disk-size", 0, "size of the OS disk in GB (default: the image's)")
	f.IntSliceVar(&c.DataDisksGB, "data-disk", nil, "size in GB of an empty data disk (repeatable)")
	f.BoolVar(&c.Spot, "spot", false, "create spot VMs")
	f.StringVar(&c.Identity, "identity", "", "managed identity: 'system' or the id of a user-assigned identity")
	f.BoolVar(&c.Private, "private", false, "no public address")
	f.BoolVar(&c.Public, "public", false, "public address, even if a Bastion reaches the network")
	f.BoolVar(&c.NATGateway, "nat-gateway", false, "create a NAT gateway if a private VM cannot reach the internet otherwise")
	f.StringVar(&c.Repo, "repo", "", "git repository to clone")
	f.StringVar(&c.Branch, "branch", "", "branch to clone")
	return cmd
}

func (a Commands) createTemplate(cmd *cobra.Command, name string, flags *templateFlags) error {
	c := flags.config
	c.Name = name
	if !slices.Equal(flags.setup.tools, []string{"all"}) {
		c.InstallTools = flags.setup.tools
	}
	if slices.Equal(flags.setup.tools, []string{"none"}) {
		c.InstallTools = template.Tools{}
	}
	script, err := readSmall("--startup-script", flags.setup.startup)
	if err != nil {
		return err
	}
	cloudInit, err := readSmall("--cloud-init", flags.setup.cloudInit)
	if err != nil {
		return err
	}
	c.StartupScript, c.CloudInit = string(script), string(cloudInit)
	if err := c.Validate(); err != nil {
		return err
	}
	if flags.fromVM != "" {
		if c, err = a.likeVM(cmd, flags.fromVM, c); err != nil {
			return err
		}
	}
	if err := a.Paths.Ensure(); err != nil {
		return err
	}
	keep := a.templates().Create
	if flags.replace {
		keep = a.templates().Replace
	}
	if err := keep(cmd.Context(), c); err != nil {
		return err
	}
	return a.printTemplate(c)
}

// likeVM completes a template by what a VM was made from. Flags that were given win, tags add up.
func (a Commands) likeVM(cmd *cobra.Command, name string, c template.Config) (template.Config, error) {
	s, i, err := a.OpenVM(cmd, name)
	if err != nil {
		return c, err
	}
	model, err := s.Provisioner.Model(cmd.Context(), i.Ref)
	if err != nil {
		return c, err
	}
	like := template.FromVM(c.Name, model)
	given := cmd.Flags().Changed
	c.VMSize, c.Region, c.Zone = cmp.Or(c.VMSize, like.VMSize), cmp.Or(c.Region, like.Region), cmp.Or(c.Zone, like.Zone)
	if given("region") && !given("zone") {
		c.Zone = "" // a zone is one of its region
	}
	c.Image, c.AdminUsername, c.Identity = cmp.Or(c.Image, like.Image), cmp.Or(c.AdminUsername, like.AdminUsername), cmp.Or(c.Identity, like.Identity)
	c.Tags = azure.WithTags(like.Tags, c.Tags)
	if !given("disk-size") {
		c.OSDiskGB = like.OSDiskGB
	}
	if !given("data-disk") {
		c.DataDisksGB = like.DataDisksGB
	}
	if !given("spot") {
		c.Spot = like.Spot
	}
	if !given("private") && !given("public") {
		c.Private = like.Private
	}
	return c, nil
}
