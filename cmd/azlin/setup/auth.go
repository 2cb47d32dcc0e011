package setup

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure/permission"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
)

func newAuthCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "auth",
		Short: "Show sign-in and permissions",
		RunE:  app.ShowGroup,
	}
	cmd.AddCommand(newAuthStatusCommand(a), newAuthTestCommand(a), newAuthPermissionsCommand(a))
	return cmd
}

// authStatus is the JSON of `auth status`. What is not known is null.
type authStatus struct {
	Cloud          string          `json:"cloud"`
	SignedIn       bool            `json:"signed_in"` // there is something to sign in with
	Method         *string         `json:"method"`
	Kind           *string         `json:"kind"`
	UserName       *string         `json:"user_name"`
	TenantID       *string         `json:"tenant_id"`
	SubscriptionID *string         `json:"subscription_id"`
	CachedUntil    *time.Time      `json:"cached_until"` // end of the token in the cache
	Choices        []signin.Choice `json:"choices"`
}

func newAuthStatusCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show how azlin signs in",
		Long: `Lists the sign-in methods in the order in which azlin tries them, with the one it uses and why the others are not used. It
sends no requests; 'azlin auth test' does. The exit code is 3 if no method is available.`,
		Example: "  azlin auth status\n  azlin auth status -o json --jq .kind",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := a.Resolve(cmd.Context())
			if err != nil {
				return err
			}
			auth, err := signin.NewAuthenticator(d.Auth)
			if err != nil {
				return err
			}
			who := auth.Identity()
			s := authStatus{
				Cloud: d.Auth.Cloud.Name, SignedIn: auth.Kind() != "", Method: app.Known(auth.Method()), Kind: app.Known(string(auth.Kind())),
				UserName: app.Known(who.UserName), TenantID: app.Known(who.TenantID), SubscriptionID: app.Known(who.SubscriptionID), Choices: auth.Choices(),
			}
			if until := auth.CachedUntil(); time.Now().Before(until) {
				until = until.UTC()
				s.CachedUntil = &until
			}
			if err := a.Output.Print(statusView(s)); err != nil {
				return err
			}
			_, err = auth.Credential()
			return err
		},
	}
}

func statusView(s authStatus) term.View {
	view := term.View{Data: s, Grid: term.Rows(s.Choices, []term.Column[signin.Choice]{
		{Name: "used", Value: func(c signin.Choice) string {
			if c.Chosen {
				return "yes"
			}
			return "no"
		}, Color: func(c signin.Choice) term.Color {
			if c.Chosen {
				return term.Green
			}
			return term.Dim
		}},
		{Name: "source", Value: func(c signin.Choice) string { return c.Source }},
		{Name: "method", Value: func(c signin.Choice) string { return c.Kind.String() }},
		{Name: "reason", Value: func(c signin.Choice) string { return c.Reason }},
	})}
	if s.SignedIn {
		view.Note = *s.Method + " " + orMissing(s.UserName) + ", tenant " + orMissing(s.TenantID) + ", subscription " + orMissing(s.SubscriptionID)
		if s.CachedUntil != nil {
			view.Note += "; the cached token ends " + s.CachedUntil.Format(time.RFC3339)
		}
	}
	return view
}

func orMissing(s *string) string {
	if s == nil {
		return term.Missing
	}
	return term.Clean(*s)
}

// authTest is the JSON of `auth test`.
type authTest struct {
	Method           string  `json:"method"`
	UserName         string  `json:"user_name"`
	TenantID         string  `json:"tenant_id"`
	SubscriptionID   string  `json:"subscription_id"`
	SubscriptionName string  `json:"subscription_name"`
	State            string  `json:"state"`
	Seconds          float64 `json:"elapsed_seconds"`
}

func newAuthTestCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "test",
		Short:   "Test the sign-in",
		Long:    `Signs in, with a cached token if there is one, and reads the subscription's name to verify that Azure accepts the token.`,
		Example: "  azlin auth test\n  azlin auth test -o json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			began := time.Now()
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			resp, err := s.Azure.Do(cmd.Context(), http.MethodGet, "/subscriptions/"+s.Azure.SubscriptionID(), "2022-12-01", nil)
			if err != nil {
				return err
			}
			var sub signin.Subscription
			if err := json.Unmarshal(resp.Body, &sub); err != nil {
				return err
			}
			v := authTest{
				Method: s.Method, UserName: s.User, TenantID: sub.TenantID, SubscriptionID: sub.ID, SubscriptionName: sub.Name, State: sub.State,
				Seconds: time.Since(began).Seconds(),
			}
			return a.Output.Print(term.View{Data: v, Grid: term.Rows([]authTest{v}, []term.Column[authTest]{
				{Name: "user", Value: func(v authTest) string { return v.UserName }},
				{Name: "method", Value: func(v authTest) string { return v.Method }},
				{Name: "subscription", Value: func(v authTest) string { return v.SubscriptionName }},
				{Name: "state", Value: func(v authTest) string { return v.State }},
				{Name: "tenant", Value: func(v authTest) string { return v.TenantID }, Wide: true},
				{Name: "subscription_id", Value: func(v authTest) string { return v.SubscriptionID }, Wide: true},
			})})
		},
	}
}

func newAuthPermissionsCommand(a Commands) *cobra.Command {
	var role string
	var lacking bool
	cmd := &cobra.Command{
		Use:   "permissions [COMMAND...]",
		Short: "Show the permissions that commands need and have",
		Long: `Asks Azure for the permissions of the signed-in identity, in the resource group (given with -g or set in the context,
otherwise in the whole subscription) and in the subscription, and shows the missing permissions of each command.

--role prints the smallest role for all commands instead, as JSON for az. Someone who may work in one resource group only
needs two roles: 'group' for that group, and 'subscription' for what exists only above it (sizes, quotas, images).
Everyone else needs 'all'.

Azure does not report deny assignments here.`,
		Example: `  azlin auth permissions
  azlin auth permissions new kill -g team
  azlin auth permissions --role all >role.json && az role definition create --role-definition @role.json
  azlin auth permissions --role group -g team -o json --jq .Actions`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.Open(cmd.Context())
			if err != nil {
				return err
			}
			group := s.Azure.Target().ResourceGroup
			if role != "" {
				return a.showRole(cmd, s, role, group, args)
			}
			report, err := permission.Check(cmd.Context(), s.Azure, group, args...)
			if err != nil {
				return err
			}
			if lacking {
				report = report.Lacking()
			}
			return a.Output.Print(permissionsView(report))
		},
	}
	cmd.Flags().StringVar(&role, "role", "", "print the smallest sufficient role instead: "+strings.Join(roleNames(), ", "))
	cmd.Flags().BoolVar(&lacking, "lacking", false, "only commands with missing permissions")
	app.Complete(cmd, "role", roleNames())
	return cmd
}

func roleNames() []string {
	return []string{"all", string(permission.Group), string(permission.Subscription)}
}

// showRole prints a role as az takes it, in JSON whatever the format, and says how to use it.
func (a Commands) showRole(cmd *cobra.Command, s *app.Session, name, group string, commands []string) error {
	scope := "/subscriptions/" + s.Azure.SubscriptionID()
	levels := []permission.Level{permission.Level(name)}
	switch name {
	case "all":
		levels = []permission.Level{permission.Group, permission.Subscription}
	case string(permission.Group):
		if group != "" {
			scope += "/resourceGroups/" + group
		}
	case string(permission.Subscription):
	default:
		return app.Usage(cmd, "--role %s: use %s", name, strings.Join(roleNames(), ", "))
	}
	least, err := permission.LeastRole(scope, commands, levels...)
	if err != nil {
		return err
	}
	if a.Output.Format != term.YAML {
		a.Output.Format = term.JSON
	}
	if err := a.Output.Print(term.View{Data: least}); err != nil {
		return err
	}
	a.Say("create it with: az role definition create --role-definition @FILE")
	a.Say("assign it with: az role assignment create --assignee " + s.User + " --role \"" + least.Name + "\" --scope " + scope)
	return nil
}

func permissionsView(r permission.Report) term.View {
	view := term.View{Data: r, Grid: term.Rows(r.Commands, []term.Column[permission.Finding]{
		{Name: "command", Value: func(f permission.Finding) string { return f.Command }},
		{Name: "allowed", Value: func(f permission.Finding) string {
			if f.Allowed {
				return "yes"
			}
			return "no"
		}, Color: func(f permission.Finding) term.Color {
			if f.Allowed {
				return term.Green
			}
			return term.Red
		}},
		{Name: "lacks", Value: func(f permission.Finding) string {
			words := make([]string, len(f.Lacks))
			for i, l := range f.Lacks {
				words[i] = l.Action
				if l.Level == permission.Subscription {
					words[i] += " (on the subscription)"
				}
			}
			if len(f.Rarely) > 0 {
				words = append(words, strings.Join(f.Rarely, ", ")+" (only when "+f.When+")")
			}
			return strings.Join(words, ", ")
		}},
	})}
	if len(r.Commands) == 0 {
		view.Note = "no command lacks anything"
	} else if len(r.Missing(permission.Group))+len(r.Missing(permission.Subscription)) > 0 {
		view.Note = "the role that would allow them: azlin auth permissions --role all"
	}
	return view
}
