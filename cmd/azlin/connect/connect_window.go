package connect

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/terminal"
	"github.com/azlin-dev/azlin/vm"
)

// windowFlags ask for a window instead of this terminal.
type windowFlags struct {
	window, tab bool
}

func (f *windowFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.window, "new-window", false, "connect in a new terminal window (see the key 'terminal' in 'azlin config')")
	cmd.Flags().BoolVar(&f.tab, "new-tab", false, "connect in a new tab, if the terminal supports it")
}

// asked reports whether a window or a tab is wanted.
func (f *windowFlags) asked() bool { return f.window || f.tab }

// windowView is the JSON of a window that was opened.
type windowView struct {
	VM       string  `json:"vm"`
	Session  *string `json:"session"`
	Terminal string  `json:"terminal"`
	PID      *int    `json:"pid"` // null: a process that ran already opened it
}

// connectInWindow opens a window in which the same command runs, without what asked for the window. That the VM is there
// and has the right host key is known by now, so that this is said here.
func (a Commands) connectInWindow(cmd *cobra.Command, s *app.Session, match vm.Match, f windowFlags, command []string) error {
	args := append(a.connectArgs(s, match), app.SetFlags(cmd, "accept-new-host-key", "forget-host-key")...) // which is done
	if len(command) > 0 {
		args = append(append(args, "--"), command...)
	}
	w, err := a.openWindow(cmd.Context(), s, args, terminal.Config{Title: windowTitle(match), NewTab: f.tab})
	if err != nil {
		return err
	}
	a.sayTerminal(s, w.App)
	v := windowView{VM: match.VM.Name, Session: app.Known(match.TmuxSession), Terminal: string(w.App), PID: knownPID(w.PID)}
	return a.Output.Print(term.View{Data: v, Grid: term.Rows([]windowView{v}, []term.Column[windowView]{
		{Name: "vm", Value: func(v windowView) string { return v.VM }},
		{Name: "terminal", Value: func(v windowView) string { return v.Terminal }},
	})})
}

func knownPID(pid int) *int {
	if pid == 0 {
		return nil
	}
	return &pid
}

func windowTitle(match vm.Match) string {
	if match.TmuxSession == "" {
		return match.VM.Name
	}
	return match.VM.Name + ":" + match.TmuxSession
}

// connectArgs are the arguments of an azlin that connects to a VM, in the place that this command works in.
func (a Commands) connectArgs(s *app.Session, match vm.Match) []string {
	args := []string{"connect", windowTitle(match), "--resource-group=" + match.VM.ResourceGroup}
	if s.Context.Name != "" {
		args = append(args, "--context="+s.Context.Name)
	}
	return args
}

// launcher opens windows of the terminal that this person likes.
func (a Commands) launcher(s *app.Session) terminal.Launcher {
	return terminal.Launcher{Environ: a.Environ, Preferred: terminal.App(s.Config.Terminal)}
}

// openWindow opens a window in which this program runs with args. It stays when that fails, so that its message can be
// read.
func (a Commands) openWindow(ctx context.Context, s *app.Session, args []string, c terminal.Config) (terminal.Window, error) {
	self, err := os.Executable()
	if err != nil {
		return terminal.Window{}, &errkind.Error{Kind: errkind.Prerequisite, Op: "open a window", Class: terminal.ErrLauncher, Err: err}
	}
	here, err := os.Getwd() // the path of a key may be meant from here
	if err != nil {
		here = ""
	}
	return a.launcher(s).Open(ctx, terminal.Command{
		Args: append([]string{self}, args...), Env: config.Inherited(a.Environ), Dir: here, HoldOn: remote.DisconnectExitCode,
	}, c)
}

// sayTerminal tells when a window is not one of the terminal that the configuration names.
func (a Commands) sayTerminal(s *app.Session, app terminal.App) {
	if liked := s.Config.Terminal; liked != "" && liked != string(app) {
		a.Say(fmt.Sprintf("note: this is %s: %s, which the configuration names, cannot be used here", app, liked))
	}
}
