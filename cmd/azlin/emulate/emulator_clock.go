package emulate

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/emulator"
	"github.com/azlin-dev/azlin/errkind"
)

func newEmulatorClockCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "clock",
		Short: "Show or move the emulator's clock",
		Long: `The emulated cloud has its own clock, which determines the age of resources, the progress of operations and the cost of
VMs. You can move it forward, but not back; 'azlin emulator reset' sets it to the present. Sign-ins, certificates and the
VMs' own clocks use real time.`,
		RunE: app.ShowGroup,
	}
	cmd.AddCommand(newEmulatorClockShowCommand(a), newEmulatorClockAdvanceCommand(a), newEmulatorClockSetCommand(a))
	return cmd
}

func newEmulatorClockShowCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "show",
		Short:   "Show the emulator's time",
		Example: "  azlin emulator clock show\n  azlin emulator clock show -o json --jq .now",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			clock, err := emulator.ReadClock(cmd.Context(), a.Paths.Emulator)
			return a.printClock(clock, err)
		},
	}
}

func newEmulatorClockAdvanceCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "advance DURATION",
		Short:   "Move the clock forward by a duration",
		Long:    `Moves the emulator's clock forward by a duration: 90s, 10m, 36h, 30d. Everything due in between happens at its time.`,
		Example: "  azlin emulator clock advance 36h\n  azlin emulator clock advance 30d",
		Args:    app.Exactly(1, "a duration"),
		RunE: func(cmd *cobra.Command, args []string) error {
			by, err := app.LongDuration(args[0])
			if err != nil {
				return err
			}
			clock, err := emulator.Advance(cmd.Context(), a.Paths.Emulator, by)
			return a.printClock(clock, err)
		},
	}
}

func newEmulatorClockSetCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "set TIME",
		Short:   "Move the clock forward to a time",
		Long:    `Moves the emulator's clock forward to a time: 2027-01-31, 2027-01-31T18:00:00Z or, in UTC, "2027-01-31 18:00".`,
		Example: "  azlin emulator clock set 2027-01-31\n  azlin emulator clock set 2027-01-31T18:00:00+01:00",
		Args:    app.Exactly(1, "a time"),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := clockTime(args[0])
			if err != nil {
				return err
			}
			clock, err := emulator.SetClock(cmd.Context(), a.Paths.Emulator, to)
			return a.printClock(clock, err)
		},
	}
}

func (a Commands) printClock(clock emulator.Clock, err error) error {
	if err != nil {
		return app.EmulatorError(err)
	}
	ahead := clock.Ahead.Round(time.Second)
	return a.Output.Print(term.View{
		Data: struct {
			Now   time.Time `json:"now"`
			Ahead float64   `json:"ahead_seconds"`
		}{clock.Now, ahead.Seconds()},
		Grid: term.Rows([]emulator.Clock{clock}, []term.Column[emulator.Clock]{
			{Name: "now", Value: func(c emulator.Clock) string { return c.Now.Format(time.RFC3339) }},
			{Name: "ahead", Value: func(emulator.Clock) string { return ahead.String() }},
		}),
	})
}

func clockTime(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly, time.DateTime, "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errkind.New(errkind.Invalid, "%q is not a time: use 2027-01-31 or 2027-01-31T18:00:00Z", s)
}
