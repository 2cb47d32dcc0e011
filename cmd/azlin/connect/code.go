package connect

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/sshconfig"
	"github.com/azlin-dev/azlin/vm"
)

type codeFlags struct {
	program string
	yes     bool
}

func newCodeCommand(a Commands) *cobra.Command {
	var flags codeFlags
	cmd := &cobra.Command{
		Use:   "code VM [FOLDER]",
		Short: "Open a folder of a VM in VS Code",
		Long: `Opens a folder of a VM in VS Code on this machine: your home directory there, or FOLDER in it, or an absolute path. VS
Code connects with its Remote - SSH extension and the Host block that 'azlin ssh-config' writes. If the block is missing,
azlin writes it, and asks before it adds the Include line to ~/.ssh/config.

--program names another editor with the same options, such as code-insiders, codium or cursor.`,
		Example: `  azlin code dev
  azlin code dev project
  azlin code dev /etc --program code-insiders`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return app.Usage(cmd, "this command takes a VM and an optional folder, and %d arguments were given", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			program, err := exec.LookPath(flags.program)
			if err != nil {
				return &errkind.Error{
					Kind: errkind.Prerequisite, Op: "open in VS Code", Resource: args[0], Err: fmt.Errorf("%s is not on your PATH; install VS Code from https://code.visualstudio.com", flags.program),
				}
			}
			folder := ""
			if len(args) == 2 {
				folder = args[1]
			}
			return a.code(cmd.Context(), args[0], folder, program, flags.yes)
		},
	}
	cmd.Flags().StringVar(&flags.program, "program", "code", "command that starts the editor")
	cmd.Flags().BoolVarP(&flags.yes, "yes", "y", false, "add the Include line to ~/.ssh/config without asking")
	return cmd
}

// codeView is the JSON of an editor that was opened.
type codeView struct {
	VM     string `json:"vm"`
	Host   string `json:"host"` // as ssh knows it
	Folder string `json:"folder"`
}

func (a Commands) code(ctx context.Context, name, folder, program string, yes bool) error {
	s, err := a.Open(ctx)
	if err != nil {
		return err
	}
	match, host, err := a.Host(ctx, s, name, app.HostFlags{})
	if err != nil {
		return err
	}
	path, err := folderOn(ctx, host, folder)
	if err != nil {
		return app.Stranded(err, match.VM.Name)
	}
	alias, err := a.sshAlias(ctx, s, match.VM, yes)
	if err != nil {
		return err
	}
	if a.Env.Terminal.WSL != "" {
		a.Say("note: VS Code for Windows reads the ssh configuration of Windows, not that of " + a.Env.Terminal.WSL)
	}
	var said bytes.Buffer
	run := exec.CommandContext(ctx, program, "--remote", "ssh-remote+"+alias, path)
	run.Env, run.Stdout, run.Stderr = a.Environ, &said, &said // it has nothing to say that would be data
	err = run.Run()
	if said.Len() > 0 {
		a.Say(strings.TrimSpace(said.String()))
	}
	if err != nil {
		return errkind.New(errkind.Of(ctx.Err()), "open in VS Code %s: %s: %w", match.VM.Name, program, cmp.Or(context.Cause(ctx), err))
	}
	v := codeView{VM: match.VM.Name, Host: alias, Folder: path}
	return a.Output.Print(term.View{Data: v, Grid: term.Rows([]codeView{v}, []term.Column[codeView]{
		{Name: "vm", Value: func(v codeView) string { return v.VM }},
		{Name: "host", Value: func(v codeView) string { return v.Host }},
		{Name: "folder", Value: func(v codeView) string { return v.Folder }},
	})})
}

// folderOn is the absolute path of a folder of a VM, which has to be there.
func folderOn(ctx context.Context, h remote.Host, folder string) (string, error) {
	client, err := remote.Dial(ctx, h)
	if err != nil {
		return "", err
	}
	defer client.Close()
	line := "cd && pwd"
	if rest := strings.TrimPrefix(strings.TrimPrefix(folder, "~"), "/"); strings.HasPrefix(folder, "~") && (rest == "" || folder[1] == '/') {
		folder = rest // a shell of this machine did not replace it
	}
	if folder != "" {
		line = "cd && cd -- " + remote.Quote(folder) + " && pwd"
	}
	result, err := client.Script(ctx, line)
	if err != nil {
		return "", err
	}
	if path := strings.TrimSuffix(result.Stdout, "\n"); result.Success && strings.HasPrefix(path, "/") {
		return path, nil
	}
	return "", &errkind.Error{Kind: errkind.NotFound, Op: "open folder", Resource: folder, Err: fmt.Errorf("it is not a folder on %s that you may enter", h.Name)}
}

// sshAlias is what ssh knows a VM by. What ssh does not know yet, or not any more, is written as 'azlin ssh-config' does.
func (a Commands) sshAlias(ctx context.Context, s *app.Session, i vm.Info, yes bool) (string, error) {
	files, set := a.sshConfigFiles(), cmp.Or(s.Context.Name, "default")
	included, err := files.Included()
	if err != nil {
		return "", err
	}
	old, err := atomicfile.Read(files.Path(set))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	list, err := s.VMs.List(ctx, vm.ListOptions{ResourceGroup: s.Azure.Target().ResourceGroup})
	if err != nil {
		return "", err
	}
	proxied := allProxied(string(old))
	entries, err := a.sshEntries(ctx, s, list.VMs, set, proxied)
	if err != nil {
		return "", err
	}
	alias := ""
	current := false
	for _, e := range entries {
		if e.Host.VMID != i.VMID {
			continue
		}
		block, err := e.Host.ConfigBlock(e.Names, a.KnownHosts())
		if err != nil {
			return "", err
		}
		alias, current = e.Names[0], bytes.Contains(old, []byte("\n"+block))
	}
	switch {
	case alias == "" && i.Managed:
		return "", &errkind.Error{Kind: errkind.Conflict, Op: "configure ssh for", Resource: i.Name, Err: errors.New("ssh cannot be configured for it, for the reason in the note above"), Next: app.Next("azlin connect", i.Name)}
	case alias == "":
		return "", &errkind.Error{Kind: errkind.Conflict, Op: "configure ssh for", Resource: i.Name, Err: errors.New("azlin did not create it"), Next: app.Next("azlin adopt", i.Name)}
	case current && included:
		return alias, nil
	}
	content, err := sshconfig.Render(entries, a.KnownHosts())
	if err != nil {
		return "", err
	}
	return alias, a.putSSHConfig(ctx, files, set, content, included || yes)
}

// allProxied reports whether a file was written with 'azlin ssh-config --proxy', which then is how it stays.
func allProxied(config string) bool {
	hosts := strings.Count(config, "\nHost ")
	return hosts > 0 && hosts == strings.Count(config, "\n    ProxyCommand ")
}
