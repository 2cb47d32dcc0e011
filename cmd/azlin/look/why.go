package look

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/health/logs"
	"github.com/azlin-dev/azlin/health/why"
	"github.com/azlin-dev/azlin/reach"
)

type whyFlags struct {
	host    app.HostFlags
	since   string
	lines   int
	timeout time.Duration
}

func newWhyCommand(a Commands) *cobra.Command {
	var flags whyFlags
	cmd := &cobra.Command{
		Use:   "why VM",
		Short: "Find out what is wrong with a VM",
		Long: `Checks Azure, the network rules, SSH, cloud-init, and the serial console at once, and shows on one page what is wrong and
what to do: the VM's state and last failure, failed operations in the activity log, whether the security groups allow your
address, whether you can sign in, cloud-init and azlin's tools, free disk space, and the end of the serial console. It
changes nothing.`,
		Example: "  azlin why dev\n  azlin why dev --since 30d --lines 100\n  azlin why dev -o json --jq '.problems[].what'",
		Args:    app.Exactly(1, "a VM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			since, err := app.LongDuration(flags.since)
			switch {
			case err != nil || since <= 0 || since > 90*24*time.Hour:
				return app.Usage(cmd, "--since %s: give a time up to 90d, which is how long Azure keeps its log", flags.since)
			case flags.lines <= 0:
				return app.Usage(cmd, "--lines %d: give one or more", flags.lines)
			case flags.timeout <= 0:
				return app.Usage(cmd, "--timeout %s: give a time above zero", flags.timeout)
			}
			return a.why(cmd, args[0], flags, since)
		},
	}
	flags.host.Add(cmd)
	f := cmd.Flags()
	f.StringVar(&flags.since, "since", "7d", "how far to look back in the activity log, for example 36h or 30d")
	f.IntVarP(&flags.lines, "lines", "n", why.DefaultLines, "number of serial console lines to show")
	f.DurationVar(&flags.timeout, "timeout", why.DefaultTimeout, "timeout for the VM to answer")
	return cmd
}

func (a Commands) why(cmd *cobra.Command, name string, flags whyFlags, since time.Duration) error {
	s, i, err := a.OpenVM(cmd, name)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	r := s.Inquirer.Ask(ctx, i, why.Options{
		Since: since, Lines: flags.lines, Timeout: flags.timeout,
		SSH: reach.Options{User: flags.host.User, KeyPath: a.KeyPath(flags.host.Key), AcceptNewHostKey: flags.host.AcceptNew, Bastion: flags.host.Bastion},
	})
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if a.Output.Format == term.Table && a.Output.JQ == "" && a.Output.Query == "" {
		if _, err := a.Streams.Out.Write([]byte(whyPage(r))); err != nil {
			return err
		}
	} else if err := a.Output.Print(whyView(r)); err != nil {
		return err
	}
	var unknown []error
	for _, u := range r.Unknown {
		unknown = append(unknown, fmt.Errorf("%s: %w", u.Name, u.Err))
	}
	if unknown != nil {
		return &errkind.Error{Kind: errkind.Partial, Op: "find out about", Resource: i.Name, Err: errors.Join(unknown...)}
	}
	return nil
}

// whyPage is what a person reads.
func whyPage(r why.Report) string {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(term.Clean(fmt.Sprintf(format, args...)) + "\n") }
	line("%s in %s: %s, %s", r.VM.Name, r.VM.ResourceGroup, r.VM.StatusDisplay(), r.VM.VMSize)
	if len(r.Problems) == 0 {
		line("Nothing is known to be wrong.")
	}
	for _, p := range r.Problems {
		line("- %s", p.What)
		if !p.Next.IsZero() {
			line("  Next: %s", app.WordStep(p.Next))
		}
	}
	line("")
	line("sign-in     %s", signInText(r))
	line("cloud-init  %s", cmp.Or(r.CloudInit, "not known"))
	line("tools       %s", toolsText(r.Installation))
	line("agent       %s", agentText(r.AgentReady))
	line("")
	line("Failed operations, newest first:")
	for _, e := range r.Events {
		line("  %s  %s  %s  by %s", e.Time.Format("2006-01-02 15:04Z"), e.Operation, e.Code, cmp.Or(e.Caller, "nobody known"))
		line("    %s (correlation id %s)", strings.TrimSpace(e.Message), e.Correlation)
	}
	if len(r.Events) == 0 {
		line("  none")
	}
	line("")
	line("The end of its serial console:")
	for _, l := range r.Serial {
		line("  %s", strings.ReplaceAll(l, "\t", "        "))
	}
	if len(r.Serial) == 0 {
		line("  nothing")
	}
	return b.String()
}

func signInText(r why.Report) string {
	switch {
	case !r.SSHTried:
		return "not tried"
	case r.SSH != nil:
		return "failed"
	}
	return "works"
}

func toolsText(i *logs.Installation) string {
	if i == nil {
		return "not known"
	}
	return string(i.State)
}

func agentText(ready *bool) string {
	switch {
	case ready == nil:
		return "not known"
	case *ready:
		return "ready"
	}
	return "does not report"
}

// whyVM is the JSON of the page. What is not known is null.
type whyVM struct {
	VM                  string             `json:"vm"`
	ResourceGroup       string             `json:"resource_group"`
	PowerState          string             `json:"power_state"`
	ProvisioningState   *string            `json:"provisioning_state"`
	ProvisioningCode    *string            `json:"provisioning_code"`
	ProvisioningMessage *string            `json:"provisioning_message"`
	Problems            []problem          `json:"problems"`
	SSH                 *bool              `json:"ssh"`
	SSHError            *string            `json:"ssh_error"`
	AgentReady          *bool              `json:"agent_ready"`
	CloudInit           *string            `json:"cloud_init"`
	CloudErrors         []string           `json:"cloud_init_errors"`
	Tools               *logs.Installation `json:"tools"`
	Events              []why.Event        `json:"failed_operations"`
	Serial              []string           `json:"serial"`
	Unknown             []string           `json:"unknown"`
}

func whyView(r why.Report) term.View {
	v := whyVM{
		VM: r.VM.Name, ResourceGroup: r.VM.ResourceGroup, PowerState: string(r.VM.PowerState), ProvisioningState: app.Known(r.VM.ProvisioningState),
		ProvisioningCode: app.Known(r.ProvisioningCode), ProvisioningMessage: app.Known(r.ProvisioningMessage), Problems: problems(r.Problems), AgentReady: r.AgentReady,
		CloudInit: app.Known(r.CloudInit), CloudErrors: append([]string{}, r.CloudErrors...), Tools: r.Installation, Events: r.Events, Serial: r.Serial, Unknown: []string{},
	}
	if r.SSHTried {
		v.SSH = new(r.SSH == nil)
	}
	if r.SSH != nil {
		v.SSHError = app.Known(r.SSH.Error())
	}
	for _, u := range r.Unknown {
		v.Unknown = append(v.Unknown, u.Name+": "+u.Err.Error())
	}
	return term.View{Data: v, Grid: term.Rows(r.Problems, []term.Column[why.Problem]{
		{Name: "problem", Value: func(p why.Problem) string { return p.What }},
		{Name: "next", Value: func(p why.Problem) string { return app.WordStep(p.Next) }},
	})}
}

// problem is a problem with its next step in words.
type problem struct {
	why.Problem
	NextLine string `json:"next,omitempty"`
}

func problems(all []why.Problem) []problem {
	worded := make([]problem, len(all))
	for n, p := range all {
		worded[n] = problem{p, app.WordStep(p.Next)}
	}
	return worded
}
