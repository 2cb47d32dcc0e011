package connect

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/health/status"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/remote/terminal"
	"github.com/azlin-dev/azlin/vm"
)

type restoreFlags struct {
	which app.Selecting

	attached, dryRun, tabs, yes bool
	timeout                     time.Duration
	user, key                   string
}

// manyWindows is how many windows are opened without asking.
const manyWindows = 10

func newRestoreCommand(a Commands) *cobra.Command {
	var flags restoreFlags
	cmd := &cobra.Command{
		Use:   "restore [VM|PATTERN...]",
		Short: "Open a window for each tmux session on your VMs",
		Long: `Opens a terminal window for each tmux session on your running VMs, for example after you restart your computer. Without
arguments, azlin looks at the VMs that 'azlin list' shows; with arguments, at the given VMs: names, sessions, addresses,
or patterns with * and ?. VM:SESSION means one session.

Sessions that someone is attached to are skipped unless you use --attached. azlin asks before it opens more than 10
windows. VMs that cannot be reached are reported, and the exit code is 9.`,
		Example: `  azlin restore
  azlin restore --dry-run
  azlin restore 'web-*' dev:build --tabs
  azlin restore -o json --jq '.[] | select(.status=="failed") | .reason'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.timeout <= 0 {
				return app.Usage(cmd, "--timeout %s: give a time above zero", flags.timeout)
			}
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			return a.restore(cmd.Context(), s, args, flags)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&flags.attached, "attached", false, "include sessions that someone is attached to")
	f.BoolVar(&flags.dryRun, "dry-run", false, "show the windows that would be opened")
	f.BoolVar(&flags.tabs, "tabs", false, "open tabs instead of windows, if the terminal supports it")
	f.DurationVar(&flags.timeout, "timeout", status.DefaultTimeout, "timeout for each VM")
	f.StringVar(&flags.user, "user", "", "login user (default: the VM's admin user)")
	f.StringVar(&flags.key, "key", "", "private key (default: ~/.ssh/azlin_key)")
	flags.which.Add(cmd, "")
	app.AddYes(cmd, &flags.yes)
	app.Listing[restoreRow](a.App, cmd)
	return cmd
}

// What becomes of a session.
const (
	restoreOpened  = "opened"
	restoreWould   = "would-open"
	restoreSkipped = "skipped"
	restoreFailed  = "failed"
)

// restoreRow is one session, or a VM without any, in JSON.
type restoreRow struct {
	VM            string  `json:"vm"`
	ResourceGroup string  `json:"resource_group"`
	Session       *string `json:"session"`
	Attached      *bool   `json:"attached"`
	Status        string  `json:"status"` // opened, would-open, skipped, failed
	Reason        *string `json:"reason"`
	Terminal      *string `json:"terminal"`
	PID           *int    `json:"pid"`

	match vm.Match
}

func (a Commands) restore(ctx context.Context, s *app.Session, selectors []string, flags restoreFlags) error {
	if !flags.dryRun { // before anybody is asked anything
		if err := a.launcher(s).Check(terminal.Config{}); err != nil {
			return err
		}
	}
	which := flags.which
	which.All = len(selectors) == 0 && which.Empty()
	sel, err := s.Choose(ctx, selectors, which)
	if err != nil {
		return err
	}
	matches, infos := sel.Matches, sel.VMs()
	board := s.Statuses
	board.Prices = nil // nobody asked for them
	how := status.Options{Timeout: flags.timeout, SSH: reach.Options{User: flags.user, KeyPath: a.KeyPath(flags.key)}}
	var rows []restoreRow
	states := board.Of(ctx, infos, how)
	s.KeepSessions(states)
	for n, v := range states {
		rows = append(rows, restoreRows(matches[n], v, flags)...)
	}
	if err := context.Cause(ctx); err != nil { // what was not asked any more is not shown as if it could not be
		return err
	}
	if !flags.dryRun {
		if err := a.openSessions(ctx, s, rows, flags); err != nil {
			return err
		}
	}
	hidden := 0
	if which.All {
		hidden = sel.Hidden
	}
	view := restoreView(rows, hidden)
	if err := a.Output.Print(view); err != nil {
		return err
	}
	return restoreFailure(rows)
}

// restoreRows says what is to become of the sessions of one VM.
func restoreRows(m vm.Match, v status.VM, flags restoreFlags) []restoreRow {
	row := restoreRow{VM: m.VM.Name, ResourceGroup: m.VM.ResourceGroup, Session: app.Known(m.TmuxSession), match: m}
	as := func(row restoreRow, status, reason string) []restoreRow {
		row.Status, row.Reason = status, app.Known(reason)
		return []restoreRow{row}
	}
	switch {
	case v.Err != nil:
		return as(row, restoreFailed, v.Err.Error())
	case v.PowerState != vm.Running:
		return as(row, restoreSkipped, "it is "+string(v.PowerState))
	case v.TmuxSessions == nil:
		return as(row, restoreFailed, "it does not tell its tmux sessions")
	}
	var rows []restoreRow
	for _, t := range v.TmuxSessions {
		if m.TmuxSession != "" && m.TmuxSession != t.Name {
			continue
		}
		row := row
		row.Session, row.Attached, row.match.TmuxSession = &t.Name, &t.IsConnected, t.Name
		if t.IsConnected && !flags.attached {
			rows = append(rows, as(row, restoreSkipped, "somebody is attached to it")...)
			continue
		}
		rows = append(rows, as(row, restoreWould, "")...)
	}
	switch {
	case rows != nil:
		return rows
	case m.TmuxSession != "":
		return as(row, restoreFailed, "it has no tmux session of this name")
	}
	return as(row, restoreSkipped, "it has no tmux sessions")
}

// openSessions opens what is to be opened, one after the other so that they stand in order, and notes in each row what
// became of it.
func (a Commands) openSessions(ctx context.Context, s *app.Session, rows []restoreRow, flags restoreFlags) error {
	count := 0
	for _, r := range rows {
		if r.Status == restoreWould {
			count++
		}
	}
	if count > manyWindows {
		if err := a.ConfirmLocal(ctx, fmt.Sprintf("Open %d windows?", count), flags.yes); err != nil {
			return err
		}
	}
	told := false
	for n := range rows {
		r := &rows[n]
		if r.Status != restoreWould {
			continue
		}
		w, err := a.openWindow(ctx, s, a.sessionArgs(s, r.match, flags), terminal.Config{Title: windowTitle(r.match), NewTab: flags.tabs})
		if err != nil {
			r.Status, r.Reason = restoreFailed, app.Known(err.Error())
			continue
		}
		if !told {
			a.sayTerminal(s, w.App)
			told = true
		}
		r.Status, r.Terminal, r.PID = restoreOpened, app.Known(string(w.App)), knownPID(w.PID)
	}
	return nil
}

// sessionArgs are the arguments of the azlin that connects to a session. One whose name azlin would not give is joined
// all the same.
func (a Commands) sessionArgs(s *app.Session, m vm.Match, flags restoreFlags) []string {
	strange := remote.ValidateSession(m.TmuxSession) != nil
	named := m
	if strange {
		named.TmuxSession = ""
	}
	args := a.connectArgs(s, named)
	if flags.user != "" {
		args = append(args, "--user="+flags.user)
	}
	if flags.key != "" {
		args = append(args, "--key="+flags.key)
	}
	if strange {
		args = append(args, "--", "tmux", "attach-session", "-t", "="+m.TmuxSession)
	}
	return args
}

func restoreView(rows []restoreRow, hidden int) term.View {
	if rows == nil {
		rows = []restoreRow{} // [] in JSON
	}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	view := term.View{
		Data: rows,
		Grid: term.Rows(rows, []term.Column[restoreRow]{
			{Name: "vm", Value: func(r restoreRow) string { return r.VM }},
			{Name: "session", Value: func(r restoreRow) string {
				if r.Attached != nil && *r.Attached {
					return text(r.Session) + "*"
				}
				return text(r.Session)
			}},
			{Name: "status", Value: func(r restoreRow) string { return r.Status }},
			{Name: "reason", Value: func(r restoreRow) string { return text(r.Reason) }},
			{Name: "terminal", Value: func(r restoreRow) string { return text(r.Terminal) }, Wide: true},
			{Name: "resource_group", Title: "group", Value: func(r restoreRow) string { return r.ResourceGroup }, Wide: true},
			{Name: "attached", Value: func(r restoreRow) string {
				if r.Attached == nil {
					return ""
				}
				return strconv.FormatBool(*r.Attached)
			}, Wide: true},
		}),
	}
	var notes []string
	if len(rows) == 0 {
		notes = append(notes, "no VMs; create one with 'azlin new'")
	}
	if hidden > 0 {
		notes = append(notes, fmt.Sprintf("%d more not created by azlin; name those that you mean", hidden))
	}
	view.Note = strings.Join(notes, "\n")
	return view
}

// restoreFailure is the error of those that failed, or nil.
func restoreFailure(rows []restoreRow) error {
	var again []string
	for _, r := range rows {
		if r.Status == restoreFailed {
			again = append(again, windowTitle(vm.Match{VM: vm.Info{Ref: vm.Ref{Name: r.VM}}, TmuxSession: r.match.TmuxSession}))
		}
	}
	if again == nil {
		return nil
	}
	quoted := make([]string, len(again))
	for n, name := range again {
		quoted[n] = remote.Quote(name)
	}
	return &errkind.Error{
		Kind: errkind.Partial, Op: "restore", Err: fmt.Errorf("%d of %d failed: %s", len(again), len(rows), strings.Join(again, ", ")),
		Next: app.Next("azlin restore", strings.Join(quoted, " ")),
	}
}
