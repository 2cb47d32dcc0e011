package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
)

// EmulatorContext is the name of the built-in context that stands for the local emulator.
const EmulatorContext = "emulator"

// Context is one place to work in: which cloud, tenant, subscription and group.
type Context struct {
	Name           string `toml:"-" json:"name"`
	Cloud          string `toml:"cloud" json:"cloud,omitempty"` // "", "public", "usgovernment", "china", "emulator"
	TenantID       string `toml:"tenant_id" json:"tenant_id,omitempty"`
	SubscriptionID string `toml:"subscription_id" json:"subscription_id,omitempty"`
	ResourceGroup  string `toml:"resource_group" json:"resource_group,omitempty"`
	Region         string `toml:"region" json:"region,omitempty"`
	Description    string `toml:"description" json:"description,omitempty"`
}

// Contexts is contexts.toml together with the built-in context.
type Contexts struct {
	Current string
	named   map[string]Context
}

var (
	contextName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	uuid        = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

// LoadContexts reads contexts.toml. An absent file holds only the built-in context.
func LoadContexts(name string) (Contexts, error) {
	var file struct {
		Current  string             `toml:"current"`
		Contexts map[string]Context `toml:"contexts"`
	}
	if err := readTOML(name, &file); err != nil {
		return Contexts{}, err
	}
	all := Contexts{Current: file.Current, named: map[string]Context{}}
	for key, c := range file.Contexts {
		c.Name = key
		if err := c.validate(); err != nil {
			return Contexts{}, &errkind.Error{Kind: errkind.Invalid, Op: "read", Resource: name, Class: ErrConfig, Err: err}
		}
		all.named[key] = c
	}
	all.named[EmulatorContext] = Context{
		Name: EmulatorContext, Cloud: "emulator", Description: "a local Azure on this machine",
		Region: all.named[EmulatorContext].Region, ResourceGroup: all.named[EmulatorContext].ResourceGroup,
	}
	return all, nil
}

func (c Context) validate() error {
	if !contextName.MatchString(c.Name) {
		return fmt.Errorf("context name %q: use 1 to 64 letters, digits, - or _", c.Name)
	}
	for field, id := range map[string]string{"tenant_id": c.TenantID, "subscription_id": c.SubscriptionID} {
		if id != "" && !uuid.MatchString(id) {
			return fmt.Errorf("context %s: %s %q is not a UUID", c.Name, field, id)
		}
	}
	return nil
}

// Names returns the names of all contexts, sorted.
func (c Contexts) Names() []string { return slices.Sorted(maps.Keys(c.named)) }

// Get returns the context of that name, or an error that lists those there are.
func (c Contexts) Get(name string) (Context, error) {
	found, ok := c.named[name]
	if !ok {
		return Context{}, errkind.New(errkind.NotFound, "there is no context %q; there are: %s",
			name, strings.Join(c.Names(), ", "))
	}
	return found, nil
}
