package app

import (
	"context"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
)

// Change is a command that changes something after it has shown what: see Do. P is the plan.
type Change[P any] struct {
	Consent Consent
	DryRun  bool

	Plan func(ctx context.Context, s *Session) (P, error) // changes nothing
	View func(plan P) term.View                           // the plan, as --dry-run prints it
	Show func(s *Session, plan P)                         // says what is about to happen, for people
	// Typed is what a person must type instead of y on a terminal, as before a whole group is deleted: "group" and its name.
	// Nil: nothing.
	Typed func(plan P) (kind, name string)
	// Question is what is asked then. Empty: nothing is to be done that needs consent; Apply is called all the same.
	Question func(plan P) string
	Apply    func(ctx context.Context, s *Session, plan P) error // carries it out, prints what came of it
}

// Do is the one way to change things: whether it may be done and agreed to at all, before anything is sent; then plan; show;
// ask; apply. --dry-run stops after the plan.
func (c Change[P]) Do(ctx context.Context, a *App) error {
	if !c.DryRun {
		if err := a.Possible(c.Consent); err != nil {
			return err
		}
	}
	s, err := a.Open(ctx)
	if err != nil {
		return err
	}
	plan, err := c.Plan(ctx, s)
	if err != nil {
		return err
	}
	if c.DryRun {
		return a.Output.Print(c.View(plan))
	}
	if question := c.Question(plan); question != "" {
		c.Show(s, plan)
		agreed := c.Consent
		if c.Typed != nil && a.Streams.InTTY && !agreed.Yes {
			kind, name := c.Typed(plan)
			if err := a.TypeName(ctx, question, kind, name); err != nil {
				return err
			}
			agreed.Yes = true // by typing; a protected context requires its own name, too
		}
		if err := a.Confirm(ctx, question, agreed); err != nil {
			return err
		}
	}
	return c.Apply(ctx, s, plan)
}
