// Package cli is the azlin command: the tree of all commands and Main, which runs it. The commands are in the packages
// named after the headings of --help, one file per command; what they share is in package app.
package cli

import (
	"context"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/local/config"
)

// SystemStreams returns this process's streams as the environment wants them used.
func SystemStreams(environ []string) term.Streams {
	env := config.ReadEnvironment(environ)
	return term.System(env.NoColor, env.ASCII(), env.Term)
}

// Main runs azlin with the given arguments (without the program's name) and returns its exit code. The
// first SIGINT or SIGTERM cancels what is going on; a second one ends the process.
func Main(ctx context.Context, args, environ []string, streams term.Streams) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	a := app.NewApp(environ, streams)
	root := newRoot(a) //nolint:contextcheck // cobra hands the context of ExecuteContextC to each command
	args, err := a.ExpandAlias(root, args)
	if err != nil {
		return a.Fail(root, err)
	}
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	a.FormatErrors(args)
	return a.Fail(command, app.PlainFlags(command, err))
}

// Root returns the command tree, for generating its documentation.
func Root() *cobra.Command { return newRoot(app.NewApp(nil, term.Streams{})) }
