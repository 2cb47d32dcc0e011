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

func (c *Consent) Add(cmd *cobra.Command) {
	AddYes(cmd, &c.Yes)
	cmd.Flags().StringVar(&c.context, "confirm-context", "", "name of the context that is meant; a protected one wants it besides --yes")
}

// PossibleHere is possible in the context that the command works in.
func (a *App) PossibleHere(what string, c Consent) error {
	settings, err := a.Resolution()
	if err != nil {
		return err
	}
	return a.Possible(what, settings.Context, c)
}

// Possible says, before anything is sent, whether consent can be given at all.
func (a *App) Possible(what string, where config.Context, c Consent) error {
	switch {
	case c.context != "" && c.context != where.Name:
		return errkind.New(errkind.Invalid, "--confirm-context %s: the context is %q", c.context, where.Name)
	case a.Streams.InTTY:
		return nil
	case !c.Yes:
		return errkind.New(errkind.Invalid, "%s needs a confirmation, but there is no terminal to ask on: give --yes", what)
	case where.Protected && c.context == "":
		return errkind.New(errkind.Invalid, "the context %s is protected, and there is no terminal to type its name on: give --confirm-context %s", where.Name, where.Name)
	}
	return nil
}

// Confirm asks question, unless --yes was given. In a protected context its name has to be typed, --yes or
// not, unless --confirm-context gave it.
func (a *App) Confirm(ctx context.Context, question string, where config.Context, c Consent) error {
	if err := a.Possible(question, where, c); err != nil {
		return err
	}
	if where.Protected && c.context == "" {
		return a.TypeName(ctx, fmt.Sprintf("%s The context %s is protected.", question, where.Name), "context", where.Name)
	}
	if c.Yes {
		return nil
	}
	return a.Streams.Confirm(ctx, question, "--yes")
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
	typed, err := a.Streams.Ask(ctx, fmt.Sprintf("%s Type the %s's name to go on", question, kind), "", "--confirm-context "+name)
	if err != nil {
		return err
	}
	if typed != name {
		return term.ErrDeclined
	}
	return nil
}
