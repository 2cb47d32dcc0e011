package create

import (
	"cmp"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/repository"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

type newFlags struct {
	name, size, region, image, zone string
	admin, key, source              string
	repo, branch, identity          string
	diskSize                        int
	dataDisks                       []int
	tags                            map[string]string
	spot                            bool
	yes, noConnect, dryRun, bicep   bool
	wait                            time.Duration
	pool                            int
	place                           placeFlags
	setup                           setupFlags
	template                        string
}

func newNewCommand(a Commands) *cobra.Command {
	var flags newFlags
	cmd := &cobra.Command{
		Use:     "new [NAME] [-- COMMAND [ARG...]]",
		Aliases: []string{"create"},
		Short:   "Create a VM and connect to it",
		Long: `Creates an Ubuntu VM with its network, waits until SSH and the login user are ready, clones a repository if you name one,
and connects to a tmux session.

SSH is allowed from your own public address only, and the VM's host key is known before the VM exists. Nothing is created
before you have seen and confirmed the plan. If new is interrupted, run the same command again to resume it.

If a Bastion reaches the network, or with --private, the VM has no public address. It then reaches the internet through a
NAT gateway (--nat-gateway), which is deleted with the last VM that needs it.

With --pool, several VMs are created at once. Failures are reported by name; the same command creates the missing VMs.

Development tools are installed in the background, while you can already work (--tools, --wait). tmux's status line shows
the progress, and 'azlin logs VM --source tools' the result of each tool.

With a command, azlin runs it on the VM when the VM is ready and exits with its exit code.

A file URL names a repository on this machine, whose branches and tags are copied to the VM. For an SSH URL, your
ssh-agent is forwarded to the VM while it clones. For a private HTTPS repository, azlin uses the token of the GitHub CLI
(gh), which is not kept on the VM.`,
		Example: `  azlin new
  azlin new dev --size Standard_D4s_v5 --repo https://github.com/you/project
  azlin new --name ci --yes --no-auto-connect -o json
  azlin new --name ci --pool 20 --size Standard_D4s_v5 --yes
  azlin new --name dev --private --nat-gateway
  azlin new --name dev --dry-run -o json --jq '.requests[].url'
  azlin new --name dev --dry-run --bicep > dev.bicep
  azlin new --name gpu --size Standard_NC24ads_A100_v4 --fallback --max-price 4.50
  azlin new --spot --disk-size 128 --data-disk 512 --tag team=web
  azlin new --name ci --repo git@github.com:you/private.git --yes -- make -C private test
  azlin new --name dev --template web --size Standard_D8s_v5
  azlin new --name dev --tools docker,go,gh --startup-script setup.sh --cloud-init extra.yaml --wait tools
  azlin --context emulator new --name dev --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			name, command, err := nameAndCommand(cmd, args)
			switch {
			case err != nil:
				return err
			case name != "" && cmd.Flags().Changed("name") && flags.name != name:
				return app.Usage(cmd, "the VM is named twice, %s and --name %s", name, flags.name)
			case name != "":
				flags.name = name
			}
			return a.launch(cmd, flags, command)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.name, "name", "", "name of the VM and its session (default: azlin-vm-<unix seconds>)")
	f.StringVar(&flags.size, "size", "", "VM size (default: default_vm_size, or "+config.DefaultVMSize+")")
	f.StringVar(&flags.region, "region", "", "region (default: the context's, default_region, or "+config.DefaultRegion+")")
	f.StringVar(&flags.image, "image", "", "name of a baked image, publisher:offer:sku:version, or an id (default: Ubuntu 24.04)")
	f.StringVar(&flags.zone, "zone", "", "availability zone: 1, 2 or 3")
	f.IntVar(&flags.diskSize, "disk-size", 0, "size of the OS disk in GB (default: the image's)")
	f.IntSliceVar(&flags.dataDisks, "data-disk", nil, "size in GB of an empty data disk to attach (repeatable)")
	f.BoolVar(&flags.spot, "spot", false, "create a spot VM: cheaper, but Azure may stop it at any time")
	f.StringVar(&flags.identity, "identity", "", "managed identity: 'system', or the id of a user-assigned identity (default: none)")
	f.StringToStringVar(&flags.tags, "tag", nil, "tag for the VM and its resources, as NAME=VALUE (repeatable)")
	f.StringVar(&flags.admin, "admin-user", "", "login user (default: "+remote.DefaultUser+")")
	f.StringVar(&flags.key, "ssh-key", "", "SSH key, either half (default: ~/.ssh/azlin_key, created if missing)")
	f.StringVar(&flags.source, "ssh-source", "", "address or range to allow SSH from, or 'any' (default: your public address)")
	f.StringVar(&flags.repo, "repo", "", "git repository to clone into the home directory")
	f.StringVar(&flags.branch, "branch", "", "branch to clone (default: the repository's default branch)")
	f.BoolVar(&flags.noConnect, "no-auto-connect", false, "do not connect when the VM is ready")
	f.BoolVar(&flags.dryRun, "dry-run", false, "show the plan and stop; -o json includes the requests that would be sent")
	f.BoolVar(&flags.bicep, "bicep", false, "with --dry-run, print the resources as a Bicep file")
	f.DurationVar(&flags.wait, "ssh-timeout", 5*time.Minute, "how long to wait for SSH")
	f.IntVar(&flags.pool, "pool", 0, "create this many VMs, named NAME-01, NAME-02, …; existing ones are left unchanged")
	f.StringVar(&flags.template, "template", "", "template to create the VM from; flags override it (azlin template list)")
	flags.place.add(cmd)
	flags.setup.add(cmd)
	app.AddYes(cmd, &flags.yes)
	return cmd
}

// nameAndCommand parts the arguments at the dash: the VM's name before it, a command for the VM behind it.
func nameAndCommand(cmd *cobra.Command, args []string) (name string, command []string, err error) {
	at := cmd.ArgsLenAtDash()
	if at < 0 {
		at = len(args)
	}
	switch {
	case at > 1:
		return "", nil, app.Usage(cmd, "unexpected argument %q: this command takes the VM's name; put -- before a command for the VM", args[1])
	case at == 1 && args[0] == "":
		return "", nil, app.Usage(cmd, "the VM's name is empty")
	case at == 1:
		name = args[0]
	}
	return name, args[at:], nil
}

// disks are the empty disks that were asked for.
func (f newFlags) disks() []provision.DataDisk {
	var disks []provision.DataDisk
	for _, gb := range f.dataDisks {
		disks = append(disks, provision.DataDisk{SizeGB: gb})
	}
	return disks
}

// request is what the flags ask for.
func (f newFlags) request() (launch.Request, error) {
	r := launch.Request{
		Config: provision.Config{
			Name: f.name, Region: f.region, Size: f.size, Image: f.image, Zone: f.zone, AdminUsername: f.admin,
			OSDiskSizeGB: f.diskSize, DataDisks: f.disks(), Spot: f.spot, Identity: f.identity, Tags: f.tags,
		},
		KeyPath: f.key, SSHSource: f.source, SSHTimeout: f.wait,
	}
	var err error
	if f.repo != "" {
		r.Repository, err = repository.Parse(f.repo, f.branch)
	}
	return r, err
}

func (a Commands) launch(cmd *cobra.Command, flags newFlags, command []string) error {
	from, err := a.templateFor(cmd, &flags)
	if err != nil {
		return err
	}
	if flags.branch != "" && flags.repo == "" {
		return app.Usage(cmd, "--branch needs --repo")
	}
	if flags.wait <= 0 {
		return app.Usage(cmd, "--ssh-timeout %s: give a time above zero", flags.wait)
	}
	pool := cmd.Flags().Changed("pool")
	switch {
	case flags.bicep && !flags.dryRun:
		return app.Usage(cmd, "--bicep needs --dry-run")
	case pool && (flags.pool < 1 || flags.pool > launch.MaxPool):
		return app.Usage(cmd, "--pool %d: give 1 to %d", flags.pool, launch.MaxPool)
	case cmd.Flags().Changed("name") && flags.name == "":
		return app.Usage(cmd, "--name is empty")
	case pool && flags.name == "":
		return app.Usage(cmd, "--pool needs --name")
	case pool && len(command) > 0:
		return app.Usage(cmd, "a command is for one VM, not for a pool")
	}
	way := Launching{Yes: flags.yes, dryRun: flags.dryRun, bicep: flags.bicep, NoConnect: flags.noConnect, command: command}
	if err := a.CanLaunch(way); err != nil {
		return err
	}
	request, err := flags.request()
	if err != nil {
		return err
	}
	if err := flags.setup.into(cmd, &request); err != nil {
		return err
	}
	if err := flags.place.into(&request); err != nil {
		return err
	}
	if from != nil {
		fromTemplate(cmd, &request, *from)
	}
	if flags.name != "" {
		if err := vm.ValidateName(flags.name); err != nil {
			return err
		}
	}
	s, err := a.Open(cmd.Context())
	if err != nil {
		return err
	}
	request.Name = cmp.Or(request.Name, vm.NewName("", s.Azure.Clock().Now()))
	request.ResourceGroup = cmp.Or(s.Azure.Target().ResourceGroup, config.DefaultResourceGroup)
	if pool {
		return a.carryOutPool(cmd.Context(), s, request, flags.pool, way)
	}
	return a.CarryOut(cmd.Context(), s, request, way)
}
