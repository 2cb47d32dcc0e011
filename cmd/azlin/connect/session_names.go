package connect

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
)

// sessionView is the JSON of a VM's session name.
type sessionView struct {
	VM            string  `json:"vm"`
	ResourceGroup string  `json:"resource_group"`
	Session       *string `json:"session"`
}

func newSessionCommand(a Commands) *cobra.Command {
	var forget bool
	cmd := &cobra.Command{
		Use:   "session VM [NAME]",
		Short: "Show, set or clear a VM's session name",
		Long: `You can refer to a VM by its session name as well as its own name, and 'azlin connect' attaches to the tmux session of
that name. The name is stored in the VM's tag azlin-session, for all machines, and in this machine's configuration
(session_names), which is used if the tag is missing.

azlin looks a name up in this order: the VM with that name, the VM with that session name, a tmux session for VM:SESSION,
the VM with that address. A session name that would refer to another VM is refused.`,
		Example: `  azlin session dev
  azlin session dev work
  azlin session dev --clear`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 || len(args) > 2:
				return app.Usage(cmd, "this command takes a VM and an optional name, and %d arguments were given", len(args))
			case len(args) == 2 && (forget || args[1] == ""):
				return app.Usage(cmd, "give a name or --clear")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if len(args) == 2 || forget {
				if err := a.MayChange(); err != nil {
					return err
				}
			}
			s, err := a.Open(ctx)
			if err != nil {
				return err
			}
			match, err := s.Find(ctx, args[0])
			if err != nil {
				return err
			}
			if len(args) == 1 && !forget {
				return a.Output.Print(viewOfSession(sessionView{match.VM.Name, match.VM.ResourceGroup, app.Known(match.VM.SessionName)}))
			}
			name := ""
			if len(args) == 2 {
				name = args[1]
			}
			i, err := s.VMs.SetSession(ctx, match.VM.Ref, name)
			if err != nil {
				return err
			}
			if err := a.ConfigFile().SetSessionName(ctx, i.Name, name); err != nil {
				return &errkind.Error{Op: "the VM's tag is set, but this machine's configuration is not", Err: err}
			}
			return a.Output.Print(viewOfSession(sessionView{i.Name, i.ResourceGroup, app.Known(i.SessionName)}))
		},
	}
	cmd.Flags().BoolVar(&forget, "clear", false, "remove the session name")
	return cmd
}

func viewOfSession(v sessionView) term.View {
	view := term.View{Data: v, Grid: term.Rows([]sessionView{v}, []term.Column[sessionView]{
		{Name: "vm", Value: func(v sessionView) string { return v.VM }},
		{Name: "session", Value: func(v sessionView) string { return app.Text(v.Session) }},
		{Name: "group", Value: func(v sessionView) string { return v.ResourceGroup }, Wide: true},
	})}
	if v.Session == nil {
		view.Note = fmt.Sprintf("%s has no session name", v.VM)
	}
	return view
}
