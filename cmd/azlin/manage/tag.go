package manage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/azure"
	"github.com/azlin-dev/azlin/batch"
	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/vm"
)

func newTagCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tag",
		Short: "Manage the tags of VMs",
		Long: `Azure allows 50 tags on a resource. Names have up to 512 characters, ignore case and cannot contain <>%&\?/; values have
up to 256 characters. Invalid tags are refused before anything is sent. azlin's own tags (managed-by, azlin-...) are shown
but cannot be changed here.`,
		Example: "  azlin tag list dev",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTagAddCommand(a), newTagRemoveCommand(a), newTagListCommand(a))
	return cmd
}

func newTagAddCommand(a Commands) *cobra.Command {
	var which app.Selecting
	cmd := &cobra.Command{
		Use:     "add VM... NAME=VALUE...",
		Short:   "Set tags of VMs",
		Long:    `Sets tags of VMs. Other tags do not change, even if someone sets them at the same time.`,
		Example: "  azlin tag add dev team=web\n  azlin tag add --select tag:team=web environment=development owner=team-a",
		Args: func(cmd *cobra.Command, args []string) error {
			names, rest := cutTags(args)
			if len(rest) == 0 {
				return app.Usage(cmd, "missing argument: NAME=VALUE")
			}
			if _, err := pairs(cmd, rest); err != nil {
				return err
			}
			return which.Check(cmd, names)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			names, rest := cutTags(args)
			tags, err := pairs(cmd, rest)
			if err != nil {
				return err
			}
			return a.changeTags(cmd.Context(), names, which, "set tags of", func(ctx context.Context, s *app.Session, i vm.Info) (map[string]string, error) {
				return s.VMs.AddTags(ctx, i.ID, tags)
			})
		},
	}
	which.Add(cmd, "")
	return cmd
}

// cutTags parts the VMs from the tags: the first argument with an equals sign is a tag, and so is what follows.
func cutTags(args []string) (names, tags []string) {
	for n, arg := range args {
		if strings.Contains(arg, "=") {
			return args[:n], args[n:]
		}
	}
	return args, nil
}

// changeTags changes the tags of VMs, several at once, and shows what they have then.
func (a Commands) changeTags(ctx context.Context, names []string, which app.Selecting, op string, change func(context.Context, *app.Session, vm.Info) (map[string]string, error)) error {
	s, err := a.OpenToChange(ctx)
	if err != nil {
		return err
	}
	sel, err := s.Choose(ctx, names, which)
	if err != nil {
		return err
	}
	vms := sel.VMs()
	results := batch.Run(ctx, vms, batch.Options{}, func(ctx context.Context, i vm.Info) (map[string]string, error) { return change(ctx, s, i) })
	if len(vms) == 1 && results[0].Err != nil {
		return results[0].Err
	}
	return errors.Join(a.Output.Print(tagViews(vms, results)), batch.Err(op, len(vms), batch.Failures(results, func(n int) string { return vms[n].Name }), errkind.Step{}))
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
	var which app.Selecting
	cmd := &cobra.Command{
		Use:     "remove VM NAME...",
		Aliases: []string{"rm"},
		Short:   "Remove tags from VMs",
		Long: `Removes tags by name, ignoring case. A tag that does not exist is reported and is not an error. The first argument is a VM
or a pattern; with --select, all arguments are tag names.`,
		Example: "  azlin tag remove dev team\n  azlin tag remove --select tag:environment owner",
		Args: func(cmd *cobra.Command, args []string) error {
			names, tags := app.FirstName(which, args)
			if len(tags) == 0 || slices.Contains(args, "") {
				return app.Usage(cmd, "missing argument: NAME of a tag")
			}
			return which.Check(cmd, names)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			names, tags := app.FirstName(which, args)
			return a.changeTags(cmd.Context(), names, which, "remove tags of", func(ctx context.Context, s *app.Session, i vm.Info) (map[string]string, error) {
				gone, err := s.VMs.RemoveTags(ctx, i.ID, tags...)
				if err != nil {
					return nil, err
				}
				for _, name := range tags {
					if _, was := azure.Tag(gone, name); !was {
						a.Say(fmt.Sprintf("%s has no tag %s", i.Name, name))
					}
				}
				left := maps.Clone(i.Tags)
				maps.DeleteFunc(left, func(name, _ string) bool {
					_, was := azure.Tag(gone, name)
					return was
				})
				return left, nil
			})
		},
	}
	which.Add(cmd, "")
	return cmd
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

// tagViews shows the tags of one VM, or of several with a column for the VM.
func tagViews(vms []vm.Info, results []batch.Result[map[string]string]) term.View {
	if len(vms) == 1 {
		return tagView(vms[0], results[0].Value)
	}
	type row struct{ vm, name, value string }
	type one struct {
		VM            string            `json:"vm"`
		ResourceGroup string            `json:"resource_group"`
		Tags          map[string]string `json:"tags"` // null: not known
		Error         *string           `json:"error"`
	}
	data, rows := []one{}, []row{}
	for n, i := range vms {
		v := one{i.Name, i.ResourceGroup, results[n].Value, nil}
		if err := results[n].Err; err != nil {
			v.Error = app.Known(err.Error())
		}
		data = append(data, v)
		for _, name := range slices.Sorted(maps.Keys(results[n].Value)) {
			rows = append(rows, row{i.Name, name, results[n].Value[name]})
		}
	}
	return term.View{
		Data: data,
		Grid: term.Rows(rows, []term.Column[row]{
			{Name: "vm", Value: func(r row) string { return r.vm }},
			{Name: "name", Value: func(r row) string { return r.name }},
			{Name: "value", Value: func(r row) string { return r.value }, Wide: true},
		}),
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
