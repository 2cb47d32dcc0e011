package connect

import (
	"cmp"
	"context"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/sshconfig"
	"github.com/azlin-dev/azlin/vm"
)

// sshConfigFlags say what is written.
type sshConfigFlags struct {
	dryRun, remove, yes, proxy bool
}

func newSSHConfigCommand(a Commands) *cobra.Command {
	var flags sshConfigFlags
	cmd := &cobra.Command{
		Use:   "ssh-config",
		Short: "Make VMs known to ssh, VS Code, rsync and git by name",
		Long: `Writes a Host block for each of azlin's VMs to a file that ~/.ssh/config includes, one file for each context. Then 'ssh
dev' works, and so does everything that uses ssh. azlin asks before it adds the Include line to the beginning of
~/.ssh/config, and leaves the rest of that file unchanged.

VMs without a public address are reached through 'azlin proxy', which finds the Bastion. Use --proxy for all VMs if their
addresses change. Host keys are checked against azlin's own record. VMs whose host key azlin does not know yet are
skipped: connect to them once.

A VM with the name of another context's VM is called NAME.CONTEXT. A Host of your own with the name of a VM is hidden;
azlin says so.

Run ssh-config again after you create or delete VMs. --remove undoes everything.`,
		Example: `  azlin ssh-config
  azlin ssh-config --dry-run
  rsync -a project dev:
  azlin ssh-config --remove`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := a.Resolution()
			if err != nil {
				return err
			}
			set := cmp.Or(settings.Context.Name, "default")
			switch files := a.sshConfigFiles(); {
			case flags.remove && flags.dryRun:
				return app.Usage(cmd, "give --remove or --dry-run")
			case flags.remove:
				if err := files.Remove(cmd.Context(), set); err != nil {
					return err
				}
				a.Say("ssh does not know the VMs of " + set + " any more")
				return nil
			}
			return a.sshConfig(cmd.Context(), set, flags)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&flags.dryRun, "dry-run", false, "show what would be written")
	f.BoolVar(&flags.remove, "remove", false, "remove this context's file, and the Include line with the last file")
	f.BoolVar(&flags.proxy, "proxy", false, "use 'azlin proxy' for every VM, so that changed addresses keep working")
	f.BoolVarP(&flags.yes, "yes", "y", false, "add the Include line to ~/.ssh/config without asking")
	return cmd
}

func (a Commands) sshConfigFiles() sshconfig.Files {
	return sshconfig.Files{User: filepath.Join(a.Paths.SSHDir, "config"), Dir: filepath.Join(a.Paths.Dir, "ssh")}
}

func (a Commands) sshConfig(ctx context.Context, set string, flags sshConfigFlags) error {
	files := a.sshConfigFiles()
	included, err := files.Included()
	if err != nil {
		return err
	}
	if !included && !flags.dryRun {
		if err := a.MayAsk(flags.yes); err != nil {
			return err
		}
	}
	s, err := a.Open(ctx)
	if err != nil {
		return err
	}
	list, err := s.VMs.List(ctx, vm.ListOptions{ResourceGroup: s.Azure.Target().ResourceGroup})
	if err != nil {
		return err
	}
	entries, err := a.sshEntries(ctx, s, list.VMs, set, flags.proxy)
	if err != nil {
		return err
	}
	content, err := sshconfig.Render(entries, a.KnownHosts())
	if err != nil {
		return err
	}
	if flags.dryRun {
		return a.showSSHConfig(files, set, included, content, entries)
	}
	if err := a.putSSHConfig(ctx, files, set, content, included || flags.yes); err != nil {
		return err
	}
	return a.Output.Print(sshConfigView(entries))
}

// putSSHConfig writes azlin's file, and the Include of it, which is asked for unless it is agreed on.
func (a Commands) putSSHConfig(ctx context.Context, files sshconfig.Files, set string, content []byte, agreed bool) error {
	if err := a.ConfirmLocal(ctx, "Put this at the beginning of "+files.User+"?\n"+files.Include(), agreed); err != nil {
		return err
	}
	if err := files.Write(ctx, set, content); err != nil {
		return err
	}
	return files.AddInclude(ctx)
}

// sshEntries are the VMs that ssh can be told of. Whether they run is of no matter. A name that ssh knows as a VM of
// another context goes on meaning that one: it is NAME.CONTEXT here.
func (a Commands) sshEntries(ctx context.Context, s *app.Session, vms []vm.Info, set string, proxy bool) ([]sshconfig.Entry, error) {
	files := a.sshConfigFiles()
	others, err := files.Others(set)
	if err != nil {
		return nil, err
	}
	users, err := files.UsersHosts()
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, i := range vms {
		count[strings.ToLower(i.Name)]++
	}
	var entries []sshconfig.Entry
	for _, i := range vms {
		name := i.Name
		if count[strings.ToLower(i.Name)] > 1 { // which one would it be?
			name += "." + i.ResourceGroup
		}
		if other, ok := others[strings.ToLower(name)]; ok && !other.Is(i.VMID) {
			a.Say("note: to ssh " + name + " is a VM of context " + other.Set + "; this one is " + name + "." + set)
			name += "." + set
		}
		if !remote.ConfigName(name) {
			a.Say("note: " + i.Name + " of group " + i.ResourceGroup + " is left out: ssh cannot have a host called " + strconv.Quote(name))
			continue
		}
		h, err := s.Hosts.Configured(ctx, i, reach.Options{KeyPath: a.KeyPath("")}, proxy)
		switch {
		case errkind.Of(err) == errkind.HostKey:
			a.Say("note: " + i.Name + " is left out: " + err.Error())
			continue
		case err != nil:
			return nil, err
		}
		if users[strings.ToLower(name)] {
			a.Say("note: " + files.User + " has a Host " + name + " of your own, which the VM " + name + " hides")
		}
		h.ProxyCommand = a.withState(h.ProxyCommand)
		entries = append(entries, sshconfig.Entry{Names: []string{name}, Host: h})
	}
	slices.SortFunc(entries, func(x, y sshconfig.Entry) int { return cmp.Compare(x.Names[0], y.Names[0]) })
	return entries, nil
}

// withState makes a command find azlin's files wherever it is started from.
func (a Commands) withState(command []string) []string {
	if len(command) == 0 || a.Env.ConfigDir == "" || runtime.GOOS == "windows" {
		return command
	}
	return append([]string{"env", "AZLIN_CONFIG_DIR=" + a.Paths.Dir}, command...)
}

// sshEntryView is the JSON of a VM that ssh knows.
type sshEntryView struct {
	Name    string  `json:"name"`
	Address *string `json:"address"` // null: through azlin proxy
	User    string  `json:"user"`
}

func sshConfigView(entries []sshconfig.Entry) term.View {
	list := []sshEntryView{} // not nil: an empty list is [] in JSON
	for _, e := range entries {
		v := sshEntryView{Name: e.Names[0], User: e.Host.User, Address: app.Known(e.Host.Address)}
		if len(e.Host.ProxyCommand) > 0 {
			v.Address = nil
		}
		list = append(list, v)
	}
	v := term.View{Data: list, Grid: term.Rows(list, []term.Column[sshEntryView]{
		{Name: "name", Value: func(v sshEntryView) string { return v.Name }},
		{Name: "user", Value: func(v sshEntryView) string { return v.User }},
		{Name: "through", Value: func(v sshEntryView) string {
			if v.Address == nil {
				return "azlin proxy"
			}
			return *v.Address
		}},
	})}
	if len(list) == 0 {
		v.Note = "there is no VM to write"
	} else {
		v.Note = "try 'ssh " + list[0].Name + "'"
	}
	return v
}

// showSSHConfig shows what would be written.
func (a Commands) showSSHConfig(files sshconfig.Files, set string, included bool, content []byte, entries []sshconfig.Entry) error {
	if a.Output.Structured() {
		return a.Output.Print(sshConfigView(entries))
	}
	if !included {
		a.Say(files.User + " would begin with:")
		for line := range strings.Lines(files.Include()) {
			a.Say(strings.TrimSuffix(line, "\n"))
		}
	}
	a.Say(files.Path(set) + " would be:")
	_, err := a.Streams.Out.Write(content)
	return err
}
