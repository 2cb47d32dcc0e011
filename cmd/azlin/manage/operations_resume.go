package manage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/change"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/create"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch"
	"github.com/azlin-dev/azlin/upkeep/keys"
	"github.com/azlin-dev/azlin/upkeep/resize"
	"github.com/azlin-dev/azlin/upkeep/update"
	"github.com/azlin-dev/azlin/vm"
	"github.com/azlin-dev/azlin/vm/provision"
)

// resuming is how an operation is to be gone on with.
type resuming struct {
	consent   app.Consent
	noConnect bool
	wait      time.Duration
}

func newOperationsResumeCommand(a Commands) *cobra.Command {
	var way resuming
	cmd := &cobra.Command{
		Use:   "resume OPERATION",
		Short: "Go on with one that has not ended",
		Long: `Goes on with an operation, found by its id, the beginning of that, or the name of its VM, and shows first what is left
to be done. Updates and power operations are only waited for.

Clones, images, resizes and Bastions go on from any machine. A launch that was begun on another machine goes on with
'azlin new --name VM' by the same owner: only that machine knows what else was asked for.`,
		Example: "  azlin operations resume dev\n  azlin operations resume dev --yes --no-auto-connect",
		Args:    app.Exactly(1, "an operation"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if way.wait <= 0 {
				return app.Usage(cmd, "--ssh-timeout %s: give a time above zero", way.wait)
			}
			op, err := change.Store{Dir: a.Paths.Operations}.Get(args[0])
			if err != nil && errkind.Of(err) != errkind.NotFound {
				return err
			}
			if op == nil {
				return a.planned(args[0], way.consent, false, (*change.Service).Resume, "Go on with").Do(cmd.Context(), a.App)
			}
			if flow := a.ownFlows()[op.Kind]; flow != nil {
				return flow(cmd, op, way)
			}
			if op.Kind.Waits() {
				return a.await(cmd.Context(), op.ID)
			}
			return a.planned(op.ID, way.consent, false, (*change.Service).Resume, "Go on with").Do(cmd.Context(), a.App)
		},
	}
	way.consent.Add(cmd)
	cmd.Flags().BoolVar(&way.noConnect, "no-auto-connect", false, "do not connect when the VM is ready")
	cmd.Flags().DurationVar(&way.wait, "ssh-timeout", 5*time.Minute, "how long to wait for SSH")
	return cmd
}

// ownFlows are the kinds whose own command does more than carry a plan out: a launch connects in the end, and a rotation shows
// who is let in where.
func (a Commands) ownFlows() map[change.Kind]func(*cobra.Command, *change.Operation, resuming) error {
	return map[change.Kind]func(*cobra.Command, *change.Operation, resuming) error{
		change.New: func(cmd *cobra.Command, op *change.Operation, way resuming) error {
			creating, how := create.Commands{App: a.App}, create.Launching{Yes: way.consent.Yes, NoConnect: way.noConnect}
			if err := creating.CanLaunch(how); err != nil {
				return err
			}
			s, err := a.openFor(cmd.Context(), op)
			if err != nil {
				return err
			}
			return creating.CarryOut(cmd.Context(), s, launch.Request{
				Config: provision.Config{Name: op.Name, ResourceGroup: op.Group}, SSHTimeout: way.wait,
			}, how)
		},
		change.RotateKeys: func(cmd *cobra.Command, op *change.Operation, way resuming) error {
			if err := a.Possible(way.consent); err != nil {
				return err
			}
			if _, err := a.openFor(cmd.Context(), op); err != nil {
				return err
			}
			return a.rotation(cmd, nil, keysRotateFlags{consent: way.consent}).Do(cmd.Context(), a.App)
		},
	}
}

// openFor opens Azure for an operation of this machine.
func (a Commands) openFor(ctx context.Context, op *change.Operation) (*app.Session, error) {
	s, err := a.OpenToChange(ctx)
	if err == nil && !strings.EqualFold(op.Subscription, s.Azure.SubscriptionID()) {
		err = errkind.New(errkind.Conflict, "operation %s is in subscription %s, this is %s: use the context it was begun in", op.ID, op.Subscription, s.Azure.SubscriptionID())
	}
	return s, err
}

// await waits for what Azure or a VM does by itself.
func (a Commands) await(ctx context.Context, id string) error {
	s, err := a.OpenToChange(ctx)
	if err != nil {
		return err
	}
	u, err := s.Operations.Get(ctx, s.Azure.Target().ResourceGroup, id)
	if err != nil {
		return err
	}
	plan, err := s.Operations.Resume(ctx, u)
	if err != nil {
		return err
	}
	return a.carryOut(ctx, plan, "done")
}

// planned is the change that goes on with an operation, or undoes it: plan is a method of the service, verb begins the question.
func (a Commands) planned(name string, consent app.Consent, dryRun bool, plan func(*change.Service, context.Context, change.Unfinished) (change.Plan, error), verb string) app.Change[change.Plan] {
	outcome := map[string]string{"Abandon": "abandoned"}[verb]
	if outcome == "" {
		outcome = "done"
	}
	return app.Change[change.Plan]{
		Consent: consent, DryRun: dryRun,
		Plan: func(ctx context.Context, s *app.Session) (change.Plan, error) {
			u, err := s.Operations.Get(ctx, s.Azure.Target().ResourceGroup, name)
			if err != nil {
				return change.Plan{}, err
			}
			p, err := plan(s.Operations, ctx, u)
			a.SayNotes(p.Notes)
			return p, err
		},
		View: func(p change.Plan) term.View { return operationPlanView(p) },
		Show: func(s *app.Session, p change.Plan) {
			a.SayTarget(s, p.Operation.ResourceGroup)
			for _, step := range p.Steps {
				a.Say("  " + step)
			}
		},
		Question: func(p change.Plan) string { return verb + " " + whatOf(p.Operation.Kind, p.Operation.ID) + "?" },
		Apply:    func(ctx context.Context, _ *app.Session, p change.Plan) error { return a.carryOut(ctx, p, outcome) },
	}
}

// carryOut runs a plan and prints what came of it, as the command does that began the operation.
func (a Commands) carryOut(ctx context.Context, p change.Plan, outcome string) error {
	var result any
	err := a.Showing("operation", whatOf(p.Operation.Kind, p.Operation.ID), func(report func(string)) (err error) {
		result, err = p.Run(ctx, report)
		return err
	})
	switch result := result.(type) {
	case vm.LifecycleResult:
		if err == nil {
			return a.Output.Print(powerView(vm.Summarize([]vm.LifecycleResult{result})))
		}
	case resize.Result:
		return errors.Join(a.Output.Print(resizeView(result)), err)
	case update.Result:
		return errors.Join(a.Output.Print(updateView(update.Summarize([]update.Result{result}))), err)
	case []keys.KeyRotationResult:
		return errors.Join(a.Output.Print(rotationView(result)), err)
	}
	if err != nil {
		return &errkind.Error{Err: err, Next: errkind.Step{Action: errkind.ResumeOperation, Name: p.Operation.ID}}
	}
	v := viewOfOperation(p.Operation)
	return a.Output.Print(term.View{
		Data: struct {
			Operation operationView `json:"operation"`
			Result    string        `json:"result"`
		}{v, outcome},
		Grid: term.Rows([]operationView{v}, []term.Column[operationView]{
			{Name: "id", Value: func(v operationView) string { return v.ID }},
			{Name: "kind", Value: func(v operationView) string { return string(v.Kind) }},
			{Name: "vm", Value: func(v operationView) string { return app.Text(v.VM) }},
			{Name: "result", Value: func(operationView) string { return outcome }},
		}),
	})
}

// operationPlanView is a plan that is not carried out.
func operationPlanView(p change.Plan) term.View {
	steps := p.Steps
	if steps == nil {
		steps = []string{}
	}
	return term.View{
		Data: struct {
			DryRun    bool          `json:"dry_run"`
			Operation operationView `json:"operation"`
			Steps     []string      `json:"steps"`
		}{true, viewOfOperation(p.Operation), steps},
		Grid: term.Rows(steps, []term.Column[string]{{Name: "step", Value: func(step string) string { return step }}}),
	}
}

// whatOf names an operation for people.
func whatOf(kind change.Kind, id string) string { return fmt.Sprintf("%s %s", kind, id) }

func newOperationsAbandonCommand(a Commands) *cobra.Command {
	var consent app.Consent
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "abandon OPERATION",
		Short: "Undo what an unfinished operation has begun",
		Long: `Undoes what an operation has begun, found by its id, the beginning of that, or the name of its VM: what a launch, a clone,
an image or a Bastion has created is deleted, and a VM that was being resized gets its old size back, and the power state
it was in. VMs that are finished stay.

Power operations, updates and key rotations cannot be undone.`,
		Example: "  azlin operations abandon dev --dry-run\n  azlin operations abandon dev --yes",
		Args:    app.Exactly(1, "an operation"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.planned(args[0], consent, dryRun, (*change.Service).Abandon, "Abandon").Do(cmd.Context(), a.App)
		},
	}
	consent.Add(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be undone and stop")
	return cmd
}

func newOperationsForgetCommand(a Commands) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "forget OPERATION",
		Short: "Forget an unfinished operation",
		Long: `Removes an operation from this machine. Nothing changes in Azure: what a launch created stays, and 'azlin operations abandon'
deletes it; a power operation or an update continues. If a launch has not reached its VM yet, the VM's host key is forgotten
too; after that, azlin must ask Azure for the host key again.`,
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
			what := fmt.Sprintf("%s of %s", op.Kind, op.Created.Format("2006-01-02 15:04Z"))
			if op.Name != "" {
				what = fmt.Sprintf("%s of %s in %s", op.Kind, op.Name, op.Group)
			}
			if err := a.ConfirmLocal(cmd.Context(), "Forget "+what+"?", yes); err != nil {
				return err
			}
			if err := store.Remove(op); err != nil {
				return err
			}
			if op.Kind == change.New {
				a.Say(fmt.Sprintf("forgotten; what exists of it in Azure is removed with 'azlin operations abandon %s -g %s'", op.ID, op.Group))
			}
			return nil
		},
	}
	app.AddYes(cmd, &yes)
	return cmd
}
