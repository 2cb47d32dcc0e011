package emulate

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/emulator/fault"
	"github.com/azlin-dev/azlin/errkind"
)

func newEmulatorFaultCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fault",
		Short: "Manage faults of the emulator",
		Long: `Makes requests, long-running operations and SSH connections of the emulator fail, repeatably: the same seed and the same
requests in the same order give the same faults. Faults stay until they are removed or the emulator stops.`,
		RunE: app.ShowGroup,
	}
	cmd.AddCommand(newEmulatorFaultAddCommand(a), newEmulatorFaultListCommand(a), newEmulatorFaultClearCommand(a))
	return cmd
}

func newEmulatorFaultAddCommand(a Commands) *cobra.Command {
	var r fault.Rule
	effects := make([]string, len(fault.Effects()))
	for n, e := range fault.Effects() {
		effects[n] = string(e)
	}
	cmd := &cobra.Command{
		Use:   "add EFFECT",
		Short: "Add a fault",
		Long: `Adds a fault. The effects:

  throttle, throttle-now    429 with Retry-After, or without
  500, 502, 503             a server error
  in-progress               409 AnotherOperationInProgress
  expired                   401, as if the token had ended
  reset-before, reset-after the connection breaks before the request is carried out, or after it
  slow, truncate            the response is delayed, or cut off
  skew                      the Date header is wrong
  fail, stuck, lie          a long-running operation fails, never ends, or succeeds although its resource is not found
  ssh-refuse, ssh-hang, ssh-drop, ssh-freeze, ssh-delay, ssh-limit
                            an SSH connection is refused, hangs after the banner, ends or freezes after some bytes,
                            is slow, or exceeds the limit of connections

Without conditions, a fault applies to everything its effect is for.`,
		Example: `  azlin emulator fault add throttle --count 3
  azlin emulator fault add fail --operation vm.create --name dev --count 1 --code ZonalAllocationFailed
  azlin emulator fault add 503 --probability 0.05 --seed 7
  azlin emulator fault add reset-after --method PUT --type Microsoft.Compute/virtualMachines --count 1
  azlin emulator fault add ssh-drop --name dev --bytes 20000`,
		Args:      app.Exactly(1, "an effect"),
		ValidArgs: effects,
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Effect = fault.Effect(args[0])
			if err := r.Validate(); err != nil {
				return &errkind.Error{Kind: errkind.Invalid, Op: "add fault", Err: err, Next: app.Next("azlin emulator fault add --help")}
			}
			if _, err := a.StartEmulator(cmd.Context(), nil); err != nil {
				return err
			}
			added, err := emulator.AddFault(cmd.Context(), a.Paths.Emulator, r)
			if err != nil {
				return err
			}
			return a.Output.Print(faultView([]fault.Rule{added}))
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.Method, "method", "", "only requests with this method")
	f.StringVar(&r.Path, "path", "", "only requests whose path matches this pattern, for example */virtualMachines/*")
	f.StringVar(&r.Type, "type", "", "only this resource type, for example Microsoft.Compute/virtualMachines")
	f.StringVar(&r.Operation, "operation", "", "only long-running operations of this kind, for example vm.create")
	f.StringVar(&r.Name, "name", "", "only resources or VMs whose name matches this pattern")
	f.IntVar(&r.Skip, "skip", 0, "skip the first N matches")
	f.IntVar(&r.Count, "count", 0, "apply N times (0: no limit)")
	f.Float64Var(&r.Probability, "probability", 0, "probability of each match (0: always)")
	f.Uint64Var(&r.Seed, "seed", 0, "seed for --probability")
	f.DurationVar(&r.Delay, "delay", 0, "duration: Retry-After of throttle, delay of slow and ssh-delay, offset of skew, length of lie")
	f.IntVar(&r.Bytes, "bytes", 0, "for ssh-drop and ssh-freeze: after N bytes")
	f.StringVar(&r.Code, "code", "", "Azure error code, for fail and error responses")
	return cmd
}

func newEmulatorFaultListCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List faults and how often they were applied",
		Example: "  azlin emulator fault list\n  azlin emulator fault list -o json --jq '.[].struck'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rules, err := emulator.Faults(cmd.Context(), a.Paths.Emulator)
			if err != nil {
				return app.EmulatorError(err)
			}
			return a.Output.Print(faultView(rules))
		},
	}
	app.Listing[fault.Rule](a.App, cmd)
	return cmd
}

func newEmulatorFaultClearCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "clear [ID...]",
		Short:   "Remove faults",
		Example: "  azlin emulator fault clear\n  azlin emulator fault clear f1 f2",
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := emulator.ClearFaults(cmd.Context(), a.Paths.Emulator, args...)
			if err != nil {
				return app.EmulatorError(err)
			}
			if n < len(args) {
				return errkind.New(errkind.NotFound, "%d of %d faults were there; see 'azlin emulator fault list'", n, len(args))
			}
			a.Say(fmt.Sprintf("%d faults removed", n))
			return nil
		},
	}
}

func faultView(rules []fault.Rule) term.View {
	if rules == nil {
		rules = []fault.Rule{}
	}
	v := term.View{Data: rules, Grid: term.Rows(rules, []term.Column[fault.Rule]{
		{Name: "id", Value: func(r fault.Rule) string { return r.ID }},
		{Name: "effect", Value: func(r fault.Rule) string { return string(r.Effect) }},
		{Name: "when", Value: conditions},
		{Name: "matched", Value: func(r fault.Rule) string { return fmt.Sprint(r.Matched) }},
		{Name: "struck", Value: func(r fault.Rule) string { return fmt.Sprint(r.Struck) }},
	})}
	if len(rules) == 0 {
		v.Note = "nothing goes wrong"
	}
	return v
}

// conditions tell when a fault strikes.
func conditions(r fault.Rule) string {
	var all []string
	add := func(there bool, format string, args ...any) {
		if there {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	add(r.Method != "", "%s", r.Method)
	add(r.Path != "", "path %s", r.Path)
	add(r.Type != "", "%s", r.Type)
	add(r.Operation != "", "%s", r.Operation)
	add(r.Name != "", "name %s", r.Name)
	add(r.Skip > 0, "after %d", r.Skip)
	add(r.Count > 0, "%d times", r.Count)
	add(r.Probability > 0, "%g of them, seed %d", r.Probability, r.Seed)
	add(r.Delay > 0, "%s", r.Delay.Round(time.Millisecond))
	add(r.Bytes > 0, "%d bytes", r.Bytes)
	add(r.Code != "", "%s", r.Code)
	if len(all) == 0 {
		return "always"
	}
	return strings.Join(all, ", ")
}
