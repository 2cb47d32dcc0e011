package manage

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/reach"
	"github.com/azlin-dev/azlin/remote"
	"github.com/azlin-dev/azlin/upkeep/keys"
	"github.com/azlin-dev/azlin/vm"
)

type keysRotateFlags struct {
	which                         app.Selecting
	consent                       app.Consent
	dryRun, noBackup, azure       bool
	newKey, oldKey, user, bastion string
	acceptNew                     bool
	timeout                       time.Duration
}

func newKeysRotateCommand(a Commands) *cobra.Command {
	var flags keysRotateFlags
	cmd := &cobra.Command{
		Use:   "rotate [VM...]",
		Short: "Replace the SSH key of VMs",
		Long: `Adds a new key to each VM, signs in with it, makes it the default key ~/.ssh/azlin_key, and only then removes the old key
from the VMs. A backup of the old key stays on this machine. At every moment, a key that azlin uses opens every VM. Other
authorized keys do not change, and the new key gets the old key's options.

Without --new-key, azlin creates a key. The private half of a given key must be at the path without .pub, or in the
ssh-agent.

VMs that are stopped or unreachable keep the old key and are listed. Run 'azlin keys rotate' without arguments to finish
them, or to resume a rotation that was interrupted.`,
		Example: `  azlin keys rotate --all
  azlin keys rotate dev test --dry-run
  azlin keys rotate dev --new-key ~/.ssh/new_key.pub
  azlin keys rotate`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case flags.timeout <= 0:
				return app.Usage(cmd, "--timeout %s: give a time above zero", flags.timeout)
			case flags.which.All && len(args) > 0:
				return app.Usage(cmd, "--all is all VMs, and one is named")
			}
			return a.rotateKeys(cmd, args, flags)
		},
	}
	flags.consent.Add(cmd)
	flags.which.Add(cmd, "all VMs that 'azlin list' shows")
	f := cmd.Flags()
	f.BoolVar(&flags.dryRun, "dry-run", false, "check the VMs, show what would be done, and stop")
	f.StringVar(&flags.newKey, "new-key", "", "either half of the new key (default: azlin creates one)")
	f.StringVar(&flags.oldKey, "old-key", "", "either half of the key to replace (default: the default key)")
	f.BoolVar(&flags.noBackup, "no-backup", false, "delete the old key's backup once no VM needs it")
	f.BoolVar(&flags.azure, "via-azure", false, "if no known key is accepted, add the new key with Azure's Run Command")
	f.DurationVar(&flags.timeout, "timeout", keys.DefaultTimeout, "timeout for each VM")
	f.StringVar(&flags.user, "user", "", "login user (default: each VM's admin user)")
	app.AddBastion(cmd, &flags.bastion)
	f.BoolVar(&flags.acceptNew, "accept-new-host-key", false, "accept and record the host key if Azure has none to compare")
	return cmd
}

func (f keysRotateFlags) options() keys.Options {
	return keys.Options{
		OldKey: f.oldKey, NoBackup: f.noBackup, ViaAzure: f.azure, Timeout: f.timeout,
		SSH: reach.Options{User: f.user, Bastion: f.bastion, AcceptNewHostKey: f.acceptNew},
	}
}

func (a Commands) rotateKeys(cmd *cobra.Command, names []string, flags keysRotateFlags) error {
	ctx := cmd.Context()
	if flags.which.Empty() && len(names) == 0 {
		begun, err := change.Store{Dir: a.Paths.Operations}.Find(func(o *change.Operation) bool { return o.Kind == change.RotateKeys })
		if err != nil {
			return err
		}
		if begun == nil {
			return app.Usage(cmd, "missing argument: VM, --select or --all; no rotation is unfinished that could be resumed")
		}
	}
	return a.rotation(cmd, names, flags).Do(ctx, a.App)
}

// rotation is the change of keys on the named VMs; without names, of what an unfinished rotation has left.
func (a Commands) rotation(cmd *cobra.Command, names []string, flags keysRotateFlags) app.Change[*keys.Plan] {
	again := strings.TrimSpace("azlin keys rotate " + strings.Join(names, " "))
	if flags.which.All {
		again += " --all"
	}
	for _, text := range flags.which.Selectors {
		again += " --select " + remote.Quote(text)
	}
	return app.Change[*keys.Plan]{
		Consent: flags.consent, DryRun: flags.dryRun,
		Plan: func(ctx context.Context, s *app.Session) (plan *keys.Plan, err error) {
			vms, err := rotated(ctx, cmd, s, names, flags)
			if err != nil {
				return nil, err
			}
			err = a.Showing("look", "looking who is let in", func(func(string)) (err error) {
				plan, err = s.Rotator.Plan(ctx, vms, flags.newKey, flags.options())
				return err
			})
			return plan, err
		},
		View: func(plan *keys.Plan) term.View { return a.rotationPlanView(plan) },
		Question: func(plan *keys.Plan) string {
			if len(plan.VMs) == 0 && !plan.Resumes || nobodyAnswers(plan) {
				return ""
			}
			return fmt.Sprintf("Rotate the key of %s?", app.CountOf(len(plan.VMs), "VM"))
		},
		Show: a.sayRotation,
		Apply: func(ctx context.Context, s *app.Session, plan *keys.Plan) error {
			if plan.Resumes {
				again = "azlin keys rotate"
			}
			return a.carryOutRotation(ctx, s, plan, again)
		},
	}
}

// rotated are the VMs whose key is rotated; none: those of the rotation that is unfinished.
func rotated(ctx context.Context, cmd *cobra.Command, s *app.Session, names []string, flags keysRotateFlags) ([]vm.Info, error) {
	if !flags.which.Empty() || len(names) > 0 {
		sel, err := s.Choose(ctx, names, flags.which)
		return sel.VMs(), err
	}
	begun, err := s.Rotator.Unfinished()
	if err == nil && begun == nil {
		err = app.Usage(cmd, "missing argument: VM, --select or --all; the unfinished rotation is in another subscription")
	}
	return nil, err
}

func nobodyAnswers(plan *keys.Plan) bool {
	unreachable := plan.Unreachable()
	return len(unreachable) > 0 && len(unreachable) == len(plan.VMs)
}

// carryOutRotation runs a rotation and prints what came of it; again is the command that finishes it.
func (a Commands) carryOutRotation(ctx context.Context, s *app.Session, plan *keys.Plan, again string) error {
	if len(plan.VMs) == 0 && !plan.Resumes {
		a.Say("there are no VMs whose key could be rotated")
		return a.Output.Print(rotationView(nil))
	}
	if nobodyAnswers(plan) {
		a.sayRotation(s, plan)
		return unreached(plan, again)
	}
	var results []keys.KeyRotationResult
	var failed []batch.Failure
	var err error
	a.Stage("rotate", "rotating keys", func(report func(string)) string {
		plan.Report(func(step keys.Step) {
			if !step.Done {
				report(strings.TrimPrefix(step.VM.Name+": "+step.Name, ": "))
			}
		})
		results, err = s.Rotator.Run(ctx, plan)
		if failed = failures(results); errors.Is(err, keys.ErrVMs) { // the results say so
			err = nil
		}
		if err != nil {
			return err.Error()
		}
		return app.FailedOf(len(failed), len(results))
	})
	if left, uerr := s.Rotator.Unfinished(); uerr == nil && left != nil {
		again = "azlin keys rotate"
	}
	if err != nil {
		return batch.Err("rotate keys", 1, []batch.Failure{{Err: err}}, app.Next(again))
	}
	if err := a.Output.Print(rotationView(results)); err != nil {
		return err
	}
	return batch.Err("rotate keys", len(results), failed, app.Next(again))
}

// unreached is the error when no VM answers.
func unreached(plan *keys.Plan, again string) error {
	var failed []batch.Failure
	for _, t := range plan.VMs {
		failed = append(failed, batch.Failure{Name: t.VM.Name, Err: t.Err})
	}
	return batch.Err("rotate keys", len(plan.VMs), failed, app.Next(again))
}

func failures(results []keys.KeyRotationResult) []batch.Failure {
	var failed []batch.Failure
	for _, r := range results {
		if r.Err != nil {
			failed = append(failed, batch.Failure{Name: r.Name, Err: r.Err})
		}
	}
	return failed
}

// sayRotation shows a plan to whoever is to agree to it.
func (a Commands) sayRotation(s *app.Session, p *keys.Plan) {
	a.Say("To be rotated:")
	a.SayTarget(s, s.Azure.Target().ResourceGroup)
	for _, line := range a.rotationLines(p) {
		a.Say("  " + line)
	}
}

func (a Commands) rotationLines(p *keys.Plan) []string {
	next := "one that azlin makes"
	if p.New.Fingerprint != "" {
		next = p.New.Fingerprint + " (" + p.New.Path + ")"
	}
	if p.Switches && p.New.Path != p.Default {
		next += ", which becomes the default key " + p.Default
	}
	lines := []string{"old key  " + p.Old.Fingerprint + " (" + p.Old.Path + ")", "new key  " + next}
	if p.Resumes {
		lines = append(lines, "goes on with a rotation that was not finished")
	}
	for _, t := range p.VMs {
		line := fmt.Sprintf("%-12s %s", t.VM.Name, t.Action)
		if t.Err != nil {
			line += ": " + t.Err.Error()
		}
		lines = append(lines, line)
	}
	return lines
}

// keyView is the JSON of a key of this machine.
type keyView struct {
	Path        *string `json:"path"`
	Fingerprint *string `json:"fingerprint"` // null: it is not made yet
	InAgent     bool    `json:"in_agent"`
}

func (a Commands) rotationPlanView(p *keys.Plan) term.View {
	type target struct {
		VM            string      `json:"vm"`
		ResourceGroup string      `json:"resource_group"`
		Action        keys.Action `json:"action"`
		Error         *string     `json:"error"`
	}
	targets := []target{}
	for _, t := range p.VMs {
		v := target{t.VM.Name, t.VM.ResourceGroup, t.Action, nil}
		if t.Err != nil {
			v.Error = app.Known(t.Err.Error())
		}
		targets = append(targets, v)
	}
	view := term.View{
		Data: struct {
			DryRun   bool     `json:"dry_run"`
			Old      keyView  `json:"old_key"`
			New      keyView  `json:"new_key"`
			Switches bool     `json:"switches_default_key"`
			Resumes  bool     `json:"resumes"`
			VMs      []target `json:"vms"`
		}{true, keyView{app.Known(p.Old.Path), app.Known(p.Old.Fingerprint), p.Old.InAgent}, keyView{app.Known(p.New.Path), app.Known(p.New.Fingerprint), p.New.InAgent}, p.Switches, p.Resumes, targets},
		Grid: term.Rows(targets, []term.Column[target]{
			{Name: "vm", Value: func(t target) string { return t.VM }},
			{Name: "group", Value: func(t target) string { return t.ResourceGroup }},
			{Name: "action", Value: func(t target) string { return string(t.Action) }},
			{Name: "error", Value: func(t target) string { return app.Text(t.Error) }},
		}),
	}
	view.Note = strings.Join(a.rotationLines(p)[:2], "\n")
	return view
}

// rotatedView is the JSON of what a rotation made of one VM.
type rotatedView struct {
	VM             string `json:"vm"`
	Success        bool   `json:"success"`
	OldKeyBackedUp bool   `json:"old_key_backed_up"`
	BackupPath     string `json:"backup_path,omitempty"`
	ErrorMessage   string `json:"error_message,omitempty"`
	ResourceGroup  string `json:"resource_group"`
	Added          bool   `json:"new_key_added"`
	Removed        bool   `json:"old_key_removed"`
}

func rotationView(results []keys.KeyRotationResult) term.View {
	views := make([]rotatedView, len(results))
	for n, r := range results {
		views[n] = rotatedView{r.Name, r.Success, r.OldKeyBackedUp, r.BackupPath, r.ErrorMessage, r.ResourceGroup, r.Added, r.Removed}
	}
	ok := len(results) - len(failures(results))
	view := term.View{
		Data: struct {
			Total     int           `json:"total"`
			Succeeded int           `json:"succeeded"`
			Failed    int           `json:"failed"`
			Results   []rotatedView `json:"results"`
		}{len(results), ok, len(results) - ok, views},
		Grid: term.Rows(results, []term.Column[keys.KeyRotationResult]{
			{Name: "vm", Value: func(r keys.KeyRotationResult) string { return r.Name }},
			{Name: "result", Value: func(r keys.KeyRotationResult) string {
				switch {
				case r.Success && r.Removed:
					return "rotated"
				case r.Success:
					return "has the new key only"
				case r.Added:
					return "has both keys"
				}
				return "failed"
			}},
			{Name: "error", Value: func(r keys.KeyRotationResult) string { return r.ErrorMessage }},
		}),
	}
	for _, r := range results {
		if r.BackupPath != "" {
			view.Note = "a copy of the old key is " + filepath.Clean(r.BackupPath)
		}
	}
	return view
}
