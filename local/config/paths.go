package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Paths are the files and directories that azlin keeps for one person.
type Paths struct {
	Dir        string // ~/.azlin, mode 0700
	Config     string // config.toml
	Contexts   string // contexts.toml
	KnownHosts string // known_hosts: verified host keys by VM id
	Audit      string // audit.jsonl: every change, hash-chained
	History    string // connections.jsonl: every interactive connection
	Operations string // operations/: unfinished operations
	Templates  string // templates/: one file per VM template
	Cache      string // cache/: prices, SKUs; may be deleted at any time
	Tokens     string // tokens/: cached access tokens, mode 0600
	Emulator   string // emulator/: state of the local Azure
	SSHDir     string // ~/.ssh
	AzureDir   string // ~/.azure: the Azure CLI's own state, read-only
}

// ErrNoHome is returned when neither AZLIN_CONFIG_DIR nor a home directory is set.
var ErrNoHome = errors.New("no home directory: set HOME or AZLIN_CONFIG_DIR")

// ResolvePaths finds azlin's files from the environment. It creates nothing.
func ResolvePaths(env Environment) (Paths, error) {
	dir := env.ConfigDir
	if dir == "" {
		if env.Home == "" {
			return Paths{}, ErrNoHome
		}
		dir = filepath.Join(env.Home, ".azlin")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Paths{}, fmt.Errorf("resolve %s: %w", env.ConfigDir, err)
	}
	azureDir := env.AzureConfigDir
	if azureDir == "" && env.Home != "" {
		azureDir = filepath.Join(env.Home, ".azure")
	}
	sshDir := filepath.Join(dir, "ssh")
	if env.Home != "" {
		sshDir = filepath.Join(env.Home, ".ssh")
	}
	return Paths{
		Dir:        dir,
		Config:     filepath.Join(dir, "config.toml"),
		Contexts:   filepath.Join(dir, "contexts.toml"),
		KnownHosts: filepath.Join(dir, "known_hosts"),
		Audit:      filepath.Join(dir, "audit.jsonl"),
		History:    filepath.Join(dir, "connections.jsonl"),
		Operations: filepath.Join(dir, "operations"),
		Templates:  filepath.Join(dir, "templates"),
		Cache:      filepath.Join(dir, "cache"),
		Tokens:     filepath.Join(dir, "tokens"),
		Emulator:   filepath.Join(dir, "emulator"),
		SSHDir:     sshDir,
		AzureDir:   azureDir,
	}, nil
}

// Ensure creates the directory and removes other users' permissions on it.
func (p Paths) Ensure() error {
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(p.Dir)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return os.Chmod(p.Dir, 0o700)
	}
	return nil
}
