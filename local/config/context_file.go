package config

import (
	"context"
	"errors"
	"fmt"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/tomledit"
)

// ContextFile is contexts.toml. It is edited in the same way as File.
type ContextFile struct {
	Path string // Paths.Contexts
}

// ContextChange lists the changes to a context: nil leaves a field unchanged, the empty text removes it.
type ContextChange struct {
	Cloud, TenantID, SubscriptionID, ResourceGroup, Region, Description *string
	Protected, ReadOnly                                                 *bool
}

// Load reads the file, as LoadContexts does.
func (f ContextFile) Load() (Contexts, error) { return LoadContexts(f.Path) }

// edit is editDocument with the class ErrContext.
func (f ContextFile) edit(ctx context.Context, op, name string, edit func(*tomledit.Document) (*tomledit.Document, error)) error {
	return editDocument(ctx, f.Path, ErrContext, func(d *tomledit.Document) (*tomledit.Document, error) {
		changed, err := edit(d)
		if err != nil && !errors.Is(err, ErrContext) {
			err = &errkind.Error{Op: op, Resource: name, Class: ErrContext, Err: err}
		}
		return changed, err
	})
}

// exists reports whether the file has that context.
func exists(d *tomledit.Document, name string) bool {
	_, ok := d.Get("contexts", name)
	return ok
}

func (f ContextFile) absent(d *tomledit.Document, name string) error {
	all, err := decodeContexts(f.Path, d)
	if err != nil { // the names could not be listed
		return errkind.New(errkind.NotFound, "there is no such context")
	}
	_, err = all.Get(name)
	return err
}

var errBuiltIn = errkind.New(errkind.Conflict, "the context %s is built in", EmulatorContext)

// Create adds a context. An existing name is a Conflict, an invalid field Invalid.
func (f ContextFile) Create(ctx context.Context, c Context) error {
	return f.edit(ctx, "create context", c.Name, func(d *tomledit.Document) (*tomledit.Document, error) {
		if c.Name == EmulatorContext {
			return nil, errBuiltIn
		}
		if err := validContextName(c.Name); err != nil {
			return nil, errkind.New(errkind.Invalid, "%w", err)
		}
		if exists(d, c.Name) {
			return nil, errkind.New(errkind.Conflict, "it exists")
		}
		// Always written, so that a context without other fields exists.
		c.Cloud = or(c.Cloud, Clouds()[0])
		return f.write(d, c.Name, func(field contextField) (any, bool) {
			switch p := field.field(&c).(type) {
			case *string:
				return *p, *p != ""
			case *bool:
				return *p, *p
			}
			return nil, false
		})
	})
}

// write sets the fields in value and checks the whole context. The empty text removes a field.
func (f ContextFile) write(d *tomledit.Document, name string, value func(contextField) (any, bool)) (_ *tomledit.Document, err error) {
	for _, field := range contextFields() {
		v, ok := value(field)
		if !ok {
			continue
		}
		var probe Context
		if err := field.decode(&probe, v); err != nil {
			return nil, errkind.New(errkind.Invalid, "%s: %w", field.name, err)
		}
		if v == "" {
			d, err = d.Unset("contexts", name, field.name)
		} else {
			d, err = d.Set(v, "contexts", name, field.name)
		}
		if err != nil {
			return nil, err
		}
	}
	if !exists(d, name) {
		return d, nil // the last field of the built-in one was removed
	}
	_, _, err = decodeContext(f.Path, d, name)
	return d, err
}

// Change changes fields of a context. The target of the built-in one cannot be changed.
func (f ContextFile) Change(ctx context.Context, name string, change ContextChange) error {
	return f.edit(ctx, "change context", name, func(d *tomledit.Document) (*tomledit.Document, error) {
		if !exists(d, name) && name != EmulatorContext {
			return nil, f.absent(d, name)
		}
		values := map[string]any{}
		for field, v := range map[string]*string{
			"cloud": change.Cloud, "tenant_id": change.TenantID, "subscription_id": change.SubscriptionID,
			"resource_group": change.ResourceGroup, "region": change.Region, "description": change.Description,
		} {
			if v != nil {
				values[field] = *v
			}
		}
		for field, v := range map[string]*bool{"protected": change.Protected, "read_only": change.ReadOnly} {
			if v != nil {
				values[field] = *v
			}
		}
		if change.Cloud != nil && *change.Cloud == "" {
			values["cloud"] = Clouds()[0]
		}
		return f.write(d, name, func(field contextField) (any, bool) {
			v, ok := values[field.name]
			return v, ok
		})
	})
}

// Use sets the current context.
func (f ContextFile) Use(ctx context.Context, name string) error {
	return f.edit(ctx, "use context", name, func(d *tomledit.Document) (*tomledit.Document, error) {
		if !exists(d, name) && name != EmulatorContext {
			return nil, f.absent(d, name)
		}
		if exists(d, name) {
			if _, _, err := decodeContext(f.Path, d, name); err != nil {
				return nil, err
			}
		}
		return d.Set(name, "current")
	})
}

// Delete removes a context. After deleting the current one, none is current.
func (f ContextFile) Delete(ctx context.Context, name string) error {
	return f.edit(ctx, "delete context", name, func(d *tomledit.Document) (*tomledit.Document, error) {
		if name == EmulatorContext {
			return nil, errBuiltIn
		}
		if !exists(d, name) {
			return nil, f.absent(d, name)
		}
		d, err := d.Unset("contexts", name)
		if current, _ := d.Get("current"); err != nil || current != name {
			return d, err
		}
		return d.Unset("current")
	})
}

// Rename renames a context; the current one stays current.
func (f ContextFile) Rename(ctx context.Context, name, to string) error {
	return f.edit(ctx, "rename context", name, func(d *tomledit.Document) (*tomledit.Document, error) {
		switch {
		case name == EmulatorContext || to == EmulatorContext:
			return nil, errBuiltIn
		case !exists(d, name):
			return nil, f.absent(d, name)
		case name == to:
			return d, nil
		case exists(d, to):
			return nil, errkind.New(errkind.Conflict, "%s exists", to)
		}
		if err := validContextName(to); err != nil {
			return nil, errkind.New(errkind.Invalid, "%w", err)
		}
		d, err := d.Rename(to, "contexts", name)
		if err != nil {
			return nil, err
		}
		if current, _ := d.Get("current"); current != name {
			return d, nil
		}
		return d.Set(to, "current")
	})
}

// SetSubscription changes the subscription of the active context: the one named in the environment, else the current one.
// Without an active context it is an ErrEnvironment.
func (f ContextFile) SetSubscription(ctx context.Context, env Environment, id string) error {
	fail := func(err error) error {
		return &errkind.Error{Kind: errkind.Of(err), Op: "set the subscription", Class: ErrEnvironment, Err: err}
	}
	all, err := f.Load()
	if err != nil {
		return fail(err)
	}
	name := or(env.Context, all.Current)
	if name == "" {
		return fail(errkind.New(errkind.Invalid, "no context is active: make one and use it, then set its subscription"))
	}
	if err := validUUID(id); err != nil {
		return fail(errkind.New(errkind.Invalid, "%q: %w", id, err))
	}
	if err := f.Change(ctx, name, ContextChange{SubscriptionID: &id}); err != nil {
		return fail(fmt.Errorf("context %s: %w", name, err))
	}
	return nil
}
