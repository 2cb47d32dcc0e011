package remote

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/azlin-dev/azlin/errkind"
	"github.com/azlin-dev/azlin/internal/atomicfile"
)

// offered is how many keys one connection offers: sshd lets nobody try more than six.
const offered = 5

// besideAgent is how many of the earlier keys are offered together with the agent's, which come after them.
const besideAgent = 2

// firstKeys is h with as many earlier keys as go into one connection, and the others.
func (h Host) firstKeys() (first Host, rest []string) {
	room := offered - 1
	if h.AgentSocket != "" {
		room = besideAgent
	}
	if h.Only != nil {
		room = len(h.EarlierKeys) // only one of them is offered
	}
	room = min(room, len(h.EarlierKeys))
	first, rest = h, h.EarlierKeys[room:]
	first.EarlierKeys = h.EarlierKeys[:room]
	return first, rest
}

// withKeys is h with these private keys and no others.
func (h Host) withKeys(paths []string) Host {
	h.KeyPath, h.EarlierKeys, h.AgentSocket = paths[0], paths[1:], ""
	return h
}

// fitting is h with the keys that the VM accepts, for the system's ssh, which makes one connection. It is found out where
// they are more than one connection may offer; a failure is left to ssh to meet.
func (h Host) fitting(ctx context.Context) Host {
	if len(h.EarlierKeys) < offered {
		return h
	}
	c, err := Dial(ctx, h)
	if err != nil {
		return h
	}
	defer c.Close()
	return c.host
}

// identities are the files of the keys that the system's ssh offers.
func (h Host) identities() []string {
	if h.KeyPath == "" {
		return nil
	}
	return append([]string{h.KeyPath}, h.EarlierKeys[:min(len(h.EarlierKeys), offered-1)]...)
}

// earlier reads the keys that were in use before. One that cannot be read is no worse than one that is not there.
func (h Host) earlier() []ssh.Signer {
	var signers []ssh.Signer
	for _, path := range h.EarlierKeys {
		if data, err := atomicfile.Read(path); err == nil {
			if signer, err := ssh.ParsePrivateKey(data); err == nil {
				signers = append(signers, signer)
			}
		}
	}
	return signers
}

// checkKeyMode refuses a private key that ssh would not read, because other people on this machine may. A key that the
// agent holds is not read.
func (h Host) checkKeyMode() error {
	if runtime.GOOS == "windows" || h.KeyPath == "" || h.AgentSocket != "" {
		return nil
	}
	path := strings.TrimSuffix(h.KeyPath, ".pub")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return nil //nolint:nilerr // whoever reads it says so
	}
	return &errkind.Error{
		Kind: errkind.Prerequisite, Op: "use key", Resource: path, Class: ErrConnection,
		Err:  fmt.Errorf("other people may read it (mode %04o), so ssh does not use it", info.Mode().Perm()),
		Next: errkind.Step{Action: errkind.Run, Command: "chmod go= " + Quote(path)},
	}
}
