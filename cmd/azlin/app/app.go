// Package app is what all commands share: streams and global flags, the one way to Azure (session.go), questions
// (confirm.go), and what becomes of errors (errors.go). It knows no command.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/remote/knownhosts"
)

// App is what the commands share: the streams, what was asked for on the command line and in the
// environment, and the files of the person who runs it. Azure is reached through session.go.
type App struct {
	Env     config.Environment
	Environ []string // all of it, for child processes
	Streams term.Streams
	Flags   struct {
		output, query, jq, Context, Group, progress string
		fields, columns                             []string // of commands with Listing
		sortBy                                      string
		AllGroups, noPager, debug                   bool
	}

	// Set by Prepare, before a command runs.
	command  string
	changes  bool // it may change something in Azure
	Output   term.Output
	Progress term.ProgressMode
	waiting  *term.Waiting // shows that Azure or VMs are asked
	Paths    config.Paths
	Log      *slog.Logger
}

// NewApp returns what the commands of one run share.
func NewApp(environ []string, streams term.Streams) *App {
	a := &App{Env: config.ReadEnvironment(environ), Environ: environ, Streams: streams}
	// Errors that happen before prepare are for people.
	a.Output = term.Output{Streams: streams, Format: term.Table}
	return a
}

// Prepare checks what all commands have in common, before anything is done. command is its path, "azlin new".
func (a *App) Prepare(command string) error {
	a.command = command
	format, err := term.ParseFormat(a.Flags.output)
	if err != nil {
		return err
	}
	a.Output = term.Output{Streams: a.Streams, Format: format, Query: a.Flags.query, JQ: a.Flags.jq}
	if err := term.CheckQueries(a.Flags.query, a.Flags.jq); err != nil {
		return err
	}
	if a.Progress, err = term.ParseProgressMode(a.Flags.progress); err != nil {
		return err
	}
	if a.Paths, err = config.ResolvePaths(a.Env); err != nil {
		return &errkind.Error{Kind: errkind.Prerequisite, Err: err}
	}
	if (a.Progress == term.ProgressAuto || a.Progress == term.ProgressLive) && !a.Flags.debug {
		a.waiting = a.Streams.Waiting("waiting for an answer")
	}
	level := slog.LevelWarn
	if a.Flags.debug {
		level = slog.LevelDebug
	}
	a.Log = slog.New(slog.NewTextHandler(a.Streams.Err, &slog.HandlerOptions{Level: level}))
	for _, note := range a.Paths.Mend() {
		a.Say("note: " + note)
	}
	return nil
}

// Say writes one line of talk to standard error.
func (a *App) Say(line string) {
	again := a.waiting.Quiet()
	defer again()
	fmt.Fprintln(a.Streams.Text(a.Streams.Err), term.Clean(line))
}

// PassesExitCode marks commands whose exit code is that of a remote command, so that their own failures
// must be told apart.
const PassesExitCode = "passes-exit-code"

// AddYes adds --yes to a command.
func AddYes(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "do not ask for confirmation")
}

// StartEmulator makes sure that the emulator runs and returns where. args are for a new process; one that
// runs already keeps its own.
func (a *App) StartEmulator(ctx context.Context, args []string) (emulator.Status, error) {
	if err := a.Paths.Ensure(); err != nil {
		return emulator.Status{}, err
	}
	command, err := emulatorCommand(a.Paths.Emulator, args)
	if err != nil {
		return emulator.Status{}, err
	}
	status, err := emulator.Start(ctx, emulator.StartOptions{Dir: a.Paths.Emulator, Command: command})
	if err != nil {
		return status, &errkind.Error{Kind: errkind.Prerequisite, Err: err}
	}
	return status, nil
}

// EmulatorError adds to the error of an emulator that does not run how to start it.
func EmulatorError(err error) error {
	if errors.Is(err, emulator.ErrNotRunning) {
		return &errkind.Error{Kind: errkind.NotFound, Err: err, Next: Next("azlin emulator start")}
	}
	return err
}

// KnownHosts is azlin's own file of host keys.
func (a *App) KnownHosts() knownhosts.File { return knownhosts.File{Path: a.Paths.KnownHosts} }

// emulatorCommand is the argument vector that runs the emulator: this program again.
func emulatorCommand(dir string, args []string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return append([]string{self, "emulator", "serve", "--dir", dir}, args...), nil
}

// SayUnknown reports keys that azlin does not know.
func (a *App) SayUnknown(unknown []config.UnknownKey) {
	for _, u := range unknown {
		a.Say(fmt.Sprintf("note: %s: azlin does not know the key %s; it is kept", u.Where, u.Key))
	}
}

// ConfigFile is this person's configuration.
func (a *App) ConfigFile() config.File { return config.File{Path: a.Paths.Config} }
