package connect

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/history"
)

func newHistoryCommand(a Commands) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "history [VM]",
		Short: "List connections made from this machine",
		Long: `Lists the interactive connections made from this machine: when they began, how long they lasted, and their exit codes. A
connection without an end time is still open, or azlin was killed.`,
		Example: "  azlin history\n  azlin history dev --limit 3\n  azlin history -o json --jq '.[].vm'",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return app.Usage(cmd, "--limit %d is negative", limit)
			}
			list, err := history.Log{Path: a.Paths.History}.List()
			if err != nil {
				return err
			}
			found := []history.Connection{} // not nil: an empty list is [] in JSON
			for _, c := range list {
				if (len(args) == 0 || strings.EqualFold(c.VM, args[0]) || c.Session == args[0]) && (limit == 0 || len(found) < limit) {
					found = append(found, c)
				}
			}
			v := historyView(found)
			v.Data = found
			if len(found) == 0 {
				v.Note = "no connections are recorded"
			}
			return a.Output.Print(v)
		},
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", 20, "maximum number of connections (0: all)")
	app.Listing[history.Connection](a.App, cmd, "lasted")
	return cmd
}

func newLastCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "last",
		Short:   "Show the last connection made from this machine",
		Example: "  azlin last\n  azlin connect $(azlin last --jq .vm)",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			last, ok, err := history.Log{Path: a.Paths.History}.Last()
			if err != nil {
				return err
			}
			if !ok {
				return &errkind.Error{Kind: errkind.NotFound, Class: history.ErrHistory, Err: fmt.Errorf("no connections are recorded"), Next: errkind.Step{Action: errkind.ConnectVM}}
			}
			v := historyView([]history.Connection{last})
			v.Data = last
			return a.Output.Print(v)
		},
	}
	app.Fields[history.Connection](a.App, cmd)
	return cmd
}

func historyView(list []history.Connection) term.View {
	return term.View{Grid: term.Rows(list, []term.Column[history.Connection]{
		{Name: "started", Value: func(c history.Connection) string { return c.Started.Format("2006-01-02 15:04:05Z") }},
		{Name: "vm", Value: func(c history.Connection) string { return c.VM }},
		{Name: "session", Value: func(c history.Connection) string { return c.Session }},
		{Name: "lasted", Value: func(c history.Connection) string {
			if d, ok := c.Duration(); ok {
				return d.Round(time.Second).String()
			}
			return ""
		}},
		{Name: "exit_code", Value: func(c history.Connection) string {
			if c.ExitCode == nil {
				return ""
			}
			return fmt.Sprint(*c.ExitCode)
		}},
		{Name: "address", Value: func(c history.Connection) string { return c.Address }, Wide: true},
		{Name: "resource_group", Title: "group", Value: func(c history.Connection) string { return c.ResourceGroup }, Wide: true},
		{Name: "context", Value: func(c history.Connection) string { return c.Context }, Wide: true},
	})}
}
