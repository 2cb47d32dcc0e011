package create

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azlin-dev/azlin/cmd/azlin/app"
	"github.com/azlin-dev/azlin/cmd/azlin/term"
	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/launch/template"
)

func newTemplateCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "template",
		Short: "Manage VM templates",
		Long: `A template stores options of 'azlin new': size, region, image, tools, scripts, tags, disks and repository. 'azlin new
--template NAME' creates a VM from it. Flags override the template; tags are merged.

Templates are YAML files in azlin's directory, templates/NAME.yaml. docs/template.schema.json describes them for editors.
Errors in a file are reported with line and column; azlin never changes a damaged file.`,
		Example: "  azlin template create web --size Standard_D4s_v5 --tools docker,nodejs\n  azlin new --name web1 --template web",
		RunE:    app.ShowGroup,
	}
	cmd.AddCommand(
		newTemplateCreateCommand(a), newTemplateListCommand(a), newTemplateShowCommand(a), newTemplateValidateCommand(a),
		newTemplateDeleteCommand(a), newTemplateExportCommand(a), newTemplateImportCommand(a),
	)
	return cmd
}

// templateRow is a template in a list. One that cannot be read has an error instead of a content.
type templateRow struct {
	Name     string           `json:"name"`
	File     string           `json:"file"`
	Template *template.Config `json:"template"`
	Error    *string          `json:"error"`
}

func newTemplateListCommand(a Commands) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List templates",
		Example: "  azlin template list\n  azlin template list -o json --jq '.[] | select(.error) | .file'",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			names, err := a.templates().List()
			if err != nil {
				return err
			}
			rows := make([]templateRow, len(names))
			for n, name := range names {
				rows[n] = templateRow{Name: name, File: a.templates().Path(name)}
				if c, err := a.templates().Load(name); err != nil {
					rows[n].Error = app.Known(err.Error())
				} else {
					rows[n].Template = &c
				}
			}
			return a.Output.Print(templateListView(rows))
		},
	}
	app.Listing[templateRow](a.App, cmd)
	return cmd
}

func templateListView(rows []templateRow) term.View {
	of := func(get func(template.Config) string) func(templateRow) string {
		return func(r templateRow) string {
			if r.Template == nil {
				return ""
			}
			return get(*r.Template)
		}
	}
	view := term.View{Data: rows, Grid: term.Rows(rows, []term.Column[templateRow]{
		{Name: "name", Value: func(r templateRow) string { return r.Name }},
		{Name: "size", Value: of(func(c template.Config) string { return c.VMSize })},
		{Name: "region", Value: of(func(c template.Config) string { return c.Region })},
		{Name: "tools", Value: of(toolsOf), Wide: true},
		{Name: "description", Value: func(r templateRow) string {
			if r.Error != nil {
				return "damaged: " + *r.Error
			}
			return r.Template.Description
		}},
	})}
	if len(rows) == 0 {
		view.Note = "no templates; make one with 'azlin template create'"
	}
	return view
}

func toolsOf(c template.Config) string {
	switch {
	case c.InstallTools == nil:
		return "all"
	case len(c.InstallTools) == 0:
		return "none"
	}
	return strings.Join(c.InstallTools, ", ")
}

func newTemplateShowCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "show NAME",
		Short:   "Show a template",
		Long:    `Shows a template as azlin reads it. To print its file, use 'azlin template export'.`,
		Example: "  azlin template show web\n  azlin template show web -o json --jq .vm_size",
		Args:    app.Exactly(1, "one template"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := a.templates().Load(args[0])
			if err != nil {
				return err
			}
			return a.printTemplate(c)
		},
	}
}

// printTemplate shows a template, as YAML to people.
func (a Commands) printTemplate(c template.Config) error {
	text, err := template.Format(c)
	if err != nil {
		return err
	}
	lines := slices.Collect(strings.Lines(string(text)))
	return a.Output.Print(term.View{Data: c, Grid: term.Rows(lines, []term.Column[string]{
		{Name: "template", Value: func(line string) string { return strings.TrimRight(line, "\n") }},
	})})
}

func newTemplateValidateCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:   "validate NAME|FILE...",
		Short: "Check templates without asking Azure",
		Long: `Checks templates by name, or files (with a slash or .yaml in their name; - is standard input). Errors are reported with
file, line, and column.`,
		Example: "  azlin template validate web\n  azlin template validate ./web.yaml",
		Args:    app.AtLeastOne("templates or files"),
		RunE: func(_ *cobra.Command, args []string) error {
			var errs []error
			for _, arg := range args {
				var err error
				if isFile(arg) {
					var data []byte
					if data, err = a.readTemplate(arg); err == nil {
						_, err = template.Parse(arg, data)
					}
				} else {
					_, err = a.templates().Load(arg)
				}
				if err == nil {
					a.Say(arg + " is good")
				}
				errs = append(errs, err)
			}
			return errors.Join(errs...)
		},
	}
}

func isFile(arg string) bool {
	return arg == "-" || strings.ContainsAny(arg, `/\`) || slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(arg))
}

// readTemplate reads a file that is to be a template.
func (a Commands) readTemplate(name string) ([]byte, error) {
	in := a.Streams.In
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, errkind.New(errkind.Invalid, "%w", err)
		}
		defer file.Close()
		in = file
	}
	data, err := io.ReadAll(io.LimitReader(in, 1<<20))
	if err != nil {
		return nil, errkind.New(errkind.Invalid, "read %s: %w", name, err)
	}
	return data, nil
}

func newTemplateDeleteCommand(a Commands) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "delete NAME",
		Aliases: []string{"rm"},
		Short:   "Delete a template",
		Long:    `Deletes a template, even a damaged one. VMs created from it are not affected.`,
		Example: "  azlin template delete web --yes",
		Args:    app.Exactly(1, "one template"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := a.templates().Export(args[0]); err != nil {
				return err
			}
			if err := a.ConfirmLocal(cmd.Context(), fmt.Sprintf("Delete the template %s?", args[0]), yes); err != nil {
				return err
			}
			return a.templates().Delete(cmd.Context(), args[0])
		},
	}
	app.AddYes(cmd, &yes)
	return cmd
}

func newTemplateExportCommand(a Commands) *cobra.Command {
	return &cobra.Command{
		Use:     "export NAME [FILE]",
		Short:   "Export a template to standard output or a file",
		Long:    `Writes a template's file unchanged, with its comments. An existing file is not overwritten.`,
		Example: "  azlin template export web\n  azlin template export web ./web.yaml",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 && len(args) != 2 {
				return app.Usage(cmd, "this command takes a template and an optional file, and %d arguments were given", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := a.templates().Export(args[0])
			if err != nil {
				return err
			}
			if len(args) == 1 {
				_, err = a.Streams.Out.Write(data)
				return err
			}
			file, err := os.OpenFile(args[1], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if errors.Is(err, os.ErrExist) {
				return errkind.New(errkind.Conflict, "%s exists", args[1])
			}
			if err != nil {
				return errkind.New(errkind.Invalid, "%w", err)
			}
			_, err = file.Write(data)
			return errors.Join(err, file.Close())
		},
	}
}

func newTemplateImportCommand(a Commands) *cobra.Command {
	var name string
	var replace bool
	cmd := &cobra.Command{
		Use:     "import FILE",
		Short:   "Import a template from a file",
		Long:    `Checks a file (- is standard input) and stores it as a template, with its comments.`,
		Example: "  azlin template import ./web.yaml\n  azlin template export web | azlin template import - --name web2",
		Args:    app.Exactly(1, "one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := a.readTemplate(args[0])
			if err != nil {
				return err
			}
			if err := a.Paths.Ensure(); err != nil {
				return err
			}
			c, err := a.templates().Import(cmd.Context(), args[0], data, name, replace)
			if err != nil {
				return err
			}
			return a.printTemplate(c)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the template (default: the name in the file)")
	cmd.Flags().BoolVar(&replace, "replace", false, "replace an existing template of that name")
	return cmd
}
