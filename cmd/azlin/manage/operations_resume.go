package manage

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/create"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

func newOperationsResumeCommand(a Commands) *cobra.Command {
	var way create.Launching
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "resume OPERATION",
		Short: "Go on with one that has not ended",
		Long: `Goes on with an operation, found by its id, the beginning of that, or the name of its VM. A launch goes on as it
was asked for; a power operation is waited for.

What was begun on another machine goes on with 'azlin new --name VM' by the same owner: only that machine
knows what else was asked for. Clones and images go on with the command that began them.`,
		Example: "  azlin operations resume dev\n  azlin operations resume dev --yes --no-auto-connect",
		Args:    app.Exactly(1, "an operation"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if wait <= 0 {
				return app.Usage(cmd, "--ssh-timeout %s: give a time above zero", wait)
			}
			op, missing := change.Store{Dir: a.Paths.Operations}.Get(args[0])
			if missing != nil && errkind.Of(missing) != errkind.NotFound {
				return missing
			}
			if op != nil && op.Kind == change.RotateKeys {
				if err := a.Possible(app.Consent{Yes: way.Yes}); err != nil {
					return err
				}
			}
			if op != nil && op.Kind == change.New {
				if err := (create.Commands{App: a.App}).CanLaunch(way); err != nil {
					return err
				}
			}
			s, err := a.OpenToChange(cmd.Context())
			if err != nil {
				return err
			}
			if op == nil {
				return begunElsewhere(cmd.Context(), s, args[0], missing)
			}
			if !strings.EqualFold(op.Subscription, s.Azure.SubscriptionID()) {
				return errkind.New(errkind.Conflict, "operation %s is in subscription %s, this is %s: use the context it was begun in", op.ID, op.Subscription, s.Azure.SubscriptionID())
			}
			if op.Kind == change.RotateKeys {
				return a.rotation(cmd, nil, keysRotateFlags{consent: app.Consent{Yes: way.Yes}}).Do(cmd.Context(), a.App)
			}
			if op.Kind != change.New {
				return a.awaitPower(cmd.Context(), s, op)
			}
			return create.Commands{App: a.App}.CarryOut(cmd.Context(), s, launch.Request{
				Config: provision.Config{Name: op.Name, ResourceGroup: op.Group}, SSHTimeout: wait,
			}, way)
		},
	}
	app.AddYes(cmd, &way.Yes)
	cmd.Flags().BoolVar(&way.NoConnect, "no-auto-connect", false, "do not connect when the VM is ready")
	cmd.Flags().DurationVar(&wait, "ssh-timeout", 5*time.Minute, "how long to wait for SSH")
	return cmd
}

// begunElsewhere says how to go on with a launch of which only the tags tell; else it returns the error.
func begunElsewhere(ctx context.Context, s *app.Session, name string, err error) error {
	v, ferr := findOperation(ctx, s, name)
	if ferr != nil || v.VM == nil && !v.copies() {
		return err
	}
	if v.copies() {
		return &errkind.Error{
			Kind: errkind.Conflict, Op: "resume operation", Resource: v.ID,
			Err: fmt.Errorf("it goes on with the command that began it, here or elsewhere"), Next: v.again(),
		}
	}
	return &errkind.Error{
		Kind: errkind.NotFound, Op: "resume operation", Resource: v.ID,
		Err:  fmt.Errorf("%s began it, and what else was asked for is known on their machine only", cmp.Or(app.Text(v.Owner), "somebody")),
		Next: v.again(),
	}
}

// awaitPower waits for a power operation that another azlin began.
func (a Commands) awaitPower(ctx context.Context, s *app.Session, op *change.Operation) error {
	var result vm.LifecycleResult
	err := a.Showing(string(op.Kind), string(op.Kind)+" "+op.Name, func(report func(string)) (err error) {
		result, err = s.VMs.Await(ctx, vm.LifecycleResult{
			Ref: vm.Ref{Name: op.Name, ResourceGroup: op.Group}, Operation: string(op.Kind), OperationID: op.AzureID, ResumeToken: op.ResumeToken,
		}, func(o azure.OperationState) { report(o.Status) })
		return err
	})
	if err != nil {
		return err
	}
	if err := s.Launcher.Operations.Remove(op); err != nil {
		return err
	}
	return a.Output.Print(powerView(vm.Summarize([]vm.LifecycleResult{result})))
}

// rememberPower keeps power operations that go on by themselves, each in place of an earlier one on the same VM.
func rememberPower(s *app.Session, results []vm.LifecycleResult) error {
	store := s.Launcher.Operations
	for _, r := range results {
		if r.Err != nil {
			continue
		}
		old, err := store.Find(func(o *change.Operation) bool {
			return o.Kind != change.New && o.On(s.Azure.SubscriptionID(), r.ResourceGroup, r.Name)
		})
		if err != nil {
			return err
		}
		if old != nil {
			if err := store.Remove(old); err != nil {
				return err
			}
		}
		if r.ResumeToken == "" {
			continue
		}
		op := change.Make(change.Kind(r.Operation), s.Azure.SubscriptionID(), r.ResourceGroup, r.Name, time.Now())
		op.AzureID, op.ResumeToken = r.OperationID, r.ResumeToken
		if err := store.Save(op, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

// whatOf names an operation for people.
func whatOf(op *change.Operation) string {
	if op.Name == "" {
		return fmt.Sprintf("%s of %s", op.Kind, op.Created.Format("2006-01-02 15:04Z"))
	}
	return fmt.Sprintf("%s of %s in %s", op.Kind, op.Name, op.Group)
}

func newOperationsForgetCommand(a Commands) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "forget OPERATION",
		Short: "Forget an unfinished operation",
		Long: `Removes an operation from this machine. Nothing changes in Azure: what a launch created stays, and 'azlin kill' deletes it; a
power operation continues. If a launch has not reached its VM yet, the VM's host key is forgotten too; after that, azlin must
ask Azure for the host key again.`,
		Example: "  azlin operations forget dev\n  azlin operations forget dev --yes",
		Args:    app.Exactly(1, "an operation"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.MayAsk(yes); err != nil {
				return err
			}
			store := change.Store{Dir: a.Paths.Operations}
			op, err := store.Get(args[0])
			if err != nil {
				return err
			}
			if err := a.ConfirmLocal(cmd.Context(), "Forget "+whatOf(op)+"?", yes); err != nil {
				return err
			}
			if err := store.Remove(op); err != nil {
				return err
			}
			if op.Kind == change.New {
				a.Say(fmt.Sprintf("forgotten; what exists of it in Azure is removed with 'azlin kill %s -g %s'", op.Name, op.Group))
			}
			return nil
		},
	}
	app.AddYes(cmd, &yes)
	return cmd
}
