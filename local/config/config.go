// Package config reads and edits what a person has decided: config.toml, contexts.toml and the
// environment. It is the only package that reads environment variables.
//
// It does not talk to Azure and does not know what the values are used for.
package config

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Defaults for a person who has decided nothing yet.
const (
	DefaultRegion              = "westus2"
	DefaultVMSize              = "Standard_B2s"
	DefaultResourceGroup       = "azlin-rg" // used by `new` only; other commands then look at the whole subscription
	DefaultSSHTimeout          = 15 * time.Second
	DefaultOperationTimeout    = time.Hour
	DefaultReconnectAttempts   = 3
	DefaultNotificationCommand = "imessR" // used where it is installed
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
	Aliases              map[string]string // command lines by the words that stand for them
	DefaultNFSStorage    string
	SSHSource            string   // "any", an address or a CIDR from which SSH is admitted; empty: the operator's own address
	SSHTimeout           string   // a duration; see SSHPatience
	OperationTimeout     string   // a duration; see OperationPatience
	MaxReconnectAttempts string   // a number; see ReconnectAttempts
	EchoServices         []string // HTTPS services that tell the caller's address
	Terminal             string   // that new windows are opened in, where it can be; one of Terminals

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

// OperationPatience returns how long an operation of Azure's is waited for.
func (c Config) OperationPatience() time.Duration {
	return durationOr(c.OperationTimeout, DefaultOperationTimeout)
}

// durationOr is a duration that was checked when it was loaded, or the default when it is not set.
func durationOr(s string, otherwise time.Duration) time.Duration {
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return d
	}
	return otherwise
}

// SSHPatience returns how long a VM may be silent at a time: until it answers, until the login, and between questions
// whether it is still there.
func (c Config) SSHPatience() time.Duration { return durationOr(c.SSHTimeout, DefaultSSHTimeout) }

// ReconnectAttempts returns how often in a row a lost connection is made again; 0 is without end.
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

// Load reads config.toml. An absent file is an empty Config; one that cannot be understood is an
// ErrConfig that names file, line and column, and is left as it is.
func Load(name string) (Config, error) {
	d, err := readDocument(name, ErrConfig)
	if err != nil {
		return Config{}, err
	}
	return decodeConfig(name, d)
}
