package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/tomledit"
)

// Kind is the type of a key's value.
type Kind string

// The types of values.
const (
	Text  Kind = "text"
	List  Kind = "list"  // of texts
	Table Kind = "table" // of texts, by name
)

// Key describes one key of config.toml.
type Key struct {
	Name        string
	Default     string // used when it is not set; empty: nothing, or see Description
	Description string
	Secret      bool // its value is never shown

	valid func(string) error // for the text, or each text in a list or table
	field func(*Config) any  // *string, *[]string or *map[string]string
}

// Kind is the type of the key's value.
func (k Key) Kind() Kind {
	switch k.field(&Config{}).(type) {
	case *[]string:
		return List
	case *map[string]string:
		return Table
	}
	return Text
}

// Keys is the schema of config.toml, in display order.
func Keys() []Key {
	return []Key{
		{
			Name: "default_resource_group", valid: validGroup, field: func(c *Config) any { return &c.DefaultResourceGroup },
			Description: "resource group to work in; without it 'new' uses " + DefaultResourceGroup + " and the others look at the whole subscription",
		},
		{
			Name: "default_region", Default: DefaultRegion, valid: validRegion, field: func(c *Config) any { return &c.DefaultRegion },
			Description: "region of new VMs",
		},
		{
			Name: "default_vm_size", Default: DefaultVMSize, valid: validSize, field: func(c *Config) any { return &c.DefaultVMSize },
			Description: "size of new VMs",
		},
		{
			Name: "ssh_source", valid: validSource, field: func(c *Config) any { return &c.SSHSource },
			Description: "address or range from which new VMs admit SSH, or 'any'; default your own public address",
		},
		{
			Name: "ssh_timeout", Default: DefaultSSHTimeout.String(), valid: validTimeout, field: func(c *Config) any { return &c.SSHTimeout },
			Description: "how long to wait for a VM to answer, then for its login, and in between three questions whether it is still there",
		},
		{
			Name: "max_reconnect_attempts", Default: strconv.Itoa(DefaultReconnectAttempts), valid: validAttempts, field: func(c *Config) any { return &c.MaxReconnectAttempts },
			Description: "reconnect attempts in a row (0: no limit)",
		},
		{
			Name: "operation_timeout", Default: DefaultOperationTimeout.String(), valid: validTimeout, field: func(c *Config) any { return &c.OperationTimeout },
			Description: "how long to wait for an operation of Azure's to end; it goes on by itself after that",
		},
		{
			Name: "echo_services", valid: validHTTPS, field: func(c *Config) any { return &c.EchoServices },
			Description: "HTTPS services that tell your public address; all must agree",
		},
		{
			Name: "terminal", valid: validTerminal, field: func(c *Config) any { return &c.Terminal },
			Description: "terminal to open new windows in, where it can be: " + strings.Join(Terminals(), ", ") + "; default the one you are in",
		},
		{
			Name: "last_vm_name", valid: validLine, field: func(c *Config) any { return &c.LastVMName },
			Description: "the VM that was created last; kept by azlin",
		},
		{
			Name: "session_names", valid: validSession, field: func(c *Config) any { return &c.SessionNames },
			Description: "session names by VM",
		},
		{
			Name: "aliases", valid: validAlias, field: func(c *Config) any { return &c.Aliases },
			Description: "words of your own, each with the command line that it stands for",
		},
		{
			Name: "default_nfs_storage", valid: validStorage, field: func(c *Config) any { return &c.DefaultNFSStorage },
			Description: "NFS storage account that new VMs mount",
		},
		{
			Name: "vm_storage", valid: validStorage, field: func(c *Config) any { return &c.VMStorage },
			Description: "NFS storage accounts by VM",
		},
		{
			Name: "notification_channels", valid: validChannel, field: func(c *Config) any { return &c.NotificationChannels },
			Description: "how to notify: " + strings.Join(Channels(), ", "),
		},
		{
			Name: "notification_command", Default: DefaultNotificationCommand, valid: validLine, field: func(c *Config) any { return &c.NotificationCommand },
			Description: "program that sends a notification, where it is installed",
		},
		{
			Name: "notification_webhook", Secret: true, valid: validWebhook, field: func(c *Config) any { return &c.NotificationWebhook },
			Description: "address that notifications are posted to",
		},
	}
}

// Lookup finds the key with that name. "session_names.dev" is the entry dev of a table.
func Lookup(name string) (k Key, entry string, err error) {
	top, entry, dotted := strings.Cut(name, ".")
	var names []string
	for _, k := range Keys() {
		if k.Name == top && dotted && (k.Kind() != Table || entry == "") {
			return k, "", &errkind.Error{Kind: errkind.Invalid, Class: ErrConfig, Err: fmt.Errorf("%s has no entry %q: it is a %s", top, entry, k.Kind())}
		}
		if k.Name == top {
			return k, entry, nil
		}
		names = append(names, k.Name)
	}
	return Key{}, "", &errkind.Error{
		Kind: errkind.Invalid, Class: ErrConfig,
		Err: fmt.Errorf("there is no key %q; there are: %s", top, strings.Join(names, ", ")),
	}
}

// value is the value of k in c: a string, []string or map[string]string; nil when it is not set.
func (k Key) value(c *Config) any {
	switch f := k.field(c).(type) {
	case *string:
		if *f != "" {
			return *f
		}
	case *[]string:
		if *f != nil {
			return *f
		}
	case *map[string]string:
		if *f != nil {
			return *f
		}
	}
	return nil
}

// Value is the value of the key: a string, []string or map[string]string; nil when it is not set.
func (c Config) Value(k Key) any { return k.value(&c) }

// decodeConfig decodes d by the schema.
func decodeConfig(name string, d *tomledit.Document) (Config, error) {
	c := Config{where: map[string]string{}}
	for _, top := range inOrder(d, d.Values()) {
		i := slices.IndexFunc(Keys(), func(k Key) bool { return k.Name == top })
		if i < 0 {
			c.Unknown = append(c.Unknown, UnknownKey{Key: top, Where: placeOf(name, d, top)})
			continue
		}
		if err := Keys()[i].decode(name, d, &c); err != nil {
			return Config{}, err
		}
		c.where[top] = placeOf(name, d, top)
	}
	return c, nil
}

func (k Key) decode(name string, d *tomledit.Document, c *Config) error {
	v, _ := d.Get(k.Name)
	fail := func(err error, path ...string) error {
		return wrongValue(name, d, ErrConfig, err, append([]string{k.Name}, path...)...)
	}
	switch f := k.field(c).(type) {
	case *string:
		s, err := k.text(v)
		if err != nil {
			return fail(err)
		}
		*f = s
	case *[]string:
		list, ok := v.([]any)
		if !ok {
			return fail(fmt.Errorf("a list of texts is wanted, not %s", describe(v)))
		}
		*f = []string{}
		for _, v := range list {
			s, err := k.text(v)
			if err != nil {
				return fail(err)
			}
			*f = append(*f, s)
		}
	case *map[string]string:
		table, ok := v.(map[string]any)
		if !ok {
			return fail(fmt.Errorf("a table of texts is wanted, not %s", describe(v)))
		}
		*f = map[string]string{}
		for _, entry := range inOrder(d, table, k.Name) {
			s, err := k.text(table[entry])
			if err != nil {
				return fail(err, entry)
			}
			(*f)[entry] = s
		}
	}
	return nil
}

// text decodes and checks one text.
func (k Key) text(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("a text is wanted, not %s", describe(v))
	}
	return s, k.check(s)
}

// check validates one text. Its error does not contain the value of a secret key.
func (k Key) check(s string) error {
	err := k.valid(s)
	if err == nil || k.Secret {
		return err
	}
	return fmt.Errorf("%q: %w", s, err)
}

// describe is TOML's name for the type of a decoded value.
func describe(v any) string {
	switch v.(type) {
	case string:
		return "a text"
	case bool:
		return "a boolean"
	case int64, float64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}
