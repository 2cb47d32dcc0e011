package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
)

type versionInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Date     string `json:"date,omitempty"` // of the commit, UTC
	Modified bool   `json:"modified"`       // built from a checkout with uncommitted changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func readVersion() versionInfo {
	v := versionInfo{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.time":
			v.Date = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

func newVersionCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show azlin's version",
		Example: "  azlin version\n  azlin version -o json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := readVersion()
			return a.Output.Print(term.View{Data: v, Grid: term.Rows([]versionInfo{v}, []term.Column[versionInfo]{
				{Name: "version", Value: func(v versionInfo) string { return v.Version }},
				{Name: "commit", Value: func(v versionInfo) string { return v.Commit }},
				{Name: "date", Value: func(v versionInfo) string { return v.Date }},
				{Name: "go", Value: func(v versionInfo) string { return v.Go }},
				{Name: "platform", Value: func(v versionInfo) string { return v.Platform }},
			})})
		},
	}
}
