package cli

import (
	"cmp"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/config"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/progress"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

type newFlags struct {
	name, size, region, image, zone string
	admin, key, source              string
	repo, branch, identity          string
	diskSize                        int
	dataDisks                       []int
	tags                            map[string]string
	spot                            bool
	yes, noConnect, dryRun          bool
	wait                            time.Duration
}

func newNewCommand(a *app) *cobra.Command {
	var flags newFlags
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Create a VM and connect to it",
		Long: `Creates an Ubuntu VM with its network, waits until SSH and the login user are ready, clones a repository if
asked to, and connects into a tmux session.

SSH is admitted from your own public address only, and the VM's host key is known before the VM exists.
Nothing is written before the plan has been shown and confirmed. After a crash or an interruption the
same command goes on where it stopped.

A file URL names a repository on this machine; its branches and tags are sent to the VM.`,
		Example: `  azlin new
  azlin new --name dev --size Standard_D4s_v5 --repo https://github.com/you/project
  azlin new --name ci --yes --no-auto-connect -o json
  azlin new --spot --disk-size 128 --data-disk 512 --tag team=web
  azlin --context emulator new --name dev --yes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.launch(cmd, flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.name, "name", "", "name of the VM and of its session; default azlin-vm-<unix seconds>")
	f.StringVar(&flags.size, "size", "", "VM size; default from the configuration, else "+config.DefaultVMSize)
	f.StringVar(&flags.region, "region", "", "region; default from the context or configuration, else "+config.DefaultRegion)
	f.StringVar(&flags.image, "image", "", "publisher:offer:sku:version or an image's id; default Ubuntu 24.04 for the size")
	f.StringVar(&flags.zone, "zone", "", "availability zone: 1, 2 or 3")
	f.IntVar(&flags.diskSize, "disk-size", 0, "size of the OS disk in GB; default the image's")
	f.IntSliceVar(&flags.dataDisks, "data-disk", nil, "size in GB of an empty disk to attach; may be repeated")
	f.BoolVar(&flags.spot, "spot", false, "a spot VM: cheaper, and Azure may stop it at any time")
	f.StringVar(&flags.identity, "identity", "", "managed identity: 'system' or the id of a user-assigned one; default none")
	f.StringToStringVar(&flags.tags, "tag", nil, "NAME=VALUE of a tag for the VM and what belongs to it; may be repeated")
	f.StringVar(&flags.admin, "admin-user", "", "login user; default "+remote.DefaultUser)
	f.StringVar(&flags.key, "ssh-key", "", "SSH key to sign in with, either half; default ~/.ssh/azlin_key, made if need be")
	f.StringVar(&flags.source, "ssh-source", "", "address or range to admit SSH from, or 'any'; default your own public address")
	f.StringVar(&flags.repo, "repo", "", "git repository to clone into the home directory")
	f.StringVar(&flags.branch, "branch", "", "branch of the repository; default its own")
	f.BoolVar(&flags.noConnect, "no-auto-connect", false, "do not connect when the VM is ready")
	f.BoolVar(&flags.dryRun, "dry-run", false, "show the plan and stop")
	f.DurationVar(&flags.wait, "ssh-timeout", 5*time.Minute, "how long to wait for SSH")
	addYes(cmd, &flags.yes)
	return cmd
}

// disks are the empty disks that were asked for.
func (f newFlags) disks() []vm.DataDisk {
	var disks []vm.DataDisk
	for _, gb := range f.dataDisks {
		disks = append(disks, vm.DataDisk{SizeGB: gb})
	}
	return disks
}

func (a *app) launch(cmd *cobra.Command, flags newFlags) error {
	ctx := cmd.Context()
	if flags.branch != "" && flags.repo == "" {
		return usage(cmd, "--branch needs --repo")
	}
	if flags.wait <= 0 {
		return usage(cmd, "--ssh-timeout %s: give a time above zero", flags.wait)
	}
	if !flags.yes && !flags.dryRun && !a.streams.InTTY {
		return errkind.New(errkind.Invalid, "creating a VM needs a confirmation, but there is no terminal to ask on: give --yes")
	}
	connect := !flags.noConnect && a.streams.InTTY && a.streams.OutTTY && !a.output.Structured()
	if _, err := exec.LookPath("ssh"); connect && err != nil {
		return errkind.New(errkind.Prerequisite, "ssh is not installed (Debian, Ubuntu: apt install openssh-client); or give --no-auto-connect")
	}
	var repository *launch.Repository
	if flags.repo != "" {
		var err error
		if repository, err = launch.ParseRepository(flags.repo, flags.branch); err != nil {
			return err
		}
	}
	if flags.name != "" {
		if err := vm.ValidateName(flags.name); err != nil {
			return err
		}
	}
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	key := flags.key
	if key == "" {
		pair, err := remote.GenerateKeyPair(a.paths.SSHDir, "")
		if err != nil {
			return err
		}
		key = pair.Private
	}
	show := term.NewProgress(a.streams, a.progress)
	defer show.Close()
	display := progress.New(len(launch.Stages()), show.Sink)
	plan, err := s.Launcher.Plan(ctx, launch.Request{
		Config: vm.Config{
			Name:          cmp.Or(flags.name, vm.NewName("", s.Azure.Clock().Now())),
			ResourceGroup: cmp.Or(s.Azure.Target().ResourceGroup, config.DefaultResourceGroup),
			Region:        flags.region, Size: cmp.Or(flags.size, s.config.VMSize()), Image: flags.image,
			Zone: flags.zone, AdminUsername: flags.admin, OSDiskSizeGB: flags.diskSize, DataDisks: flags.disks(),
			Spot: flags.spot, Identity: flags.identity, Tags: flags.tags,
		},
		KeyPath: key, SSHSource: cmp.Or(flags.source, s.config.SSHSource), Repository: repository, SSHTimeout: flags.wait,
	}, display)
	if err != nil {
		return err
	}
	if flags.dryRun {
		return a.output.Print(planView(s, plan))
	}
	a.showPlan(s, plan)
	if !flags.yes {
		if err := a.streams.Confirm(ctx, "Create it?", "--yes"); err != nil {
			return err
		}
	}
	result, err := s.Launcher.Run(ctx, plan, display)
	if err != nil {
		return err
	}
	show.Close()
	for _, w := range result.Warnings {
		a.say("warning: " + w)
	}
	if err := (config.File{Path: a.paths.Config}).Set(ctx, "last_vm_name", result.VM.Name); err != nil {
		a.say("warning: the VM's name is not remembered: " + err.Error())
	}
	if connect {
		return a.connect(ctx, s, result.Host, vm.Match{VM: result.VM}, false, nil)
	}
	v := showView(result.VM)
	v.Note = "connect with 'azlin connect " + result.VM.Name + "'"
	return a.output.Print(v)
}

// planLine is one line of what is about to be created.
type planLine struct{ name, value string }

func planLines(s *session, p *launch.Plan) []planLine {
	c := p.Config
	where := s.context.Name
	if where == "" {
		where = "the current subscription of the " + s.method
	}
	sources := make([]string, len(c.SSHSources))
	for n, source := range c.SSHSources {
		sources[n] = source.String()
	}
	lines := []planLine{
		{"context", where},
		{"subscription", s.Azure.SubscriptionID()},
		{"resource group", c.ResourceGroup},
		{"region", c.Region},
		{"name", c.Name},
		{"size", c.Size},
		{"image", cmp.Or(c.Image, "Ubuntu 24.04")},
		{"SSH admitted from", strings.Join(sources, ", ")},
	}
	if c.Zone != "" {
		lines = append(lines, planLine{"zone", c.Zone})
	}
	lines = append(lines, machineLines(c)...)
	if p.Repository != nil {
		lines = append(lines, planLine{"repository", p.Repository.URL + " → ~/" + p.Repository.Name})
	}
	lines = append(lines, quotaLines(p)...)
	lines = append(lines, priceLines(p)...)
	if p.Resumes {
		lines = append(lines, planLine{"resumes", "an earlier launch of this VM that was cut off"})
	}
	return lines
}

// machineLines are what was asked for beyond a size.
func machineLines(c vm.Config) []planLine {
	var lines []planLine
	if c.Spot {
		lines = append(lines, planLine{"spot", "yes: Azure may stop it at any time"})
	}
	if c.OSDiskSizeGB > 0 {
		lines = append(lines, planLine{"OS disk", fmt.Sprintf("%d GB", c.OSDiskSizeGB)})
	}
	for n, d := range c.DataDisks {
		lines = append(lines, planLine{fmt.Sprintf("data disk %d", n+1), fmt.Sprintf("%d GB", d.SizeGB)})
	}
	if c.Identity != "" {
		lines = append(lines, planLine{"identity", c.Identity})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Tags)) {
		lines = append(lines, planLine{"tag " + name, c.Tags[name]})
	}
	return lines
}

// showPlan tells a person what is about to be created, and where.
func (a *app) showPlan(s *session, p *launch.Plan) {
	for _, l := range planLines(s, p) {
		a.say(fmt.Sprintf("  %-18s %s", l.name, l.value))
	}
}

func planView(s *session, p *launch.Plan) term.View {
	lines := planLines(s, p)
	data := map[string]any{}
	for _, l := range lines {
		data[strings.ReplaceAll(strings.ToLower(l.name), " ", "_")] = l.value
	}
	data["price"], data["quota"] = planPriceOf(p), p.Quota
	if len(p.Notes) > 0 {
		data["notes"] = p.Notes
	}
	return term.View{Data: data, Grid: term.Rows(lines, []term.Column[planLine]{
		{Name: "property", Value: func(l planLine) string { return l.name }},
		{Name: "value", Value: func(l planLine) string { return l.value }},
	})}
}
