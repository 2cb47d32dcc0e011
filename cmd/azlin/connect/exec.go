package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/remote"
)

func newExecCommand(a Commands) *cobra.Command {
	var flags app.HostFlags
	var timeout time.Duration
	var stdin bool
	cmd := &cobra.Command{
		Use:   "exec VM -- COMMAND [ARG...]",
		Short: "Run a command on a VM",
		Long: `Runs a command on a VM without a terminal, passes its output through as it comes, and exits with its exit code.

Several arguments are passed to the program exactly as they are. A single argument is run by the VM's shell, so it can use
pipes and variables. If azlin itself fails, the exit code is 255, as with ssh.`,
		Example: `  azlin exec dev -- git -C project log -1
  azlin exec dev -- 'ls | wc -l'
  azlin exec dev -i -- sh -c 'cat > notes' < notes
  azlin exec dev -o json -- uname -r`,
		Args:        app.AtLeastOne("a VM and a command"),
		Annotations: map[string]string{app.PassesExitCode: "yes"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return app.Usage(cmd, "missing argument: a command after the VM: azlin exec %s -- COMMAND", args[0])
			}
			if timeout < 0 {
				return app.Usage(cmd, "--timeout %s is negative", timeout)
			}
			ctx := cmd.Context()
			if timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeoutCause(ctx, timeout, errkind.New(errkind.Unreachable, "the command did not end within %s", timeout))
				defer cancel()
			}
			command := remote.Command{Line: remote.CommandLine(args[1:])}
			if stdin {
				command.Stdin = a.Streams.In
			}
			err := a.execOn(ctx, args[0], flags, command)
			if err != nil && timeout > 0 && errors.Is(ctx.Err(), context.DeadlineExceeded) {
				// Whatever step the time ran out in, that it did is what counts.
				return &errkind.Error{Kind: errkind.Unreachable, Op: "run on", Resource: args[0], Class: remote.ErrExec, Err: context.Cause(ctx)}
			}
			return err
		},
	}
	flags.Add(cmd)
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "stop after this long (0: no limit)")
	cmd.Flags().BoolVarP(&stdin, "stdin", "i", false, "pass standard input to the command")
	return cmd
}

// execOn finds the VM, connects to it and runs the command there.
func (a Commands) execOn(ctx context.Context, name string, flags app.HostFlags, command remote.Command) error {
	s, err := a.Open(ctx)
	if err != nil {
		return err
	}
	match, host, err := a.Host(ctx, s, name, flags)
	if err != nil {
		return err
	}
	client, err := remote.Dial(ctx, host)
	if err != nil {
		return app.Stranded(err, match.VM.Name)
	}
	defer client.Close()
	return a.Exec(ctx, client, match.VM.Name, command)
}

// execView is the JSON of a command that ran.
type execView struct {
	VM       string  `json:"vm"`
	Success  bool    `json:"success"`
	ExitCode int     `json:"exit_code"`
	Stdout   string  `json:"stdout"`
	Stderr   string  `json:"stderr"`
	Seconds  float64 `json:"duration_seconds"`
}

// Exec runs the command: its output passes through for a person, and is collected for a program.
func (a Commands) Exec(ctx context.Context, client *remote.Client, name string, command remote.Command) error {
	var stdout, stderr bytes.Buffer
	collect := a.Output.Format != term.Table || a.Output.JQ != "" || a.Output.Query != ""
	command.Stdout, command.Stderr = a.Streams.Out, a.Streams.Err
	if collect {
		command.Stdout, command.Stderr = &stdout, &stderr
	}
	began := time.Now()
	code, err := client.Run(ctx, command)
	if err != nil {
		return app.Stranded(err, name)
	}
	if collect {
		v := execView{
			VM: name, Success: code == 0, ExitCode: code, Stdout: stdout.String(), Stderr: stderr.String(),
			Seconds: time.Since(began).Round(time.Millisecond).Seconds(),
		}
		err := a.Output.Print(term.View{Data: v, Grid: term.Rows([]execView{v}, []term.Column[execView]{
			{Name: "vm", Value: func(v execView) string { return v.VM }},
			{Name: "exit_code", Value: func(v execView) string { return fmt.Sprint(v.ExitCode) }},
			{Name: "stdout", Value: func(v execView) string { return v.Stdout }},
			{Name: "stderr", Value: func(v execView) string { return v.Stderr }},
		})})
		if err != nil {
			return err
		}
	}
	if code != 0 {
		return app.RemoteExit(code)
	}
	return nil
}
