package app

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
)

// Consent is what the command line says about going on with something destructive.
type Consent struct {
	Yes     bool
	context string // --confirm-context
}

// Add adds --yes and --confirm-context to a command.
func (c *Consent) Add(cmd *cobra.Command) {
	AddYes(cmd, &c.Yes)
	cmd.Flags().StringVar(&c.context, "confirm-context", "", "name of the protected context; required together with --yes")
}

// MayChange refuses, before anything is sent, what a read-only context does not allow.
func (a *App) MayChange() error {
	settings, err := a.Resolution()
	if err != nil {
		return err
	}
	return a.mayChangeIn(settings)
}

func (a *App) mayChangeIn(r config.Resolution) error {
	where := r.Context
	if !where.ReadOnly {
		a.changes = true
		a.Names(r).Doubt()
		return nil
	}
	e := &errkind.Error{Kind: errkind.Permission, Err: fmt.Errorf("%s: the context %s is read-only, nothing was sent", a.command, where.Name)}
	if other := r.Writable; len(other) > 0 {
		e.Next = Next(a.command, "--context", other[0])
	}
	return e
}

// Possible says, before anything is sent, whether the command may change something in its context, and whether consent can
// be given at all.
func (a *App) Possible(c Consent) error {
	settings, err := a.Resolution()
	if err != nil {
		return err
	}
	if err := a.mayChangeIn(settings); err != nil {
		return err
	}
	return a.canAgree(settings.Context, c)
}

func (a *App) canAgree(where config.Context, c Consent) error {
	switch {
	case c.context != "" && c.context != where.Name:
		return errkind.New(errkind.Invalid, "--confirm-context %s: the context is %q", c.context, where.Name)
	case a.Streams.InTTY:
		return nil
	case !c.Yes:
		return a.MayAsk(false)
	case where.Protected && c.context == "":
		return errkind.New(errkind.Invalid, "%s: the context %s is protected: use --yes --confirm-context %s to confirm without a terminal", a.command, where.Name, where.Name)
	}
	return nil
}

// MayAsk is an error when a question would be asked and there is no terminal to ask on.
func (a *App) MayAsk(yes bool) error {
	if yes || a.Streams.InTTY {
		return nil
	}
	return errkind.New(errkind.Invalid, "%s: use --yes to confirm without a terminal", a.command)
}

// Confirm asks question, unless --yes was given. In a protected context you must type its name, --yes or not, unless
// --confirm-context gave it.
func (a *App) Confirm(ctx context.Context, question string, c Consent) error {
	settings, err := a.Resolution()
	if err != nil {
		return err
	}
	return a.ConfirmIn(ctx, question, settings.Context, c)
}

// ConfirmIn is Confirm for something that belongs to a context other than the command's own.
func (a *App) ConfirmIn(ctx context.Context, question string, where config.Context, c Consent) error {
	if err := a.canAgree(where, c); err != nil {
		return err
	}
	if where.Protected && c.context == "" {
		return a.TypeName(ctx, fmt.Sprintf("%s The context %s is protected.", question, where.Name), "context", where.Name)
	}
	return a.ConfirmLocal(ctx, question, c.Yes)
}

// ConfirmLocal asks question, unless yes, about something of this machine that belongs to no context.
func (a *App) ConfirmLocal(ctx context.Context, question string, yes bool) error {
	if err := a.MayAsk(yes); err != nil || yes {
		return err
	}
	return a.Streams.Confirm(ctx, question)
}

// SayNotes says what a plan could not find out.
func (a *App) SayNotes(notes []string) {
	for _, note := range notes {
		a.Say("note: " + note)
	}
}

// SayTarget says where something destructive is about to happen.
func (a *App) SayTarget(s *Session, group string) {
	where := s.Context.Name
	if where == "" {
		where = "none, the current subscription of the " + s.Method
	}
	if group == "" {
		group = "all"
	}
	a.Say(fmt.Sprintf("context %s, subscription %s, resource group %s", where, s.Azure.SubscriptionID(), group))
}

// TypeName asks for the name of something to be typed, so that nobody confirms the wrong one out of habit.
func (a *App) TypeName(ctx context.Context, question, kind, name string) error {
	typed, err := a.Streams.Ask(ctx, fmt.Sprintf("%s Type the %s's name to confirm", question, kind), "", "--confirm-context "+name)
	if err != nil {
		return err
	}
	if typed != name {
		return term.ErrDeclined
	}
	return nil
}
