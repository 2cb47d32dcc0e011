package config

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/tomledit"
)

// EmulatorContext is the name of the built-in context of the local emulator, and of its cloud.
const EmulatorContext = "emulator"

// Context is a target: cloud, tenant, subscription and group.
type Context struct {
	Name           string `json:"name"`
	Cloud          string `json:"cloud,omitempty"` // see Clouds; empty: public
	TenantID       string `json:"tenant_id,omitempty"`
	SubscriptionID string `json:"subscription_id,omitempty"`
	ResourceGroup  string `json:"resource_group,omitempty"`
	Region         string `json:"region,omitempty"`
	Description    string `json:"description,omitempty"`
	Protected      bool   `json:"protected"` // requires its name to be typed before destructive changes
	ReadOnly       bool   `json:"read_only"` // sends no write
}

// Clouds lists the values of a context's cloud; the Azure CLI's names for Microsoft's clouds are also accepted.
func Clouds() []string { return []string{"public", "usgovernment", "china", EmulatorContext} }

// Contexts is contexts.toml together with the built-in context.
type Contexts struct {
	Current string            // empty: none
	Unknown []UnknownKey      // kept in the file, not used
	Path    string            // of the file
	where   map[string]string // file:line:column of each context and of "current"
	named   map[string]Context
}

var (
	contextName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	uuid        = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

// contextField is one field of a context in the file.
type contextField struct {
	name  string
	valid func(string) error // of a text
	field func(*Context) any // *string or *bool
}

// contextFields are in the order in which they are written to a new context.
func contextFields() []contextField {
	return []contextField{
		{"cloud", validCloud, func(c *Context) any { return &c.Cloud }},
		{"tenant_id", validUUID, func(c *Context) any { return &c.TenantID }},
		{"subscription_id", validUUID, func(c *Context) any { return &c.SubscriptionID }},
		{"resource_group", validGroup, func(c *Context) any { return &c.ResourceGroup }},
		{"region", validRegion, func(c *Context) any { return &c.Region }},
		{"description", validLine, func(c *Context) any { return &c.Description }},
		{"protected", nil, func(c *Context) any { return &c.Protected }},
		{"read_only", nil, func(c *Context) any { return &c.ReadOnly }},
	}
}

func validUUID(s string) error {
	if !uuid.MatchString(s) {
		return errors.New("it is not a UUID")
	}
	return nil
}

func validCloud(s string) error {
	known := append(Clouds(), "azurecloud", "azureusgovernment", "azurechinacloud")
	if !slices.Contains(known, strings.ToLower(s)) {
		return errors.New("use " + strings.Join(Clouds(), ", "))
	}
	return nil
}

func validContextName(name string) error {
	if !contextName.MatchString(name) {
		return fmt.Errorf("context name %q: use 1 to 64 letters, digits, - or _", name)
	}
	return nil
}

// LoadContexts reads contexts.toml. An absent file has only the built-in context; an invalid one is an ErrContext with file,
// line and column, and is not changed.
func LoadContexts(name string) (Contexts, error) {
	d, err := readDocument(name, ErrContext)
	if err != nil {
		return Contexts{}, err
	}
	return decodeContexts(name, d)
}

func decodeContexts(name string, d *tomledit.Document) (Contexts, error) {
	all := Contexts{Path: name, named: map[string]Context{}, where: map[string]string{}}
	for _, key := range inOrder(d, d.Values()) {
		v, _ := d.Get(key)
		switch key {
		case "current":
			current, ok := v.(string)
			if !ok {
				return Contexts{}, wrongValue(name, d, ErrContext, fmt.Errorf("a text is wanted, not %s", describe(v)), key)
			}
			all.Current, all.where[key] = current, placeOf(name, d, key)
		case "contexts":
			table, ok := v.(map[string]any)
			if !ok {
				return Contexts{}, wrongValue(name, d, ErrContext, fmt.Errorf("a table is wanted, not %s", describe(v)), key)
			}
			for _, c := range inOrder(d, table, key) {
				if err := all.add(d, c); err != nil {
					return Contexts{}, err
				}
			}
		default:
			all.Unknown = append(all.Unknown, UnknownKey{Key: key, Where: placeOf(name, d, key)})
		}
	}
	own := all.named[EmulatorContext]
	own.Name, own.Cloud = EmulatorContext, EmulatorContext
	own.Description = or(own.Description, "a local Azure on this machine")
	all.named[EmulatorContext] = own
	return all, nil
}

// add decodes one context.
func (c *Contexts) add(d *tomledit.Document, name string) error {
	found, unknown, err := decodeContext(c.Path, d, name)
	if err != nil {
		return err
	}
	c.named[name], c.where["contexts."+name] = found, placeOf(c.Path, d, "contexts", name)
	c.Unknown = append(c.Unknown, unknown...)
	return nil
}

// decodeContext decodes and checks the context with that name.
func decodeContext(file string, d *tomledit.Document, name string) (Context, []UnknownKey, error) {
	path := []string{"contexts", name}
	fail := func(err error, field ...string) error {
		return wrongValue(file, d, ErrContext, err, slices.Concat(path, field)...)
	}
	if err := validContextName(name); err != nil {
		return Context{}, nil, fail(err)
	}
	v, _ := d.Get(path...)
	table, ok := v.(map[string]any)
	if !ok {
		return Context{}, nil, fail(fmt.Errorf("a table is wanted, not %s", describe(v)))
	}
	c := Context{Name: name}
	var unknown []UnknownKey
	for _, key := range inOrder(d, table, path...) {
		i := slices.IndexFunc(contextFields(), func(f contextField) bool { return f.name == key })
		if i < 0 {
			unknown = append(unknown, UnknownKey{Key: strings.Join(append(path, key), "."), Where: placeOf(file, d, append(path, key)...)})
			continue
		}
		if err := contextFields()[i].decode(&c, table[key]); err != nil {
			return Context{}, nil, fail(err, key)
		}
		if name == EmulatorContext && slices.Contains([]string{"cloud", "tenant_id", "subscription_id"}, key) && table[key] != EmulatorContext {
			return Context{}, nil, fail(fmt.Errorf("the context %s is built in; make another one with cloud = %q", name, EmulatorContext), key)
		}
	}
	return c, unknown, nil
}

func (f contextField) decode(c *Context, v any) error {
	switch p := f.field(c).(type) {
	case *string:
		s, ok := v.(string)
		if !ok {
			return fmt.Errorf("a text is wanted, not %s", describe(v))
		}
		*p = s
		if s == "" {
			return nil // treated as absent
		}
		if err := f.valid(s); err != nil {
			return fmt.Errorf("%q: %w", s, err)
		}
	case *bool:
		b, ok := v.(bool)
		if !ok {
			return fmt.Errorf("true or false is wanted, not %s", describe(v))
		}
		*p = b
	}
	return nil
}

// Names returns the names of all contexts, sorted.
func (c Contexts) Names() []string { return slices.Sorted(maps.Keys(c.named)) }

// List returns all contexts, sorted by name.
func (c Contexts) List() []Context {
	list := make([]Context, 0, len(c.named))
	for _, name := range c.Names() {
		list = append(list, c.named[name])
	}
	return list
}

// Get returns the context with that name, or an error that lists the existing ones.
func (c Contexts) Get(name string) (Context, error) {
	found, ok := c.named[name]
	if !ok {
		return Context{}, &errkind.Error{
			Kind: errkind.NotFound, Class: ErrContext,
			Err: fmt.Errorf("there is no context %q; there are: %s", name, strings.Join(c.Names(), ", ")),
		}
	}
	return found, nil
}

// Active returns the current context; ok is false when there is none.
func (c Contexts) Active() (current Context, ok bool, err error) {
	if c.Current == "" {
		return Context{}, false, nil
	}
	current, err = c.Get(c.Current)
	return current, err == nil, err
}
