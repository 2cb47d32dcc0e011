package setup

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin"
	"github.com/azlin-dev/azlin/azure/signin"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/health/doctor"
	"github.com/azlin-dev/azlin/local/config"
)

func newDoctorCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check the requirements of azlin",
		Long: `Checks the programs and files on this machine, the network, the clock, the sign-in, your permissions and the quota of your
region, and shows how to fix each problem. It changes nothing. The exit code is 2 if a check failed.`,
		Example: "  azlin doctor\n  azlin doctor -o json --jq '.findings[] | select(.status != \"ok\")'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			findings := doctor.Examine(cmd.Context(), a.subject(cmd.Context()))
			if err := a.Output.Print(doctorView(findings)); err != nil {
				return err
			}
			if !doctor.Healthy(findings) {
				return errkind.New(errkind.Prerequisite, "checks failed; see FIX")
			}
			return nil
		},
	}
}

// subject gathers what is to be examined. What fails on the way is itself a finding.
func (a Commands) subject(ctx context.Context) doctor.Subject {
	s := doctor.Subject{Paths: a.Paths}
	d, err := a.Resolve(ctx)
	if err != nil {
		s.SignInErr = err
		return s
	}
	s.Cloud, s.Region = d.Options.Target.Cloud, d.Options.Target.Region
	if s.Auth, s.SignInErr = signin.NewAuthenticator(d.Auth); s.SignInErr != nil {
		return s
	}
	if d.Options.Credential, s.SignInErr = s.Auth.Credential(); s.SignInErr != nil {
		s.Auth = nil
		return s
	}
	if d.Options.Target.SubscriptionID, s.SignInErr = s.Auth.SubscriptionID(); s.SignInErr != nil {
		return s
	}
	client, err := azlin.Open(d.Options) //nolint:contextcheck // the audit log is written even when the caller has given up
	if err != nil {
		s.SignInErr = err
		return s
	}
	s.Catalog, s.Azure = client.Catalog, client.Azure
	s.Group = cmp.Or(d.Options.Target.ResourceGroup, config.DefaultResourceGroup)
	return s
}

// finding is a finding with its fix in words.
type finding struct {
	doctor.Finding
	Fix string `json:"fix,omitempty"` // the command that mends it, or what to do
}

func fix(f doctor.Finding) string { return cmp.Or(app.WordStep(f.Next), f.Advice) }

func doctorView(findings []doctor.Finding) term.View {
	worded := make([]finding, len(findings))
	for n, f := range findings {
		worded[n] = finding{f, fix(f)}
	}
	return term.View{
		Data: struct {
			Healthy  bool      `json:"healthy"`
			Findings []finding `json:"findings"`
		}{doctor.Healthy(findings), worded},
		Grid: term.Rows(findings, []term.Column[doctor.Finding]{
			{Name: "status", Value: func(f doctor.Finding) string { return string(f.Status) }, Color: findingColor},
			{Name: "check", Value: func(f doctor.Finding) string { return f.Check }},
			{Name: "detail", Value: func(f doctor.Finding) string { return f.Detail }},
			{Name: "fix", Value: fix},
		}),
	}
}

func findingColor(f doctor.Finding) term.Color {
	switch f.Status {
	case doctor.OK:
		return term.Green
	case doctor.Warning:
		return term.Yellow
	case doctor.Failed:
		return term.Red
	}
	return term.Dim
}
