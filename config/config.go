// Package config reads what a person has decided once: config.toml, contexts.toml and the
// environment. It is the only package that reads environment variables.
//
// It does not talk to Azure and does not know what the values are used for.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pelletier/go-toml/v2"

	"github.com/azlin-dev/azlin/errkind"
)

// Defaults for a person who has decided nothing yet.
const (
	DefaultRegion        = "westus2"
	DefaultVMSize        = "Standard_B2s"
	DefaultResourceGroup = "azlin-rg" // used by `new` only; other commands then look at the whole subscription
)

// ErrConfig is the class of every failure to read or understand a configuration file.
var ErrConfig = errors.New("configuration error")

// Config is config.toml. A nil or empty field was not set; see the accessors for the defaults.
type Config struct {
	DefaultResourceGroup string            `toml:"default_resource_group"`
	DefaultRegion        string            `toml:"default_region"`
	DefaultVMSize        string            `toml:"default_vm_size"`
	LastVMName           string            `toml:"last_vm_name"`
	NotificationCommand  string            `toml:"notification_command"`
	SessionNames         map[string]string `toml:"session_names"`
	VMStorage            map[string]string `toml:"vm_storage"`
	DefaultNFSStorage    string            `toml:"default_nfs_storage"`
	SSHSource            string            `toml:"ssh_source"`    // CIDR from which SSH is admitted; empty: the operator's own address
	EchoServices         []string          `toml:"echo_services"` // HTTPS services that tell the caller's address
}

// Region returns the default region.
func (c Config) Region() string { return or(c.DefaultRegion, DefaultRegion) }

// VMSize returns the default VM size.
func (c Config) VMSize() string { return or(c.DefaultVMSize, DefaultVMSize) }

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

// Load reads config.toml. An absent file is an empty Config; one that cannot be understood is an
// error that names file, line and column, and is left as it is.
func Load(name string) (Config, error) {
	var c Config
	err := readTOML(name, &c)
	return c, err
}

// readTOML decodes the file name into v; an absent file leaves v alone.
func readTOML(name string, v any) error {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &errkind.Error{Kind: errkind.Invalid, Op: "read", Resource: name, Class: ErrConfig, Err: err}
	}
	if err := toml.NewDecoder(bytes.NewReader(data)).Decode(v); err != nil {
		where := name
		if syntax, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, column := syntax.Position()
			where = fmt.Sprintf("%s:%d:%d", name, line, column)
		}
		return &errkind.Error{Kind: errkind.Invalid, Op: "read", Resource: where, Class: ErrConfig, Err: err}
	}
	return nil
}
