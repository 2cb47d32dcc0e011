package route

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote/tunnel"
)

func newTunnelCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tunnel",
		Short: "Manage tunnels to VMs",
		Long: `Manages tunnels from local ports to ports that a VM reaches: its own servers, or others in its network. Each tunnel is a
background process that reconnects when the connection is lost, through a Bastion if the VM has no public address. Tunnels
listen on 127.0.0.1 only.`,
		Example: "  azlin tunnel open dev -L 8080\n  azlin tunnel list\n  azlin tunnel close dev",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTunnelOpenCommand(a), newTunnelListCommand(a), newTunnelCloseCommand(a))
	return cmd
}

// tunnels are the records of those that are open.
func (a Commands) tunnels() tunnel.Store {
	return tunnel.Store{Dir: filepath.Join(a.Paths.Dir, "forwards")}
}

// forwardView is the JSON of one port.
type forwardView struct {
	LocalHost string `json:"local_host"`
	LocalPort int    `json:"local_port"`
	Host      string `json:"host"`
	Port      int    `json:"port"`
}

// tunnelRecordView is the JSON of a tunnel.
type tunnelRecordView struct {
	Name          string        `json:"name"`
	VM            string        `json:"vm"`
	ResourceGroup string        `json:"resource_group"`
	Context       *string       `json:"context"`
	PID           int           `json:"pid"`
	State         string        `json:"state"` // connected, reconnecting, failed
	Since         time.Time     `json:"since"` // of the state
	Opened        time.Time     `json:"opened"`
	Reconnects    int           `json:"reconnects"`
	Forwards      []forwardView `json:"forwards"`
	LastError     *string       `json:"last_error"`
	LastErrorAt   *time.Time    `json:"last_error_at"`
}

func viewOfTunnel(r tunnel.Record) tunnelRecordView {
	v := tunnelRecordView{
		Name: r.Name, VM: r.VM, ResourceGroup: r.ResourceGroup, Context: app.Known(r.Context), PID: r.PID, State: string(r.Phase), Since: r.Since,
		Opened: r.Opened, Reconnects: r.Reconnects, LastError: app.Known(r.LastError), LastErrorAt: r.LastErrorAt, Forwards: []forwardView{},
	}
	for _, f := range r.Forwards {
		v.Forwards = append(v.Forwards, forwardView{tunnel.Local, f.LocalPort, f.Host, f.Port})
	}
	return v
}

func tunnelColumns() []term.Column[tunnel.Record] {
	each := func(r tunnel.Record, text func(tunnel.Forward) string) string {
		var all []string
		for _, f := range r.Forwards {
			all = append(all, text(f))
		}
		return strings.Join(all, ", ")
	}
	return []term.Column[tunnel.Record]{
		{Name: "name", Value: func(r tunnel.Record) string { return r.Name }},
		{Name: "vm", Value: func(r tunnel.Record) string { return r.VM }},
		{Name: "local", Value: func(r tunnel.Record) string {
			return each(r, func(f tunnel.Forward) string { return fmt.Sprintf("%s:%d", tunnel.Local, f.LocalPort) })
		}},
		{Name: "target", Value: func(r tunnel.Record) string {
			return each(r, func(f tunnel.Forward) string { return strings.SplitN(f.String(), ":", 2)[1] })
		}},
		{Name: "state", Value: func(r tunnel.Record) string { return string(r.Phase) }},
		{Name: "since", Value: func(r tunnel.Record) string { return r.Since.UTC().Format("2006-01-02 15:04:05Z") }},
		{Name: "last_error", Value: func(r tunnel.Record) string { return r.LastError }},
		{Name: "pid", Value: func(r tunnel.Record) string { return fmt.Sprint(r.PID) }, Wide: true},
		{Name: "resource_group", Title: "group", Value: func(r tunnel.Record) string { return r.ResourceGroup }, Wide: true},
		{Name: "context", Value: func(r tunnel.Record) string { return r.Context }, Wide: true},
	}
}

func newTunnelListCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List tunnels",
		Long: `Lists the tunnels of this machine in all contexts, with their ports, state, start time and last error. A failed tunnel is
listed until you close it. Remains of killed tunnels are reported and removed. No requests are sent.`,
		Example: "  azlin tunnel list\n  azlin tunnel list -o json --jq '.[] | select(.vm==\"dev\") | .forwards[].local_port'",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			l, err := a.tunnels().List()
			a.sayKilled(l.Killed)
			views := make([]tunnelRecordView, len(l.Tunnels)) // not nil: an empty list is [] in JSON
			for n, r := range l.Tunnels {
				views[n] = viewOfTunnel(r)
			}
			view := term.View{Data: views, Grid: term.Rows(l.Tunnels, tunnelColumns())}
			if len(views) == 0 {
				view.Note = "no tunnels; open one with 'azlin tunnel open VM -L PORT'"
			}
			if printed := a.Output.Print(view); printed != nil {
				return printed
			}
			return err
		},
	}
	app.Listing[tunnelRecordView](a.App, cmd)
	return cmd
}

// sayKilled tells of tunnels that are no more.
func (a Commands) sayKilled(killed []tunnel.Record) {
	for _, r := range killed {
		a.Say(fmt.Sprintf("note: the process %d of tunnel %s was killed; nothing listens at its ports any more", r.PID, r.Name))
	}
}

// closedView is the JSON of a tunnel that was closed.
type closedView struct {
	Name string `json:"name"`
}

func newTunnelCloseCommand(a Commands) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "close NAME... | --all",
		Short:   "Close tunnels",
		Long:    `Closes tunnels with all their connections and ends their processes.`,
		Example: "  azlin tunnel close dev\n  azlin tunnel close --all",
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case all && len(args) > 0:
				return app.Usage(cmd, "--all means every tunnel, and %s is named", args[0])
			case !all && len(args) == 0:
				return app.Usage(cmd, "missing argument: the name of a tunnel, or --all")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := a.tunnels().List()
			a.sayKilled(l.Killed)
			if all {
				if err != nil {
					return err
				}
				for _, r := range l.Tunnels {
					args = append(args, r.Name)
				}
			}
			closed := []closedView{} // [] in JSON
			var failed []error
			for _, name := range args {
				err := a.tunnels().End(cmd.Context(), name)
				if errkind.Of(err) == errkind.NotFound && wasKilled(l.Killed, name) {
					err = nil
				}
				if err != nil {
					failed = append(failed, err)
					continue
				}
				closed = append(closed, closedView{name})
			}
			view := term.View{Data: closed, Grid: term.Rows(closed, []term.Column[closedView]{{Name: "closed", Value: func(v closedView) string { return v.Name }}})}
			if len(args) == 0 {
				view.Note = "there were no tunnels"
			}
			if err := a.Output.Print(view); err != nil {
				return err
			}
			return someFailed("close tunnels", failed, len(closed))
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "close all tunnels of this machine")
	return cmd
}

func wasKilled(killed []tunnel.Record, name string) bool {
	for _, r := range killed {
		if r.Name == name {
			return true
		}
	}
	return false
}

// someFailed is the error of several things of which some failed: the first as it is when none went well.
func someFailed(op string, failed []error, done int) error {
	switch {
	case len(failed) == 0:
		return nil
	case done == 0 && len(failed) == 1:
		return failed[0]
	}
	texts := make([]string, len(failed))
	for n, err := range failed {
		texts[n] = err.Error()
	}
	return &errkind.Error{Kind: errkind.Partial, Op: op, Err: fmt.Errorf("%d of %d failed: %s", len(failed), len(failed)+done, strings.Join(texts, "; "))}
}
