package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/repository"
)

// app is what the commands share: the streams, what was asked for on the command line and in the
// environment, and the files of the person who runs it. Azure is reached through session.go.
type app struct {
	env     config.Environment
	environ []string // all of it, for child processes
	streams term.Streams
	flags   struct {
		output, query, jq, context, group, progress string
		debug                                       bool
	}

	// Set by prepare, before a command runs.
	output   term.Output
	progress term.ProgressMode
	paths    config.Paths
	log      *slog.Logger
}

func newApp(environ []string, streams term.Streams) *app {
	a := &app{env: config.ReadEnvironment(environ), environ: environ, streams: streams}
	// Errors that happen before prepare are for people.
	a.output = term.Output{Streams: streams, Format: term.Table}
	return a
}

// prepare checks what all commands have in common, before anything is done.
func (a *app) prepare() error {
	format, err := term.ParseFormat(a.flags.output)
	if err != nil {
		return err
	}
	a.output = term.Output{Streams: a.streams, Format: format, Query: a.flags.query, JQ: a.flags.jq}
	if err := term.CheckQueries(a.flags.query, a.flags.jq); err != nil {
		return err
	}
	if a.progress, err = term.ParseProgressMode(a.flags.progress); err != nil {
		return err
	}
	if a.paths, err = config.ResolvePaths(a.env); err != nil {
		return &errkind.Error{Kind: errkind.Prerequisite, Err: err}
	}
	level := slog.LevelWarn
	if a.flags.debug {
		level = slog.LevelDebug
	}
	a.log = slog.New(slog.NewTextHandler(a.streams.Err, &slog.HandlerOptions{Level: level}))
	for _, note := range a.paths.Mend() {
		a.say("note: " + note)
	}
	return nil
}

// say writes one line of talk to standard error.
func (a *app) say(line string) { fmt.Fprintln(a.streams.Err, term.Clean(line)) }

// passesExitCode marks commands whose exit code is that of a remote command, so that their own failures
// must be told apart.
const passesExitCode = "passes-exit-code"

func addYes(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "do not ask for confirmation")
}

// startEmulator makes sure that the emulator runs and returns where. args are for a new process; one that
// runs already keeps its own.
func (a *app) startEmulator(ctx context.Context, args []string) (emulator.Status, error) {
	if err := a.paths.Ensure(); err != nil {
		return emulator.Status{}, err
	}
	command, err := emulatorCommand(a.paths.Emulator, args)
	if err != nil {
		return emulator.Status{}, err
	}
	status, err := emulator.Start(ctx, emulator.StartOptions{Dir: a.paths.Emulator, Command: command})
	if err != nil {
		return status, &errkind.Error{Kind: errkind.Prerequisite, Err: err}
	}
	return status, nil
}

func emulatorError(err error) error {
	if errors.Is(err, emulator.ErrNotRunning) {
		return &errkind.Error{Kind: errkind.NotFound, Err: err, Next: "azlin emulator start"}
	}
	return err
}

// knownHosts is azlin's own file of host keys.
func (a *app) knownHosts() remote.KnownHosts { return remote.KnownHosts{Path: a.paths.KnownHosts} }

// lent is what this machine can lend to the clone of a repository.
func (a *app) lent() repository.Access {
	lent := repository.Access{Agent: a.env.SSHAuthSock != ""}
	for _, name := range []string{"known_hosts", "known_hosts2"} {
		lent.KnownHosts = append(lent.KnownHosts, filepath.Join(a.paths.SSHDir, name))
	}
	lent.KnownHosts = append(lent.KnownHosts, "/etc/ssh/ssh_known_hosts")
	if gh, err := exec.LookPath("gh"); err == nil {
		lent.GitHubCLI = gh
	}
	return lent
}

// emulatorCommand is the argument vector that runs the emulator: this program again.
func emulatorCommand(dir string, args []string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return append([]string{self, "emulator", "serve", "--dir", dir}, args...), nil
}

// sayUnknown tells of keys that azlin has no use for.
func (a *app) sayUnknown(unknown []config.UnknownKey) {
	for _, u := range unknown {
		a.say(fmt.Sprintf("note: %s: azlin does not know the key %s; it is kept", u.Where, u.Key))
	}
}

func (a *app) configFile() config.File { return config.File{Path: a.paths.Config} }
