package app

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// SetFlags are the flags of a command that say how to connect, as they were given, without others.
func SetFlags(cmd *cobra.Command, others ...string) []string {
	others = append(others, "new-window", "new-tab", "context", "resource-group", "output", "query", "jq", "progress")
	var args []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			if !slices.Contains(others, f.Name) {
				args = append(args, "--"+f.Name+"="+v)
			}
		}
	})
	return args
}
