package cli

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	cmd.Flags().BoolVar(&f.window, "new-window", false, "connect in a new window of your terminal; see 'terminal' in 'azlin config'")
	cmd.Flags().BoolVar(&f.tab, "new-tab", false, "the same in a new tab, where the terminal can be told to open one")
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
func (a connectCommands) connectInWindow(cmd *cobra.Command, s *session, match vm.Match, f windowFlags, command []string) error {
	args := append(a.connectArgs(s, match), setFlags(cmd, "accept-new-host-key", "forget-host-key")...) // which is done
	if len(command) > 0 {
		args = append(append(args, "--"), command...)
	}
	w, err := a.openWindow(cmd.Context(), s, args, terminal.Config{Title: windowTitle(match), NewTab: f.tab})
	if err != nil {
		return err
	}
	a.sayTerminal(s, w.App)
	v := windowView{VM: match.VM.Name, Session: known(match.TmuxSession), Terminal: string(w.App), PID: knownPID(w.PID)}
	return a.output.Print(term.View{Data: v, Grid: term.Rows([]windowView{v}, []term.Column[windowView]{
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
func (a connectCommands) connectArgs(s *session, match vm.Match) []string {
	args := []string{"connect", windowTitle(match), "--resource-group=" + match.VM.ResourceGroup}
	if s.context.Name != "" {
		args = append(args, "--context="+s.context.Name)
	}
	return args
}

// setFlags are the flags of a command that say how to connect, as they were given, without others.
func setFlags(cmd *cobra.Command, others ...string) []string {
	others = append(others, "new-window", "new-tab", "context", "resource-group", "output", "query", "jq", "progress")
	var args []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			if !slices.Contains(others, f.Name) {
				args = append(args, "--"+f.Name+"="+v)
			}
		}
	})
	return args
}

// launcher opens windows of the terminal that this person likes.
func (a connectCommands) launcher(s *session) terminal.Launcher {
	return terminal.Launcher{Environ: a.environ, Preferred: terminal.App(s.config.Terminal)}
}

// openWindow opens a window in which this program runs with args. It stays when that fails, so that its message can be
// read.
func (a connectCommands) openWindow(ctx context.Context, s *session, args []string, c terminal.Config) (terminal.Window, error) {
	self, err := os.Executable()
	if err != nil {
		return terminal.Window{}, &errkind.Error{Kind: errkind.Prerequisite, Op: "open a window", Class: terminal.ErrLauncher, Err: err}
	}
	here, err := os.Getwd() // the path of a key may be meant from here
	if err != nil {
		here = ""
	}
	return a.launcher(s).Open(ctx, terminal.Command{
		Args: append([]string{self}, args...), Env: config.Inherited(a.environ), Dir: here, HoldOn: remote.DisconnectExitCode,
	}, c)
}

// sayTerminal tells when a window is not one of the terminal that the configuration names.
func (a connectCommands) sayTerminal(s *session, app terminal.App) {
	if liked := s.config.Terminal; liked != "" && liked != string(app) {
		a.say(fmt.Sprintf("note: this is %s: %s, which the configuration names, cannot be used here", app, liked))
	}
}
