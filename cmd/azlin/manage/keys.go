package manage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/upkeep/keys"
	"github.com/azlin-dev/azlin/vm"
)

func newKeysCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "keys",
		Aliases: []string{"key"},
		Short:   "Manage SSH keys of VMs",
		Long: `The default key, ~/.ssh/azlin_key, is added to new VMs, and azlin signs in with it. azlin keeps backups of replaced keys
in its directory, readable by you only. It also offers the two newest backups when it signs in, so VMs that a rotation has
not reached yet stay accessible.`,
		Example: "  azlin keys list\n  azlin keys rotate --all",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeysListCommand(a), newKeysRotateCommand(a), newKeysExportCommand(a), newKeysBackupCommand(a), newKeysRestoreCommand(a))
	return cmd
}

// localKeys is where copies of keys are, and the default key, for commands that do not ask Azure.
func (a Commands) localKeys() (keys.Backups, string) {
	return keys.Backups{Dir: a.Paths.Dir + "/keys"}, a.Paths.SSHDir + "/azlin_key"
}

type keysListFlags struct {
	way          app.HostFlags
	which        app.Selecting
	all, backups bool
	timeout      time.Duration
}

func newKeysListCommand(a Commands) *cobra.Command {
	var flags keysListFlags
	cmd := &cobra.Command{
		Use:     "list [VM...]",
		Aliases: []string{"ls"},
		Short:   "List the authorized keys of VMs",
		Long: `Shows which SSH keys are authorized for the login user, on the given VMs or all that 'azlin list' shows. The role
'default' is the key that azlin uses, 'earlier' a key it has replaced. VMs that are not running are reported.`,
		Example: "  azlin keys list\n  azlin keys list dev -o json --jq '.[].keys[].fingerprint'\n  azlin keys list --backups",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case flags.timeout <= 0:
				return app.Usage(cmd, "--timeout %s: give a time above zero", flags.timeout)
			case flags.backups && (len(args) > 0 || !flags.which.Empty() || flags.all):
				return app.Usage(cmd, "--backups is about this machine: name no VM")
			case (len(args) > 0 || !flags.which.Empty()) && flags.all:
				return app.Usage(cmd, "--all is for all VMs, and some are named or selected")
			case flags.backups:
				return a.listKeyBackups()
			}
			return a.listKeys(cmd.Context(), args, flags)
		},
	}
	flags.way.Add(cmd)
	flags.which.Add(cmd, "")
	f := cmd.Flags()
	f.BoolVar(&flags.all, "all", false, "include VMs that azlin did not create")
	f.BoolVar(&flags.backups, "backups", false, "list the key backups on this machine instead")
	f.DurationVar(&flags.timeout, "timeout", 20*time.Second, "timeout for each VM")
	app.Fields[vmKeys](a.App, cmd)
	return cmd
}

func (a Commands) listKeys(ctx context.Context, names []string, flags keysListFlags) error {
	s, err := a.Open(ctx)
	if err != nil {
		return err
	}
	which := flags.which
	which.All = len(names) == 0 && which.Empty()
	sel, err := s.Choose(ctx, names, which, func(q *vm.Query) { q.Foreign = flags.all })
	if err != nil {
		return err
	}
	vms := sel.VMs()
	infos := s.Rotator.List(ctx, vms, keys.Options{Timeout: flags.timeout, SSH: reach.Options{
		User: flags.way.User, KeyPath: flags.way.Key, Bastion: flags.way.Bastion, AcceptNewHostKey: flags.way.AcceptNew,
	}})
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := a.Output.Print(vmKeysView(infos)); err != nil {
		return err
	}
	var failed []batch.Failure
	running := 0
	for n, info := range infos {
		if vms[n].IsStopped() {
			continue // that is no failure
		}
		running++
		if info.Err != nil {
			failed = append(failed, batch.Failure{Name: info.Name, Err: info.Err})
		}
	}
	return batch.Err("list keys", running, failed, errkind.Step{})
}

// vmKeys is the JSON of who is let into a VM.
type vmKeys struct {
	VM            string               `json:"vm"`
	ResourceGroup string               `json:"resource_group"`
	User          *string              `json:"user"`
	Fingerprints  []string             `json:"fingerprints"`
	Keys          []keys.AuthorizedKey `json:"keys"` // null: not known
	Error         *string              `json:"error"`
}

func vmKeysView(infos []keys.VMKeyInfo) term.View {
	type row struct {
		vmKeys

		key keys.AuthorizedKey
	}
	data, rows := []vmKeys{}, []row{}
	for _, info := range infos {
		v := vmKeys{info.Name, info.ResourceGroup, app.Known(info.User), info.Fingerprints, info.Keys, nil}
		if info.Err != nil {
			v.Error = app.Known(info.Err.Error())
		}
		data = append(data, v)
		for _, k := range info.Keys {
			rows = append(rows, row{v, k})
		}
		if len(info.Keys) == 0 {
			rows = append(rows, row{vmKeys: v})
		}
	}
	view := term.View{
		Data: data,
		Grid: term.Rows(rows, []term.Column[row]{
			{Name: "vm", Value: func(r row) string { return r.VM }},
			{Name: "user", Value: func(r row) string { return app.Text(r.User) }},
			{Name: "fingerprint", Value: func(r row) string { return r.key.Fingerprint }},
			{Name: "type", Value: func(r row) string { return r.key.Type }},
			{Name: "comment", Value: func(r row) string { return r.key.Comment }},
			{Name: "role", Value: func(r row) string { return string(r.key.Role) }},
			{Name: "error", Value: func(r row) string { return app.Text(r.Error) }},
		}),
	}
	if len(data) == 0 {
		view.Note = "there are no VMs"
	}
	return view
}

func (a Commands) listKeyBackups() error {
	backups, defaultKey := a.localKeys()
	all, damaged := backups.List()
	if all == nil {
		all = []keys.KeyBackup{}
	}
	v := term.View{
		Data: all,
		Grid: term.Rows(all, []term.Column[keys.KeyBackup]{
			{Name: "name", Value: keys.KeyBackup.Name},
			{Name: "fingerprint", Value: func(b keys.KeyBackup) string { return b.Fingerprint }},
			{Name: "made", Value: func(b keys.KeyBackup) string { return app.Moment(&b.Time) }},
			{Name: "path", Value: func(b keys.KeyBackup) string { return b.Path }},
		}),
	}
	if len(all) == 0 && damaged == nil {
		v.Note = "there are no copies; 'azlin keys backup' makes one of " + defaultKey
	}
	if err := a.Output.Print(v); err != nil {
		return err
	}
	return damaged
}

func newKeysExportCommand(a Commands) *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use:   "export [FILE]",
		Short: "Export the public half of the default key",
		Long: `Writes the public half of the default key to standard output or to a new file, as one line. The private half is never
written.`,
		Example: "  azlin keys export\n  azlin keys export azlin.pub",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			_, path := a.localKeys()
			if key != "" {
				path = key
			}
			k, err := keys.Public(path)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // a public key is for everybody
				if errors.Is(err, fs.ErrExist) {
					return errkind.New(errkind.Conflict, "export key: %s exists, and is not replaced", args[0])
				}
				if err != nil {
					return errkind.New(errkind.Invalid, "export key: %w", err)
				}
				_, err = fmt.Fprintln(f, k.Line)
				if err := errors.Join(err, f.Close()); err != nil {
					return err
				}
			}
			if a.Output.Structured() {
				v := struct {
					Path        string  `json:"path"`
					Fingerprint string  `json:"fingerprint"`
					PublicKey   string  `json:"public_key"`
					File        *string `json:"file"`
				}{k.Path, k.Fingerprint, k.Line, app.Known(strings.Join(args, ""))}
				return a.Output.Print(term.View{Data: v, Grid: term.Rows([]keys.Key{k}, []term.Column[keys.Key]{
					{Name: "path", Value: func(k keys.Key) string { return k.Path }},
					{Name: "fingerprint", Value: func(k keys.Key) string { return k.Fingerprint }},
					{Name: "public_key", Value: func(k keys.Key) string { return k.Line }},
				})})
			}
			if len(args) == 1 {
				a.Say(fmt.Sprintf("%s is in %s", k.Fingerprint, args[0]))
				return nil
			}
			_, err = fmt.Fprintln(a.Streams.Out, term.Clean(k.Line))
			return err
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "either half of another key (default: the default key)")
	return cmd
}

func newKeysBackupCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:   "backup",
		Short: "Back up the default key",
		Long: `Copies both halves of the default key to azlin's directory, readable by you only. A key that already has a backup is not
copied again. Rotations back up the key themselves.`,
		Example: "  azlin keys backup\n  azlin keys backup -o json --jq .path",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			backups, path := a.localKeys()
			if err := a.Paths.Ensure(); err != nil {
				return err
			}
			made, err := backups.Make(cmd.Context(), path, time.Now())
			if err != nil {
				return err
			}
			return a.Output.Print(backupView(made))
		},
	}
}

func backupView(b keys.KeyBackup) term.View {
	return term.View{Data: b, Grid: term.Rows([]keys.KeyBackup{b}, []term.Column[keys.KeyBackup]{
		{Name: "name", Value: keys.KeyBackup.Name},
		{Name: "fingerprint", Value: func(b keys.KeyBackup) string { return b.Fingerprint }},
		{Name: "path", Value: func(b keys.KeyBackup) string { return b.Path }},
	})}
}

func newKeysRestoreCommand(a Commands) *cobra.Command {
	var yes, dryRun bool
	cmd := &cobra.Command{
		Use:   "restore [BACKUP]",
		Short: "Restore the default key from a backup",
		Long: `Makes a backup the default key again: the given one, or the newest that differs from the current key. The current default
key is backed up first. The keys authorized on VMs do not change: run 'azlin keys rotate --all --new-key ~/.ssh/azlin_key'
to change them too.`,
		Example: "  azlin keys restore\n  azlin keys restore backup-20261123T090000.000Z --yes\n  azlin keys restore --dry-run",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !dryRun {
				if err := a.MayAsk(yes); err != nil {
					return err
				}
			}
			backups, path := a.localKeys()
			present, err := keys.Public(path)
			if err != nil && errkind.Of(err) != errkind.NotFound {
				return err
			}
			from, err := backups.Find(strings.Join(args, ""), present.Fingerprint)
			if err != nil {
				return err
			}
			if from.Fingerprint == present.Fingerprint {
				a.Say("this is the default key already")
				return a.Output.Print(backupView(from))
			}
			a.Say("the default key " + path)
			a.Say("  is       " + orNone(present.Fingerprint))
			a.Say(fmt.Sprintf("  will be  %s (%s)", from.Fingerprint, from.Name()))
			if dryRun {
				return a.Output.Print(backupView(from))
			}
			if err := a.ConfirmLocal(cmd.Context(), "Replace the default key?", yes); err != nil {
				return err
			}
			before, err := backups.Restore(cmd.Context(), from, path, time.Now())
			if err != nil {
				return err
			}
			if before.Path != "" {
				a.Say("a copy of the one before is " + before.Path)
			}
			return a.Output.Print(backupView(from))
		},
	}
	app.AddYes(cmd, &yes)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be done and stop")
	return cmd
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
