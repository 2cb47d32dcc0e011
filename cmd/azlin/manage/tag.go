package manage

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/vm"
)

func newTagCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tag",
		Short: "Show and change the tags of a VM",
		Long: `Azure keeps up to 50 tags of a resource: names of up to 512 characters, in any letter case and without
<>%&\?/, with values of up to 256. What does not fit is refused before anything is sent. Tags that azlin keeps its
own records in (managed-by, azlin-...) are shown, but not changed here.`,
		Example: "  azlin tag list dev",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTagAddCommand(a), newTagRemoveCommand(a), newTagListCommand(a))
	return cmd
}

func newTagAddCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "add VM NAME=VALUE...",
		Short:   "Set tags of a VM",
		Long:    "Sets tags of a VM and leaves its others alone, also those that somebody else sets at the same time.",
		Example: "  azlin tag add dev team=web\n  azlin tag add dev environment=development owner=team-a",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return app.Usage(cmd, "want a VM and one or more NAME=VALUE")
			}
			_, err := pairs(cmd, args[1:])
			return err
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			tags, err := pairs(cmd, args[1:])
			if err != nil {
				return err
			}
			s, i, err := a.OpenVM(cmd, args[0])
			if err != nil {
				return err
			}
			all, err := s.VMs.AddTags(cmd.Context(), i.ID, tags)
			if err != nil {
				return err
			}
			return a.Output.Print(tagView(i, all))
		},
	}
}

// pairs reads NAME=VALUE. The last one of a name does not win: who says two things means one of them wrongly.
func pairs(cmd *cobra.Command, args []string) (map[string]string, error) {
	tags := map[string]string{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return nil, app.Usage(cmd, "%q: give NAME=VALUE", arg)
		}
		if other, twice := azure.Tag(tags, name); twice && other != value {
			return nil, app.Usage(cmd, "tag %q is given twice", name)
		}
		tags = azure.WithTags(tags, map[string]string{name: value})
	}
	return tags, nil
}

func newTagRemoveCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "remove VM NAME...",
		Aliases: []string{"rm"},
		Short:   "Take tags from a VM",
		Long:    "Takes tags of these names, in any letter case, from a VM. One that is not there is told and no failure.",
		Example: "  azlin tag remove dev team",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 || slices.Contains(args, "") {
				return app.Usage(cmd, "want a VM and one or more names of tags")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s, i, err := a.OpenVM(cmd, args[0])
			if err != nil {
				return err
			}
			gone, err := s.VMs.RemoveTags(cmd.Context(), i.ID, args[1:]...)
			if err != nil {
				return err
			}
			for _, name := range args[1:] {
				if _, was := azure.Tag(gone, name); !was {
					a.Say(fmt.Sprintf("%s has no tag %s", i.Name, name))
				}
			}
			left := maps.Clone(i.Tags)
			maps.DeleteFunc(left, func(name, _ string) bool {
				_, was := azure.Tag(gone, name)
				return was
			})
			return a.Output.Print(tagView(i, left))
		},
	}
}

func newTagListCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "list VM",
		Aliases: []string{"ls"},
		Short:   "Show the tags of a VM",
		Example: "  azlin tag list dev\n  azlin tag list dev -o json --jq .tags.team",
		Args:    app.Exactly(1, "one VM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, i, err := a.OpenVM(cmd, args[0])
			if err != nil {
				return err
			}
			return a.Output.Print(tagView(i, i.Tags))
		},
	}
}

func tagView(i vm.Info, tags map[string]string) term.View {
	if tags == nil {
		tags = map[string]string{} // {} in JSON
	}
	names := slices.SortedFunc(maps.Keys(tags), func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	view := term.View{
		Data: struct {
			VM            string            `json:"vm"`
			ResourceGroup string            `json:"resource_group"`
			Tags          map[string]string `json:"tags"`
		}{i.Name, i.ResourceGroup, tags},
		Grid: term.Rows(names, []term.Column[string]{
			{Name: "name", Value: func(name string) string { return name }},
			{Name: "value", Value: func(name string) string { return tags[name] }},
		}),
	}
	if len(names) == 0 {
		view.Note = i.Name + " has no tags"
	}
	return view
}
