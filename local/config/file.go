package config

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/tomledit"
)

// File is config.toml. Edits are made under a lock, so that processes do not undo each other's, and change only the value:
// comments, order and unknown keys are kept.
type File struct {
	Path string // Paths.Config
}

// Load reads the file, as the function Load does.
func (f File) Load() (Config, error) { return Load(f.Path) }

// Save writes the differences between the file and c: every key set in c is set, every other known key is unset. Unknown
// keys are kept.
func (f File) Save(ctx context.Context, c Config) error {
	return editDocument(ctx, f.Path, ErrConfig, func(d *tomledit.Document) (*tomledit.Document, error) {
		old, err := decodeConfig(f.Path, d)
		if err != nil {
			return nil, err
		}
		return saveAll(d, old, c)
	})
}

func saveAll(d *tomledit.Document, old, c Config) (_ *tomledit.Document, err error) {
	for _, k := range Keys() {
		if d, err = k.save(d, k.value(&old), k.value(&c)); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// save sets the value of k in d.
func (k Key) save(d *tomledit.Document, old, value any) (*tomledit.Document, error) {
	switch value := value.(type) {
	case string:
		if value != old {
			return k.set(d, "", []string{value})
		}
	case []string:
		if had, ok := old.([]string); !ok || !slices.Equal(had, value) {
			return k.set(d, "", value)
		}
	case map[string]string:
		had, _ := old.(map[string]string) // nil: it was not set
		var err error
		for _, entry := range slices.Sorted(maps.Keys(had)) {
			if _, keep := value[entry]; !keep {
				if d, err = d.Unset(k.Name, entry); err != nil {
					return nil, err
				}
			}
		}
		for _, entry := range slices.Sorted(maps.Keys(value)) {
			if had[entry] != value[entry] {
				if d, err = k.set(d, entry, []string{value[entry]}); err != nil {
					return nil, err
				}
			}
		}
	case nil:
		if old != nil {
			return d.Unset(k.Name)
		}
	}
	return d, nil
}

// set checks and writes values: exactly one, except for a list.
func (k Key) set(d *tomledit.Document, entry string, values []string) (*tomledit.Document, error) {
	name, path := k.Name, []string{k.Name}
	if entry != "" {
		name, path = name+"."+entry, append(path, entry)
	}
	refuse := func(err error) (*tomledit.Document, error) {
		return nil, &errkind.Error{Kind: errkind.Invalid, Op: "set", Resource: name, Class: ErrConfig, Err: err}
	}
	if k.Kind() == Table && entry == "" {
		return refuse(fmt.Errorf("it is a table: set %s.NAME", k.Name))
	}
	if k.Kind() != List && len(values) != 1 {
		return refuse(fmt.Errorf("one value is wanted, not %d", len(values)))
	}
	for _, v := range values {
		if err := k.check(v); err != nil {
			return refuse(err)
		}
	}
	if k.Kind() == List {
		return d.Set(values, path...)
	}
	return d.Set(values[0], path...)
}

// Set sets a key of the schema, or an entry of a table: "session_names.dev". A list accepts any number of values, other keys
// one. An invalid value is an ErrConfig, and nothing is changed.
func (f File) Set(ctx context.Context, name string, values ...string) error {
	k, entry, err := Lookup(name)
	if err != nil {
		return err
	}
	return editDocument(ctx, f.Path, ErrConfig, func(d *tomledit.Document) (*tomledit.Document, error) {
		return k.set(d, entry, values)
	})
}

// Unset removes a key, also an unknown one, or an entry of a table. It reports whether it was set.
func (f File) Unset(ctx context.Context, name string) (was bool, err error) {
	k, entry, unknown := Lookup(name)
	path := []string{k.Name}
	switch {
	case unknown != nil:
		path = strings.Split(name, ".")
	case entry != "":
		path = append(path, entry)
	}
	err = editDocument(ctx, f.Path, ErrConfig, func(d *tomledit.Document) (*tomledit.Document, error) {
		if _, was = d.Get(path...); !was && unknown != nil {
			return nil, unknown
		}
		return d.Unset(path...)
	})
	return was, err
}

// Update passes the file's configuration to change and saves the result, all under the file's lock.
func (f File) Update(ctx context.Context, change func(*Config) error) error {
	return editDocument(ctx, f.Path, ErrConfig, func(d *tomledit.Document) (*tomledit.Document, error) {
		old, err := decodeConfig(f.Path, d)
		if err != nil {
			return nil, err
		}
		c := old
		c.SessionNames, c.VMStorage, c.Aliases = maps.Clone(old.SessionNames), maps.Clone(old.VMStorage), maps.Clone(old.Aliases)
		c.EchoServices, c.NotificationChannels = slices.Clone(old.EchoServices), slices.Clone(old.NotificationChannels)
		if err := change(&c); err != nil {
			return nil, err
		}
		return saveAll(d, old, c)
	})
}

// SetSessionName stores the session name of a VM; the empty name removes it.
func (f File) SetSessionName(ctx context.Context, vm, session string) error {
	if vm == "" {
		return &errkind.Error{Kind: errkind.Invalid, Op: "set session name", Class: ErrConfig, Err: errors.New("no VM is named")}
	}
	if session == "" {
		_, err := f.Unset(ctx, "session_names."+vm)
		return err
	}
	return f.Set(ctx, "session_names."+vm, session)
}

// SessionName is the stored session name of a VM; empty: none.
func (f File) SessionName(vm string) (string, error) {
	c, err := f.Load()
	return c.SessionNames[vm], err
}
