// Package remote reaches VMs over SSH: key pairs, verified host keys, waiting for a machine to boot, running commands, and
// interactive sessions inside tmux.
// Non-interactive commands use an SSH client in this process; an interactive session runs the system's ssh, so that users
// keep their agent, their terminal and their configuration. It never connects to a machine with an unknown host key.
package remote

import (
	"errors"

	"github.com/azlin-dev/azlin/remote/knownhosts"
)

// The failures of this package, for errors.Is.
var (
	ErrConnection = errors.New("SSH connection failed")
	ErrExec       = errors.New("remote command could not be run")
	ErrHostKey    = knownhosts.ErrHostKey
)
