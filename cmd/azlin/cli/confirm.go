package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/local/config"
)

// consent is what the command line says about going on with something destructive.
type consent struct {
	yes     bool
	context string // --confirm-context
}

func (c *consent) add(cmd *cobra.Command) {
	addYes(cmd, &c.yes)
	cmd.Flags().StringVar(&c.context, "confirm-context", "", "name of the context that is meant; a protected one wants it besides --yes")
}

// possibleHere is possible in the context that the command works in.
func (a *app) possibleHere(what string, c consent) error {
	settings, err := a.resolution()
	if err != nil {
		return err
	}
	return a.possible(what, settings.Context, c)
}

// possible says, before anything is sent, whether consent can be given at all.
func (a *app) possible(what string, where config.Context, c consent) error {
	switch {
	case c.context != "" && c.context != where.Name:
		return errkind.New(errkind.Invalid, "--confirm-context %s: the context is %q", c.context, where.Name)
	case a.streams.InTTY:
		return nil
	case !c.yes:
		return errkind.New(errkind.Invalid, "%s needs a confirmation, but there is no terminal to ask on: give --yes", what)
	case where.Protected && c.context == "":
		return errkind.New(errkind.Invalid, "the context %s is protected, and there is no terminal to type its name on: give --confirm-context %s", where.Name, where.Name)
	}
	return nil
}

// confirm asks question, unless --yes was given. In a protected context its name has to be typed, --yes or
// not, unless --confirm-context gave it.
func (a *app) confirm(ctx context.Context, question string, where config.Context, c consent) error {
	if err := a.possible(question, where, c); err != nil {
		return err
	}
	if where.Protected && c.context == "" {
		return a.typeName(ctx, fmt.Sprintf("%s The context %s is protected.", question, where.Name), "context", where.Name)
	}
	if c.yes {
		return nil
	}
	return a.streams.Confirm(ctx, question, "--yes")
}

// sayTarget says where something destructive is about to happen.
func (a *app) sayTarget(s *session, group string) {
	where := s.context.Name
	if where == "" {
		where = "none, the current subscription of the " + s.method
	}
	if group == "" {
		group = "all"
	}
	a.say(fmt.Sprintf("context %s, subscription %s, resource group %s", where, s.Azure.SubscriptionID(), group))
}

// typeName asks for the name of something to be typed, so that nobody confirms the wrong one out of habit.
func (a *app) typeName(ctx context.Context, question, kind, name string) error {
	typed, err := a.streams.Ask(ctx, fmt.Sprintf("%s Type the %s's name to go on", question, kind), "", "--confirm-context "+name)
	if err != nil {
		return err
	}
	if typed != name {
		return term.ErrDeclined
	}
	return nil
}
