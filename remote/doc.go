// Package remote reaches VMs over SSH: key pairs, verified host keys, waiting for a machine to come
// up, running commands, and interactive sessions inside tmux.
//
// Everything programmatic happens in this process; an interactive session runs the system's ssh, so
// that people keep their agent, their terminal and their configuration. No connection is ever made
// to a machine whose host key is not known.
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
