// Package config reads and edits what a person has decided: config.toml, contexts.toml and the
// environment. It is the only package that reads environment variables.
//
// It does not talk to Azure and does not know what the values are used for.
package config

import (
	"errors"
	"fmt"
)

// Defaults for a person who has decided nothing yet.
const (
	DefaultRegion              = "westus2"
	DefaultVMSize              = "Standard_B2s"
	DefaultResourceGroup       = "azlin-rg" // used by `new` only; other commands then look at the whole subscription
	DefaultNotificationCommand = "imessR"   // used where it is installed
)

// The classes of this package's failures, for errors.Is.
var (
	// ErrConfig is the class of every failure to read, understand or change a configuration file.
	ErrConfig = errors.New("configuration error")
	// ErrContext is the class of every failure with contexts.toml and the contexts in it; it is an
	// ErrConfig, too.
	ErrContext = fmt.Errorf("context error: %w", ErrConfig)
	// ErrEnvironment is the class of a refused change of what the environment says, as the subscription.
	ErrEnvironment = fmt.Errorf("environment error: %w", ErrConfig)
)

// Config is config.toml. An empty or nil field was not set; see the accessors for the defaults, and Keys
// for what each is for.
type Config struct {
	DefaultResourceGroup string
	DefaultRegion        string
	DefaultVMSize        string
	LastVMName           string
	NotificationCommand  string
	NotificationChannels []string
	NotificationWebhook  string            // secret
	SessionNames         map[string]string // by VM name
	VMStorage            map[string]string // by VM name
	DefaultNFSStorage    string
	SSHSource            string   // "any", an address or a CIDR from which SSH is admitted; empty: the operator's own address
	EchoServices         []string // HTTPS services that tell the caller's address

	Unknown []UnknownKey // kept in the file, used for nothing

	where map[string]string // file:line:column of each key that is set
}

// UnknownKey is a key in a file that azlin has no use for.
type UnknownKey struct {
	Key   string
	Where string // file:line:column
}

// Region returns the default region.
func (c Config) Region() string { return or(c.DefaultRegion, DefaultRegion) }

// VMSize returns the default VM size.
func (c Config) VMSize() string { return or(c.DefaultVMSize, DefaultVMSize) }

// Notifier returns the command that notifies, which need not be installed.
func (c Config) Notifier() string { return or(c.NotificationCommand, DefaultNotificationCommand) }

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

// Load reads config.toml. An absent file is an empty Config; one that cannot be understood is an
// ErrConfig that names file, line and column, and is left as it is.
func Load(name string) (Config, error) {
	d, err := readDocument(name, ErrConfig)
	if err != nil {
		return Config{}, err
	}
	return decodeConfig(name, d)
}
