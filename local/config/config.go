// Package config reads and edits the user's configuration: config.toml, contexts.toml and the environment. It is the only
// package that reads environment variables.
// It sends no requests and does not interpret the values.
package config

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Defaults for unset keys.
const (
	DefaultRegion              = "westus2"
	DefaultVMSize              = "Standard_B2s"
	DefaultResourceGroup       = "azlin-rg" // used by `new` only; other commands then look at the whole subscription
	DefaultSSHTimeout          = 15 * time.Second
	DefaultOperationTimeout    = time.Hour
	DefaultReconnectAttempts   = 3
	DefaultNotificationCommand = "imessR" // used if installed
)

// The classes of this package's failures, for errors.Is.
var (
	// ErrConfig is the class of every failure to read, understand or change a configuration file.
	ErrConfig = errors.New("configuration error")
	// ErrContext is the class of every failure with contexts.toml and its contexts; it is also an ErrConfig.
	ErrContext = fmt.Errorf("context error: %w", ErrConfig)
	// ErrEnvironment is the class of a refused change of a value that the environment sets, such as the subscription.
	ErrEnvironment = fmt.Errorf("environment error: %w", ErrConfig)
)

// Config is config.toml. An empty or nil field is not set; see the accessors for defaults, and Keys for descriptions.
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
	Aliases              map[string]string // command lines by alias
	DefaultNFSStorage    string
	SSHSource            string   // "any", an address or a CIDR that is admitted to SSH; empty: the operator's own address
	SSHTimeout           string   // a duration; see SSHPatience
	OperationTimeout     string   // a duration; see OperationPatience
	MaxReconnectAttempts string   // a number; see ReconnectAttempts
	EchoServices         []string // HTTPS services that return the caller's address
	Terminal             string   // terminal for new windows, if available; one of Terminals

	Unknown []UnknownKey // kept in the file, not used

	where map[string]string // file:line:column of each key that is set
}

// UnknownKey is a key in a file that azlin does not know.
type UnknownKey struct {
	Key   string
	Where string // file:line:column
}

// Region returns the default region.
func (c Config) Region() string { return or(c.DefaultRegion, DefaultRegion) }

// VMSize returns the default VM size.
func (c Config) VMSize() string { return or(c.DefaultVMSize, DefaultVMSize) }

// Notifier returns the notification command, which may not be installed.
func (c Config) Notifier() string { return or(c.NotificationCommand, DefaultNotificationCommand) }

// OperationPatience returns how long to wait for an operation in Azure.
func (c Config) OperationPatience() time.Duration {
	return durationOr(c.OperationTimeout, DefaultOperationTimeout)
}

// durationOr is a duration that was validated on loading, or the default when it is not set.
func durationOr(s string, otherwise time.Duration) time.Duration {
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return d
	}
	return otherwise
}

// SSHPatience returns the timeout for connecting, for signing in, and for keepalive probes.
func (c Config) SSHPatience() time.Duration { return durationOr(c.SSHTimeout, DefaultSSHTimeout) }

// ReconnectAttempts returns the number of reconnect attempts in a row; 0: no limit.
func (c Config) ReconnectAttempts() int {
	if n, err := strconv.Atoi(c.MaxReconnectAttempts); err == nil && n >= 0 {
		return n
	}
	return DefaultReconnectAttempts
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

// Load reads config.toml. An absent file is an empty Config; an invalid one is an ErrConfig with file, line and column, and
// is not changed.
func Load(name string) (Config, error) {
	d, err := readDocument(name, ErrConfig)
	if err != nil {
		return Config{}, err
	}
	return decodeConfig(name, d)
}
