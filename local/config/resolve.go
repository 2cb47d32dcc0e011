package config

import (
	"slices"
	"strings"
)

// Origin is the source of an effective value. The first in this order takes precedence: flag, environment, context,
// configuration, default. But a context's tenant and subscription take precedence over the environment's, which are
// variables of other programs.
type Origin string

// The origins of values.
const (
	FromFlag        Origin = "flag"
	FromEnvironment Origin = "environment"
	FromContext     Origin = "context"
	FromConfig      Origin = "config"
	FromDefault     Origin = "default"
	FromNowhere     Origin = "" // not set
)

// Flags are the flags that set the target.
type Flags struct {
	Context       string // --context
	ResourceGroup string // --resource-group
	AllGroups     bool   // no group, overriding everything else
}

// Setting is one effective value with its origin.
type Setting struct {
	Name   string
	Value  any // string, []string or map[string]string; nil: not set
	Origin Origin
	Where  string // the variable, or file:line:column; empty: a flag, a default, or not set
}

// Text is a setting's text; empty when it is not set.
func (s Setting) Text() string {
	text, _ := s.Value.(string) // other types have no text
	return text
}

// Resolution is the active context and every effective value.
type Resolution struct {
	Context Context // Name is empty: no context is active
	Config  Config
	Unknown []UnknownKey // in both files

	// Writable are the names of other contexts with the same target that are not read-only.
	Writable []string

	ActiveContext, Cloud, TenantID, SubscriptionID, ResourceGroup, Region Setting
}

// candidate is a value that is used if those before it are empty.
type candidate struct {
	value  string
	origin Origin
	where  string
}

func first(name string, candidates ...candidate) Setting {
	for _, c := range candidates {
		if c.value != "" {
			return Setting{Name: name, Value: c.value, Origin: c.origin, Where: c.where}
		}
	}
	return Setting{Name: name}
}

// Resolve determines the active context and the target. It leaves out what the Azure CLI's profile or the emulator add:
// subscription and tenant may stay unset.
func Resolve(flags Flags, env Environment, all Contexts, c Config) (Resolution, error) {
	r := Resolution{Config: c, Unknown: slices.Concat(c.Unknown, all.Unknown)}
	r.ActiveContext = first("context",
		candidate{flags.Context, FromFlag, ""},
		candidate{env.Context, FromEnvironment, "AZLIN_CONTEXT"},
		candidate{all.Current, FromContext, all.where["current"]})
	if name := r.ActiveContext.Text(); name != "" {
		var err error
		if r.Context, err = all.Get(name); err != nil {
			return r, err
		}
	}
	for _, other := range all.List() {
		if !other.ReadOnly && other.Name != r.Context.Name && strings.EqualFold(other.Cloud, r.Context.Cloud) && strings.EqualFold(other.SubscriptionID, r.Context.SubscriptionID) {
			r.Writable = append(r.Writable, other.Name)
		}
	}
	if strings.EqualFold(r.Context.Cloud, EmulatorContext) {
		// The environment's values are for the real Azure.
		env.TenantID, env.SubscriptionID = "", ""
	}
	at := all.where["contexts."+r.Context.Name]
	r.Cloud = first("cloud", candidate{r.Context.Cloud, FromContext, at}, candidate{Clouds()[0], FromDefault, ""})
	r.TenantID = first("tenant_id",
		candidate{r.Context.TenantID, FromContext, at}, candidate{env.TenantID, FromEnvironment, "AZURE_TENANT_ID"})
	r.SubscriptionID = first("subscription_id",
		candidate{r.Context.SubscriptionID, FromContext, at}, candidate{env.SubscriptionID, FromEnvironment, "AZURE_SUBSCRIPTION_ID"})
	r.ResourceGroup = first("resource_group",
		candidate{flags.ResourceGroup, FromFlag, ""},
		candidate{env.ResourceGroup, FromEnvironment, "AZLIN_RESOURCE_GROUP"},
		candidate{r.Context.ResourceGroup, FromContext, at},
		candidate{c.DefaultResourceGroup, FromConfig, c.where["default_resource_group"]})
	if flags.AllGroups {
		r.ResourceGroup = Setting{Name: "resource_group", Origin: FromFlag}
	}
	r.Region = first("region",
		candidate{r.Context.Region, FromContext, at},
		candidate{c.DefaultRegion, FromConfig, c.where["default_region"]},
		candidate{DefaultRegion, FromDefault, ""})
	return r, nil
}

// Settings lists every effective value: first the target, then the keys of the configuration.
func (r Resolution) Settings() []Setting {
	list := []Setting{r.ActiveContext, r.Cloud, r.TenantID, r.SubscriptionID, r.ResourceGroup, r.Region}
	for _, k := range Keys() {
		s := Setting{Name: k.Name, Value: r.Config.Value(k), Origin: FromConfig, Where: r.Config.where[k.Name]}
		if s.Value == nil {
			s.Origin = FromNowhere
			if k.Default != "" {
				s.Value, s.Origin = k.Default, FromDefault
			}
		}
		list = append(list, s)
	}
	return list
}
