package template

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// Store holds one person's templates: one file NAME.yaml each, mode 0600. Several processes may use it.
type Store struct {
	Dir string // created when needed; config.Paths.Templates. Empty: there are no templates, and none can be stored
}

const suffix = ".yaml"

// Path is the file of a template, whether it exists or not.
func (s Store) Path(name string) string { return filepath.Join(s.Dir, name+suffix) }

// Create stores a template under its name. An existing one is a Conflict; an unusable template is Invalid.
func (s Store) Create(ctx context.Context, c Config) error { return s.write(ctx, c, nil, false) }

// Replace is Create, but replaces an existing template.
func (s Store) Replace(ctx context.Context, c Config) error { return s.write(ctx, c, nil, true) }

// Import stores a template file unchanged, including comments, under name (empty: the name in the file). An existing
// template is a Conflict unless replace is set. file is named in errors.
func (s Store) Import(ctx context.Context, file string, data []byte, name string, replace bool) (Config, error) {
	c, err := Parse(file, data)
	if err != nil {
		return c, err
	}
	if name != "" && name != c.Name {
		c.Name, data = name, nil // the name differs: write the file anew
	}
	return c, s.write(ctx, c, data, replace)
}

func (s Store) write(ctx context.Context, c Config, data []byte, replace bool) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if s.Dir == "" { // otherwise it would go to the current directory
		return errkind.New(errkind.Prerequisite, "there is no directory for templates: specify azlin.Options.StateDir")
	}
	fail := func(err error) error {
		if err == nil {
			return nil
		}
		return &errkind.Error{Op: "keep template", Resource: c.Name, Class: ErrTemplate, Err: err}
	}
	if data == nil {
		var err error
		if data, err = Format(c); err != nil {
			return fail(err)
		}
	}
	return fail(s.locked(ctx, func() error {
		if _, err := os.Lstat(s.Path(c.Name)); err == nil && !replace {
			return errkind.New(errkind.Conflict, "there is a template of this name")
		}
		return atomicfile.Write(s.Path(c.Name), data, 0o600)
	}))
}

// Load reads a template. An absent one is NotFound; an unreadable one is Invalid, with line and column, and is not changed.
func (s Store) Load(name string) (Config, error) {
	data, err := s.Export(name)
	if err != nil {
		return Config{}, err
	}
	c, err := Parse(s.Path(name), data)
	if err != nil {
		return Config{}, err
	}
	if c.Name != name {
		_, where, _ := decode(data) // it was read without error above
		return Config{}, placed(s.Path(name), places{at: where.fields["name"]}, fmt.Errorf("name: it is %q, and the file is named for %q", c.Name, name))
	}
	return c, nil
}

// Export returns a template's file unchanged. An absent one is NotFound.
func (s Store) Export(name string) ([]byte, error) {
	if err := ValidateName(name); err != nil {
		return nil, err
	}
	if s.Dir == "" {
		return nil, s.absent("find", name)
	}
	data, err := atomicfile.Read(s.Path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s.absent("find", name)
	}
	if err != nil {
		return nil, &errkind.Error{Op: "read template", Resource: name, Class: ErrTemplate, Err: err}
	}
	return data, nil
}

func (s Store) absent(op, name string) error {
	return &errkind.Error{
		Kind: errkind.NotFound, Op: op + " template", Resource: name, Class: ErrTemplate,
		Err: errkind.New(errkind.NotFound, "there is no template of this name"), Next: errkind.Step{Action: errkind.ListTemplates},
	}
}

// List returns the names of all templates in alphabetical order, including those that Load would refuse.
func (s Store) List() ([]string, error) {
	if s.Dir == "" {
		return []string{}, nil
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &errkind.Error{Op: "list templates", Class: ErrTemplate, Err: err}
	}
	names := []string{}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), suffix); ok && !e.IsDir() && ValidateName(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Delete deletes a template, valid or not. An absent one is NotFound.
func (s Store) Delete(ctx context.Context, name string) error {
	if err := ValidateName(name); err != nil {
		return err
	}
	if _, err := os.Lstat(s.Path(name)); s.Dir == "" || errors.Is(err, fs.ErrNotExist) {
		return s.absent("delete", name)
	}
	return s.locked(ctx, func() error {
		err := os.Remove(s.Path(name))
		if errors.Is(err, fs.ErrNotExist) {
			return s.absent("delete", name)
		}
		if err != nil {
			return &errkind.Error{Op: "delete template", Resource: name, Class: ErrTemplate, Err: err}
		}
		return nil
	})
}

// locked runs f while no other process changes the templates.
func (s Store) locked(ctx context.Context, f func() error) error {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	return atomicfile.Locked(ctx, filepath.Join(s.Dir, "templates"), f)
}
