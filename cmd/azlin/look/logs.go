package look

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/health/logs"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/vm"
)

type logsFlags struct {
	which  app.Selecting
	host   app.HostFlags
	source string
	follow bool
	lines  int
	since  time.Duration
}

func newLogsCommand(a Commands) *cobra.Command {
	var flags logsFlags
	names := make([]string, 0, len(logs.Sources()))
	for _, s := range logs.Sources() {
		names = append(names, string(s))
	}
	cmd := &cobra.Command{
		Use:   "logs VM...",
		Short: "Show VMs' logs",
		Long: `Shows the last lines of one log of a VM, or of several VMs below their names:

    cloud-init-output   output of the first-boot scripts (the default)
    cloud-init          steps of cloud-init
    serial              the serial console, from Azure; readable even if SSH does not answer
    auth                logins and sudo
    syslog              the system log
    tools               result of each tool that azlin installs

--follow prints new lines until Ctrl-C. With --source tools it shows the progress of the installation and exits when that
ends, with code 9 if a tool failed. It is for one VM.

In JSON the log of one VM that is named is an array of lines; several, patterns and --select are an array of VMs.`,
		Example: `  azlin logs dev
  azlin logs dev --source tools
  azlin logs 'web-*' --source auth --lines 5
  azlin logs dev --source serial --lines 50
  azlin logs dev --source auth --since 1h
  azlin logs dev --source syslog --follow
  azlin logs dev -o json`,
		Args: func(cmd *cobra.Command, args []string) error { return flags.which.Check(cmd, args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := flags.check(cmd, a.Output)
			if err != nil {
				return err
			}
			return a.logs(cmd, args, source, flags)
		},
	}
	flags.host.Add(cmd)
	flags.which.Add(cmd, "")
	f := cmd.Flags()
	f.StringVar(&flags.source, "source", string(logs.CloudInitOutput), "log to show: "+strings.Join(names, ", "))
	f.BoolVarP(&flags.follow, "follow", "f", false, "print new lines until Ctrl-C")
	f.IntVarP(&flags.lines, "lines", "n", 100, "number of last lines to show (0: all)")
	f.DurationVar(&flags.since, "since", 0, "only lines newer than this, for example 1h30m; for "+timedSources())
	app.Complete(cmd, "source", names)
	return cmd
}

// timedSources are those whose lines say when they were written.
func timedSources() string {
	var names []string
	for _, s := range logs.Sources() {
		if s.Timed() {
			names = append(names, string(s))
		}
	}
	return strings.Join(names, ", ")
}

// check finds combinations that could not act.
func (f logsFlags) check(cmd *cobra.Command, output term.Output) (logs.Source, error) {
	source, err := logs.ParseSource(f.source)
	if err != nil {
		return "", app.Usage(cmd, "--source: %w", err)
	}
	switch {
	case f.lines < 0:
		return "", app.Usage(cmd, "--lines %d is negative", f.lines)
	case f.since < 0:
		return "", app.Usage(cmd, "--since %s is negative", f.since)
	case f.since > 0 && !source.Timed():
		return "", app.Usage(cmd, "--since needs lines that say when they were written; those of %s do not, those of %s do", source, timedSources())
	case source == logs.ToolsRecord && cmd.Flags().Changed("lines"):
		return "", app.Usage(cmd, "--lines is for the other sources; tools has one line for each tool")
	case f.follow && source != logs.ToolsRecord && (output.Format != term.Table || output.JQ != "" || output.Query != ""):
		return "", app.Usage(cmd, "--follow shows lines as they come; -o, --query and --jq wait for the last one, which never comes")
	}
	return source, nil
}

func (a Commands) logs(cmd *cobra.Command, names []string, source logs.Source, flags logsFlags) error {
	ctx := cmd.Context()
	one := len(names) == 1 && flags.which.Empty() && !vm.IsPattern(names[0])
	if flags.follow && !one {
		return app.Usage(cmd, "--follow is for one VM")
	}
	s, err := a.Open(ctx)
	if err != nil {
		return err
	}
	sel, err := s.Choose(ctx, names, flags.which)
	if err != nil {
		return err
	}
	vms := sel.VMs()
	if flags.follow {
		return a.followLog(ctx, s, vms[0], source, flags)
	}
	results := batch.Run(ctx, vms, batch.Options{}, func(ctx context.Context, i vm.Info) (logRead, error) { return a.readLog(ctx, s, i, source, flags) })
	if !one {
		return errors.Join(a.printLogs(vms, results), batch.Err("", len(vms), batch.Failures(results, func(n int) string { return vms[n].Name }), errkind.Step{}))
	}
	r := results[0]
	switch {
	case r.Err != nil:
		return r.Err
	case r.Value.tools != nil:
		return a.Output.Print(toolsView(*r.Value.tools))
	}
	return a.printLog(r.Value.lines)
}

// logRead is what a VM's log holds: lines, or the record of tools.
type logRead struct {
	lines []string
	tools *logs.Installation
}

// dialLog connects to a VM whose log is a file on it.
func (a Commands) dialLog(ctx context.Context, s *app.Session, i vm.Info, flags logsFlags) (*remote.Client, error) {
	if p := i.PowerState; p == vm.Stopped || p == vm.Deallocated {
		return nil, &errkind.Error{
			Kind: errkind.Unreachable, Op: "read the log of", Resource: i.Name, Err: fmt.Errorf("the VM is %s", p),
			Next: errkind.Step{Action: errkind.StartVM, VM: i.Name},
		}
	}
	client, err := s.Hosts.Dial(ctx, i, reach.Options{
		User: flags.host.User, KeyPath: a.KeyPath(flags.host.Key), AcceptNewHostKey: flags.host.AcceptNew, Bastion: flags.host.Bastion,
	})
	if err != nil {
		return nil, app.Stranded(err, i.Name)
	}
	return client, nil
}

func (a Commands) readLog(ctx context.Context, s *app.Session, i vm.Info, source logs.Source, flags logsFlags) (r logRead, err error) {
	options := logs.Options{Lines: flags.lines, Since: flags.since}
	if source == logs.Serial {
		r.lines, err = s.Logs.Read(ctx, i, logs.Serial, logs.Options{Lines: flags.lines}, reach.Options{})
		return r, err
	}
	client, err := a.dialLog(ctx, s, i, flags)
	if err != nil {
		return r, err
	}
	defer func() { _ = client.Close() }() // it may have become another one
	if source == logs.ToolsRecord {
		var tools logs.Installation
		tools, err = logs.Tools(ctx, client)
		r.tools = &tools
	} else {
		r.lines, err = logs.Read(ctx, client, source, options)
	}
	if err != nil {
		return logRead{}, app.Unread(err, i.Name)
	}
	return r, nil
}

func (a Commands) followLog(ctx context.Context, s *app.Session, i vm.Info, source logs.Source, flags logsFlags) error {
	options := logs.Options{Lines: flags.lines, Since: flags.since}
	if source == logs.Serial {
		return s.Logs.Follow(ctx, i, logs.Serial, logs.Options{Lines: flags.lines}, reach.Options{}, a.logLine)
	}
	client, err := a.dialLog(ctx, s, i, flags)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }() // it may have become another one
	if source == logs.ToolsRecord {
		return a.followTools(ctx, client, i.Name)
	}
	err = logs.Follow(ctx, client, source, options, a.logLine)
	if errors.Is(err, logs.ErrLost) {
		return &errkind.Error{Kind: errkind.Unreachable, Op: "follow the log of", Resource: i.Name, Err: fmt.Errorf("%s: %w", source, logs.ErrLost), Next: app.Next("azlin logs", i.Name, "--source", string(source), "--follow")}
	}
	return err
}

// vmLog is the JSON of one of several logs.
type vmLog struct {
	VM            string             `json:"vm"`
	ResourceGroup string             `json:"resource_group"`
	Lines         []string           `json:"lines"` // null: not known
	Tools         *logs.Installation `json:"tools,omitempty"`
	Error         *string            `json:"error"`
}

// printLogs shows the logs of several VMs: to a person each below its VM's name.
func (a Commands) printLogs(vms []vm.Info, results []batch.Result[logRead]) error {
	type row struct{ vm, line string }
	var rows []row
	views := make([]vmLog, len(vms))
	shown := 0
	for n, r := range results {
		views[n] = vmLog{VM: vms[n].Name, ResourceGroup: vms[n].ResourceGroup, Lines: r.Value.lines, Tools: r.Value.tools}
		if r.Err != nil {
			views[n].Error = app.Known(r.Err.Error())
			continue
		}
		for _, line := range r.Value.lines {
			rows = append(rows, row{vms[n].Name, line})
		}
		if r.Value.tools != nil {
			for _, t := range r.Value.tools.Tools {
				rows = append(rows, row{vms[n].Name, t.Name + " " + string(t.State)})
			}
		}
		if !a.Output.ForPeople() {
			continue
		}
		err := a.Output.Heading(shown, vms[n].Name)
		shown++
		if err == nil && r.Value.tools != nil {
			err = a.Output.Print(toolsView(*r.Value.tools))
		} else if err == nil {
			err = a.printLog(r.Value.lines)
		}
		if err != nil {
			return err
		}
	}
	if a.Output.ForPeople() {
		return nil
	}
	return a.Output.Print(term.View{Data: views, Grid: term.Rows(rows, []term.Column[row]{
		{Name: "vm", Value: func(r row) string { return r.vm }},
		{Name: "line", Value: func(r row) string { return r.line }},
	})})
}

// logLine shows one line; what a VM wrote must not steer the terminal.
func (a Commands) logLine(line string) error {
	if a.Streams.OutTTY {
		line = term.Clean(strings.ReplaceAll(line, "\t", "        "))
	}
	_, err := fmt.Fprintln(a.Streams.Out, line)
	return err
}

// printLog shows lines to a person as they are, and to a program as an array.
func (a Commands) printLog(lines []string) error {
	if a.Output.Format == term.Table && a.Output.JQ == "" && a.Output.Query == "" {
		for _, line := range lines {
			if err := a.logLine(line); err != nil {
				return err
			}
		}
		return nil
	}
	return a.Output.Print(term.View{Data: lines, Grid: term.Rows(lines, []term.Column[string]{
		{Name: "line", Value: func(line string) string { return line }},
	})})
}

// followTools shows how far the installation of tools is, and its record when it is over.
func (a Commands) followTools(ctx context.Context, client *remote.Client, name string) error {
	last := ""
	i, _, err := logs.Await(ctx, client, 0, nil, func(i logs.Installation) {
		if now := toolsUnderWay(i); now != last {
			last = now
			a.Say(now)
		}
	})
	if ctx.Err() != nil {
		return nil // Ctrl-C is how following ends
	}
	if err != nil {
		return app.Unread(err, name)
	}
	if err := a.Output.Print(toolsView(i)); err != nil {
		return err
	}
	return i.Err(name)
}

func toolsUnderWay(i logs.Installation) string {
	var over int
	var current []string
	for _, t := range i.Tools {
		switch t.State {
		case logs.Done, logs.Failed:
			over++
		case logs.Running:
			current = append(current, t.Name)
		case logs.Waiting, logs.Unknown, logs.Interrupted:
		}
	}
	return fmt.Sprintf("%d of %d %s", over, len(i.Tools), strings.Join(current, " "))
}

func toolsView(i logs.Installation) term.View {
	note := "the installation is " + string(i.State)
	switch i.State {
	case logs.Unknown:
		note = "the VM has no record of tools: azlin installed none there"
	case logs.Interrupted:
		note = "the installation was interrupted; it goes on when the VM restarts"
		if i.Ended != nil {
			note = "the startup script was interrupted; it is not run again"
		}
	case logs.Running, logs.Waiting, logs.Done, logs.Failed:
	}
	return term.View{Data: i, Note: note, Grid: term.Rows(i.Tools, []term.Column[logs.Tool]{
		{Name: "tool", Value: func(t logs.Tool) string { return t.Name }},
		{Name: "state", Value: func(t logs.Tool) string { return string(t.State) }},
		{Name: "version", Value: func(t logs.Tool) string { return t.Version }},
		{Name: "seconds", Value: func(t logs.Tool) string {
			if t.Seconds == nil {
				return ""
			}
			return fmt.Sprintf("%.1f", *t.Seconds)
		}},
		{Name: "output", Value: func(t logs.Tool) string {
			lines := strings.Split(t.Output, "\n")
			return lines[len(lines)-1]
		}},
	})}
}
